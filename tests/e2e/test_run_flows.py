"""A nightly run emits abandoned flows: which, to whom not, in which files, and never twice."""

import csv
import hashlib
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Outcome, Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export

AS_OF = "2026-10-01T15:00:00Z"
"""Ten in the morning in Bogotá, where the numbers are."""
PATH = "abandoned-flows/0001.ndjson"


def flow(
    session: str, phone: str = "+573005550101", left: str = "2026-10-01T12:00:00Z", **parts: Any
) -> dict[str, Any]:
    """A flow that can be submitted; `parts` are merged into its customer, session, cart and engagement."""
    usual: dict[str, dict[str, Any]] = {
        "customer": {"full_name": "Lucía Prado", "phone_number": phone, "country_code": "CO"},
        "session": {"abandonment_timestamp": left, "flow_stage": "checkout", "platform": "web", "session_id": session},
        "cart": {"total_value": 10, "currency": "COP"},
    }
    return {name: usual.get(name, {}) | parts.get(name, {}) for name in usual.keys() | parts.keys()}


def paid(phone: str, created: str = "2026-10-01 13:00:00") -> dict[str, Any]:
    payer = {"name": "ANA NOGAL", "phone_number": phone, "phone_country_code": "57"}
    return element("paid", status="APPROVED", created_at=created) | {"customer_payer": payer}


def load(shell: Shell, tmp_path: Path, *records: dict[str, Any]) -> None:
    shell.ok("load", write_export(tmp_path / "export.ndjson", *records))


def run(shell: Shell, tmp_path: Path, *options: object, as_of: str = AS_OF) -> dict[str, Any]:
    """The manifest of a run."""
    manifest: dict[str, Any] = shell.ok("run", "--out", tmp_path / "out", "--as-of", as_of, *options, "--json").document
    return manifest


def content(tmp_path: Path, manifest: dict[str, Any], path: str = PATH) -> bytes:
    folder: Path = tmp_path / "out" / manifest["run_id"]
    return (folder / path).read_bytes()


def sessions(tmp_path: Path, manifest: dict[str, Any]) -> list[str]:
    """The sessions of all files, in order."""
    return [
        json.loads(line)["session"]["session_id"]
        for file in manifest["files"]
        if file["kind"] == "abandoned"
        for line in content(tmp_path, manifest, file["path"]).splitlines()
    ]


def test_flows_go_out_one_a_line(shell: Shell, tmp_path: Path) -> None:
    load(
        shell,
        tmp_path,
        flow("b", customer={"email": "none"}),
        flow("a", "+57 300 555-0102", engagement={"preferred_channel": "call"}, cart={"also": 1}),
    )
    manifest = run(shell, tmp_path)
    assert [(file["path"], file["channel"], file["records"], file["amounts"]) for file in manifest["files"]] == [
        (PATH, "auto", 1, {"COP": "10.00"}),
        ("abandoned-flows/0002.ndjson", "call", 1, {"COP": "10.00"}),
    ]
    for file in manifest["files"]:
        assert (file["kind"], file["method"], file["endpoint"]) == (
            "abandoned",
            "POST",
            "/smart-support/external/payments",
        )
        assert (file["campaign_id"], file["organization_code"]) == (None, None)
        assert (file["not_before"], file["not_after"]) == (AS_OF, "2026-10-02T01:00:00Z")
        made = content(tmp_path, manifest, file["path"])
        assert (file["sha256"], file["bytes"]) == (hashlib.sha256(made).hexdigest(), len(made))
        mode = (tmp_path / "out" / manifest["run_id"] / file["path"]).stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
    without_email = flow("b")
    assert json.loads(content(tmp_path, manifest)) == without_email
    sent = json.loads(content(tmp_path, manifest, "abandoned-flows/0002.ndjson"))
    assert sent == flow("a", "+573005550102", engagement={"preferred_channel": "call"})
    assert manifest["flows"]["emails_left_out"] == 1


