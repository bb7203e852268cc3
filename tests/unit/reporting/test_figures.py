from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from decimal import Context, Decimal
from typing import Any

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery_batch.evaluation import Funnel, FunnelStep
from recovery_batch.money import AMOUNT
from recovery_batch.reporting import footing
from recovery_batch.reporting.figures import summarise
from recovery_batch.reporting.report import CurrencyFigures, ReportFigures
from recovery_batch.reporting.tallies import Tally, add_up_by_currency
from recovery_batch.simulation import REASONS
from tests.unit.reporting.samples import START, Sample, build_campaign, build_provenance, build_sample

WIDE = Context(prec=60)
DECISIONS = pl.Schema(
    {
        "campaign_no": pl.UInt32(),
        "payment_no": pl.UInt32(),
        "campaign_id": pl.String(),
        "campaign_name": pl.String(),
        "organization_code": pl.String(),
        "payment_id": pl.String(),
        "user_id": pl.String(),
        "payment_created_at": pl.Datetime("us", "UTC"),
        "planned_at": pl.Datetime("us", "UTC"),
        "planned_local": pl.Datetime("us"),
        "decision": pl.String(),
        "reason": pl.String(),
        "amount_value": AMOUNT,
        "currency_code": pl.String(),
        "country": pl.String(),
        "reject_reason": pl.String(),
    }
)
CAMPAIGNS = tuple(build_campaign(number) for number in (1, 2, 3))
Row = dict[str, Any]


@st.composite
def decision_rows(draw: st.DrawFn) -> list[Row]:
    """Decisions of any kind: amounts of up to 24 digits, few users, reasons and currencies, missing values."""
    drawn = draw(
        st.lists(
            st.tuples(
                st.integers(0, len(CAMPAIGNS) - 1),
                st.integers(0, 9),
                st.one_of(st.none(), st.sampled_from(tuple(REASONS))),
                st.sampled_from(["USD", "CLP", "KWD"]),
                st.integers(0, 10**24 - 1),
                st.one_of(st.none(), st.integers(0, 500)),
                st.one_of(st.none(), st.sampled_from(["", "do_not_honor", *map(str, range(30))])),
                st.one_of(st.none(), st.sampled_from(["ana", "luz"])),
            ),
            max_size=60,
            unique_by=lambda row: (row[0], row[1], row[2]),
        )
    )
    return [_row(*each) for each in drawn]


def _row(
    campaign_no: int,
    payment_no: int,
    reason: str | None,
    currency_code: str,
    millionths: int,
    hours: int | None,
    reject_reason: str | None,
    user_id: str | None,
) -> Row:
    planned = None if hours is None else START + timedelta(hours=hours)
    return {
        "campaign_no": campaign_no,
        "payment_no": payment_no,
        "campaign_id": CAMPAIGNS[campaign_no].identity,
        "campaign_name": CAMPAIGNS[campaign_no].name,
        "organization_code": "org",
        "payment_id": f"pay_{payment_no}",
        "user_id": user_id,
        "payment_created_at": START,
        "planned_at": planned,
        "planned_local": None if planned is None else planned.replace(tzinfo=None),
        "decision": "SEND" if reason is None else "SUPPRESS",
        "reason": reason,
        "amount_value": Decimal(millionths).scaleb(-6, WIDE),
        "currency_code": currency_code,
        "country": "CO",
        "reject_reason": reject_reason,
    }


def _sample(rows: Iterable[Row], campaigns: Iterable[Any] = CAMPAIGNS) -> Sample:
    decisions = pl.DataFrame(list(rows), schema=DECISIONS, orient="row")
    payments = pl.DataFrame({"created_at": [START] * 10}, schema={"created_at": pl.Datetime("us", "UTC")})
    return Sample(tuple(campaigns), payments, decisions, (), decisions.head(5), build_provenance())


def _tally(rows: Iterable[Row]) -> Tally:
    counted = Counter(row["decision"] for row in rows)
    return Tally(counted["SEND"], counted["SUPPRESS"])


def _grouped(rows: Iterable[Row], key: str) -> dict[Any, list[Row]]:
    groups: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        groups[row[key]].append(row)
    return groups


