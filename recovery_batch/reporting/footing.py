"""Whether the figures of a report add up. What does not foot is never shown."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING

import polars as pl

from recovery_batch.reporting.report import CampaignFigures, CurrencyFigures, ReportFigures
from recovery_batch.reporting.tallies import Tally, exact_sum, total
from recovery_batch.simulation import SEND, SUPPRESS

if TYPE_CHECKING:
    from recovery_batch.campaigns.models import Campaign


class FootingError(Exception):
    """Figures contradict each other or the decisions that they were counted from: a bug, not bad input."""


def check_frames(campaigns: Sequence[Campaign], decisions: pl.DataFrame) -> None:
    """Check that every decision has a campaign, is sent or suppressed, and has a reason exactly if suppressed.

    Raises:
        FootingError: If any does not.
    """
    is_send, is_suppressed = pl.col("decision") == SEND, pl.col("decision") == SUPPRESS
    faults = {
        "belong to no campaign": pl.col("campaign_no") >= len(campaigns),
        "are neither sent nor suppressed": ~(is_send | is_suppressed).fill_null(value=False),
        "are sent with a reason": is_send & pl.col("reason").is_not_null(),
        "are suppressed without a reason": is_suppressed & pl.col("reason").is_null(),
    }
    found = decisions.select(fault.sum().alias(words) for words, fault in faults.items()).row(0, named=True)
    for words, rows in found.items():
        if rows:
            raise FootingError(f"{rows} decisions {words}")
    named = decisions.select(pl.col("campaign_no"), pl.col("campaign_id").cast(pl.String)).unique()
    for campaign_no, campaign_id in named.iter_rows():
        _same(f"the campaign at place {campaign_no}", campaigns[campaign_no].identity, campaign_id)


def check(figures: ReportFigures, amounts_of_decisions: Mapping[str, tuple[int, Decimal]]) -> None:
    """Check that every part of a report foots to its totals.

    Args:
        figures: The report.
        amounts_of_decisions: Number and sum of all decisions by currency, added up on another way.

    Raises:
        FootingError: If any part does not.
    """
    whole = figures.totals.tally
    _same("matches of all campaigns", total(campaign.tally for campaign in figures.campaigns), whole)
    _check_parts("all campaigns", whole, figures)
    declines = total(part.tally for part in figures.decline_reasons) + figures.other_decline_reasons.tally
    _same("matches by decline reason", declines, whole)
    _same("suppressions by reason", _reasons(figures.campaigns), _reasons([figures]))
    _same("amounts by currency", _amounts(figures.campaigns), _amounts([figures]))
    _same(
        "amounts of the decisions",
        dict(amounts_of_decisions),
        {part.currency_code: (part.tally.matched, part.matched) for part in figures.amounts},
    )
    _same("payments sent", sum(part.payments for part in figures.contacted), figures.totals.payments_sent)
    for campaign in figures.campaigns:
        _check_parts(campaign.name, campaign.tally, campaign)
        _check_funnel(campaign)


def check_night(figures: ReportFigures) -> None:
    """Check that what a run emitted is what its decisions send, with the abandoned flows, to the last digit.

    Raises:
        FootingError: If it is not.
    """
    night = figures.night
    if night is None:
        return
    _same("payments in the files", night.payments, figures.totals.tally.sent)
    _same("payments and flows in the files", night.payments + night.flows_sent, night.records)
    _same("flows", night.flows_sent + sum(flows for _, flows in night.flow_reasons), night.flows)
    sent = {part.currency_code: part.sent for part in figures.amounts if part.tally.sent}
    for part in night.amounts:
        code = part.currency_code
        _same(f"{code} of the payments in the files", part.payments, sent.pop(code, Decimal(0)))
        _same(f"{code} of payments and carts", exact_sum([part.payments, part.carts]), part.together)
    _same("currencies in no file", sent, {})


def _check_parts(where: str, whole: Tally, parts: CampaignFigures | ReportFigures) -> None:
    """Days, hours and currencies foot to the whole; reasons to what is suppressed of it."""
    _same(f"matches by day of {where}", total(part.tally for part in parts.days), whole)
    _same(f"matches by hour of {where}", total(part.tally for part in parts.hours), whole)
    _same(f"matches by currency of {where}", total(part.tally for part in parts.amounts), whole)
    _same(f"suppressions of {where}", sum(part.suppressed for part in parts.reasons), whole.suppressed)
    for part in parts.amounts:
        both = exact_sum([part.sent, part.suppressed])
        _same(f"sent and suppressed {part.currency_code} of {where}", both, part.matched)


def _check_funnel(campaign: CampaignFigures) -> None:
    """A funnel only narrows, and what is left at its end is what matched."""
    if not campaign.funnel:
        return
    _same(f"the end of the funnel of {campaign.name}", campaign.funnel[-1].remaining, campaign.tally.matched)
    for step in campaign.funnel:
        if step.dropped < 0 or step.remaining > step.alone:
            raise FootingError(f"the funnel of {campaign.name} widens at “{step.label}”")


def _reasons(parts: Iterable[CampaignFigures | ReportFigures]) -> Counter[str]:
    """Suppressions by slug, added up."""
    counted: Counter[str] = Counter()
    for part in parts:
        counted.update({reasons.slug: reasons.suppressed for reasons in part.reasons})
    return counted


def _amounts(parts: Iterable[CampaignFigures | ReportFigures]) -> dict[str, tuple[Decimal, Decimal]]:
    """Sent and suppressed amounts by currency, added up."""
    found: dict[str, list[CurrencyFigures]] = defaultdict(list)
    for part in parts:
        for amounts in part.amounts:
            found[amounts.currency_code].append(amounts)
    return {
        currency: (exact_sum(part.sent for part in group), exact_sum(part.suppressed for part in group))
        for currency, group in found.items()
    }


def _same(what: str, one: object, other: object) -> None:
    """Refuse two figures that should be one."""
    if one != other:
        raise FootingError(f"{what} do not foot: {one} against {other}")
