"""Lint: what is wrong, or odd, about campaigns, by themselves and on the loaded payments."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from recovery_batch.api.linting import lint_data
from recovery_batch.campaigns import Campaign, all_campaigns, read_campaigns
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.campaigns.linting import CONTACT_HOURS, DO_NOT_CHASE, ContactHours, lint_campaign
from recovery_batch.campaigns.linting.contact_hours import WEEKDAYS
from recovery_batch.campaigns.models import FINAL_STATUSES
from recovery_batch.settings import Settings
from recovery_batch.store import Store

_GRAVEST_FIRST = tuple(Severity)


@dataclass(frozen=True, slots=True)
class LintRequest:
    """Which campaigns to look at, and on which payments.

    Attributes:
        db: The store; where there is none, campaigns are looked at by themselves.
        campaign_files: Campaign files, instead of the stored campaigns that are not final.
        campaigns: Campaigns, instead of either.
        now: The time that durations are held against.
        settings: The installation's settings.
    """

    db: Path
    campaign_files: tuple[Path, ...] = ()
    campaigns: tuple[Campaign, ...] | None = None
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Lint:
    """What was found.

    Attributes:
        campaigns: How many campaigns were looked at.
        findings: By campaign in the order given, the gravest first.
        looked_at_data: Whether there was a store to look at.
    """

    campaigns: int
    findings: tuple[Finding, ...]
    looked_at_data: bool

    @property
    def has_errors(self) -> bool:
        """Whether any campaign cannot do what it says."""
        return any(finding.severity is Severity.ERROR for finding in self.findings)


def lint(request: LintRequest) -> Lint:
    """Look at campaigns. Writes nothing.

    Raises:
        ProblemsFound: a campaign file is not in order.
        StoreMissing: the stored campaigns are asked for, and there is no store.
    """
    given = read_campaigns(request.campaign_files) if request.campaign_files else request.campaigns
    if given is not None and not request.db.exists():
        return Lint(len(given), _in_order(given, _by_themselves(given, request)), looked_at_data=False)
    with Store.open(request.db) as store:
        if given is None:
            given = tuple(each for each in all_campaigns(store) if each.status not in FINAL_STATUSES)
        found = [
            *_by_themselves(given, request),
            *lint_data(
                store,
                given,
                request.settings,
                overlap_share=request.settings.lint.overlap_share,
                do_not_chase=tuple(DO_NOT_CHASE),
            ),
        ]
    return Lint(len(given), _in_order(given, found), looked_at_data=True)


def _by_themselves(campaigns: Sequence[Campaign], request: LintRequest) -> list[Finding]:
    statuses = request.settings.payments.successful_statuses
    calendar = {**CONTACT_HOURS, **_configured(request.settings)}
    return [
        finding
        for campaign in campaigns
        for finding in lint_campaign(campaign, request.now, successful_statuses=statuses, calendar=calendar)
    ]


def _configured(settings: Settings) -> dict[str, ContactHours]:
    """The hours of countries that the settings give."""
    found = {}
    for country, hours in settings.lint.contact_hours.items():
        days = (getattr(hours, day.lower()) for day in WEEKDAYS)
        week = tuple(None if day is None else (day.start, day.end) for day in days)
        found[country] = ContactHours(week, hours.holidays, hours.source, hours.year)
    return found


def _in_order(campaigns: Sequence[Campaign], found: Sequence[Finding]) -> tuple[Finding, ...]:
    place = {campaign.identity: number for number, campaign in enumerate(campaigns)}
    return tuple(sorted(found, key=lambda each: (place[each.campaign_id], _GRAVEST_FIRST.index(each.severity))))
