"""A report as values: frozen dataclasses of finished figures. Pages and documents only write them down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from recovery_batch.reporting.night import NightFigures
from recovery_batch.reporting.tallies import Tally
from recovery_batch.reporting.unusual import Comparison

TOO_OLD: Final = "too_old"
ALREADY_PAID: Final = "already_paid"


@dataclass(frozen=True)
class Provenance:
    """Where figures come from: enough to make them again.

    Attributes:
        title: Heading of the report.
        period_from: Payments created before it were not looked at (UTC); None: no limit.
        period_to: Payments created at or after it were not looked at (UTC); None: no limit.
        as_of: The moment a nightly run stands at; None for a backtest.
        rules_sha256: Hash of the campaigns and rules as they were evaluated.
        data_sha256: Hash of the payments that were evaluated.
        tool_version: Version of this tool.
        run_id: Name of the nightly run; None for a backtest.
        settings: What was chosen, in the user's terms: `outside-window` to `defer`.
    """

    title: str
    period_from: datetime | None
    period_to: datetime | None
    as_of: datetime | None
    rules_sha256: str
    data_sha256: str
    tool_version: str
    run_id: str | None
    settings: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class RuleFigures:
    """One rule of a campaign as a person reads it."""

    sentence: str
    rule_type: str
    status: str


@dataclass(frozen=True, slots=True)
class FunnelStepFigures:
    """One step of a campaign's funnel.

    Attributes:
        label: The condition in plain words.
        remaining: Payments left after this step and all before it.
        dropped: Payments that this step took away from those left before it; the first, from all that were
            evaluated.
        alone: Payments that pass this step by itself, among those of the first step.
        rule_id: The rule that the step stands for; None for a condition that every campaign has.
    """

    label: str
    remaining: int
    dropped: int
    alone: int
    rule_id: str | None


@dataclass(frozen=True, slots=True)
class ReasonFigures:
    """Matches suppressed for one reason, in the order in which the simulation asks.

    Attributes:
        slug: The reason as decisions carry it.
        suppressed: Matches suppressed for it.
        left: Matches left after it and all reasons before it.
    """

    slug: str
    suppressed: int
    left: int


def suppressed_for(reasons: Iterable[ReasonFigures], *slugs: str) -> int:
    """Matches suppressed for any of these reasons."""
    return sum(part.suppressed for part in reasons if part.slug in slugs)


@dataclass(frozen=True, slots=True)
class CurrencyFigures:
    """Matches and exact amounts in one currency."""

    currency_code: str
    tally: Tally
    sent: Decimal
    suppressed: Decimal
    matched: Decimal


@dataclass(frozen=True, slots=True)
class ContactedFigures:
    """Payments sent by at least one campaign, in one currency, each counted once."""

    currency_code: str
    payments: int
    amount: Decimal


@dataclass(frozen=True, slots=True)
class DayFigures:
    """Matches planned for one day of the campaigns' calendars; None: without a planned time."""

    day: date | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class HourFigures:
    """Matches planned for one hour of the campaigns' day; None: without a planned time."""

    hour: int | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class DeclineReasonFigures:
    """Matches whose payment was declined for one reason; None: the export gives none."""

    reject_reason: str | None
    tally: Tally


@dataclass(frozen=True, slots=True)
class OtherDeclineReasons:
    """The less frequent decline reasons together: how many there are, and their matches."""

    kinds: int
    tally: Tally


@dataclass(frozen=True, slots=True)
class CampaignFigures:
    """Everything the report says of one campaign. Lists of days, hours and reasons hold only what occurs."""

    number: int
    campaign_id: str
    name: str
    organization_code: str
    channel: str
    country: str
    focus: str | None
    status: str
    daily_start_time: str
    daily_end_time: str
    time_zone: str
    start_at: datetime
    end_at: datetime
    rules: tuple[RuleFigures, ...]
    funnel: tuple[FunnelStepFigures, ...]
    tally: Tally
    reasons: tuple[ReasonFigures, ...]
    amounts: tuple[CurrencyFigures, ...]
    days: tuple[DayFigures, ...]
    hours: tuple[HourFigures, ...]
    warnings: tuple[str, ...]

    @property
    def considered(self) -> Tally:
        """Matches that are not too old: what is new in a nightly run, everything in a backtest."""
        return Tally(self.tally.sent, self.tally.suppressed - suppressed_for(self.reasons, TOO_OLD))


@dataclass(frozen=True, slots=True)
class TargetFigures:
    """One match as the table of targeted payments shows it; name and phone arrive masked."""

    campaign_number: int
    campaign_name: str
    payment_id: str
    order_id: str | None
    payment_created_at: datetime
    planned_at: datetime | None
    decision: str
    reason: str | None
    amount: Decimal
    currency_code: str
    country: str
    description: str | None
    reject_reason: str | None
    payer_name: str | None
    payer_phone: str | None


@dataclass(frozen=True, slots=True)
class Totals:
    """The report in a few numbers.

    Attributes:
        payments: Payments evaluated.
        first_created_at: Earliest of them (UTC); None when there is none.
        last_created_at: Latest of them (UTC).
        tally: Matches, each one campaign and one payment: a payment that two campaigns target counts twice.
        payments_matched: Distinct payments that at least one campaign targets.
        payments_sent: Distinct payments that at least one campaign sends.
        users_sent: Distinct users sent to, among payments that say who the user is.
    """

    payments: int
    first_created_at: datetime | None
    last_created_at: datetime | None
    tally: Tally
    payments_matched: int
    payments_sent: int
    users_sent: int


@dataclass(frozen=True)
class ReportFigures:
    """A whole report. Every list foots to `totals.tally`, or to the part of it that it speaks of.

    `unusual` is the run against the runs before it, `night` what else it emitted; None in a backtest, which has none.
    """

    provenance: Provenance
    totals: Totals
    campaigns: tuple[CampaignFigures, ...]
    reasons: tuple[ReasonFigures, ...]
    amounts: tuple[CurrencyFigures, ...]
    contacted: tuple[ContactedFigures, ...]
    days: tuple[DayFigures, ...]
    hours: tuple[HourFigures, ...]
    decline_reasons: tuple[DeclineReasonFigures, ...]
    other_decline_reasons: OtherDeclineReasons
    targets: tuple[TargetFigures, ...]
    unusual: Comparison | None = None
    night: NightFigures | None = None

    @property
    def too_old(self) -> int:
        """Matches that are too old for this run, as they were for the run before: night after night the same."""
        return suppressed_for(self.reasons, TOO_OLD)

    @property
    def already_paid(self) -> int:
        """Matches whose order was paid."""
        return suppressed_for(self.reasons, ALREADY_PAID)

    @property
    def considered(self) -> Tally:
        """Matches that are not too old: what is new in a nightly run, everything in a backtest."""
        return Tally(self.totals.tally.sent, self.totals.tally.suppressed - self.too_old)

    @property
    def targets_not_shown(self) -> int:
        """Matches that are not among `targets`."""
        return self.totals.tally.matched - len(self.targets)
