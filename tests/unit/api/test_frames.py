"""The frames that are read from the store, and the hashes that say what a result was made from."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

from recovery_batch.api.frames import (
    Period,
    fingerprint_data,
    fingerprint_rules,
    masked_targets,
    read_payments,
    with_paid_at,
    with_phone_check,
)
from recovery_batch.campaigns import Campaign, parse_campaigns
from recovery_batch.ingest import LoadOptions, load_files
from recovery_batch.store import Store
from tests.e2e.exports import campaign, element, write_export

NOON = datetime(2026, 10, 1, 12, tzinfo=UTC)
LOADED = datetime(2026, 11, 1, tzinfo=UTC)
PAID = ("PAID",)


def load(store: Store, path: Path, *elements: dict[str, object]) -> None:
    (report,) = load_files(store, [write_export(path, *elements)], LoadOptions(LOADED))
    assert report.error is None
    assert report.counts["quarantined"] == 0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """Four payments of two hours, one of them paid and one with a number that cannot be."""
    wrong = element("wrong number", created_at="2026-10-01 12:00:00")
    wrong["customer_payer"]["phone_number"] = "12345"
    with Store.open(tmp_path / "s.duckdb", write=True) as opened:
        load(
            opened,
            tmp_path / "e.ndjson",
            element("early", created_at="2026-10-01 11:59:59", order_id="A", additional_data={"tier": "gold"}),
            wrong,
            element("paid", created_at="2026-10-01 12:30:00", order_id="A", status="PAID"),
            element("paid again", created_at="2026-10-01 12:40:00", order_id="A", status="PAID", description=None),
        )
        yield opened


def made(**changes: object) -> tuple[Campaign, ...]:
    return parse_campaigns(json.dumps(campaign(**changes)))


def test_a_period_begins_with_its_first_instant_and_ends_before_its_last(store: Store) -> None:
    def ids(period: Period) -> list[str]:
        return sorted(read_payments(store, (), period)["payment_id"])

    assert ids(Period()) == ["early", "paid", "paid again", "wrong number"]
    assert ids(Period(NOON)) == ["paid", "paid again", "wrong number"]
    assert ids(Period(None, NOON)) == ["early"]
    assert ids(Period(NOON, NOON.replace(minute=30))) == ["wrong number"]
    assert ids(Period(LOADED)) == []


def test_metadata_keys_of_the_campaigns_become_columns(store: Store) -> None:
    rules = [{"rule_type": "METADATA", "metadata_key": key, "conditional": "EQUAL", "values": ["x"]} for key in "ab"]
    rules[0]["metadata_key"] = "tier"
    payments = read_payments(store, made(rules=rules), Period()).sort("payment_id")
    assert payments["metadata.tier"].to_list() == ["gold", None, None, None]
    assert payments["metadata.b"].to_list() == [None] * 4
    assert "metadata.tier" not in read_payments(store, made(), Period()).columns
    assert payments["not_submittable"].to_list() == [False, False, True, False]


def test_an_order_is_paid_by_its_first_successful_payment_that_is_known(store: Store) -> None:
    payments = read_payments(store, (), Period()).sort("payment_id")
    paid = with_paid_at(store, payments, PAID, None)
    first = NOON.replace(minute=30)
    assert dict(zip(paid["payment_id"], paid["paid_at"], strict=True)) == {
        "early": first,
        "paid": first,
        "paid again": first,
        "wrong number": None,
    }
    assert with_paid_at(store, payments, PAID, first)["paid_at"].null_count() == 4
    assert with_paid_at(store, payments, (), None)["paid_at"].null_count() == 4


def test_phone_numbers_of_candidates_are_looked_at_and_no_others(store: Store) -> None:
    payments = read_payments(store, (), Period()).sort("payment_id")
    every = pl.DataFrame({"payment_no": pl.Series([0, 1, 2, 3, 3], dtype=pl.UInt32)})
    assert with_phone_check(store, payments, every, NOON)["invalid_phone"].to_list() == [False, False, False, True]
    later = NOON.replace(second=1)
    assert not with_phone_check(store, payments, every, later)["invalid_phone"].any()
    assert not with_phone_check(store, payments, every[:3], NOON)["invalid_phone"].any()
    assert with_phone_check(store, payments, every[:0], NOON)["invalid_phone"].to_list() == [False] * 4


def test_the_hash_of_the_data_knows_content_and_time_but_no_order(store: Store, tmp_path: Path) -> None:
    whole = fingerprint_data(store, Period())
    first = fingerprint_data(store, Period(None, NOON))
    assert whole != first != fingerprint_data(store, Period(LOADED))
    load(store, tmp_path / "again.ndjson", element("early", created_at="2026-10-01 11:59:59", order_id="A"))
    assert fingerprint_data(store, Period()) != whole
    with Store.open(tmp_path / "other.duckdb", write=True) as other:
        load(other, tmp_path / "b.ndjson", element("wrong number", created_at="2026-10-01 12:00:00"))
        load(other, tmp_path / "c.ndjson", element("early", created_at="2026-10-01 11:59:59", order_id="A"))
        again = fingerprint_data(other, Period(None, NOON))
    assert again == fingerprint_data(store, Period(None, NOON)) != first


def test_the_hash_of_the_rules_knows_what_decides_and_nothing_else() -> None:
    (one,) = made()
    (two,) = made(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", created_at="2026-08-21")
    both = fingerprint_rules([one, two])
    assert fingerprint_rules([two, one]) == both
    # when they were stored does not matter, which of them came first does: limits take them in that order
    assert fingerprint_rules([one.model_copy(update={"updated_at": NOON}), two]) == both
    assert fingerprint_rules([one, two.model_copy(update={"created_at": NOON})]) == both
    assert fingerprint_rules([one.model_copy(update={"created_at": NOON}), two]) != both
    assert fingerprint_rules([one.model_copy(update={"created_at": None}), two]) != both
    assert fingerprint_rules([*made(country="MX"), two]) != both
    assert fingerprint_rules([*made(rules=[]), two]) != both
    assert fingerprint_rules([one]) != both
    assert len(fingerprint_rules([])) == 64


def test_targets_are_the_first_of_each_campaign_and_masked(store: Store) -> None:
    payments = read_payments(store, (), Period()).sort("payment_id")
    numbers = list(range(4)) * 2
    decisions = payments.select("organization_code", "payment_id")[numbers].with_columns(
        pl.Series("campaign_no", [0] * 4 + [1] * 4, dtype=pl.UInt32),
        pl.Series("payment_no", numbers, dtype=pl.UInt32),
        pl.Series("planned_at", [NOON.replace(minute=n) for n in (3, 2, 1, 0) * 2]),
    )
    shown = masked_targets(store, decisions, payments, 2)
    assert shown["payment_id"].to_list() == ["wrong number", "paid again", "paid", "early"] * 2
    assert shown["payer_name"].to_list() == ["A••• N•••"] * 8
    assert set(shown["payer_phone"]) == {"••••••4567", "•2345"}
    assert shown["description"].to_list() == ["shoes", None, "shoes", "shoes"] * 2
    # however many campaigns there are, a report shows a few of each and a few hundred in all
    assert masked_targets(store, decisions, payments, 150)["campaign_no"].value_counts().rows() == [(0, 3), (1, 3)]


def test_targets_of_a_run_are_what_is_sent_then_the_newest_suppressed_then_the_old(store: Store) -> None:
    payments = read_payments(store, (), Period()).sort("payment_id")
    decisions = payments.select("organization_code", "payment_id").with_columns(
        pl.Series("campaign_no", [0, 0, 1, 1], dtype=pl.UInt32),
        pl.Series("payment_no", range(4), dtype=pl.UInt32),
        pl.Series("payment_created_at", [NOON.replace(minute=n) for n in (3, 0, 1, 2)]),
        pl.Series("decision", ["SUPPRESS", "SEND", "SUPPRESS", "SUPPRESS"]),
        pl.Series("reason", ["too_old", None, "opted_out", "already_paid"]),
    )
    shown = masked_targets(store, decisions, payments, 2, in_run=True)
    assert shown["reason"].to_list() == [None, "already_paid", "opted_out", "too_old"]
    # all that is sent, up to the cap, before anything else
    many = pl.concat([decisions[[0, 2, 3]], *[decisions[[1]]] * 299])
    reasons = masked_targets(store, many, payments, 2, in_run=True)["reason"].to_list()
    assert reasons == [None] * 299 + ["already_paid"]
