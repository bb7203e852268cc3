"""Between a run and its submission people pay, say no, and are erased: then they are not contacted."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recovery_batch.outreach.sending.sealed import without
from tests.e2e.commands import Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export
from tests.e2e.servers import Server, answer
from tests.e2e.submit.sending import send, states, submit

AS_OF = "2026-10-01T15:00:00Z"
PHONES = {name: f"+57300555010{number}" for number, name in enumerate("abc")}


def bought(name: str, **payment: Any) -> dict[str, Any]:
    made = element(name, **{"created_at": "2026-10-01 12:00:00", "amount_value": 10, **payment})
    made["customer_payer"]["phone_number"] = PHONES[name[0]].removeprefix("+57")
    return made


def left(name: str) -> dict[str, Any]:
    return {
        "customer": {"full_name": "ANA NOGAL", "phone_number": PHONES[name], "country_code": "CO"},
        "session": {
            "abandonment_timestamp": "2026-10-01T12:00:00Z",
            "flow_stage": "checkout",
            "platform": "web",
            "session_id": name,
        },
    }


@pytest.fixture
def folder(shell: Shell, tmp_path: Path) -> Path:
    """The folder of a run with three payments in one file and three flows in another."""
    shell.ok("load", write_export(tmp_path / "payments.ndjson", *map(bought, PHONES)))
    shell.ok("load", write_export(tmp_path / "flows.ndjson", *map(left, PHONES)))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    made = shell.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document
    assert [each["records"] for each in made["files"]] == [3, 3]
    return tmp_path / "out" / str(made["run_id"])


def sent(server: Server) -> list[list[str]]:
    """Of each body that came whole: its payments, or its session."""
    bodies = [json.loads(body) for body in server.bodies]
    return [
        [one["payment"]["id"] for one in body["external_data"]]
        if "external_data" in body
        else [body["session"]["session_id"]]
        for body in bodies
    ]


def pay(shell: Shell) -> None:
    order = bought("b-paid", status="PAID", order_id="order-b", created_at="2026-10-01 16:00:00")
    shell.ok("load", write_export(shell.db.with_name("paid.ndjson"), order))


def say_no(shell: Shell) -> None:
    shell.ok("suppressions", "add", "--phone", PHONES["b"])


def erase(shell: Shell) -> None:
    shell.ok("forget", "--phone", PHONES["b"])


@pytest.mark.parametrize(
    ("happens", "reason"), [(pay, "paid"), (say_no, "asked to be left alone"), (erase, "no longer in the store")]
)
def test_who_must_not_be_contacted_any_more_is_not(
    shell: Shell, folder: Path, server: Server, happens: Callable[[Shell], None], reason: str
) -> None:
    happens(shell)
    dry = submit(shell, folder, server, "--any-time")
    assert dry.status == 0
    assert f"1 of 3 records left out: {reason} 1" in dry.out
    outcome = send(shell, folder, server, "--any-time")
    assert (outcome.status, states(outcome)) == (0, ["accepted", "accepted", "withheld", "accepted"])
    assert sent(server) == [["a", "c"], ["a"], ["c"]]
    first, _, withheld, _ = outcome.document["requests"]
    assert first["message"] == f"1 of 3 records left out: {reason} 1"
    assert withheld["message"] == reason
    assert send(shell, folder, server, "--any-time").status == 0
    assert len(server.bodies) == 3


def test_a_file_of_which_nothing_is_left_is_not_sent(shell: Shell, folder: Path, server: Server) -> None:
    for phone in PHONES.values():
        shell.ok("suppressions", "add", "--phone", phone)
    outcome = send(shell, folder, server, "--any-time")
    assert (outcome.status, states(outcome)) == (0, ["withheld"] * 4)
    assert server.bodies == []


def test_an_opt_out_of_another_campaign_withholds_nothing(shell: Shell, folder: Path, server: Server) -> None:
    other = campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", name="other", status="PAUSED")
    shell.ok("campaigns", "import", write_campaigns(shell.db.with_name("c2.json"), other))
    shell.ok("suppressions", "add", "--phone", PHONES["a"], "--campaign", other["id"])
    shell.ok("suppressions", "add", "--phone", PHONES["b"], "--campaign", campaign()["id"])
    send(shell, folder, server, "--any-time")
    assert sent(server)[0] == ["a", "c"]


def test_what_is_said_of_a_failure_says_who_was_left_out_too(shell: Shell, folder: Path, server: Server) -> None:
    say_no(shell)
    server.script = [answer(500)]
    send(shell, folder, server, "--any-time")
    tried = shell.ok("submissions", "list", "--json").document["data"]
    (listed,) = [each for each in tried if each["path"].startswith("declined-payments")]
    assert listed["state"] == "unknown"
    assert listed["message"].endswith("; 1 of 3 records left out: asked to be left alone 1")


def test_the_records_that_stay_are_the_bytes_that_they_were(folder: Path) -> None:
    (path,) = folder.glob("declined-payments/*/*.json")
    body = path.read_bytes()
    key = json.loads(body)["organization_code"]
    cut = without(body, {(key, "b")})
    assert cut.splitlines()[1:] == [body.splitlines()[1], body.splitlines()[3], b"]}"]
    assert without(body, set()) == body
