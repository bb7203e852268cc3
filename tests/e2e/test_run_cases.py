"""What a nightly run sends, when, in how many files, and what it leaves out and why: small cases made to measure."""

import csv
import json
import shutil
from itertools import chain
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Shell, call
from tests.e2e.exports import campaign, element, encoded, write_campaigns, write_export

AS_OF = "2026-10-01T15:00:00Z"
"""Ten in the morning in Bogota."""
RECENT = "2026-10-01 12:00:00"
DAY = {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "America/Bogota"}


def night(shell: Shell, tmp_path: Path, *options: object) -> dict[str, Any]:
    """The manifest of a run."""
    manifest: dict[str, Any] = shell.ok("run", "--out", tmp_path / "out", *options, "--json").document
    return manifest


def prepare(shell: Shell, tmp_path: Path, elements: list[dict[str, Any]], *campaigns: dict[str, Any]) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", *elements))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", *campaigns))


def ids(tmp_path: Path, manifest: dict[str, Any]) -> list[list[str]]:
    """The payments of each file, in order."""
    folder = tmp_path / "out" / manifest["run_id"]
    return [
        [each["payment"]["id"] for each in json.loads((folder / file["path"]).read_text())["external_data"]]
        for file in manifest["files"]
    ]


def left_out(tmp_path: Path, manifest: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Reason and fields of each payment that is left out."""
    path = tmp_path / "out" / manifest["run_id"] / "left_out.csv"
    with path.open(newline="", encoding="utf-8") as file:
        return {row["payment_id"]: (row["reason"], row["fields"]) for row in csv.DictReader(file)}


def payer(one: dict[str, Any], **changes: Any) -> dict[str, Any]:
    one["customer_payer"] = {k: v for k, v in (one["customer_payer"] | changes).items() if v is not None}
    return one


def test_what_is_left_out_is_listed_with_its_reason(shell: Shell, tmp_path: Path) -> None:
    def one(payment_id: str, **changes: Any) -> dict[str, Any]:
        return element(payment_id, **{"created_at": RECENT} | changes)

    limits = [
        {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]},
        {"rule_type": "UNIQUE_BY_USER"},
    ]
    prepare(
        shell,
        tmp_path,
        [
            one("sent"),
            one("exactly 72 hours", created_at="2026-09-28 15:00:00"),
            one("older", created_at="2026-09-28 14:59:59"),
            one("no order", order_id=None),
            payer(one("no name"), name=""),
            payer(one("no phone"), phone_number=None),
            payer(one("short phone"), phone_number="12345"),
            payer(one("long phone"), phone_number="3101234567890123"),
            payer(one("phone of letters"), phone_number="none"),
            one("paid", order_id="A", created_at="2026-10-01 10:00:00"),
            one("its payment", order_id="A", status="CAPTURED", created_at="2026-10-01 11:00:00"),
            one("paid later", order_id="B"),
            one("in the future", order_id="B", status="CAPTURED", created_at="2026-10-01 15:00:01"),
            one("no user", additional_data={"user_id": ""}),
            one("again", additional_data={"user_id": "user-sent"}, created_at="2026-10-01 12:00:01"),
            one("just now", created_at="2026-10-01 15:00:00"),
            one("later", created_at="2026-10-01 15:00:01"),
        ],
        campaign(rules=limits, schedule=DAY),
        campaign(
            id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2",
            name="over at three",
            country="MX",
            duration={"start_at": "2026-09-01", "end_at": AS_OF},
        ),
    )
    shell.ok("load", write_export(tmp_path / "mx.ndjson", one("over", country="MX")))
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    assert ids(tmp_path, manifest) == [["exactly 72 hours", "paid later", "sent", "just now"]]
    assert left_out(tmp_path, manifest) == {
        "older": ("too_old", ""),
        "no order": ("not_submittable", "payment.order_id"),
        "no name": ("not_submittable", "customer_payer.name"),
        "no phone": ("not_submittable", "customer_payer.phone_number"),
        "short phone": ("invalid_phone", ""),
        "long phone": ("invalid_phone", ""),
        "phone of letters": ("invalid_phone", ""),
        "paid": ("already_paid", ""),
        "no user": ("missing_user_id", ""),
        "again": ("unique_by_user", ""),
        "over": ("campaign_ended", ""),
    }
    assert manifest["suppressed"] == {
        "campaign_ended": 1,
        "already_paid": 1,
        "too_old": 1,
        "not_submittable": 3,
        "invalid_phone": 3,
        "missing_user_id": 1,
        "unique_by_user": 1,
    }


def test_a_file_is_not_before_its_window_and_not_after_it(shell: Shell, tmp_path: Path) -> None:
    ends = {"start_at": "2026-09-01", "end_at": "2026-10-01T20:00:00Z"}
    prepare(
        shell,
        tmp_path,
        [element("p", created_at=RECENT)],
        campaign(schedule=DAY),
        campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", name="ends at three", schedule=DAY, duration=ends),
        campaign(
            id="0f5b6c1a-1d7e-4a55-9a10-0000000000a3",
            name="evening",
            channel="PHONE_CALL",
            schedule=DAY | {"daily_start_time": "20:00", "daily_end_time": "01:00"},
        ),
    )
    another = Shell(Path(shutil.copy(shell.db, tmp_path / "another.duckdb")))
    inside = night(shell, tmp_path, "--as-of", AS_OF)
    assert [(each["channel"], each["not_before"], each["not_after"]) for each in inside["files"]] == [
        ("WHATSAPP_MESSAGE", "2026-10-01T15:00:00Z", "2026-10-01T23:00:00Z"),
        ("WHATSAPP_MESSAGE", "2026-10-01T15:00:00Z", "2026-10-01T20:00:00Z"),
        ("PHONE_CALL", "2026-10-02T01:00:00Z", "2026-10-02T06:00:00Z"),
    ]
    # three campaigns, one payment: the bodies name no campaign, so they are the same three times
    assert (inside["totals"]["records"], inside["totals"]["repeated_records"]) == (3, 2)
    assert len({each["sha256"] for each in inside["files"]}) == 1
    assert (
        "2 records stand in the files of more than one campaign"
        in shell.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF).err
    )
    late = night(another, tmp_path, "--as-of", "2026-10-01T23:00:00Z")
    assert [(each["not_before"], each["not_after"]) for each in late["files"]] == [
        ("2026-10-02T14:00:00Z", "2026-10-02T23:00:00Z"),
        ("2026-10-02T01:00:00Z", "2026-10-02T06:00:00Z"),
    ]
    assert late["suppressed"] == {"campaign_ended": 1}


def test_a_payment_that_is_not_known_yet_pays_no_order(shell: Shell, tmp_path: Path) -> None:
    # planned for nine in the morning (14:00 UTC); what is paid before it, but after the run, nobody knows at the run
    for payment_id, paid in (("known", "2026-10-01 11:00:00"), ("unknown", "2026-10-01 11:00:01")):
        order = {"order_id": payment_id}
        lines = [
            element(payment_id, created_at="2026-10-01 10:00:00", **order),
            element(f"{payment_id}, paid", status="PAID", created_at=paid, **order),
        ]
        shell.ok("load", write_export(tmp_path / "e.ndjson", *lines))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(schedule=DAY)))
    manifest = night(shell, tmp_path, "--as-of", "2026-10-01T11:00:00Z")
    assert [each["not_before"] for each in manifest["files"]] == ["2026-10-01T14:00:00Z"]
    assert ids(tmp_path, manifest) == [["unknown"]]
    assert left_out(tmp_path, manifest) == {"known": ("already_paid", "")}


def test_files_are_cut_at_a_number_of_records(shell: Shell, tmp_path: Path) -> None:
    prepare(shell, tmp_path, [element(f"p{n:02d}", created_at=RECENT) for n in range(11)], campaign())
    (tmp_path / "s.toml").write_text("[run]\nfile_records = 4\n")
    outcome = call(
        "--config", tmp_path / "s.toml", "--db", shell.db, "run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json"
    )
    manifest = outcome.document
    assert [each["records"] for each in manifest["files"]] == [4, 4, 3]
    assert [each["path"].rpartition("/")[2] for each in manifest["files"]] == ["0001.json", "0002.json", "0003.json"]
    assert [*chain(*ids(tmp_path, manifest))] == [f"p{n:02d}" for n in range(11)]
    assert [each["amounts"] for each in manifest["files"]] == [{"COP": "40.00"}, {"COP": "40.00"}, {"COP": "30.00"}]


def test_files_are_cut_at_a_number_of_bytes(shell: Shell, tmp_path: Path) -> None:
    small = [element(f"p{n:02d}", created_at=RECENT, description="é" * 500) for n in range(20)]
    large = element("large", created_at="2026-10-01 12:30:00", description="x" * 12_000)
    prepare(shell, tmp_path, [*small, large], campaign())
    (tmp_path / "s.toml").write_text("[run]\nfile_bytes = 10000\n")
    outcome = call(
        "--config", tmp_path / "s.toml", "--db", shell.db, "run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json"
    )
    files = outcome.document["files"]
    *others, last = files
    assert all(each["bytes"] <= 10_000 for each in others)
    # one more record would not have fitted
    assert all(each["bytes"] + len(encoded(small[0])) > 10_000 for each in others[:-1])
    assert (last["records"], last["bytes"] > 12_000) == (1, True)  # larger than a file may get: alone in its own
    assert [*chain(*ids(tmp_path, outcome.document))] == [f"p{n:02d}" for n in range(20)] + ["large"]


def test_a_null_date_of_a_transaction_goes_out_as_it_was(shell: Shell, tmp_path: Path) -> None:
    one = element("p", created_at=RECENT)
    transaction = {"id": "t", "amount": 10, "status": "DECLINED", "payment_method_type": "CARD", "description": ""}
    one["transactions"] = [transaction | {"created_at": "0001-01-01 00:00:00"}]
    prepare(shell, tmp_path, [one], campaign())
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    text = (tmp_path / "out" / manifest["run_id"] / manifest["files"][0]["path"]).read_text()
    assert '"created_at":"0001-01-01 00:00:00"' in text


def test_times_go_out_in_utc_and_only_where_they_are_the_payments_own(shell: Shell, tmp_path: Path) -> None:
    transaction = {"id": "t", "amount": 10, "status": "DECLINED", "payment_method_type": "CARD", "description": ""}
    lent = element("of its transaction", created_at=None)
    lent["transactions"] = [transaction | {"created_at": "2026-10-01T06:30:00-05:00"}]
    lines = [
        element("offset", created_at="2026-10-01T06:45:30-05:00"),
        element("wall clock", created_at="2026-10-01 07:00:00"),
        lent,
    ]
    path = write_export(tmp_path / "e.ndjson", *lines)
    shell.ok("load", path, "--timezone", "America/Bogota")
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    folder = tmp_path / "out" / manifest["run_id"]
    body = json.loads((folder / manifest["files"][0]["path"]).read_text())
    made = {each["payment"]["id"]: each for each in body["external_data"]}
    assert made["offset"]["payment"]["created_at"] == "2026-10-01 11:45:30"
    assert made["wall clock"]["payment"]["created_at"] == "2026-10-01 12:00:00"
    assert "created_at" not in made["of its transaction"]["payment"]
    assert made["of its transaction"]["transactions"][0]["created_at"] == "2026-10-01 11:30:00"


@pytest.mark.parametrize("prepared", ["no campaign", "no active campaign", "no payment", "no match"])
def test_nothing_to_do_is_a_success_with_a_folder(shell: Shell, tmp_path: Path, prepared: str) -> None:
    (tmp_path / "none.json").write_text("[]")
    shell.ok("load", tmp_path / "none.json")
    if prepared != "no payment":
        shell.ok("load", write_export(tmp_path / "e.ndjson", element("p", created_at=RECENT)))
    if prepared != "no campaign":
        changes = {"no active campaign": {"status": "PAUSED"}, "no match": {"country": "MX"}}.get(prepared, {})
        shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(**changes)))
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    assert (manifest["files"], manifest["suppressed"]) == ([], {})
    assert manifest["totals"]["records"] == 0
    folder = tmp_path / "out" / manifest["run_id"]
    assert sorted(each.name for each in folder.iterdir()) == ["left_out.csv", "manifest.json", "report.html"]
    told = shell.ok("run", "--out", tmp_path / "other", "--as-of", AS_OF)
    assert "0 records in 0 files" in told.out


def test_without_as_of_it_is_now_and_what_was_just_loaded_exists(shell: Shell, tmp_path: Path) -> None:
    prepare(shell, tmp_path, [element("timeless", created_at=None)], campaign())
    manifest = night(shell, tmp_path)
    assert ids(tmp_path, manifest) == [["timeless"]]
    assert len(manifest["as_of"]) == len("2026-10-01T15:00:00Z")


def test_a_folder_that_cannot_be_written_is_no_bug(shell: Shell, tmp_path: Path) -> None:
    prepare(shell, tmp_path, [element("p", created_at=RECENT)], campaign())
    (tmp_path / "file").write_text("here before")
    for out in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/nowhere")):
        outcome = shell("run", "--out", out, "--as-of", AS_OF, "--json")
        assert outcome.status == 1
        assert outcome.error["code"] == 500
        assert outcome.error["message"].startswith(f"{out}/20261001T150000Z-")
        assert outcome.error["message"].endswith("; nothing was emitted")
    assert (tmp_path / "file").read_text() == "here before"


def test_a_folder_that_the_ledger_does_not_know_stops_the_run(shell: Shell, tmp_path: Path) -> None:
    prepare(shell, tmp_path, [element("p", created_at=RECENT)], campaign())
    restored = Shell(Path(shutil.copy(shell.db, tmp_path / "restored.duckdb")))  # as it was before the run
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    folder = tmp_path / "out" / manifest["run_id"]
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    outcome = restored("run", "--out", tmp_path / "out", "--as-of", AS_OF)
    assert outcome.status == 1
    assert f"{folder}: stands there, and the ledger of this store does not know that run\nhint: Was" in outcome.err
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


def test_what_is_printed_of_a_run_fits_and_breaks_no_path(shell: Shell, tmp_path: Path) -> None:
    payments = [element(f"p{n}", created_at=RECENT, amount_value=1234567.5) for n in range(2)]
    prepare(
        shell, tmp_path, payments, campaign(name="Colombia: a campaign with a name that is rather long, and longer")
    )
    told = shell.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF).out
    manifest = night(shell, tmp_path, "--as-of", AS_OF)
    (file,) = manifest["files"]
    table, _, rest = told.partition(f"1: {file['path']}\n")
    assert "Colombia: a campaign" in table
    assert max(map(len, table.splitlines())) <= 80
    assert "COP 2,469,135.00" in rest


def test_a_load_is_logged_without_folders_and_people(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "bad.ndjson").write_text("{")
    good = write_export(tmp_path / "good.ndjson", element("p"), {"payment": {}})
    outcome = shell("--log", "json", "load", good, tmp_path / "bad.ndjson", "--json")
    lines = [json.loads(line) for line in outcome.err.splitlines() if line.startswith("{")]
    told = {line["event"]: line for line in lines}
    assert list(told) == ["load_started", "file_loaded", "file_failed", "load_finished"]
    assert (told["file_loaded"]["path"], told["file_failed"]["path"]) == ("good.ndjson", "bad.ndjson")
    assert (told["file_loaded"]["inserted"], told["file_loaded"]["quarantined"]) == (1, 1)
    assert (told["load_finished"]["files"], told["load_finished"]["exit_status"]) == (2, 3)
    assert str(tmp_path) not in outcome.err
    (tmp_path / "other").write_bytes(b"no store of ours" * 1_000)
    failed = call("--db", tmp_path / "other", "--log", "json", "load", good)
    assert '"event": "failed", "slug": "store_foreign"' in failed.err
