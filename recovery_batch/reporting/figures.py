"""From decisions to the figures of a report: counted, added up exactly, and checked.

`summarise` counts all campaigns at once, makes sure that everything foots (campaigns add up to the totals,
what matched is what was sent and what was suppressed, money to the last digit), and refuses to return figures
that do not.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import accumulate
from typing import TYPE_CHECKING, Any, TypeVar

import polars as pl

from recovery_batch.evaluation import SETTLED
from recovery_batch.reporting import footing, tallies
from recovery_batch.reporting.night import night_of
from recovery_batch.reporting.report import (
    ALREADY_PAID,
    TOO_OLD,
    CampaignFigures,
    ContactedFigures,
    CurrencyFigures,
    DayFigures,
    DeclineReasonFigures,
    FunnelStepFigures,
    HourFigures,
    OtherDeclineReasons,
    Provenance,
    ReasonFigures,
    ReportFigures,
    RuleFigures,
    TargetFigures,
    Totals,
    suppressed_for,
)
from recovery_batch.reporting.tallies import Outcome, Tally
from recovery_batch.rules import sentence
from recovery_batch.simulation import REASONS, SEND, SUPPRESS

if TYPE_CHECKING:
    from recovery_batch.campaigns.models import Campaign
    from recovery_batch.evaluation import Funnel
    from recovery_batch.reporting.unusual import Comparison

__all__ = ["Provenance", "ReportFigures", "add_night", "summarise"]

_MOST_DECLINE_REASONS = 15
_PLACES = {slug: place for place, slug in enumerate(REASONS)}
_Slot = TypeVar("_Slot")


def summarise(
    campaigns: Sequence[Campaign],
    payments: pl.DataFrame,
    decisions: pl.DataFrame,
    funnels: Sequence[Funnel],
    targets: pl.DataFrame,
    provenance: Provenance,
) -> ReportFigures:
    """Count what campaigns did with payments.

    Args:
        campaigns: The campaigns that were evaluated; `campaign_no` in the frames is the place in this
            sequence.
        payments: What was evaluated, one row a payment; only its length and created_at are read.
        decisions: What came out, one row a (campaign, payment) match, as the simulation gives it.
        funnels: Rule-by-rule counts; a campaign may have none.
        targets: The matches to show one by one, at most a few hundred rows, personal data already masked.
        provenance: Where all this comes from; goes through unchanged.

    Returns:
        The figures, campaigns in the order given.

    Raises:
        FootingError: If the figures contradict each other: a bug of ours, never bad input.
    """
    footing.check_frames(campaigns, decisions)
    outcomes = tallies.count_outcomes(decisions)
    days, hours = tallies.count_days(decisions), tallies.count_hours(decisions)
    funnel_of = {funnel.campaign_no: _funnel(funnel, payments.height) for funnel in funnels}
    frequent, others = tallies.count_decline_reasons(decisions, _MOST_DECLINE_REASONS)
    figures = ReportFigures(
        provenance=provenance,
        totals=_totals(payments, decisions),
        campaigns=_campaigns(campaigns, outcomes, days, hours, funnel_of, in_run=provenance.run_id is not None),
        reasons=_reasons(outcomes),
        amounts=_amounts(outcomes),
        contacted=tuple(ContactedFigures(*row) for row in tallies.add_up_contacted(decisions)),
        days=tuple(DayFigures(day, tally) for day, tally in _merged(days.values())),
        hours=tuple(HourFigures(hour, tally) for hour, tally in _merged(hours.values())),
        decline_reasons=tuple(DeclineReasonFigures(*row) for row in frequent),
        other_decline_reasons=OtherDeclineReasons(*others),
        targets=_targets(targets),
    )
    footing.check(figures, tallies.add_up_by_currency(decisions))
    return figures


def add_night(figures: ReportFigures, manifest: Mapping[str, Any], compared: Comparison) -> ReportFigures:
    """The figures of a nightly run with what its manifest adds, and with the run against those before it.

    Raises:
        FootingError: If the manifest does not say what the figures say.
    """
    whole = replace(figures, night=night_of(manifest), unusual=compared)
    footing.check_night(whole)
    return whole


def _totals(payments: pl.DataFrame, decisions: pl.DataFrame) -> Totals:
    """Count over the whole frames, without going through the campaigns, so that there is something to check."""
    sent = int((decisions["decision"] == SEND).sum())
    suppressed = int((decisions["decision"] == SUPPRESS).sum())
    payments_matched, payments_sent, users_sent = tallies.count_payments(decisions)
    first, last = payments.select(
        pl.col("created_at").min().alias("first"), pl.col("created_at").max().alias("last")
    ).row(0)
    return Totals(
        payments=payments.height,
        first_created_at=first,
        last_created_at=last,
        tally=Tally(sent, suppressed),
        payments_matched=payments_matched,
        payments_sent=payments_sent,
        users_sent=users_sent,
    )


def _campaigns(
    campaigns: Sequence[Campaign],
    outcomes: Sequence[Outcome],
    days: tallies.DayTallies,
    hours: tallies.HourTallies,
    funnels: Mapping[int, tuple[FunnelStepFigures, ...]],
    *,
    in_run: bool,
) -> tuple[CampaignFigures, ...]:
    """Hand every campaign its part of the groups."""
    by_campaign: dict[int, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_campaign[outcome.campaign_no].append(outcome)
    return tuple(
        _campaign(
            number,
            campaign,
            by_campaign.get(number, []),
            funnels.get(number, ()),
            tuple(DayFigures(*slot) for slot in days.get(number, [])),
            tuple(HourFigures(*slot) for slot in hours.get(number, [])),
            in_run=in_run,
        )
        for number, campaign in enumerate(campaigns)
    )


def _campaign(
    campaign_no: int,
    campaign: Campaign,
    outcomes: Sequence[Outcome],
    funnel: tuple[FunnelStepFigures, ...],
    days: tuple[DayFigures, ...],
    hours: tuple[HourFigures, ...],
    *,
    in_run: bool,
) -> CampaignFigures:
    """Put the card of one campaign together."""
    tally, reasons = _tally(outcomes), _reasons(outcomes)
    return CampaignFigures(
        number=campaign_no + 1,
        campaign_id=campaign.identity,
        name=campaign.name,
        organization_code=campaign.organization_code,
        channel=campaign.channel,
        country=campaign.country,
        focus=campaign.focus,
        status=campaign.status,
        daily_start_time=campaign.schedule.daily_start_time,
        daily_end_time=campaign.schedule.daily_end_time,
        time_zone=campaign.schedule.time_zone,
        start_at=campaign.duration.start_at,
        end_at=campaign.duration.end_at,
        rules=tuple(RuleFigures(sentence(rule), rule.rule_type, rule.status) for rule in campaign.rules),
        funnel=funnel,
        tally=tally,
        reasons=reasons,
        amounts=_amounts(outcomes),
        days=days,
        hours=hours,
        warnings=(*_warnings(campaign, funnel), *_nothing_sent(tally, reasons, in_run=in_run)),
    )


def _funnel(funnel: Funnel, payments: int) -> tuple[FunnelStepFigures, ...]:
    """A funnel with what each step took away, the first of all payments evaluated."""
    before = [payments, *(step.remaining for step in funnel.steps)]
    return tuple(
        FunnelStepFigures(step.label, step.remaining, left - step.remaining, step.alone, step.rule_id)
        for step, left in zip(funnel.steps, before, strict=False)
    )


def _warnings(campaign: Campaign, funnel: Sequence[FunnelStepFigures]) -> tuple[str, ...]:
    """What a user should know about a campaign before believing its figures."""
    found = []
    if campaign.status != "ACTIVE":
        found.append(f"The campaign is {campaign.status}: it was evaluated only because it was named.")
    if not campaign.active_rules:
        found.append("The campaign has no active rule, so it targets nobody.")
    elif not campaign.targeting_rules:
        found.append("The only active rules are limits per user, so it targets every payment of its time and country.")
    emptied = next((step for step in funnel if not step.remaining), None)
    # that earlier runs have decided about everybody is as it should be
    if emptied is not None and emptied.label != SETTLED:
        found.append(f"No payment is left after the step “{emptied.label}”.")
    return tuple(found)


def _nothing_sent(tally: Tally, reasons: Sequence[ReasonFigures], *, in_run: bool) -> tuple[str, ...]:
    """The warning that all was suppressed; in a run not of what is too old or was paid, as some is every night."""
    if tally.sent or not tally.matched:
        return ()
    if not in_run:
        return ("Everything that matched was suppressed: nothing would be sent.",)
    if tally.matched == suppressed_for(reasons, TOO_OLD, ALREADY_PAID):
        return ()
    return ("Everything that was neither too old nor already paid was suppressed: nothing is sent.",)


def _tally(outcomes: Iterable[Outcome]) -> Tally:
    """Matches sent and suppressed."""
    return tallies.total(
        Tally(sent=outcome.matches) if outcome.decision == SEND else Tally(suppressed=outcome.matches)
        for outcome in outcomes
    )


def _reasons(outcomes: Sequence[Outcome]) -> tuple[ReasonFigures, ...]:
    """Suppressed matches by reason, in the order in which the simulation asks; only reasons that occur."""
    counted: dict[str, int] = defaultdict(int)
    for outcome in outcomes:
        if outcome.reason is not None:
            counted[outcome.reason] += outcome.matches
    slugs = sorted(counted, key=lambda slug: (_PLACES.get(slug, len(_PLACES)), slug))
    left = accumulate((-counted[slug] for slug in slugs), initial=_tally(outcomes).matched)
    next(left)
    return tuple(ReasonFigures(slug, counted[slug], after) for slug, after in zip(slugs, left, strict=True))


def _amounts(outcomes: Iterable[Outcome]) -> tuple[CurrencyFigures, ...]:
    """Matches and exact amounts by currency, sorted by its code."""
    by_currency: dict[str, list[Outcome]] = defaultdict(list)
    for outcome in outcomes:
        by_currency[outcome.currency_code].append(outcome)
    return tuple(
        CurrencyFigures(
            currency_code=currency_code,
            tally=_tally(group),
            sent=tallies.exact_sum(outcome.amount for outcome in group if outcome.decision == SEND),
            suppressed=tallies.exact_sum(outcome.amount for outcome in group if outcome.decision != SEND),
            matched=tallies.exact_sum(outcome.amount for outcome in group),
        )
        for currency_code, group in sorted(by_currency.items())
    )


def _merged(by_campaign: Iterable[list[tuple[_Slot | None, Tally]]]) -> list[tuple[_Slot | None, Tally]]:
    """The days or hours of all campaigns laid over each other, in order; a missing one last."""
    sums: dict[_Slot | None, Tally] = {}
    for slots in by_campaign:
        for slot, tally in slots:
            sums[slot] = sums.get(slot, Tally()) + tally
    return sorted(sums.items(), key=_missing_last)


def _missing_last(item: tuple[Any, Tally]) -> tuple[bool, Any]:
    """A sort key that never compares None with a day."""
    return (item[0] is None, 0 if item[0] is None else item[0])


def _targets(targets: pl.DataFrame) -> tuple[TargetFigures, ...]:
    """The rows of the table of targeted payments, in the order given."""
    return tuple(_target(row) for row in targets.iter_rows(named=True))


def _target(row: Mapping[str, Any]) -> TargetFigures:
    """One of them; columns that the caller left out are missing values."""
    return TargetFigures(
        campaign_number=row["campaign_no"] + 1,
        campaign_name=row["campaign_name"],
        payment_id=row["payment_id"],
        order_id=row.get("order_id"),
        payment_created_at=row["payment_created_at"],
        planned_at=row["planned_at"],
        decision=row["decision"],
        reason=row.get("reason"),
        amount=row["amount_value"],
        currency_code=row["currency_code"],
        country=row["country"],
        description=row.get("description"),
        reject_reason=row.get("reject_reason"),
        payer_name=row.get("payer_name"),
        payer_phone=row.get("payer_phone"),
    )
