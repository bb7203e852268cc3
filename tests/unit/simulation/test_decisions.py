"""The frame of decisions: its columns, its order, and what it does not depend on."""

from __future__ import annotations

from decimal import Decimal

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from recovery_batch.evaluation import CANDIDATES
from recovery_batch.money import AMOUNT
from recovery_batch.simulation import DECISION_COLUMNS, SEND, SUPPRESS, Policy, simulate
from tests.unit.simulation.cases import (
    FLAGS,
    UNIQUE,
    build_campaign,
    build_payment,
    campaign_id,
    candidates_frame,
    decide,
    match,
    payments_frame,
    per_day,
)

INSTANT = pl.Datetime("us", "UTC")
SCHEMA: dict[str, pl.DataType | type[pl.DataType]] = {
    "campaign_no": pl.UInt32,
    "payment_no": pl.UInt32,
    "campaign_id": pl.String,
    "campaign_name": pl.String,
    "channel": pl.String,
    "organization_code": pl.String,
    "payment_id": pl.String,
    "order_id": pl.String,
    "user_id": pl.String,
    "payment_created_at": INSTANT,
    "planned_at": INSTANT,
    "decision": pl.String,
    "reason": pl.String,
    "amount_value": AMOUNT,
    "currency_code": pl.String,
    "country": pl.String,
    "reject_reason": pl.String,
    "planned_local": pl.Datetime("us"),
    "window_closes_at": INSTANT,
}


def test_the_columns_are_those_of_a_decisions_file_and_what_batches_need() -> None:
    decisions = decide([build_payment("p", "2026-07-01 10:00")], [build_campaign()])
    assert decisions.schema == pl.Schema(SCHEMA)
    assert tuple(name for name in decisions.columns if name in DECISION_COLUMNS) == DECISION_COLUMNS


def test_a_decision_carries_its_campaign_and_its_payment() -> None:
    payments = [
        build_payment("other", "2026-07-01 09:00", country="MX"),
        build_payment("p", "2026-07-01 10:00", amount_value=Decimal("999999999999.99"), reject_reason="do_not_honor"),
    ]
    campaigns = [build_campaign(2, country="PE"), build_campaign(1, name="Calls", channel="PHONE_CALL")]
    (row,) = decide(payments, campaigns).rows(named=True)
    assert (row["campaign_no"], row["payment_no"]) == (1, 1)
    assert (row["campaign_id"], row["campaign_name"], row["channel"]) == (campaign_id(1), "Calls", "PHONE_CALL")
    assert (row["payment_id"], row["order_id"], row["country"]) == ("p", "order of p", "CO")
    assert (row["amount_value"], row["currency_code"]) == (Decimal("999999999999.990000"), "COP")
    assert (row["reject_reason"], row["decision"], row["reason"]) == ("do_not_honor", SEND, None)


@pytest.mark.parametrize("drop_optional", [False, True])
@pytest.mark.parametrize("campaigns", [(), (build_campaign(limits=(per_day(1), UNIQUE)),)])
def test_without_candidates_the_columns_are_the_same(campaigns: tuple[()], drop_optional: bool) -> None:
    for payments in (payments_frame([]), payments_frame([build_payment("p", "2026-07-01 10:00")])):
        given = payments.drop(*FLAGS, "paid_at") if drop_optional else payments
        decisions = simulate(given, pl.DataFrame(schema=CANDIDATES), campaigns, Policy())
        assert decisions.is_empty()
        assert decisions.schema == pl.Schema(SCHEMA)


def test_flags_may_be_left_out_of_the_payments() -> None:
    payments, campaigns = [build_payment("p", "2026-07-01 10:00")], [build_campaign()]
    policy = Policy(exclude_paid=True)
    bare = payments_frame(payments).drop(*FLAGS, "paid_at")
    decisions = simulate(bare, candidates_frame(match(payments, campaigns)), campaigns, policy)
    assert_frame_equal(decisions, decide(payments, campaigns, policy))


def test_every_match_has_one_decision_and_a_reason_exactly_when_it_is_suppressed() -> None:
    payments = [build_payment(str(number), "2026-07-01 10:00") for number in range(5)]
    decisions = decide(payments, [build_campaign(1, limits=(per_day(2),)), build_campaign(2)])
    assert decisions.select("campaign_no", "payment_no").n_unique() == decisions.height == 10
    assert decisions["decision"].is_in([SEND, SUPPRESS]).all()
    assert ((decisions["decision"] == SEND) == decisions["reason"].is_null()).all()


def test_decisions_are_sorted_by_campaign_id_and_payment_id() -> None:
    payments = [build_payment(each, "2026-07-01 10:00") for each in ("b", "10", "a", "9", "B")]
    decisions = decide(payments, [build_campaign(2), build_campaign(1)])
    rows = list(decisions.select("campaign_id", "payment_id").iter_rows())
    assert rows == [(campaign_id(number), each) for number in (1, 2) for each in ("10", "9", "B", "a", "b")]
    assert decisions["campaign_no"].to_list() == [1] * 5 + [0] * 5, "the number is the place in the sequence given"


def test_the_order_of_rows_does_not_change_a_decision() -> None:
    payments = [build_payment(f"{number:02d}", "2026-07-01 10:00", f"u{number % 3}") for number in range(20)]
    campaigns = [build_campaign(number, limits=(per_day(2),), created_at=None) for number in (1, 2, 3)]
    decisions = decide(payments, campaigns).drop("campaign_no", "payment_no")
    turned = decide(payments[::-1], campaigns[::-1]).drop("campaign_no", "payment_no")
    assert_frame_equal(turned, decisions)
    assert decisions["decision"].value_counts().sort("decision").rows() == [(SEND, 6), (SUPPRESS, 54)]


def test_the_frames_given_stay_as_they_were() -> None:
    payments, campaigns = [build_payment("p", "2026-07-01 10:00")], [build_campaign(limits=(UNIQUE,))]
    frame, candidates = payments_frame(payments), candidates_frame([(0, 0)])
    before = frame.clone(), candidates.clone()
    simulate(frame, candidates, campaigns, Policy())
    assert_frame_equal(frame, before[0])
    assert_frame_equal(candidates, before[1])
