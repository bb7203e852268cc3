"""`backtest` on the example exports: the decisions file, and that every figure foots to it."""

import csv
import re
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recovery_batch.simulation import REASONS
from tests.e2e.commands import CAMPAIGNS, Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export

# as DESIGN 4 promises them, written out: scripts depend on the order
COLUMNS = [
    "campaign_id",
    "campaign_name",
    "channel",
    "organization_code",
    "payment_id",
    "order_id",
    "user_id",
    "payment_created_at",
    "planned_at",
    "decision",
    "reason",
    "amount_value",
    "currency_code",
    "country",
    "reject_reason",
]
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z")


def read_rows(path: Path) -> list[dict[str, str]]:
    with path.open(newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@pytest.fixture(scope="module")
def whole(example_db: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, Any], Path]:
    """The document of a backtest of everything, and the folder with its decisions and its report."""
    folder = tmp_path_factory.mktemp("backtest")
    outcome = Shell(example_db).ok("backtest", "--decisions", folder / "d.csv", "--report", folder / "r.html", "--json")
    return outcome.document, folder


def test_decisions_have_the_promised_columns_times_and_order(whole: tuple[dict[str, Any], Path]) -> None:
    path = whole[1] / "d.csv"
    assert path.read_text(encoding="utf-8").partition("\n")[0].split(",") == COLUMNS
    rows = read_rows(path)
    keys = [(row["campaign_id"].encode(), row["payment_id"].encode()) for row in rows]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)
    for row in rows:
        assert TIME.fullmatch(row["payment_created_at"])
        assert TIME.fullmatch(row["planned_at"])
        assert row["planned_at"] >= row["payment_created_at"]
        assert (row["decision"], bool(row["reason"])) in (("SEND", False), ("SUPPRESS", True))
    assert {row["reason"] for row in rows if row["reason"]} == {
        "campaign_ended",
        "missing_user_id",
        "unique_by_user",
        "user_comms_per_day",
    }


def test_decisions_name_users_and_are_for_their_owner_alone(whole: tuple[dict[str, Any], Path]) -> None:
    assert (whole[1] / "d.csv").stat().st_mode & 0o777 == 0o600


def test_the_document_is_the_sum_of_the_decisions(whole: tuple[dict[str, Any], Path]) -> None:
    document, folder = whole
    rows = read_rows(folder / "d.csv")
    assert document["matched"] == len(rows)
    assert document["sent"] == sum(row["decision"] == "SEND" for row in rows)
    assert document["suppressed"] == Counter(row["reason"] for row in rows if row["reason"])
    assert len(document["campaigns"]) == 6
    for each in document["campaigns"]:
        own = [row for row in rows if row["campaign_id"] == each["campaign_id"]]
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for row in own:
            if row["decision"] == "SEND":
                amounts[row["currency_code"]] += Decimal(row["amount_value"])
        assert each["matched"] == len(own) > 0
        assert each["sent"] == sum(row["decision"] == "SEND" for row in own)
        assert each["suppressed"] == Counter(row["reason"] for row in own if row["reason"])
        assert {code: Decimal(text) for code, text in each["amounts"].items()} == amounts
        assert {row["campaign_name"] for row in own} == {each["name"]}
        assert each["funnel"][-1]["remaining"] == each["matched"]


def test_the_report_shows_the_figures_of_the_document(whole: tuple[dict[str, Any], Path]) -> None:
    document, folder = whole
    page = (folder / "r.html").read_text(encoding="utf-8")
    tiles = dict(
        re.findall(r"<dt>(?:<span[^>]*></span>)?([^<]+)</dt><dd>([0-9,]+)", page.partition('id="evaluated"')[0])
    )
    assert tiles["Payments evaluated"] == f"{document['payments']:,}"
    assert tiles["Matches"] == f"{document['matched']:,}"
    assert tiles["Sent"] == f"{document['sent']:,}"
    assert tiles["Suppressed"] == f"{sum(document['suppressed'].values()):,}"
    money = set(re.findall(r'<data class="money" value="([^"]+)"', page))
    assert {text for each in document["campaigns"] for text in each["amounts"].values()} <= money
    assert document["rules_sha256"] in page
    assert document["data_sha256"] in page