def _exact_sum(rows: Iterable[Row], decision: str | None = None) -> Decimal:
    result = Decimal(0)
    for row in rows:
        if decision in (None, row["decision"]):
            result = WIDE.add(result, row["amount_value"])
    return result


def _day(planned: datetime | None) -> Any:
    return None if planned is None else planned.date()


def _check_amounts(amounts: tuple[CurrencyFigures, ...], rows: list[Row]) -> None:
    groups = _grouped(rows, "currency_code")
    assert [part.currency_code for part in amounts] == sorted(groups)
    for part in amounts:
        group = groups[part.currency_code]
        assert part.matched == _exact_sum(group)
        assert part.sent == _exact_sum(group, "SEND")
        assert part.suppressed == _exact_sum(group, "SUPPRESS")
        assert part.tally == _tally(group)


def _check_parts(part: Any, rows: list[Row]) -> None:
    """What a campaign and the whole report have in common, against plain Python."""
    days: dict[Any, list[Row]] = defaultdict(list)
    hours: dict[Any, list[Row]] = defaultdict(list)
    for row in rows:
        local = row["planned_local"]
        days[_day(local)].append(row)
        hours[None if local is None else local.hour].append(row)
    assert {each.day: each.tally for each in part.days} == {key: _tally(group) for key, group in days.items()}
    assert {each.hour: each.tally for each in part.hours} == {key: _tally(group) for key, group in hours.items()}
    suppressed = Counter(row["reason"] for row in rows if row["reason"] is not None)
    assert {each.slug: each.suppressed for each in part.reasons} == suppressed
    assert [each.slug for each in part.reasons] == [slug for slug in REASONS if slug in suppressed]
    if part.reasons:
        assert part.reasons[-1].left == _tally(rows).sent
    _check_amounts(part.amounts, rows)


@settings(max_examples=60)
@given(decision_rows())
def test_figures_are_what_plain_python_counts(rows: list[Row]) -> None:
    figures = _sample(rows).figures()
    totals = figures.totals
    assert totals.tally == _tally(rows)
    assert totals.payments == 10
    assert totals.payments_matched == len({row["payment_no"] for row in rows})
    sent = [row for row in rows if row["decision"] == "SEND"]
    assert totals.payments_sent == len({row["payment_no"] for row in sent})
    assert totals.users_sent == len({row["user_id"] for row in sent} - {None})
    _check_parts(figures, rows)
    by_campaign = _grouped(rows, "campaign_no")
    for campaign_no, campaign in enumerate(figures.campaigns):
        assert campaign.tally == _tally(by_campaign[campaign_no])
        _check_parts(campaign, by_campaign[campaign_no])


@settings(max_examples=40)
@given(decision_rows())
def test_decline_reasons_are_ranked_and_nothing_is_lost(rows: list[Row]) -> None:
    figures = _sample(rows).figures()
    groups = {reason: _tally(group) for reason, group in _grouped(rows, "reject_reason").items()}
    ranked = sorted(groups, key=lambda reason: (-groups[reason].matched, reason is None, reason or ""))
    assert [part.reject_reason for part in figures.decline_reasons] == ranked[:15]
    assert all(part.tally == groups[part.reject_reason] for part in figures.decline_reasons)
    assert figures.other_decline_reasons.kinds == max(0, len(groups) - 15)
    assert figures.other_decline_reasons.tally.matched == sum(groups[key].matched for key in ranked[15:])


def test_a_payment_that_two_campaigns_send_is_contacted_once() -> None:
    rows = [
        _row(0, 1, None, "USD", 23_790_000, 1, None, "ana"),
        _row(1, 1, None, "USD", 23_790_000, 2, None, "ana"),
        _row(1, 2, None, "CLP", 5_000_000_000, 2, None, None),
    ]
    figures = _sample(rows).figures()
    assert [(part.currency_code, part.payments, part.amount) for part in figures.contacted] == [
        ("CLP", 1, Decimal(5000)),
        ("USD", 1, Decimal("23.79")),
    ]
    assert (figures.totals.payments_sent, figures.totals.users_sent) == (2, 1)


