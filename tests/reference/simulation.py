"""SPEC 3 and 4 as plain and slow as they can be said: what the fast simulation is held against.

Nothing of `recovery_batch` is used but the campaign models, which are read as data. The wall clock is the standard
library's; a window is looked for by walking from minute to minute.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from recovery_batch.campaigns.models import Campaign, Schedule

MINUTE = timedelta(minutes=1)
SECOND = timedelta(seconds=1)

Payment = Mapping[str, Any]
User = tuple[str, str]


@lru_cache
def find_zone(name: str) -> tzinfo:
    """The zone of a schedule. IANA zones come from the package `tzdata`: the machine's may be older."""
    if name[0] in "+-":
        offset = datetime.strptime(name, "%z").tzinfo
        assert offset is not None
        return offset
    with resources.files("tzdata.zoneinfo").joinpath(name).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def read_wall(moment: datetime, zone: str) -> datetime:
    """What the wall clock of a zone shows at a moment."""
    return moment.astimezone(find_zone(zone)).replace(tzinfo=None)


def is_open(schedule: Schedule, moment: datetime) -> bool:
    """Whether the wall clock is inside [start, end); a start later than the end runs over midnight."""
    start, end = time.fromisoformat(schedule.daily_start_time), time.fromisoformat(schedule.daily_end_time)
    now = read_wall(moment, schedule.time_zone).time()
    return start <= now < end if start < end else now >= start or now < end


def later_moments(moment: datetime, zone: str) -> Iterator[datetime]:
    """The moments at which a window may open or close: each full minute on the wall clock, and each clock change."""
    offset = moment.astimezone(find_zone(zone)).utcoffset()
    while True:
        wall = read_wall(moment, zone)
        following = moment + MINUTE - timedelta(seconds=wall.second, microseconds=wall.microsecond)
        if following.astimezone(find_zone(zone)).utcoffset() != offset:
            following = moment.replace(microsecond=0) + SECOND
            while following.astimezone(find_zone(zone)).utcoffset() == offset:
                following += SECOND
            offset = following.astimezone(find_zone(zone)).utcoffset()
        moment = following
        yield moment


@dataclass(frozen=True)
class Plan:
    """When a match goes out, when that window closes, and whether it was open when the match came."""

    at: datetime
    closes_at: datetime
    was_open: bool


@lru_cache(maxsize=100_000)
def find_opening(schedule: Schedule, moment: datetime) -> Plan:
    """The moment itself where the window is open, else the first later one; and the first at which it is not."""
    was_open = is_open(schedule, moment)
    ahead = later_moments(moment, schedule.time_zone)
    opening = moment if was_open else next(later for later in ahead if is_open(schedule, later))
    return Plan(opening, next(later for later in ahead if not is_open(schedule, later)), was_open)


@dataclass(frozen=True)
class Limits:
    """The rate limits of a campaign's ACTIVE rules."""

    unique: bool
    per_day: int | None

    @property
    def any(self) -> bool:
        return self.unique or self.per_day is not None


def read_limits(campaign: Campaign) -> Limits:
    """UNIQUE_BY_USER, and the smallest n of the USER_COMMS_PER_DAY rules."""
    active = [rule for rule in campaign.rules if rule.status == "ACTIVE"]
    numbers = [int((rule.values or ())[0]) for rule in active if rule.rule_type == "USER_COMMS_PER_DAY"]
    return Limits(any(rule.rule_type == "UNIQUE_BY_USER" for rule in active), min(numbers, default=None))


@dataclass(frozen=True)
class Assumptions:
    """What `recovery_batch.simulation.Policy` says."""

    drop: bool = False
    as_of: datetime | None = None
    too_old_after: timedelta | None = None
    exclude_paid: bool = False
    one_per_order: bool = False


@dataclass(frozen=True)
class Communication:
    """What was sent: before (the ledger), or in this simulation."""

    organization: str
    user: str
    campaign_id: str
    at: datetime


@dataclass
class Sent:
    """What users were sent so far, by campaign and by calendar day in every zone that a campaign has."""

    zones: frozenset[str]
    campaigns: set[tuple[User, str]] = field(default_factory=set)
    days: Counter[tuple[User, str, date]] = field(default_factory=Counter)
    orders: set[tuple[str, str, str]] = field(default_factory=set)

    def add(self, each: Communication) -> None:
        user = (each.organization, each.user)
        self.campaigns.add((user, each.campaign_id))
        for zone in self.zones:
            self.days[user, zone, read_wall(each.at, zone).date()] += 1


