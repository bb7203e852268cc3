"""The daily window, the zone and the duration of a campaign against one another and against now."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timezone
from functools import cache
from importlib import resources
from typing import Final

from recovery_batch.campaigns.findings import Finding
from recovery_batch.campaigns.linting.notes import Notes, joined
from recovery_batch.campaigns.models import FINAL_STATUSES, Campaign, Schedule
from recovery_batch.clock import (
    DAY_US,
    MINUTE_US,
    WallClock,
    iso,
    minute_of_day,
    parse_zone,
    to_micros,
    wall_clock,
    zone_names,
)

_SURELY_OPEN_US: Final = 8 * DAY_US
"""In a duration as long as this every window opens: no clock change skips more than one day's."""
_LOOK_AHEAD_US: Final = 5 * 366 * DAY_US
"""Clocks that change do so every year: what does not change in so long a time does not change in a longer one."""
_FIXED: Final = frozenset({"UTC", "UCT", "GMT", "Zulu", "Universal", "Greenwich", "EST", "MST", "HST"})


def check_times(notes: Notes, now: datetime) -> Iterator[Finding]:
    """What there is to say about when a campaign runs."""
    campaign = notes.campaign
    duration = campaign.duration
    if not _opens(campaign):
        schedule = campaign.schedule
        reason = (
            f"The daily window, {schedule.daily_start_time} to {schedule.daily_end_time} ({schedule.time_zone}), never "
            f"opens between {iso(duration.start_at)} and {iso(duration.end_at)}, so nothing can be sent."
        )
        yield notes.error("window_never_opens", reason, "Widen the daily window, or make the duration longer.")
    yield from _offset_zone(notes)
    yield from _foreign_zone(notes)
    # a campaign that somebody ended is meant to be over
    if duration.end_at <= now and campaign.status not in FINAL_STATUSES:
        reason = f"The campaign ended at {iso(duration.end_at)}, and its status is still {campaign.status}."
        yield notes.warning("duration_over", reason, "Set its status to COMPLETED, or move end_at.")


def _clock(zone: str, campaign: Campaign, longest: int) -> WallClock:
    first, last = to_micros(campaign.duration.start_at), to_micros(campaign.duration.end_at) - 1
    return wall_clock(parse_zone(zone), first, min(last, first + longest))


def _opens(campaign: Campaign) -> bool:
    clock = _clock(campaign.schedule.time_zone, campaign, _SURELY_OPEN_US)
    ends = [*map(int, clock.starts[1:]), clock.end]
    return any(
        _open_between(campaign.schedule, int(start + offset), int(end + offset))
        for start, end, offset in zip(clock.starts, ends, clock.offsets, strict=True)
    )


def _open_between(schedule: Schedule, start: int, end: int) -> bool:
    """Whether the window is open at some time of the wall clock from `start` and before `end`."""
    opens = minute_of_day(schedule.daily_start_time) * MINUTE_US
    closes = minute_of_day(schedule.daily_end_time) * MINUTE_US
    if closes < opens:
        closes += DAY_US
    days = range((start // DAY_US - 1) * DAY_US, end, DAY_US)
    return any(max(day + opens, start) < min(day + closes, end) for day in days)


@cache
def country_zones() -> dict[str, tuple[str, ...]]:
    """The IANA zones of each country, from the pinned time zone database, which names the one of most people first."""
    text = (resources.files("tzdata.zoneinfo") / "zone.tab").read_text(encoding="utf-8")
    found: dict[str, list[str]] = {}
    for line in text.splitlines():
        if line and not line.startswith("#"):
            country, _, zone = line.split("\t")[:3]
            found.setdefault(country, []).append(zone)
    return {country: tuple(zones) for country, zones in found.items()}


def _is_offset(zone: str) -> bool:
    # as clocks go, Etc/GMT+5 is an offset by another name
    return isinstance(parse_zone(zone), timezone) or zone.startswith("Etc/") or zone in _FIXED


def _offset_zone(notes: Notes) -> Iterator[Finding]:
    campaign = notes.campaign
    zone = campaign.schedule.time_zone
    if not _is_offset(zone):
        return
    clocks = {
        each: _clock(each, campaign, _LOOK_AHEAD_US)
        for each in country_zones().get(campaign.country, ())
        if each in zone_names()
    }
    # of the zones that the offset may stand for, at some time of the duration, the one of most people is meant
    meant = next((each for each, clock in clocks.items() if _offset(campaign) in clock.offsets), None)
    meant = next(iter(clocks), None) if meant is None or not _offset(campaign) else meant
    if meant is not None and len(clocks[meant].starts) > 1:
        changing = [meant, *(each for each, clock in clocks.items() if len(clock.starts) > 1 and each != meant)]
        shown = changing if len(changing) <= 3 else [*changing[:3], f"{len(changing) - 3} more zones"]
        reason = (
            f"The zone of the schedule, {zone}, never changes its clock, while clocks in {campaign.country} change "
            f"within the duration ({joined(shown)}): from then on the window is at another hour for people there."
        )
        advice = f"Name the zone of the people instead of an offset, such as {changing[0]}."
        yield notes.warning("offset_zone", reason, advice)


def away(campaign: Campaign) -> tuple[str, int] | None:
    """The zone of most people of the country, and how many minutes its clock is ahead of the schedule's.

    None where a zone of the country has the schedule's clock when the campaign starts, or none of it is known.
    """
    clocks = {
        zone: int(_clock(zone, campaign, 0).offsets[0])
        for zone in country_zones().get(campaign.country, ())
        if zone in zone_names()
    }
    if not clocks or _offset(campaign) in clocks.values():
        return None
    zone, offset = next(iter(clocks.items()))
    return zone, (offset - _offset(campaign)) // MINUTE_US


def moved(clock_time: str, minutes: int) -> str:
    """A time of day on a clock that is so many minutes ahead."""
    there = (minute_of_day(clock_time) + minutes) % (24 * 60)
    return f"{there // 60:02}:{there % 60:02}"


def _foreign_zone(notes: Notes) -> Iterator[Finding]:
    campaign, schedule = notes.campaign, notes.campaign.schedule
    found = away(campaign)
    if found is None:
        return
    zone, minutes = found
    start, end = moved(schedule.daily_start_time, minutes), moved(schedule.daily_end_time, minutes)
    reason = (
        f"The clock of the schedule, {schedule.time_zone}, is that of no zone of {campaign.country}: its window, "
        f"{schedule.daily_start_time} to {schedule.daily_end_time}, is {start} to {end} in {zone} when it starts."
    )
    yield notes.warning("foreign_zone", reason, f"Name the zone of the people, such as {zone}.")


def _offset(campaign: Campaign) -> int:
    return int(_clock(campaign.schedule.time_zone, campaign, 0).offsets[0])