def test_sums_past_the_digits_of_a_decimal_context_stay_exact() -> None:
    largest = 10**24 - 1
    rows = [_row(number % 3, number, None, "USD", largest, 1, None, None) for number in range(10)]
    figures = _sample(rows).figures()
    assert str(figures.amounts[0].matched) == "9999999999999999999.999990"


def test_a_whole_road_foots() -> None:
    sample = build_sample(3000)
    figures = sample.figures()
    assert sum(campaign.tally.matched for campaign in figures.campaigns) == sample.decisions.height
    assert [campaign.number for campaign in figures.campaigns] == [1, 2, 3, 4, 5, 6]
    for campaign in figures.campaigns:
        assert campaign.funnel[-1].remaining == campaign.tally.matched
        dropped = sum(step.dropped for step in campaign.funnel)
        assert sample.payments.height - dropped == campaign.tally.matched
    assert figures.targets_not_shown == sample.decisions.height - 60
    assert figures.totals.first_created_at == sample.payments["created_at"].min()
    assert figures.totals.last_created_at == sample.payments["created_at"].max()


def test_what_a_user_should_know_of_a_campaign() -> None:
    figures = build_sample(600).figures()
    warnings = {campaign.name: campaign.warnings for campaign in figures.campaigns}
    assert warnings["Draft without rules"] == (
        "The campaign has no active rule, so it targets nobody.",
        "No payment is left after the step “at least one active rule”.",
    )
    assert warnings["All Colombian declines"] == (
        "The campaign is PAUSED: it was evaluated only because it was named.",
    )
    assert warnings["Card retries by phone"] == ()


def test_warnings_about_limits_only_and_about_nothing_sent() -> None:
    limits = build_campaign(1, rules=[{"rule_type": "UNIQUE_BY_USER"}])
    rows = [_row(0, 1, "missing_user_id", "USD", 1, 1, None, None)]
    (campaign,) = _sample(rows, [limits]).figures().campaigns
    assert campaign.warnings == (
        "The only active rules are limits per user, so it targets every payment of its time and country.",
        "Everything that matched was suppressed: nothing would be sent.",
    )


@pytest.mark.parametrize(
    ("reasons", "warnings"),
    [
        (["too_old", "already_paid"], ()),
        (
            ["too_old", "already_paid", "missing_user_id"],
            ("Everything that was neither too old nor already paid was suppressed: nothing is sent.",),
        ),
        (["too_old", "missing_user_id", None], ()),
        ([], ()),
    ],
)
def test_a_run_warns_only_where_something_new_was_suppressed(
    reasons: list[str | None], warnings: tuple[str, ...]
) -> None:
    rows = [_row(0, number, reason, "USD", 1, 1, None, None) for number, reason in enumerate(reasons)]
    sample = dataclasses.replace(_sample(rows, CAMPAIGNS[:1]), provenance=build_provenance(run_id="20261015T030000Z-1"))
    (campaign,) = sample.figures().campaigns
    assert campaign.warnings == warnings


def test_what_is_too_old_is_not_considered() -> None:
    reasons = ["too_old", "too_old", "already_paid", None]
    figures = _sample(_row(0, number, each, "USD", 1, 1, None, None) for number, each in enumerate(reasons)).figures()
    assert (figures.considered, figures.too_old, figures.already_paid) == (Tally(1, 1), 2, 1)
    assert figures.campaigns[0].considered == Tally(1, 1)


@pytest.mark.parametrize("campaigns", [(), CAMPAIGNS])
def test_nothing_gives_figures_of_nothing(campaigns: tuple[Any, ...]) -> None:
    sample = _sample([], campaigns)
    figures = dataclasses.replace(sample, payments=sample.payments.clear()).figures()
    assert figures.totals.tally == Tally()
    assert figures.totals.first_created_at is None
    assert (figures.days, figures.amounts, figures.reasons, figures.targets) == ((), (), (), ())