def test_who_is_left_out_is_counted_by_reason(shell: Shell, tmp_path: Path) -> None:
    load(
        shell,
        tmp_path,
        flow("sent"),
        flow("earlier", left="2026-10-01T11:00:00Z"),
        flow("said no", "+573005550102"),
        flow("paid", "+573005550103"),
        flow("old", "+573005550104", left="2026-09-20T12:00:00Z"),
        flow("nameless", "+573005550105", customer={"full_name": ""}),
        flow("too short", "+57300"),
        flow("anywhere", "+18005550199"),
        flow("tomorrow", "+573005550106", left="2026-10-01T15:00:01Z"),
    )
    load(shell, tmp_path, paid("300 555 0103"))
    shell.ok("suppressions", "add", "--phone", "+57 300 555 0102")
    manifest = run(shell, tmp_path)
    assert sessions(tmp_path, manifest) == ["sent"]
    assert manifest["flows"] | {"emails_left_out": 0} == {
        "considered": 8,
        "sent": 1,
        "suppressed": {
            "outside_window": 1,
            "opted_out": 1,
            "already_paid": 1,
            "too_old": 1,
            "not_submittable": 1,
            "invalid_phone": 1,
            "repeated_flow": 1,
        },
        "emails_left_out": 0,
    }
    listed = content(tmp_path, manifest, "left_out_flows.csv").decode()
    rows = {row["flow_id"]: row["reason"] for row in csv.DictReader(listed.splitlines())}
    assert rows["s:paid"] == "already_paid"
    assert len(rows) == 7
    assert "300555" not in listed


def test_a_flow_is_emitted_once_by_any_number_of_runs(shell: Shell, tmp_path: Path) -> None:
    load(shell, tmp_path, flow("1"), flow("2", "+573005550102"))
    first = run(shell, tmp_path)
    assert sessions(tmp_path, first) == ["1", "2"]
    for as_of in (AS_OF, "2026-10-01T14:00:00Z", "2026-10-03T15:00:00Z"):
        again = run(shell, tmp_path, as_of=as_of)
        assert again == first or again["files"] == []
    load(shell, tmp_path, flow("1", cart={"total_value": 99}), flow("3", "+573005550103"))
    assert sessions(tmp_path, run(shell, tmp_path)) == ["3"], "a changed flow is the same one"


def test_a_number_is_left_alone_after_a_flow_and_contacted_again_later(shell: Shell, tmp_path: Path) -> None:
    load(shell, tmp_path, flow("1"))
    run(shell, tmp_path)
    load(shell, tmp_path, flow("2", "+57 (300) 555-0101", left="2026-10-03T12:00:00Z"))
    repeated = run(shell, tmp_path, as_of="2026-10-03T15:00:00Z")
    assert (repeated["files"], repeated["flows"]["suppressed"]) == ([], {"repeated_flow": 1})
    assert sessions(tmp_path, run(shell, tmp_path, as_of="2026-10-04T15:00:00Z")) == ["2"]


def test_what_was_left_out_is_judged_anew(shell: Shell, tmp_path: Path) -> None:
    load(shell, tmp_path, flow("1"))
    shell.ok("suppressions", "add", "--phone", "+573005550101")
    assert run(shell, tmp_path)["flows"]["suppressed"] == {"opted_out": 1}
    shell.ok("suppressions", "remove", "--phone", "+573005550101")
    assert sessions(tmp_path, run(shell, tmp_path, as_of="2026-10-01T15:30:00Z")) == ["1"]


@pytest.mark.parametrize("most", [2, 3])
def test_flows_count_as_contacts(shell: Shell, tmp_path: Path, most: int) -> None:
    load(shell, tmp_path, flow("1"), flow("2", "+573005550102"))
    load(shell, tmp_path, element("p", created_at="2026-10-01 12:00:00"))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "campaigns.json", campaign()))
    outcome: Outcome = shell("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--max-contacts", most, "--json")
    if most == 2:
        assert outcome.status == 3
        assert not list((tmp_path / "out").glob("*"))
        return
    assert [(file["kind"], file["records"]) for file in outcome.document["files"]] == [
        ("declined", 1),
        ("abandoned", 2),
    ]


def test_settings_say_when_and_on_which_channel(shell: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[flows]\ndaily_start_time = '11:00'\ndaily_end_time = '12:30'\nchannel = 'whatsapp'\n")
    load(shell, tmp_path, flow("1"))
    outcome = shell.ok("--config", settings, "run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json")
    (file,) = outcome.document["files"]
    assert (file["not_before"], file["not_after"]) == ("2026-10-01T16:00:00Z", "2026-10-01T17:30:00Z")
    assert file["channel"] == "whatsapp"
    body = json.loads(content(tmp_path, outcome.document))
    assert body["engagement"] == {"preferred_channel": "whatsapp"}


def test_the_order_in_which_exports_are_loaded_changes_no_byte(shell: Shell, tmp_path: Path) -> None:
    flows = [flow(f"{place}", f"+5730055501{place:02d}") for place in range(10)]
    load(shell, tmp_path, *flows)
    other = Shell(tmp_path / "other.duckdb")
    load(other, tmp_path, *reversed(flows))
    one, two = run(shell, tmp_path), run(other, tmp_path / "other")
    assert one["files"] == two["files"]
    assert content(tmp_path, one) == content(tmp_path / "other", two)
