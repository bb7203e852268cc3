"""`outreach validate` and `outreach list`: a sound folder passes, and every fault is named by file and place."""

import json
import os
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recovery_batch.schema import SUBMISSIONS, frame_schema
from recovery_batch.store import Store
from tests.e2e.commands import AS_OF, Shell, call
from tests.e2e.exports import ORGANIZATION, campaign, element, write_campaigns, write_export
from tests.e2e.run_folders import CAMPAIGN, DECLINED, FLOWS, OTHER, REPORT, RUN_ID, RunFolder, flow

LISTED = {"totals": {"files": 3, "records": 5, "suppressed": 3}}

Damage = Callable[[RunFolder], object]


def faults(folder: Path) -> list[tuple[str, int | None, str, str]]:
    """What validate says: file, line, place and message of each fault; and that it names nobody."""
    outcome = call("outreach", "validate", folder, "--json")
    problems = outcome.document["problems"]
    assert outcome.status == (3 if problems else 0)
    assert all(each["found"] is None for each in problems)
    told = call("outreach", "validate", folder)
    assert told.status == outcome.status
    for text in (outcome.out, told.out, told.err):
        assert "NOGAL" not in text
        assert "310123456" not in text
    return [(each["file"], each["line"], each["place"], each["message"]) for each in problems]


def damaged(tmp_path: Path, damage: Damage) -> list[tuple[str, int | None, str, str]]:
    folder = RunFolder()
    damage(folder)
    return faults(folder.write(tmp_path))


def payment(folder: RunFolder) -> dict[str, Any]:
    found: dict[str, Any] = folder.bodies[DECLINED][0]["external_data"][0]["payment"]
    return found


def payer(folder: RunFolder) -> dict[str, Any]:
    found: dict[str, Any] = folder.bodies[DECLINED][0]["external_data"][0]["customer_payer"]
    return found


def test_a_country_code_that_stands_in_the_number_too_is_no_fault(shell: Shell, tmp_path: Path) -> None:
    made = element("p", created_at="2026-10-01 12:00:00")
    made["customer_payer"]["phone_number"] = "+57 310 123-4567"
    shell.ok("load", write_export(tmp_path / "e.ndjson", made))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    night = shell.ok("run", "--out", tmp_path / "out", "--as-of", "2026-10-01T15:00:00Z", "--json").document
    assert night["totals"]["records"] == 1
    shell.ok("outreach", "validate", tmp_path / "out" / night["run_id"])


def test_a_sound_folder_has_no_fault(tmp_path: Path) -> None:
    folder = RunFolder().write(tmp_path)
    assert faults(folder) == []
    document = call("outreach", "validate", folder, "--json").document
    assert document == {"folder": str(folder), "run_id": RUN_ID, "files": 3, "records": 5, "problems": []}
    assert call("outreach", "validate", folder).out == f"{folder}: 3 files with 5 records; 0 faults\n"
    # what a submission adds is no stranger
    (folder / "refused").mkdir(mode=0o700)
    (folder / "refused" / "0001.json").touch(mode=0o600)
    assert faults(folder) == []


NOT_SO = "not as the contract wants it"
NOT_OF_MANIFEST = "not the organization of the manifest"
UNDOCUMENTED = "a field that is not documented"
PAYMENTS: list[tuple[dict[str, Any], str, str]] = [
    ({"order_id": None}, "/order_id", NOT_SO),
    ({"id": ""}, "/id", NOT_SO),
    ({"amount_value": "10"}, "/amount_value", NOT_SO),
    ({"amount_value": True}, "/amount_value", NOT_SO),
    ({"amount_value": -1}, "/amount_value", NOT_SO),
    ({"country": "XX"}, "/country", "means nothing"),
    ({"currency_code": "ABC"}, "/currency_code", "means nothing"),
    ({"created_at": "2026-02-30 00:00:00"}, "/created_at", "means nothing"),
    ({"created_at": "2026-02-03T00:00:00Z"}, "/created_at", NOT_SO),
    ({"ANA NOGAL": 1}, "", UNDOCUMENTED),
    ({"organization_code": "x"}, "/organization_code", "not the organization of the request"),
]
PAYERS = [("+573101234567", NOT_SO), ("12345", "no possible number"), ("", NOT_SO), (None, NOT_SO)]
REQUESTS: list[tuple[Any, tuple[str, str]]] = [
    ([{"external_data": [element("1")]}], ("/organization_code", NOT_SO)),
    ([{"organization_code": ORGANIZATION, "external_data": []}], ("/external_data", NOT_SO)),
    ([{"organization_code": "x", "external_data": [element("1")]}], ("/organization_code", NOT_OF_MANIFEST)),
    ([{}, {}], ("", "cannot be read")),
    ([[]], ("", NOT_SO)),
    (
        [{"organization_code": ORGANIZATION, "external_data": [element("1"), element("1")]}],
        ("/external_data/1", f"the payment stands in {DECLINED} at /external_data/0 already"),
    ),
]
SECOND_FLOWS: list[tuple[Any, tuple[str, str]]] = [
    (1, ("", NOT_SO)),
    ({**flow(2), "more": 1}, ("", UNDOCUMENTED)),
    ({**flow(2), "customer": {}}, ("/customer/phone_number", NOT_SO)),
    (flow(2, phone_number="+57123"), ("/customer/phone_number", "no possible number")),
    (flow(2, phone_number="3101234562"), ("/customer/phone_number", NOT_SO)),
    (flow(2, flow_stage="end"), ("/session/flow_stage", NOT_SO)),
    (flow(2, abandonment_timestamp="2026-02-30T00:00:00Z"), ("/session/abandonment_timestamp", "means nothing")),
    (flow(2, session_id="session-1"), ("", f"its session stands in {FLOWS} in line 1 already")),
    (flow(2, phone_number="+573101234561"), ("", f"its phone number stands in {FLOWS} in line 1 already")),
    (flow(2) | {"cart": {"currency": "ABC"}}, ("/cart/currency", "means nothing")),
    (flow(2) | {"cart": {"items": [{}, {"price": "1"}]}}, ("/cart/items/1/price", NOT_SO)),
]