def test_decisions_are_the_same_in_parquet(whole: tuple[dict[str, Any], Path], example: Shell, tmp_path: Path) -> None:
    example.ok("backtest", "--decisions", tmp_path / "d.parquet")
    frame = pl.read_parquet(tmp_path / "d.parquet")
    assert frame.columns == COLUMNS
    assert frame.schema["planned_at"] == pl.Datetime("us", "UTC")
    assert frame.schema["amount_value"] == pl.Decimal(24, 6)
    times = [pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ") for name in ("payment_created_at", "planned_at")]
    texts = frame.with_columns(*times, pl.col("amount_value").cast(pl.String)).select(pl.all().fill_null(""))
    assert texts.rows(named=True) == read_rows(whole[1] / "d.csv")


def test_campaigns_of_a_file_decide_like_the_same_campaigns_stored(
    whole: tuple[dict[str, Any], Path], example: Shell, tmp_path: Path
) -> None:
    for name in ("recovery.yaml", "recovery.json"):
        outcome = example.ok("backtest", "--campaigns", CAMPAIGNS / name, "--decisions", tmp_path / "d.csv", "--json")
        # also that a file's hash is that of the campaigns it becomes in a store
        assert outcome.document == whole[0]
        assert (tmp_path / "d.csv").read_bytes() == (whole[1] / "d.csv").read_bytes()


def test_a_backtest_writes_nothing_to_the_store(example: Shell, tmp_path: Path) -> None:
    before = example.db.read_bytes()
    listed = example.ok("campaigns", "list", "--json").document
    file = write_campaigns(tmp_path / "more.json", campaign(name="never stored"))
    example.ok("backtest", "--campaigns", file, "--json")
    assert example.db.read_bytes() == before
    assert example.ok("campaigns", "list", "--json").document == listed


def test_only_a_named_campaign_is_evaluated_whatever_its_status(example: Shell, tmp_path: Path) -> None:
    one, two = "0f5b6c1a-1d7e-4a55-9a10-0000000000b1", "0f5b6c1a-1d7e-4a55-9a10-0000000000b2"
    file = write_campaigns(
        tmp_path / "two.json", campaign(id=one, name="paused", status="PAUSED"), campaign(id=two, name="active")
    )
    every = example.ok("backtest", "--campaigns", file, "--json").document
    assert [each["name"] for each in every["campaigns"]] == ["active"]
    assert every["not_evaluated"] == ["paused"]
    named = example.ok("backtest", "--campaigns", file, "--campaign", one.upper(), "--json").document
    assert [(each["name"], each["status"]) for each in named["campaigns"]] == [("paused", "PAUSED")]
    assert named["not_evaluated"] == []
    assert named["matched"] == every["matched"] > 0
    stored = "0f5b6c1a-1d7e-4a55-9a10-000000000003"
    alone = example.ok("backtest", "--campaign", stored, "--json").document
    assert [each["campaign_id"] for each in alone["campaigns"]] == [stored]


def test_from_is_the_first_instant_and_to_the_first_that_is_left_out(shell: Shell, tmp_path: Path) -> None:
    times = {
        "before": "2026-09-30 23:59:59",
        "first": "2026-10-01 00:00:00",
        "last": "2026-10-01 23:59:59",
        "after": "2026-10-02 00:00:00",
    }
    shell.ok("load", write_export(tmp_path / "e.ndjson", *(element(k, created_at=v) for k, v in times.items())))
    file = write_campaigns(tmp_path / "c.json", campaign())

    def found(*bounds: str) -> set[str]:
        out = tmp_path / "d.csv"
        document = shell.ok("backtest", "--campaigns", file, "--decisions", out, "--json", *bounds).document
        rows = read_rows(out)
        assert document["payments"] == len(rows)
        return {row["payment_id"] for row in rows}

    assert found("--from", "2026-10-01", "--to", "2026-10-02") == {"first", "last"}
    assert found("--from", "2026-10-01T00:00:00.000001Z") == {"last", "after"}
    assert found("--to", "2026-10-01T00:00:00Z") == {"before"}
    # the same instants, spelt with an offset
    assert found("--from", "2026-09-30T19:00:00-05:00", "--to", "2026-10-01T19:00:00-05:00") == {"first", "last"}
    assert found() == set(times)


def test_the_period_is_told(example: Shell) -> None:
    document = example.ok("backtest", "--from", "2026-10-01", "--to", "2026-10-08T06:00:00-05:00", "--json").document
    assert document["period"] == {"from": "2026-10-01T00:00:00Z", "to": "2026-10-08T11:00:00Z"}
    assert 0 < document["matched"] < document["payments"] < 3_000


def test_dropping_what_is_outside_the_window(
    whole: tuple[dict[str, Any], Path], example: Shell, tmp_path: Path
) -> None:
    document = example.ok("backtest", "--outside-window", "drop", "--decisions", tmp_path / "d.csv", "--json").document
    rows = read_rows(tmp_path / "d.csv")
    assert document["matched"] == whole[0]["matched"]
    assert document["suppressed"] == Counter(row["reason"] for row in rows if row["reason"])
    assert document["suppressed"]["outside_window"] > 100
    assert list(document["suppressed"]) == [slug for slug in REASONS if slug in document["suppressed"]]
    for row in rows:
        assert row["planned_at"] == row["payment_created_at"]


def test_leaving_out_what_is_paid_already(shell: Shell, tmp_path: Path) -> None:
    # the window opens at 14:00 UTC (09:00 in Bogota): "late" is paid before it opens, "soon" after it
    night = "2026-10-01 10:00:00"
    shell.ok(
        "load",
        write_export(
            tmp_path / "e.ndjson",
            element("late", order_id="A", created_at=night, currency_code="USD"),
            element("paid-1", order_id="A", status="APPROVED", created_at="2026-10-01 13:59:59"),
            element("soon", order_id="B", created_at=night),
            element("paid-2", order_id="B", status="APPROVED", created_at="2026-10-01 14:00:00"),
            element("never", order_id="C", created_at=night),
            element("wrong-case", order_id="C", status="approved", created_at="2026-10-01 12:00:00"),
        ),
    )
    hours = {"daily_start_time": "09:00", "daily_end_time": "20:00", "time_zone": "America/Bogota"}
    file = write_campaigns(tmp_path / "c.json", campaign(schedule=hours))
    exclude = shell.ok("backtest", "--campaigns", file, "--already-paid", "exclude", "--json").document
    assert exclude["suppressed"] == {"already_paid": 1}
    assert exclude["sent"] == 2
    assert exclude["campaigns"][0]["amounts"] == {"COP": "20.00"}  # of what is sent: no dollars
    assert shell.ok("backtest", "--campaigns", file, "--json").document["sent"] == 3


def test_nothing_to_do_is_a_success(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element()))
    document = shell.ok("backtest", "--decisions", tmp_path / "d.csv", "--report", tmp_path / "r.html", "--json")
    assert document.document["campaigns"] == []
    assert read_rows(tmp_path / "d.csv") == []
    assert (tmp_path / "d.csv").read_text() == ",".join(COLUMNS) + "\n"
    told = shell.ok("backtest")
    assert "no campaign is ACTIVE" in told.err


def test_the_table_for_people_fits_80_columns_and_has_no_colour(example: Shell) -> None:
    outcome = example.ok("backtest")
    assert max(map(len, outcome.out.splitlines())) <= 80
    assert "\x1b" not in outcome.out + outcome.err
    assert "Mexico: declined cards" in outcome.out
