"""Lint of campaigns without data: what a campaign says against itself, against the calendar and against common sense.

Pure: no database and no files. A finding is a remark; nothing is refused because of one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from recovery_batch.campaigns.findings import Finding
from recovery_batch.campaigns.linting.conflicts import find_conflicts
from recovery_batch.campaigns.linting.contact_hours import CONTACT_HOURS, ContactHours, check_hours
from recovery_batch.campaigns.linting.do_not_chase import DO_NOT_CHASE, Code, check_codes, codes_not_excluded
from recovery_batch.campaigns.linting.notes import Notes
from recovery_batch.campaigns.linting.timing import check_times
from recovery_batch.campaigns.models import Campaign
from recovery_batch.settings import Payments

__all__ = [
    "CONTACT_HOURS",
    "DO_NOT_CHASE",
    "Code",
    "ContactHours",
    "codes_not_excluded",
    "lint_campaign",
]


def lint_campaign(
    campaign: Campaign,
    now: datetime,
    *,
    successful_statuses: Sequence[str] = Payments().successful_statuses,
    calendar: Mapping[str, ContactHours] = CONTACT_HOURS,
) -> tuple[Finding, ...]:
    """What there is to remark about a campaign, without looking at a payment.

    Args:
        campaign: The campaign; of its rules only the active ones count.
        now: The time that its duration is held against.
        successful_statuses: Statuses of payments that were paid, which match no campaign.
        calendar: By country, the hours in which people may be contacted.

    Returns:
        The findings, in an order that depends on the campaign alone: rules, limits, times, codes, hours.
    """
    notes = Notes(campaign)
    return (
        *find_conflicts(notes, successful_statuses),
        *_targets(notes),
        *check_times(notes, now),
        # without a rule nobody is targeted, whatever the code
        *(check_codes(notes) if campaign.active_rules else ()),
        *check_hours(notes, calendar),
    )


def _targets(notes: Notes) -> Iterator[Finding]:
    campaign = notes.campaign
    if not campaign.active_rules:
        kept = f" All {len(campaign.rules)} of its rules are INACTIVE." if campaign.rules else ""
        reason = f"The campaign has no active rule, so it targets nobody.{kept}"
        yield notes.warning("no_active_rule", reason, "Add a rule, or make one ACTIVE.")
        return
    if not campaign.targeting_rules:
        reason = (
            "The only active rules limit how often people are contacted, and none looks at a payment, so the campaign "
            f"targets every declined payment of {campaign.country}."
        )
        advice = "Add a rule on what you want to recover, unless every declined payment is meant."
        yield notes.warning("only_rate_limits", reason, advice, campaign.rate_limits)
    if not campaign.rate_limits:
        reason = "The campaign has no rate limit, so one person may be contacted for each of many declined payments."
        advice = "Add a rule USER_COMMS_PER_DAY or UNIQUE_BY_USER."
        yield notes.warning("no_rate_limit", reason, advice)
