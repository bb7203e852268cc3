"""SPEC 4, 1 to 5: why a candidate is suppressed before any limit is looked at, and which reason comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from recovery_batch.simulation import REASONS, Policy
from tests.unit.simulation.cases import (
    FLAGS,
    UNIQUE,
    at,
    build_campaign,
    build_payment,
    campaign_id,
    decide,
    history_frame,
    outcomes,
    per_day,
)

AS_OF = at("2026-07-02 12:00")
NIGHTLY = Policy(as_of=AS_OF, too_old_after=timedelta(hours=72), exclude_paid=True)


def outcome(campaign: Any, payment: dict[str, Any], policy: Policy, history: Any = None) -> str:
    return outcomes(decide([payment], [campaign], policy, history))[payment["payment_id"]]


def test_the_reasons_are_those_of_the_specification_in_its_order() -> None:
    assert tuple(REASONS) == (
        "campaign_ended",
        "outside_window",
        "opted_out",
        "already_paid",
        "too_old",
        "not_submittable",
        "invalid_phone",
        "holdout",
        "missing_user_id",
        "same_order",
        "unique_by_user",
        "user_comms_per_day",
        "repeated_flow",
    )


def test_of_all_the_reasons_that_hold_the_first_is_given() -> None:
    """Everything is wrong with a candidate; one thing after the other is put right."""
    ended = {"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-07-02T12:00:00Z"}
    running = ended | {"end_at": "2027-01-01T00:00:00Z"}
    wrong: dict[str, Any] = {**dict.fromkeys(FLAGS, True), "paid_at": at("2026-06-01 00:00"), "user_id": None}
    payment = build_payment("p", "2026-06-20 10:00", **wrong)
    limits = (UNIQUE, per_day(1))
    closed = build_campaign(1, "13:00-14:00", limits=limits, duration=ended)
    drop = Policy("drop", AS_OF, NIGHTLY.too_old_after, exclude_paid=True)
    history = history_frame((payment["organization_code"], "u1", campaign_id(1), at("2026-07-02 23:00")))
    found = [outcome(closed, payment, drop, history)]
    found.append(outcome(build_campaign(1, "13:00-14:00", limits=limits, duration=running), payment, drop, history))
    campaign = build_campaign(1, limits=limits)
    for mend in (
        {"opted_out": False},
        {"paid_at": None},
        {"created_at": at("2026-07-01 10:00")},
        {"not_submittable": False},
        {"invalid_phone": False},
        {"holdout": False},
        {"user_id": "u1"},
    ):
        found.append(outcome(campaign, payment, drop, history))
        payment |= mend
    contacted = replace(drop, one_per_order=True)
    found.append(outcomes(decide([payment], [campaign], contacted, history, order_contacted=True))["p"])
    found.append(outcome(campaign, payment, contacted, history))
    found.append(outcome(build_campaign(1, limits=(per_day(1),)), payment, drop, history))
    assert (*found, "repeated_flow") == tuple(REASONS), "the last one is of abandoned flows alone"
    assert outcome(build_campaign(1, limits=(per_day(2),)), payment, drop, history) == "SEND"


@pytest.mark.parametrize(
    ("policy", "paid_at", "expected"),
    [
        (Policy(exclude_paid=True), "2026-07-02 08:59:59.999999", "already_paid"),
        (Policy(exclude_paid=True), "2026-07-02 09:00:00", "SEND"),
        (Policy(exclude_paid=True), "2026-06-01 00:00", "already_paid"),
        (Policy(exclude_paid=True), None, "SEND"),
        (Policy(), "2026-07-01 00:00", "SEND"),
        (NIGHTLY, "2026-07-02 11:59", "already_paid"),
        (NIGHTLY, "2026-07-02 12:00", "SEND"),
    ],
)
def test_an_order_paid_before_the_planned_time_is_left_out_where_that_is_asked_for(
    policy: Policy, paid_at: str | None, expected: str
) -> None:
    # planned for 09:00 of the next day in a backtest, for as-of in the nightly run
    payment = build_payment("p", "2026-07-01 20:00", paid_at=at(paid_at) if paid_at else None)
    assert outcome(build_campaign(1, "09:00-18:00"), payment, policy) == expected


@pytest.mark.parametrize(
    ("created", "expected"), [("2026-06-29 12:00", "SEND"), ("2026-06-29 11:59:59.999999", "too_old")]
)
def test_a_decline_of_more_than_72_hours_before_as_of_is_too_old(created: str, expected: str) -> None:
    assert outcome(build_campaign(), build_payment("p", created), NIGHTLY) == expected


def test_the_age_that_is_too_old_can_be_another_and_counts_in_nightly_runs_only() -> None:
    payment = build_payment("p", "2026-07-02 10:00")
    assert outcome(build_campaign(), payment, Policy(as_of=AS_OF, too_old_after=timedelta(hours=1))) == "too_old"
    assert outcome(build_campaign(), payment, Policy(as_of=AS_OF)) == "SEND"
    assert outcome(build_campaign(), payment, Policy(too_old_after=timedelta(hours=1))) == "SEND"


@pytest.mark.parametrize(
    ("flag", "in_a_backtest"),
    [("opted_out", "opted_out"), ("not_submittable", "SEND"), ("invalid_phone", "SEND"), ("holdout", "holdout")],
)
def test_what_a_request_needs_counts_in_nightly_runs_only(flag: str, in_a_backtest: str) -> None:
    payment = build_payment("p", "2026-07-02 10:00") | {flag: True}
    assert outcome(build_campaign(), payment, NIGHTLY) == flag
    assert outcome(build_campaign(), payment, Policy()) == in_a_backtest


@pytest.mark.parametrize("flag", FLAGS)
def test_a_flag_that_is_missing_is_not_set(flag: str) -> None:
    assert outcome(build_campaign(), build_payment("p", "2026-07-02 10:00") | {flag: None}, NIGHTLY) == "SEND"


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ((), "SEND"),
        ((UNIQUE,), "missing_user_id"),
        ((per_day(5),), "missing_user_id"),
        ((per_day(5, "INACTIVE"),), "SEND"),
    ],
)
def test_a_campaign_with_an_active_rate_limit_needs_a_user_id(limits: Any, expected: str) -> None:
    assert outcome(build_campaign(limits=limits), build_payment("p", "2026-07-01 10:00", None), Policy()) == expected


@pytest.mark.parametrize(
    ("policy", "expected"),
    [
        (Policy(), {"outside-window": "defer", "already-paid": "ignore"}),
        (
            Policy("drop", AS_OF, timedelta(hours=36), exclude_paid=True),
            {
                "outside-window": "drop",
                "already-paid": "exclude",
                "too-old-after": "36 hours",
            },
        ),
    ],
)
def test_a_policy_says_what_it_assumes(policy: Policy, expected: dict[str, str]) -> None:
    assert policy.as_settings() == expected
