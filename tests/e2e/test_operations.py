"""The eight operations through the command line: the documented shapes, statuses and codes."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import CAMPAIGNS, Shell
from tests.unit.campaigns.bodies import BODY, NOBODY

RULE = {"rule_type": "ISO_RESPONSE_CODE", "conditional": "NOT_ONE_OF", "values": ["14", "43"]}


@pytest.fixture
def created(shell: Shell, tmp_path: Path) -> dict[str, Any]:
    """A campaign with one rule."""
    data: dict[str, Any] = shell.ok("campaigns", "create", body(tmp_path, {**BODY, "rules": [RULE]}), "--json").document
    return dict(data["data"])


def body(folder: Path, value: Any) -> Path:
    path = folder / "body.json"
    path.write_text(json.dumps(value), encoding="utf-8")
    return path


def test_all_eight_in_the_documented_shapes(shell: Shell, tmp_path: Path, created: dict[str, Any]) -> None:
    identity, rule = created["id"], created["rules"][0]
    assert shell.ok("campaigns", "get", identity, "--json").document == {"data": created}
    listed = shell.ok("campaigns", "list", "--json").document
    assert listed == {"data": [created], "meta": {"total": 1, "limit": 20, "offset": 0}}
    paused = shell.ok("campaigns", "status", identity, "PAUSED", "--json").document["data"]
    assert paused == {**created, "status": "PAUSED", "updated_at": paused["updated_at"]}
    assert paused["updated_at"] > created["updated_at"]
    added = shell.ok("rules", "create", identity, body(tmp_path, {"rules": [RULE, RULE]}), "--json").document["data"]
    assert [each["campaign_id"] for each in added] == [identity] * 2
    assert shell.ok("rules", "get", identity, rule["id"], "--json").document == {"data": rule}
    changed = shell.ok("rules", "update", identity, rule["id"], body(tmp_path, {"values": ["07"]}), "--json").document
    assert changed["data"] == {**rule, "values": ["07"], "updated_at": changed["data"]["updated_at"]}
    off = shell.ok("rules", "status", identity, rule["id"], "INACTIVE", "--json").document["data"]
    assert off["status"] == "INACTIVE"
    stored = shell.ok("campaigns", "get", identity, "--json").document["data"]
    assert stored["rules"] == [off, *added]


def test_bodies_come_from_standard_input_too(
    shell: Shell, created: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(json.dumps(RULE).encode())))
    assert len(shell.ok("rules", "create", created["id"], "-", "--json").document["data"]) == 1


def test_people_read_plain_words(shell: Shell, created: dict[str, Any]) -> None:
    shown = shell.ok("campaigns", "get", created["id"]).out
    assert "ISO 8583 response code is none of 14, 43" in shown
    words = shell.ok("rules", "get", created["id"], created["rules"][0]["id"]).out.split()
    assert "none of 14, 43" in " ".join(words)
    shell.ok("campaigns", "status", created["id"], "PAUSED")
    history = shell.ok("campaigns", "get", created["id"], "--history").out
    assert "status ACTIVE to PAUSED" in history
    assert "status: ACTIVE → PAUSED" in history


def test_a_campaign_as_it_was(shell: Shell, created: dict[str, Any]) -> None:
    shell.ok("campaigns", "status", created["id"], "PAUSED")
    then = shell.ok("campaigns", "get", created["id"], "--at", created["created_at"], "--json").document["data"]
    assert then == created
    early = shell("campaigns", "get", created["id"], "--at", "2020-01-01", "--json")
    assert (early.status, early.error["code"]) == (4, 404)
    history = shell.ok("campaigns", "get", created["id"], "--history", "--json").document["history"]
    assert [each["change"] for each in history] == ["created", "status ACTIVE to PAUSED"]
    assert history[1]["differences"] == [{"field": "status", "before": "ACTIVE", "after": "PAUSED", "rule_id": None}]


@pytest.mark.parametrize(
    ("arguments", "status", "code"),
    [
        (("campaigns", "status", NOBODY, "PAUSED"), 4, 404),
        (("campaigns", "status", "42", "PAUSED"), 3, 400),
        (("campaigns", "status", "ID", "DONE"), 3, 422),
        (("rules", "get", "ID", NOBODY), 4, 404),
        (("rules", "get", "ID", "42"), 3, 400),
        (("rules", "get", NOBODY, NOBODY), 4, 404),
        (("rules", "status", "ID", "RULE", "OFF"), 3, 422),
        (("rules", "create", "ID", "absent.json"), 3, 400),
    ],
)
def test_errors_have_the_code_of_the_status(
    shell: Shell, created: dict[str, Any], arguments: tuple[str, ...], status: int, code: int
) -> None:
    ids = {"ID": created["id"], "RULE": created["rules"][0]["id"]}
    outcome = shell(*(ids.get(each, each) for each in arguments), "--json")
    assert (outcome.status, outcome.error["code"]) == (status, code)
    assert outcome.error["message"]


def test_an_operation_on_no_store_makes_none(shell: Shell) -> None:
    for arguments in (("campaigns", "status", NOBODY, "PAUSED"), ("rules", "status", NOBODY, NOBODY, "ACTIVE")):
        assert shell(*arguments).status == 4
    assert not shell.db.exists()


def test_a_dry_run_shows_the_difference_rule_by_rule(shell: Shell, tmp_path: Path, created: dict[str, Any]) -> None:
    path = body(tmp_path, {**BODY, "status": "PAUSED", "rules": [{**RULE, "values": ["14"]}]})
    shown = shell.ok("campaigns", "import", path, "--dry-run")
    assert "status: ACTIVE → PAUSED" in shown.out
    assert "rule removed: ISO 8583 response code is none of 14, 43" in shown.out
    assert "nothing was stored" in shown.err
    document = shell.ok("campaigns", "import", path, "--dry-run", "--json").document
    assert document["meta"] == {"total": 1, "created": 0, "updated": 1, "unchanged": 0, "dry_run": True}
    assert shell.ok("campaigns", "get", created["id"], "--json").document == {"data": created}


def test_a_dry_run_without_a_store_makes_none(shell: Shell) -> None:
    shell.ok("campaigns", "import", CAMPAIGNS / "recovery.yaml", "--dry-run")
    assert not shell.db.exists()


def test_export_then_import_changes_nothing(shell: Shell, tmp_path: Path, created: dict[str, Any]) -> None:
    for name in ("all.yaml", "all.json"):
        shell.ok("campaigns", "export", "--out", tmp_path / name)
        meta = shell.ok("campaigns", "import", tmp_path / name, "--json").document["meta"]
        assert (meta["unchanged"], meta["total"]) == (1, 1)
    assert len(shell.ok("campaigns", "get", created["id"], "--history", "--json").document["history"]) == 1


def test_the_schema_is_one_that_editors_take(shell: Shell, tmp_path: Path) -> None:
    shell.ok("campaigns", "schema", "--out", tmp_path / "s.json")
    assert json.loads((tmp_path / "s.json").read_text()) == shell.ok("campaigns", "schema").document
