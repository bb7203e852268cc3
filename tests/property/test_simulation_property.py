"""`simulate` held against candidates decided one after the other in plain Python (tests/reference/simulation.py)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Literal

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st
from polars.testing import assert_frame_equal

from recovery_batch.campaigns.models import Campaign
from recovery_batch.clock import from_micros, to_micros
from recovery_batch.simulation import Policy, simulate
from tests.reference.simulation import Assumptions, Communication, decide_all, find_opening
from tests.unit.simulation.cases import (
    FLAGS,
    ORGANIZATION,
    OTHER_ORGANIZATION,
    UNIQUE,
    build_campaign,
    build_payment,
    campaign_id,
    candidates_frame,
    history_frame,
    match,
    payments_frame,
    per_day,
)
from tests.unit.simulation.clock_changes import changes, instants_near, schedules_near, zones

# In UTF-8 the last two stand in this order, in UTF-16 in the other; "10" stands before "9", "B" before "a".
PAYMENT_IDS = ("10", "9", "B", "a", "a ", "á", "a\u0301", "ÿ", "\uff61", "\U0001f600")
USERS = ("u1", "u1", "u1", "u1", "u2", "U1", None)
ORDERS = ("o1", "o2", "O1", None)
CONTACTED = tuple(f"{order} of {user}" for order in ORDERS[:3] for user in ("u1", "u2", None))
LIMITS = (
    (),
    (UNIQUE,),
    (per_day(1),),
    (per_day(2),),
    (per_day(3), per_day(1), per_day(2)),
    (per_day(1, "INACTIVE"), per_day(2)),
    (per_day(1, "INACTIVE"),),
    (UNIQUE, per_day(2)),
)

organizations = st.sampled_from((ORGANIZATION, ORGANIZATION, ORGANIZATION, OTHER_ORGANIZATION))
rarely = st.sampled_from((False, False, False, True))


@dataclass(frozen=True)
class Case:
    """Everything that a simulation takes, as plain values."""

    payments: Sequence[dict[str, Any]]
    campaigns: Sequence[Campaign]
    assumptions: Assumptions
    history: Sequence[Communication]
    contacted_orders: Sequence[tuple[str, str, str]] = ()

    @property
    def pairs(self) -> list[tuple[int, int]]:
        as_of = self.assumptions.as_of
        pairs = match(self.payments, self.campaigns)
        return [(c, p) for c, p in pairs if as_of is None or self.payments[p]["created_at"] <= as_of]

    def simulate(self, pairs: Sequence[tuple[int, int]] | None = None) -> pl.DataFrame:
        assumed = self.assumptions
        window: Literal["drop", "defer"] = "drop" if assumed.drop else "defer"
        return simulate(
            payments_frame(self.payments),
            self.candidates(self.pairs if pairs is None else pairs),
            self.campaigns,
            Policy(window, assumed.as_of, assumed.too_old_after, assumed.exclude_paid, assumed.one_per_order),
            history_frame(*((each.organization, each.user, each.campaign_id, each.at) for each in self.history)),
        )

    def candidates(self, pairs: Sequence[tuple[int, int]]) -> pl.DataFrame:
        contacted = [
            (self.campaigns[c].identity, self.payments[p]["organization_code"], self.payments[p]["order_id"])
            in self.contacted_orders
            for c, p in pairs
        ]
        return candidates_frame(pairs).with_columns(pl.Series("order_contacted", contacted, dtype=pl.Boolean))


@st.composite
def campaigns_near(
    draw: st.DrawFn, zone: str, change: datetime, instants: st.SearchStrategy[datetime]
) -> list[Campaign]:
    """One to five campaigns, in more than one zone, some of which end close to the instants."""
    numbers = draw(st.lists(st.integers(1, 9), min_size=1, max_size=5, unique=True))
    campaigns = []
    for number in numbers:
        schedule = draw(schedules_near(draw(st.just(zone) | zones), change))
        # some end soon, and then at the very instant at which the window opens, or a payment is made
        openings = instants.map(partial(find_opening, schedule)).map(lambda plan: plan.at)
        end = draw(openings | instants) if draw(rarely) else None
        campaigns.append(
            build_campaign(
                number,
                limits=draw(st.sampled_from(LIMITS)),
                schedule=schedule,
                organization_code=draw(organizations),
                created_at=draw(st.sampled_from((None, "2026-01-01T00:00:00Z", "2026-01-01T00:00:00.000001Z"))),
                duration={"start_at": "1800-01-01T00:00:00Z", "end_at": end or "2100-01-01T00:00:00Z"},
            )
        )
    return campaigns


@st.composite
def payments_near(draw: st.DrawFn, instants: st.SearchStrategy[datetime]) -> list[dict[str, Any]]:
    """Payments of a few users at a few instants, each identified by organization and id."""
    keys = st.tuples(organizations, st.sampled_from(PAYMENT_IDS))
    flags = st.sampled_from((*[False] * 8, True, None)) if draw(st.booleans()) else st.just(False)
    paid = st.none() | instants
    orders = st.sampled_from(ORDERS)
    return [
        build_payment(
            payment_id,
            draw(instants),
            user := draw(st.sampled_from(USERS)),
            organization_code=organization,
            paid_at=draw(paid),
            order_id=None if (order := draw(orders)) is None else f"{order} of {user}",
            **{flag: draw(flags) for flag in FLAGS},
        )
        for organization, payment_id in draw(
            st.lists(keys, min_size=draw(st.sampled_from((1, 4, 8))), max_size=14, unique=True)
        )
    ]


@st.composite
def assumptions_near(draw: st.DrawFn, instants: st.SearchStrategy[datetime]) -> Assumptions:
    hours = st.sampled_from((72, 24, 1, 0)).map(lambda number: timedelta(hours=number))
    return Assumptions(
        drop=draw(rarely),
        as_of=draw(st.none() | st.lists(instants, min_size=1, max_size=3).map(max)),
        too_old_after=draw(st.none() | hours),
        exclude_paid=draw(rarely),
        one_per_order=draw(st.booleans()),
    )


@st.composite
def histories_near(draw: st.DrawFn, instants: st.SearchStrategy[datetime]) -> list[Communication]:
    sent = st.builds(
        Communication,
        organizations,
        st.sampled_from(("u1", "u2", "U1", "nobody")),
        st.integers(1, 10).map(campaign_id),
        instants,
    )
    return draw(st.lists(sent, max_size=6))


@st.composite
def cases(draw: st.DrawFn) -> Case:
    zone, change = draw(changes)
    near = instants_near(change)
    # few instants, so that many candidates share one
    instants = st.sampled_from(draw(st.lists(near, min_size=1, max_size=8)))
    return Case(
        payments=draw(payments_near(instants)),
        campaigns=draw(campaigns_near(zone, change, instants)),
        assumptions=draw(assumptions_near(instants)),
        history=draw(histories_near(instants)),
        contacted_orders=draw(
            st.lists(
                st.tuples(st.integers(1, 9).map(campaign_id), organizations, st.sampled_from(CONTACTED)), max_size=3
            )
        ),
    )


def decided(decisions: pl.DataFrame) -> dict[tuple[str, str], tuple[Any, ...]]:
    """What was decided about each (campaign, payment), whatever their places in the frames given."""
    columns = [name for name in decisions.columns if name not in {"campaign_no", "payment_no"}]
    return {(row[0], row[4]): row for row in decisions.select(columns).iter_rows()}


@settings(max_examples=4 * settings().max_examples)
@given(cases())
def test_the_decisions_are_those_of_one_candidate_after_the_other(case: Case) -> None:
    decisions = case.simulate()
    expected = decide_all(
        case.payments, case.pairs, case.campaigns, case.assumptions, case.history, case.contacted_orders
    )
    found = {
        (row["campaign_no"], row["payment_no"]): (
            row["planned_at"],
            row["planned_local"],
            row["window_closes_at"],
            row["decision"],
            row["reason"],
        )
        for row in decisions.iter_rows(named=True)
    }
    assert found == {
        pair: (
            each.planned_at,
            each.planned_local,
            each.window_closes_at,
            "SUPPRESS" if each.reason else "SEND",
            each.reason,
        )
        for pair, each in expected.items()
    }
    order = [(row[0].encode(), row[1].encode()) for row in decisions.select("campaign_id", "payment_id").iter_rows()]
    assert order == sorted(order)
    assert len(order) == len(case.pairs)


@given(cases(), st.randoms(use_true_random=False))
def test_the_order_in_which_anything_is_given_does_not_matter(case: Case, chance: Any) -> None:
    payments, campaigns, history = list(case.payments), list(case.campaigns), list(case.history)
    for each in (payments, campaigns, history):
        chance.shuffle(each)
    shuffled = Case(payments, campaigns, case.assumptions, history, case.contacted_orders)
    pairs = shuffled.pairs
    chance.shuffle(pairs)
    assert decided(shuffled.simulate(pairs)) == decided(case.simulate())


@given(cases())
def test_users_can_be_simulated_apart(case: Case) -> None:
    whole = decided(case.simulate())
    parts: dict[tuple[str, str], tuple[Any, ...]] = {}
    for user in {(payment["organization_code"], payment["user_id"]) for payment in case.payments}:
        own = [each for each in case.payments if (each["organization_code"], each["user_id"]) == user]
        parts |= decided(Case(own, case.campaigns, case.assumptions, case.history, case.contacted_orders).simulate())
    assert parts == whole


@given(cases())
def test_the_same_inputs_give_the_same_frame(case: Case) -> None:
    assert_frame_equal(case.simulate(), case.simulate())


@settings(max_examples=max(1, settings().max_examples // 25))
@given(st.integers(0, 2**32), changes)
def test_a_user_with_very_many_candidates(seed: int, change: tuple[str, datetime]) -> None:
    zone, moment = change
    start = to_micros(moment) - 3 * 86_400_000_000
    numbers = [(seed * 31 + place * place * 2_654_435_761) % 2**32 for place in range(120)]
    payments = [
        build_payment(str(number), from_micros(start + number % 500 * 600_000_000), f"u{number % 7 // 6}")
        for number in dict.fromkeys(numbers)
    ]
    campaigns = [
        build_campaign(1, "06:00-02:00", zone, (per_day(5),)),
        build_campaign(2, "00:00-23:59", "+05:45", (per_day(7),)),
        build_campaign(3, "00:00-23:59", "-05:00", (UNIQUE,)),
        build_campaign(4, "23:30-23:00", zone, (per_day(9), UNIQUE)),
        build_campaign(5, "10:00-09:00", "UTC"),
    ]
    case = Case(payments, campaigns, Assumptions(), ())
    expected = decide_all(payments, case.pairs, campaigns, Assumptions())
    found = {
        (row[0], row[1]): row[2] for row in case.simulate().select("campaign_no", "payment_no", "reason").iter_rows()
    }
    assert found == {pair: each.reason for pair, each in expected.items()}