@pytest.mark.parametrize(("changes", "field", "message"), PAYMENTS, ids=lambda each: str(each)[:40])
def test_a_payment_that_the_contract_refuses_is_named(
    tmp_path: Path, changes: dict[str, Any], field: str, message: str
) -> None:
    found = damaged(tmp_path, lambda folder: payment(folder).update(changes))
    assert (DECLINED, None, f"/external_data/0/payment{field}", message) in found


@pytest.mark.parametrize(("number", "message"), PAYERS)
def test_a_number_that_nobody_has_is_named(tmp_path: Path, number: str | None, message: str) -> None:
    found = damaged(tmp_path, lambda folder: payer(folder).update(phone_number=number))
    assert (DECLINED, None, "/external_data/0/customer_payer/phone_number", message) in found


@pytest.mark.parametrize(("bodies", "fault"), REQUESTS, ids=lambda each: str(each)[:40])
def test_a_request_that_is_none_is_named(tmp_path: Path, bodies: Any, fault: tuple[str, str]) -> None:
    assert (DECLINED, None, *fault) in damaged(tmp_path, lambda folder: folder.bodies.update({DECLINED: bodies}))


@pytest.mark.parametrize(("second", "fault"), SECOND_FLOWS, ids=lambda each: str(each)[-60:])
def test_a_flow_that_the_contract_refuses_is_named(tmp_path: Path, second: Any, fault: tuple[str, str]) -> None:
    found = damaged(tmp_path, lambda folder: folder.bodies.update({FLOWS: [flow(1), second]}))
    assert (FLOWS, 2, *fault) in found


def test_a_flow_for_another_channel_than_its_file_is_named(tmp_path: Path) -> None:
    found = damaged(tmp_path, lambda folder: folder.entries[FLOWS].update(channel="call"))
    assert (FLOWS, 1, "/engagement/preferred_channel", "not the channel of the file") in found


NO_VALUE = "not what a manifest has there"
NO_FOOT = "does not foot"
ENTRIES: list[tuple[str, str, Any, str]] = [
    (DECLINED, "path", "../x", NO_VALUE),
    (DECLINED, "path", "/etc/passwd", NO_VALUE),
    (DECLINED, "path", "./x", NO_VALUE),
    (DECLINED, "kind", "x", NO_VALUE),
    (DECLINED, "not_after", "soon", NO_VALUE),
    (DECLINED, "not_after", "2026-10-30T15:00:00Z", "not after not_before"),
    (DECLINED, "channel", "auto", "not a channel of its kind"),
    (FLOWS, "channel", "PHONE_CALL", "not a channel of its kind"),
    (FLOWS, "endpoint", "/", "not that of its kind"),
    (DECLINED, "campaign_id", None, "not as declined records have it"),
    (DECLINED, "organization_code", None, "not as declined records have it"),
    (FLOWS, "campaign_id", CAMPAIGN, "not as abandoned records have it"),
]
CHANGES: list[tuple[dict[str, Any], tuple[str, str]]] = [
    ({"run_id": "another"}, ("/run_id", "not the name of the folder")),
    ({"format": 1}, ("/format", NO_VALUE)),
    ({"totals": {}}, ("/totals/files", "missing")),
    ({"suppressed": {"opted_out": 2}}, ("/totals/suppressed", f"3 {NO_FOOT}")),
]
TOTALS: list[tuple[str, Any, str]] = [
    ("records", 6, f"6 {NO_FOOT}"),
    ("files", 2, f"2 {NO_FOOT}"),
    ("bytes", 1, f"1 {NO_FOOT}"),
    ("matched", 9, f"9 {NO_FOOT}"),
    ("suppressed", 4, f"4 {NO_FOOT}"),
    ("repeated_records", 0, f"0 {NO_FOOT}"),
    ("amounts", {"COP": "35"}, NO_FOOT),
]


