"""The figures as a plain document, for `backtest --json` and for programs."""

from __future__ import annotations

from typing import Any

from recovery_batch.clock import iso
from recovery_batch.reporting.formats import exact_amount
from recovery_batch.reporting.report import CampaignFigures, ReasonFigures, ReportFigures


def as_json(figures: ReportFigures) -> dict[str, Any]:
    """A report as `json.dumps` takes it; amounts are strings, because a JSON number would not stay exact.

    Args:
        figures: The report.

    Returns:
        Totals, and for each campaign its matches, what would be sent (with amounts by currency), what is
        suppressed for which reason, its funnel and its warnings.
    """
    provenance, totals = figures.provenance, figures.totals
    return {
        "payments": totals.payments,
        "period": {
            "from": iso(provenance.period_from) if provenance.period_from else None,
            "to": iso(provenance.period_to) if provenance.period_to else None,
        },
        "settings": dict(provenance.settings),
        "rules_sha256": provenance.rules_sha256,
        "data_sha256": provenance.data_sha256,
        "matched": totals.tally.matched,
        "sent": totals.tally.sent,
        "suppressed": _suppressed(figures.reasons),
        "campaigns": [_campaign(campaign) for campaign in figures.campaigns],
        "tool_version": provenance.tool_version,
    }


def _campaign(campaign: CampaignFigures) -> dict[str, Any]:
    """One campaign; `amounts` are those of what is sent."""
    return {
        "campaign_id": campaign.campaign_id,
        "name": campaign.name,
        "channel": campaign.channel,
        "status": campaign.status,
        "matched": campaign.tally.matched,
        "sent": campaign.tally.sent,
        "suppressed": _suppressed(campaign.reasons),
        "amounts": {
            part.currency_code: exact_amount(part.sent, part.currency_code)
            for part in campaign.amounts
            if part.tally.sent
        },
        "funnel": [{"label": step.label, "remaining": step.remaining, "alone": step.alone} for step in campaign.funnel],
        "warnings": list(campaign.warnings),
    }


def _suppressed(reasons: tuple[ReasonFigures, ...]) -> dict[str, int]:
    """Counts by slug; only reasons that occur."""
    return {part.slug: part.suppressed for part in reasons}
