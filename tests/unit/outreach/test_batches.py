"""How what is sent is cut into files."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from recovery_batch.money import AMOUNT
from recovery_batch.outreach.batches import BatchFile, BatchLimits, cut_batches
from recovery_batch.schema import UTC_TIME
from tests.e2e.exports import element, encoded

EARLY, LATE, CLOSES = (datetime(2026, 10, 1, hour, tzinfo=UTC) for hour in (15, 16, 23))
ROOMY = BatchLimits(500, 5_000_000)
NO_TIMES = pl.DataFrame(
    schema={"organization_code": pl.String, "payment_id": pl.String, "position": pl.Int32, "created_at": UTC_TIME}
)


def decided(*rows: dict[str, Any]) -> pl.DataFrame:
    usual = {
        "campaign_id": "c1",
        "channel": "PHONE_CALL",
        "organization_code": "o",
        "planned_at": EARLY,
        "window_closes_at": CLOSES,
        "payment_created_at": EARLY,
        "decision": "SEND",
        "amount_value": Decimal("10.00"),
        "currency_code": "COP",
    }
    return pl.DataFrame([usual | row for row in rows], schema_overrides={"amount_value": AMOUNT})


def recorded(decisions: pl.DataFrame, **payment: Any) -> pl.DataFrame:
    keys = decisions.select("organization_code", "payment_id").unique(maintain_order=True)
    records = [encoded(element(i, organization_code=o, **payment)).decode() for o, i in keys.iter_rows()]
    return keys.with_columns(
        pl.Series("record", records), pl.lit(EARLY).alias("created_at"), pl.lit("load").alias("created_at_origin")
    )


def cut(decisions: pl.DataFrame, limits: BatchLimits = ROOMY, **payment: Any) -> list[BatchFile]:
    return cut_batches(decisions, recorded(decisions, **payment), NO_TIMES, limits)


def ids(file: BatchFile) -> list[str]:
    return [each["payment"]["id"] for each in json.loads(file.content)["external_data"]]


def test_nothing_that_is_sent_gives_no_file() -> None:
    assert cut(decided({"payment_id": "p", "decision": "SUPPRESS"})) == []


def test_a_file_is_of_one_campaign_and_one_window() -> None:
    files = cut(
        decided(
            {"payment_id": "p3", "planned_at": LATE},
            {"payment_id": "p2"},
            {"payment_id": "p1"},
            {"payment_id": "left out", "decision": "SUPPRESS"},
            {"payment_id": "p1", "campaign_id": "c2", "organization_code": "o2", "channel": "WHATSAPP_MESSAGE"},
            {"payment_id": "p4", "window_closes_at": LATE},
        )
    )
    assert [(each.path, each.not_before, each.not_after, ids(each)) for each in files] == [
        ("declined-payments/c1/0001.json", EARLY, LATE, ["p4"]),
        ("declined-payments/c1/0002.json", EARLY, CLOSES, ["p1", "p2"]),
        ("declined-payments/c1/0003.json", LATE, CLOSES, ["p3"]),
        ("declined-payments/c2/0001.json", EARLY, CLOSES, ["p1"]),
    ]
    assert [(each.campaign_id, each.channel, each.organization_code) for each in files[2:]] == [
        ("c1", "PHONE_CALL", "o"),
        ("c2", "WHATSAPP_MESSAGE", "o2"),
    ]
    assert [json.loads(each.content)["organization_code"] for each in files] == ["o", "o", "o", "o2"]


def test_records_stand_in_the_order_of_their_declines() -> None:
    (file,) = cut(
        decided(
            {"payment_id": "a", "payment_created_at": LATE},
            {"payment_id": "z"},
            {"payment_id": "b"},
        )
    )
    assert ids(file) == ["b", "z", "a"]


@pytest.mark.parametrize(("number", "limit", "sizes"), [(4, 4, [4]), (5, 4, [4, 1]), (8, 4, [4, 4]), (3, 1, [1, 1, 1])])
def test_a_file_holds_so_many_records_at_most(number: int, limit: int, sizes: list[int]) -> None:
    files = cut(decided(*({"payment_id": f"p{n}"} for n in range(number))), BatchLimits(limit, 5_000_000))
    assert [each.records for each in files] == sizes
    assert [payment_id for each in files for payment_id in ids(each)] == [f"p{n}" for n in range(number)]


def test_a_file_is_as_full_as_its_bytes_allow() -> None:
    decisions = decided(*({"payment_id": f"p{n}"} for n in range(10)))
    whole = len(cut(decisions)[0].content)
    assert [each.records for each in cut(decisions, BatchLimits(500, whole))] == [10]
    two = cut(decisions, BatchLimits(500, whole - 1))
    assert [each.records for each in two] == [9, 1]
    assert all(len(each.content) < whole for each in two)


def test_a_record_larger_than_a_file_may_get_goes_alone() -> None:
    files = cut(decided(*({"payment_id": f"p{n}"} for n in range(3))), BatchLimits(500, 10))
    assert [each.records for each in files] == [1, 1, 1]


def test_amounts_are_exact_and_by_currency() -> None:
    (file,) = cut(
        decided(
            {"payment_id": "a", "amount_value": Decimal("999999999999.99")},
            {"payment_id": "b", "amount_value": Decimal("0.01")},
            {"payment_id": "c", "amount_value": Decimal("0.000001"), "currency_code": "USD"},
        )
    )
    assert file.amounts == {"COP": Decimal("1000000000000.00"), "USD": Decimal("0.000001")}


def test_a_time_that_was_not_the_payments_own_stays_behind() -> None:
    decisions = decided({"payment_id": "own"}, {"payment_id": "lent"}, {"payment_id": "load"})
    origins = {"own": "payment", "lent": "transaction", "load": "load"}
    records = recorded(decisions, created_at=None).with_columns(
        pl.col("payment_id").replace_strict(origins).alias("created_at_origin")
    )
    (file,) = cut_batches(decisions, records, NO_TIMES, ROOMY)
    made = {each["payment"]["id"]: each["payment"] for each in json.loads(file.content)["external_data"]}
    assert made["own"]["created_at"] == "2026-10-01 15:00:00"
    assert "created_at" not in made["lent"]
    assert "created_at" not in made["load"]


def test_the_order_of_the_rows_changes_no_byte() -> None:
    decisions = decided(*({"payment_id": f"p{n}", "campaign_id": f"c{n % 3}"} for n in range(20)))
    records = recorded(decisions)
    one = cut_batches(decisions, records, NO_TIMES, BatchLimits(3, 5_000_000))
    shuffled = decisions.sample(fraction=1, shuffle=True, seed=1), records.sample(fraction=1, shuffle=True, seed=2)
    assert cut_batches(*shuffled, NO_TIMES, BatchLimits(3, 5_000_000)) == one