@dataclass(frozen=True)
class Decision:
    """The decision about one candidate; no reason means that it is sent."""

    planned_at: datetime
    planned_local: datetime
    window_closes_at: datetime
    reason: str | None


def decide_all(
    payments: Sequence[Payment],
    candidates: Sequence[tuple[int, int]],
    campaigns: Sequence[Campaign],
    assumptions: Assumptions,
    history: Sequence[Communication] = (),
    contacted_orders: Sequence[tuple[str, str, str]] = (),
) -> dict[tuple[int, int], Decision]:
    """The decision about every candidate, a (campaign number, payment number), one after the other."""
    sent = Sent(frozenset(campaign.schedule.time_zone for campaign in campaigns))
    for each in history:
        sent.add(each)
    sent.orders |= set(contacted_orders)
    plans = {pair: _plan(campaigns[pair[0]], payments[pair[1]], assumptions) for pair in candidates}
    decided = {}
    for pair in sorted(candidates, key=lambda pair: _turn(plans[pair].at, campaigns[pair[0]], payments[pair[1]])):
        campaign, payment, plan = campaigns[pair[0]], payments[pair[1]], plans[pair]
        reason = _find_reason(campaign, payment, plan, assumptions, sent)
        if reason is None and payment["user_id"] is not None:
            sent.add(Communication(payment["organization_code"], payment["user_id"], campaign.identity, plan.at))
        closes_at = min(plan.closes_at, campaign.duration.end_at)
        decided[pair] = Decision(plan.at, read_wall(plan.at, campaign.schedule.time_zone), closes_at, reason)
    return decided


def _plan(campaign: Campaign, payment: Payment, assumptions: Assumptions) -> Plan:
    moment = payment["created_at"]
    if assumptions.as_of is not None:
        moment = max(moment, assumptions.as_of)
    plan = find_opening(campaign.schedule, moment)
    return Plan(moment, plan.closes_at, plan.was_open) if assumptions.drop else plan


def _turn(planned_at: datetime, campaign: Campaign, payment: Payment) -> tuple[Any, ...]:
    latest = datetime.max.replace(tzinfo=UTC)
    return (
        planned_at,
        payment["created_at"],
        payment["payment_id"].encode(),
        campaign.created_at is None,
        campaign.created_at or latest,
        campaign.identity.encode(),
    )


def _find_reason(campaign: Campaign, payment: Payment, plan: Plan, assumptions: Assumptions, sent: Sent) -> str | None:
    if plan.at >= campaign.duration.end_at:
        return "campaign_ended"
    if assumptions.drop and not plan.was_open:
        return "outside_window"
    if payment["opted_out"]:
        return "opted_out"
    if assumptions.exclude_paid and payment["paid_at"] is not None and payment["paid_at"] < plan.at:
        return "already_paid"
    if assumptions.as_of is not None:
        unfit = _find_unfitness(payment, assumptions.as_of, assumptions.too_old_after)
        if unfit is not None:
            return unfit
    return "holdout" if payment["holdout"] else _find_repetition(campaign, payment, plan, assumptions, sent)


def _find_unfitness(payment: Payment, as_of: datetime, too_old_after: timedelta | None) -> str | None:
    if too_old_after is not None and as_of - payment["created_at"] > too_old_after:
        return "too_old"
    return next((flag for flag in ("not_submittable", "invalid_phone") if payment[flag]), None)


def _find_repetition(
    campaign: Campaign, payment: Payment, plan: Plan, assumptions: Assumptions, sent: Sent
) -> str | None:
    if read_limits(campaign).any and payment["user_id"] is None:
        return "missing_user_id"
    order = (campaign.identity, payment["organization_code"], payment["order_id"])
    if assumptions.one_per_order and payment["order_id"] is not None and order in sent.orders:
        return "same_order"
    reason = _find_limit(campaign, payment, plan, sent)
    if reason is None:
        sent.orders.add(order)
    return reason


def _find_limit(campaign: Campaign, payment: Payment, plan: Plan, sent: Sent) -> str | None:
    limits = read_limits(campaign)
    if not limits.any:
        return None
    user = (payment["organization_code"], payment["user_id"])
    if limits.unique and (user, campaign.identity) in sent.campaigns:
        return "unique_by_user"
    zone = campaign.schedule.time_zone
    if limits.per_day is not None and sent.days[user, zone, read_wall(plan.at, zone).date()] >= limits.per_day:
        return "user_comms_per_day"
    return None