def test_text_columns_may_be_enums_and_categoricals() -> None:
    plain = build_sample(400)
    coded = plain.decisions.with_columns(
        pl.col("decision").cast(pl.Enum(["SEND", "SUPPRESS"])),
        pl.col("reason").cast(pl.Enum(list(REASONS))),
        pl.col("currency_code", "reject_reason", "country").cast(pl.Categorical),
    )
    assert dataclasses.replace(plain, decisions=coded).figures() == plain.figures()


GOOD = _row(0, 1, None, "USD", 1, 1, None, None)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"campaign_no": 7}, "belong to no campaign"),
        ({"decision": "MAYBE"}, "neither sent nor suppressed"),
        ({"decision": None}, "neither sent nor suppressed"),
        ({"reason": "holdout"}, "sent with a reason"),
        ({"decision": "SUPPRESS"}, "suppressed without a reason"),
        ({"campaign_id": CAMPAIGNS[1].identity}, "campaign at place 0"),
    ],
)
def test_decisions_that_cannot_be_are_refused(change: Row, message: str) -> None:
    with pytest.raises(footing.FootingError, match=message):
        _sample([GOOD | change]).figures()


@pytest.mark.parametrize(
    ("steps", "message"),
    [
        ([FunnelStep("country", 5, 5), FunnelStep("amount", 3, 4)], "end of the funnel"),
        ([FunnelStep("country", 0, 5), FunnelStep("amount", 1, 4)], "widens at “amount”"),
        ([FunnelStep("country", 1, 0)], "widens at “country”"),
    ],
)
def test_a_funnel_that_contradicts_the_decisions_is_refused(steps: list[FunnelStep], message: str) -> None:
    sample = dataclasses.replace(_sample([GOOD]), funnels=(Funnel(0, tuple(steps)),))
    with pytest.raises(footing.FootingError, match=message):
        sample.figures()


def _with_campaign(figures: ReportFigures, **changes: Any) -> ReportFigures:
    first, *others = figures.campaigns
    return dataclasses.replace(figures, campaigns=(dataclasses.replace(first, **changes), *others))


def _broken_figures(figures: ReportFigures) -> dict[str, ReportFigures]:
    """One report for each way not to foot."""
    replace = dataclasses.replace
    amounts, first = figures.amounts, figures.campaigns[0]
    shifted = replace(amounts[0], sent=amounts[0].sent + Decimal("0.000001"))
    return {
        "matches of all campaigns": _with_campaign(figures, tally=Tally(1, 1)),
        "matches by day": replace(figures, days=figures.days[1:]),
        "matches by hour": replace(figures, hours=figures.hours[1:]),
        "sent and suppressed": replace(figures, amounts=(shifted, *amounts[1:])),
        "matches by currency": replace(figures, amounts=amounts[1:]),
        "suppressions of": replace(figures, reasons=figures.reasons[1:]),
        "decline reason": replace(figures, decline_reasons=figures.decline_reasons[1:]),
        "payments sent": replace(figures, contacted=()),
        "suppressions by reason": _with_campaign(figures, reasons=first.reasons[1:]),
        "amounts by currency": _with_campaign(
            figures, amounts=(replace(first.amounts[0], sent=Decimal(1)), *first.amounts[1:])
        ),
    }


SAMPLE = build_sample(500)
FIGURES = SAMPLE.figures()
BROKEN = _broken_figures(FIGURES)


@pytest.mark.parametrize("message", BROKEN)
def test_figures_that_do_not_foot_are_refused(message: str) -> None:
    with pytest.raises(footing.FootingError, match=message):
        footing.check(BROKEN[message], add_up_by_currency(SAMPLE.decisions))


def test_money_is_checked_against_the_decisions_themselves() -> None:
    other = SAMPLE.decisions.with_columns(pl.col("amount_value") + Decimal("0.000001"))
    with pytest.raises(footing.FootingError, match="amounts of the decisions"):
        footing.check(FIGURES, add_up_by_currency(other))


def test_targets_may_lack_what_the_caller_does_not_know() -> None:
    sample = _sample([GOOD])
    bare = sample.decisions.drop("reject_reason")
    (target,) = summarise(sample.campaigns, sample.payments, sample.decisions, (), bare, sample.provenance).targets
    assert (target.order_id, target.payer_name, target.description, target.reject_reason) == (None,) * 4
