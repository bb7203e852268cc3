"""Hours in which people may be contacted about payments, by country: one table, each entry with its source.

What is not in the table is not known here, which does not mean that it is allowed.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from recovery_batch.campaigns.findings import Finding
from recovery_batch.campaigns.linting.notes import Notes
from recovery_batch.campaigns.linting.timing import away, moved
from recovery_batch.campaigns.models import CHANNELS, Schedule

Span = tuple[str, str]
"""From a time of day to before another, `HH:MM`; a day ends at 24:00."""

WEEKDAYS: Final = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_CALL: Final = ("PHONE_CALL",)


@dataclass(frozen=True, slots=True)
class ContactHours:
    """The hours of one country.

    Attributes:
        week: The span of each weekday from Monday on; None where nobody may be contacted.
        holidays: Whether people may be contacted on public holidays.
        source: Who says so.
        year: The year of the source.
        channels: The channels that it is about.
    """

    week: tuple[Span | None, ...]
    holidays: bool
    source: str
    year: int
    channels: tuple[str, ...] = CHANNELS


_COLOMBIA: Final = ("07:00", "19:00")
_PERU: Final = ("07:00", "20:00")
_US: Final = ("08:00", "21:00")

CONTACT_HOURS: Final[Mapping[str, ContactHours]] = MappingProxyType(
    {
        "CO": ContactHours(
            (_COLOMBIA, _COLOMBIA, _COLOMBIA, _COLOMBIA, _COLOMBIA, ("08:00", "15:00"), None),
            False,
            "Colombia, Ley 2300 de 2023, article 3",
            2023,
        ),
        "PE": ContactHours(
            (_PERU, _PERU, _PERU, _PERU, _PERU, None, None),
            False,
            "Peru, Ley 29571 (Código de Protección y Defensa del Consumidor), article 62 b, on visits and calls",
            2010,
            _CALL,
        ),
        "US": ContactHours(
            (_US, _US, _US, _US, _US, _US, _US),
            True,
            "United States, Fair Debt Collection Practices Act, 15 U.S.C. 1692c(a)(1)",
            1977,
        ),
    }
)
"""The hours by country, as ISO 3166-1 alpha-2."""


def check_hours(notes: Notes, calendar: Mapping[str, ContactHours]) -> Iterator[Finding]:
    """The finding about a daily window that goes beyond the hours of the campaign's country."""
    campaign = notes.campaign
    hours = calendar.get(campaign.country)
    if hours is None or campaign.channel not in hours.channels:
        return
    schedule = campaign.schedule
    found = away(campaign)
    if found is not None:  # what counts is the clock of the people
        zone, minutes = found
        schedule = Schedule(
            daily_start_time=moved(schedule.daily_start_time, minutes),
            daily_end_time=moved(schedule.daily_end_time, minutes),
            time_zone=zone,
        )
    outside = _said_outside(schedule, hours)
    if outside:
        reason = (
            f"The daily window, {schedule.daily_start_time} to {schedule.daily_end_time} ({schedule.time_zone}) on "
            f"every day of the week, goes beyond the hours in which people in {campaign.country} may be contacted "
            f"according to {hours.source}. Outside of them: {'; '.join(outside)}."
        )
        advice = (
            "A window has no weekdays: narrow it to hours that are allowed, or hold batches back on the other days. "
            "This is a remark and not legal advice: whether the rule applies to your communications is for your "
            "lawyers to say."
        )
        yield notes.warning("contact_hours", reason, advice)


def _said_outside(schedule: Schedule, hours: ContactHours) -> list[str]:
    """The parts of the window that are outside, the same parts of neighbouring days together."""
    window = _pieces(schedule)
    found: list[tuple[int, int, str]] = []
    for day, allowed in enumerate(hours.week):
        beyond = " and ".join(f"{start} to {end}" for start, end in _beyond(window, allowed))
        if found and found[-1][2] == beyond:
            found[-1] = (found[-1][0], day, beyond)
        else:
            found.append((day, day, beyond))
    said = [f"{_days(first, last)} {beyond}" for first, last, beyond in found if beyond]
    return said if hours.holidays else [*said, "public holidays, the whole window"]


def _days(first: int, last: int) -> str:
    if first == last:
        return WEEKDAYS[first]
    return f"{WEEKDAYS[first]} {'and' if last == first + 1 else 'to'} {WEEKDAYS[last]}"


def _pieces(schedule: Schedule) -> tuple[Span, ...]:
    """What of a calendar day the window covers; one over midnight covers the end of each day and its beginning."""
    start, end = schedule.daily_start_time, schedule.daily_end_time
    if start < end:
        return ((start, end),)
    return tuple((a, b) for a, b in (("00:00", end), (start, "24:00")) if a < b)


def _beyond(window: tuple[Span, ...], allowed: Span | None) -> list[Span]:
    if allowed is None:
        return list(window)
    opens, closes = allowed
    parts = [part for start, end in window for part in ((start, min(end, opens)), (max(start, closes), end))]
    return [(start, end) for start, end in parts if start < end]
