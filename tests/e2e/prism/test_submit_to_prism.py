"""Submission against a mock that was made from the documented contract, by a program that knows nothing of ours."""

import json
from collections.abc import Iterator
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import AS_OF, Outcome, Shell, call
from tests.e2e.prism.mock import post, prism
from tests.e2e.runs import RunFile, declined, declined_body, empty_store, flow_body, flows, make_run
from tests.e2e.servers import serving

pytestmark = [pytest.mark.prism, pytest.mark.slow, pytest.mark.xdist_group("prism")]

DECLINED = "/declined-payments/external"
ABANDONED = "/smart-support/external/payments"
KEYS = {"public_api_key": "a", "private_secret_key": "b"}


@pytest.fixture(scope="module")
def mock(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The base URL of the mock."""
    with prism(tmp_path_factory.mktemp("prism") / "log") as base:
        yield base


@pytest.fixture
def keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both keys are in the environment."""
    monkeypatch.setenv("RECOVERY_BATCH_PUBLIC_API_KEY", "public")
    monkeypatch.setenv("RECOVERY_BATCH_PRIVATE_SECRET_KEY", "private")


def send(shell: Shell, folder: Path, base: str, *options: object) -> Outcome:
    urls = ("--declined-url", base, "--abandoned-url", base)
    return shell("submit", folder, "--yes", "--any-time", "--repeat", "--unknown-run", "--json", *urls, *options)


def states(outcome: Outcome) -> list[str]:
    return [each["state"] for each in outcome.document["requests"]]


@pytest.mark.usefixtures("keys")
def test_a_run_of_the_examples_is_accepted(example_db: Path, tmp_path: Path, mock: str) -> None:
    shell = Shell(tmp_path / "copy.duckdb")
    shell.db.write_bytes(example_db.read_bytes())
    manifest = shell.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document
    assert manifest["files"]
    outcome = send(shell, tmp_path / "out" / manifest["run_id"], mock)
    assert outcome.status == 0, outcome
    assert set(states(outcome)) == {"accepted"}


@pytest.mark.usefixtures("keys")
def test_both_kinds_are_accepted(tmp_path: Path, mock: str) -> None:
    folder = make_run(tmp_path / "run", declined(1, "p1", "p2"), flows(1, "s1", "s2"))
    outcome = send(empty_store(tmp_path / "s.duckdb"), folder, mock)
    assert (outcome.status, states(outcome)) == (0, ["accepted"] * 3)
    assert {each["status_code"] for each in outcome.document["requests"]} == {200}


@pytest.mark.usefixtures("keys")
def test_keys_under_other_names_are_refused(tmp_path: Path, mock: str) -> None:
    (tmp_path / "settings.toml").write_text('[submit]\nheaders = "campaigns"\n')
    folder = make_run(tmp_path / "run", flows(1, "s1", "s2"))
    shell = empty_store(tmp_path / "s.duckdb")
    outcome = call("--config", tmp_path / "settings.toml", "--db", shell.db, "submit", folder, "--yes", "--json",
                   "--unknown-run", "--abandoned-url", mock)  # fmt: skip
    assert (outcome.status, states(outcome)) == (3, ["unsent", "due"])
    assert outcome.document["requests"][0]["status_code"] == 401
    assert outcome.document["stopped"]["details"]["slug"] == "access_refused"
    assert states(send(shell, folder, mock)) == ["accepted", "accepted"]


# Of the form that our contract asks for, and still no time: only the other side sees it.
NO_SUCH_TIME = flow_body("s1").replace(b"2026-10-01T15", b"2026-13-01T15")


@pytest.mark.usefixtures("keys")
def test_an_invalid_body_is_refused_and_the_others_are_not(tmp_path: Path, mock: str) -> None:
    content = NO_SUCH_TIME + b"\n" + flow_body("s2") + b"\n"
    folder = make_run(tmp_path / "run", RunFile("abandoned-flows/0001.ndjson", content, 2, "abandoned"))
    outcome = send(empty_store(tmp_path / "s.duckdb"), folder, mock)
    assert (outcome.status, states(outcome)) == (3, ["refused", "accepted"])
    kept = (folder / "refused" / "abandoned-flows" / "0001.ndjson.line-1.txt").read_bytes()
    assert json.loads(kept)


@pytest.mark.usefixtures("keys")
def test_what_the_guard_lets_through_is_what_arrives(tmp_path: Path) -> None:
    content = NO_SUCH_TIME + b"\n" + flow_body("s2") + b"\n"
    file = RunFile("abandoned-flows/0001.ndjson", content, 2, "abandoned")
    folder = make_run(tmp_path / "run", declined(1, "p1", "p2"), file)
    with serving() as server, prism(tmp_path / "log", server.url.removesuffix("/base")) as base:
        outcome = send(empty_store(tmp_path / "s.duckdb"), folder, base)
    assert (outcome.status, states(outcome)) == (3, ["accepted", "refused", "accepted"])
    arrived = [json.loads(each) for each in server.bodies]  # the guard writes numbers in its own way
    assert arrived == [json.loads(declined_body("p1", "p2")), json.loads(flow_body("s2"))]


def without(document: dict[str, Any], path: tuple[str | int, ...]) -> dict[str, Any]:
    changed = deepcopy(document)
    place: Any = changed
    for step in path[:-1]:
        place = place[step]
    del place[path[-1]]
    return changed


PAYMENT = ("organization_code", "id", "order_id", "country", "status", "description", "amount_value", "currency_code",
           "reject_reason")  # fmt: skip
MANDATORY: list[tuple[str, tuple[str | int, ...]]] = [
    *((DECLINED, ("external_data", 0, "payment", name)) for name in PAYMENT),
    *((DECLINED, ("external_data", 0, "customer_payer", n)) for n in ("name", "phone_number", "phone_country_code")),
    *((DECLINED, path) for path in (("organization_code",), ("external_data",), ("external_data", 0, "payment"))),
    *((ABANDONED, ("customer", name)) for name in ("full_name", "phone_number", "country_code")),
    *((ABANDONED, ("session", name)) for name in ("abandonment_timestamp", "flow_stage", "platform")),
    *((ABANDONED, (name,)) for name in ("customer", "session")),
]


@pytest.mark.parametrize(("endpoint", "path"), MANDATORY, ids=lambda each: "/".join(map(str, each)))
def test_the_mock_misses_every_mandatory_field(mock: str, endpoint: str, path: tuple[str | int, ...]) -> None:
    body = json.loads(declined_body("p1") if endpoint == DECLINED else flow_body("s1"))
    assert post(mock, endpoint, body, **KEYS)[0] == 200
    assert post(mock, endpoint, without(body, path), **KEYS)[0] == 400


def test_the_mock_asks_for_both_keys(mock: str) -> None:
    body = json.loads(flow_body("s1"))
    for name in KEYS:
        assert post(mock, ABANDONED, body, **{name: "x"})[0] == 401
    assert post(mock, DECLINED, json.loads(declined_body("p1")))[0] == 200