@pytest.mark.parametrize(("path", "name", "value", "message"), ENTRIES)
def test_what_no_manifest_says_of_a_file_is_named(
    tmp_path: Path, path: str, name: str, value: Any, message: str
) -> None:
    found = damaged(tmp_path, lambda folder: folder.entries[path].update({name: value}))
    assert ("manifest.json", None, f"/files/{0 if path == DECLINED else 2}/{name}", message) in found


@pytest.mark.parametrize(("name", "value", "message"), TOTALS)
def test_totals_that_do_not_foot_are_named(tmp_path: Path, name: str, value: Any, message: str) -> None:
    found = damaged(tmp_path, lambda folder: folder.totals.update({name: value}))
    assert ("manifest.json", None, f"/totals/{name}", message) in found


@pytest.mark.parametrize(("changes", "fault"), CHANGES, ids=lambda each: str(each)[:40])
def test_a_manifest_that_cannot_be_is_named(tmp_path: Path, changes: dict[str, Any], fault: tuple[str, str]) -> None:
    assert ("manifest.json", None, *fault) in damaged(tmp_path, lambda folder: folder.changes.update(changes))


def test_a_file_is_named_once(tmp_path: Path) -> None:
    found = damaged(tmp_path, lambda folder: folder.entries[OTHER].update(path=DECLINED))
    assert (DECLINED, None, "", "named more than once") in found
    assert (OTHER, None, "", "not in the manifest") in found


def test_counts_and_amounts_are_made_again_from_the_bodies(tmp_path: Path) -> None:
    def damage(folder: RunFolder) -> None:
        payment(folder)["amount_value"] = Decimal("10.000001")
        folder.bodies[FLOWS].pop()

    found = damaged(tmp_path, damage)
    assert (DECLINED, None, "", "amounts: COP 20.000001") in found
    assert (FLOWS, None, "", "1 records") in found


def test_the_same_payment_in_two_files_of_a_campaign_is_a_fault(tmp_path: Path) -> None:
    message = f"the payment stands in {DECLINED} at /external_data/0 already"
    found = damaged(tmp_path, lambda folder: folder.entries[OTHER].update(campaign_id=CAMPAIGN))
    assert (OTHER, None, "/external_data/0", message) in found


def test_exact_amounts_of_any_size_foot(tmp_path: Path) -> None:
    folder = RunFolder()
    amount = Decimal("999999999999999999.999999")
    folder.bodies[DECLINED][0]["external_data"] = [element(str(place), amount_value=amount) for place in range(1, 3)]
    folder.entries[DECLINED]["amounts"] = {"COP": "1999999999999999999.999998"}
    folder.totals["amounts"] = {"COP": "2000000000000000014.999998"}
    assert faults(folder.write(tmp_path)) == []


def test_what_was_done_to_files_is_named(tmp_path: Path) -> None:
    folder = RunFolder().write(tmp_path)
    (folder / DECLINED).unlink()
    (folder / OTHER).write_bytes((folder / OTHER).read_bytes().replace(b"ANA", b"EVA"))
    (folder / REPORT).write_text("")
    (folder / "notes.txt").touch(mode=0o640)
    (folder / "link").symlink_to("/etc/passwd")
    folder.chmod(0o755)
    assert faults(folder) == [
        (".", None, "", "mode 0755"),
        ("link", None, "", "a link or a device"),
        ("notes.txt", None, "", "mode 0640"),
        ("link", None, "", "not in the manifest"),
        ("notes.txt", None, "", "not in the manifest"),
        (DECLINED, None, "", "cannot be read (No such file or directory)"),
        (OTHER, None, "", "changed, of equal size"),
        (REPORT, None, "", "changed since it was written (0 bytes, the manifest says 13)"),
    ]


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b"\xff", b"{}", b"[" * 100_000, b'{"run_id": 1, "files": [{"path": "x"}]}', b'"\\ud800"'],
)
def test_a_manifest_that_cannot_be_read_is_a_fault(tmp_path: Path, content: bytes) -> None:
    folder = RunFolder().write(tmp_path)
    (folder / "manifest.json").write_bytes(content)
    assert {each[0] for each in faults(folder)} == {"manifest.json"}
    (folder / "manifest.json").unlink()
    assert faults(folder) == [("manifest.json", None, "", "cannot be read (No such file or directory)")]


