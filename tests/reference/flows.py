"""What a run decides about abandoned flows, as plain and slow as it can be said.

Nothing of `recovery_batch` is used but the schedule of the campaign models, as the reference of the windows does.
Telephones are names here: which texts are one telephone, and where it may be, is given.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from recovery_batch.campaigns.models import Schedule
from tests.reference.simulation import find_opening

WEEK = timedelta(days=7)
Opening = tuple[datetime, datetime]


@dataclass(frozen=True)
class Telephone:
    """A telephone: how flows and payments spell its number, and the zones that it may be in; none: no possible one."""

    flows: tuple[str | None, ...]
    payers: tuple[tuple[str | None, str], ...]
    zones: tuple[str, ...]


@dataclass(frozen=True)
class Flow:
    """A flow: its id, when and by whom it was left, whether a body can be made, and when a run planned it."""

    flow_id: str
    left: datetime
    telephone: Telephone
    is_submittable: bool
    contacted: datetime | None


@dataclass(frozen=True)
class Payment:
    """A payment of a telephone."""

    created: datetime
    telephone: Telephone
    is_successful: bool


@dataclass(frozen=True)
class Run:
    """What a run assumes."""

    as_of: datetime
    start: str
    end: str
    too_old: timedelta
    pause: timedelta
    opted_out: frozenset[Telephone]


def find_common_opening(schedules: Sequence[Schedule], moment: datetime) -> Opening | None:
    """The first opening that all have in common, from a moment on; None where there is none within a week."""
    last = moment + WEEK
    while moment < last:
        plans = [find_opening(schedule, moment) for schedule in schedules]
        latest = max(plan.at for plan in plans)
        if latest == moment:
            return moment, min(plan.closes_at for plan in plans)
        moment = latest
    return None


def decide_flows(flows: Sequence[Flow], payments: Sequence[Payment], run: Run) -> dict[str, tuple[str, Opening | None]]:
    """SEND, or the reason, and the opening that a flow would go out in, by flow_id."""
    found: dict[str, tuple[str, Opening | None]] = {}
    sent: set[Telephone] = set()
    # the last flow of a telephone is looked at first, so that it is the one that is sent
    for flow in sorted(sorted(flows, key=lambda each: each.flow_id), key=lambda each: each.left, reverse=True):
        if flow.contacted is not None or flow.left > run.as_of:
            continue
        opening = _find_window(flow.telephone, run)
        reason = _find_reason(flow, opening, flows, payments, run)
        if reason is None:
            reason = "repeated_flow" if flow.telephone in sent else "SEND"
            sent.add(flow.telephone)
        found[flow.flow_id] = reason, opening if run.as_of - flow.left <= run.too_old else None
    return found


def _find_window(telephone: Telephone, run: Run) -> Opening | None:
    schedules = [
        Schedule(daily_start_time=run.start, daily_end_time=run.end, time_zone=zone) for zone in telephone.zones
    ]
    return find_common_opening(schedules, run.as_of) if schedules else None


def _find_reason(
    flow: Flow, opening: Opening | None, flows: Sequence[Flow], payments: Sequence[Payment], run: Run
) -> str | None:
    """Why a flow is not sent, were it the only one of its telephone; None: it is."""
    planned = opening[0] if opening else run.as_of
    paid = [each.created for each in payments if each.is_successful and each.telephone == flow.telephone]
    contacted = [each.contacted for each in flows if each.contacted and each.telephone == flow.telephone]
    reasons = {
        "opted_out": flow.telephone in run.opted_out,
        "already_paid": any(flow.left < moment <= run.as_of and moment < planned for moment in paid),
        "too_old": run.as_of - flow.left > run.too_old,
        "not_submittable": not flow.is_submittable,
        "invalid_phone": not flow.telephone.zones,
        "outside_window": opening is None,
        "repeated_flow": any(planned - moment < run.pause for moment in contacted),
    }
    return next((reason for reason, holds in reasons.items() if holds), None)