@pytest.mark.parametrize(
    "content", [b"", b"\xff", b"\n\n", b"[" * 100_000, b'{"a": 1, "a": 2}', b"{}", b"null", b'{"customer": "\\ud800"}']
)
def test_any_bytes_in_the_place_of_a_body_are_a_fault(tmp_path: Path, content: bytes) -> None:
    folder = RunFolder().write(tmp_path)
    for path in (DECLINED, FLOWS):
        (folder / path).write_bytes(content)
    found = faults(folder)
    for path in (DECLINED, FLOWS):
        assert len([each for each in found if each[0] == path]) >= 2  # changed, and not what the contract wants


def test_a_key_that_stands_twice_is_a_fault(tmp_path: Path) -> None:
    folder = RunFolder().write(tmp_path)
    body = (folder / DECLINED).read_bytes()
    (folder / DECLINED).write_bytes(body.replace(b'"country"', b'"country":"CO","country"', 1))
    assert (DECLINED, None, "", "a key stands twice in an object") in faults(folder)


def test_a_folder_that_is_not_there_is_not_found(tmp_path: Path) -> None:
    outcome = call("outreach", "validate", tmp_path / "none", "--json")
    assert outcome.status == 4
    assert outcome.error["code"] == 404


def test_runs_are_listed_with_where_they_are(shell: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = RunFolder().write(tmp_path / "out")
    staged = tmp_path / "out" / ".staged"
    os.mkdir(staged)
    (staged / "manifest.json").touch()
    with Store.open(shell.db, write=True) as store:
        for hour, (run_id, folder, beside) in enumerate(
            [("a", there, None), ("b", tmp_path / "out" / "b", staged), ("c", tmp_path / "gone", tmp_path / "gone too")]
        ):
            moment = datetime(2026, 10, 30, hour, tzinfo=UTC)
            row = {"run_id": run_id, "inputs_sha256": run_id, "as_of": moment, "recorded_at": moment}
            places = {"folder": str(folder), "staged": None if beside is None else str(beside)}
            store.run("runs/insert", {**row, **places, "manifest": json.dumps(LISTED)})
    document = shell.ok("outreach", "list", "--json").document
    assert document["meta"] == {"total": 3, "limit": 20}
    assert [(each["run_id"], each["folder_is"]) for each in document["data"]] == [
        ("c", "missing"),
        ("b", "staged"),
        ("a", "there"),
    ]
    assert document["data"][2] == {
        "run_id": "a",
        "as_of": "2026-10-30T00:00:00Z",
        "recorded_at": "2026-10-30T00:00:00Z",
        "files": 3,
        "records": 5,
        "suppressed": 3,
        "folder": str(there),
        "folder_is": "there",
        "submissions": {},
    }
    told = shell.ok("outreach", "list", "--limit", 2)
    assert "c: its folder is missing" in told.out
    assert "b: its folder waits beside" in told.out
    assert "Folders are in" not in told.out
    assert f"Folders are in {there.parent}\n" in shell.ok("outreach", "list").out
    assert "2 of 3 runs" in told.err
    assert max(map(len, told.out.splitlines())) <= 80 or str(tmp_path) in told.out
    assert shell("outreach", "list", "--limit", 0).status == 3


def test_a_run_is_sound_and_is_listed(example_copy: Shell, tmp_path: Path) -> None:
    manifest = example_copy.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document
    folder = tmp_path / "out" / manifest["run_id"]
    assert faults(folder) == []
    (row,) = example_copy.ok("outreach", "list", "--json").document["data"]
    assert (row["run_id"], row["folder"], row["folder_is"]) == (manifest["run_id"], str(folder), "there")
    assert row["records"] == manifest["totals"]["records"] > 0


def test_what_was_submitted_is_listed(shell: Shell, tmp_path: Path) -> None:
    moment = datetime(2026, 10, 30, tzinfo=UTC)
    row = {"run_id": "a", "inputs_sha256": "a", "as_of": moment, "recorded_at": moment, "staged": None}
    request = {"run_id": "a", "path": "p", "attempts": 1, "status_code": 200, "message": None, "changed_at": moment}
    with Store.open(shell.db, write=True) as store:
        store.run("runs/insert", {**row, "folder": str(tmp_path), "manifest": json.dumps(LISTED)})
        states = ["accepted", "accepted", "unknown"]
        rows = pl.DataFrame(
            [{**request, "line": line, "state": state} for line, state in enumerate(states)],
            schema=frame_schema(SUBMISSIONS),
        )
        store.append("submissions/record", rows)
    (listed,) = shell.ok("outreach", "list", "--json").document["data"]
    assert listed["submissions"] == {"accepted": 2, "unknown": 1}
    assert "a: requests accepted 2, unknown 1" in shell.ok("outreach", "list").out


def test_no_run_is_said(example: Shell) -> None:
    assert example.ok("outreach", "list").out == "No run has happened.\n"
