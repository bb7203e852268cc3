"""When a communication goes out (SPEC 3): the open spans of a daily window as instants, and the plan for each match."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import numpy as np

from recovery_batch.campaigns.models import Schedule
from recovery_batch.clock import DAY_US, MINUTE_US, Micros, WallClock, minute_of_day, parse_zone, wall_clock

_AHEAD_US: Final = 8 * DAY_US
"""How far ahead an opening is looked for. No clock change skips more than one day's window."""


def clock_for(schedule: Schedule, first: int, last: int) -> WallClock:
    """The wall clock of a schedule's zone, over every instant that a plan for `first` to `last` can touch."""
    return _clock(schedule.time_zone, first, last)


def _clock(zone: str, first: int, last: int) -> WallClock:
    # whole days, so that campaigns share the clocks that `wall_clock` keeps
    start, end = (first // DAY_US - 2) * DAY_US, (last // DAY_US + 2) * DAY_US + _AHEAD_US
    return wall_clock(parse_zone(zone), start, end)


def open_spans(schedule: Schedule, clock: WallClock) -> tuple[Micros, Micros]:
    """The spans during which a schedule's window is open: their first instants and the instants after them, in order.

    Within a span of constant offset the window is a span of instants a day, cut off at the ends of the span: so what a
    clock change skips is missing, and an hour that happens twice opens twice.
    """
    return _daily_spans(schedule.daily_start_time, schedule.daily_end_time, clock)


def _daily_spans(start_time: str, end_time: str, clock: WallClock) -> tuple[Micros, Micros]:
    opens, closes = minute_of_day(start_time) * MINUTE_US, minute_of_day(end_time) * MINUTE_US
    if closes < opens:
        closes += DAY_US
    ends = np.append(clock.starts[1:], clock.end)
    found_from: list[Micros] = []
    found_to: list[Micros] = []
    for start, end, offset in zip(clock.starts, ends, clock.offsets, strict=True):
        days = np.arange((start + offset) // DAY_US - 1, (end + offset) // DAY_US + 2, dtype=np.int64) * DAY_US
        begin = np.maximum(days + opens - offset, start)
        finish = np.minimum(days + closes - offset, end)
        found_from.append(begin[begin < finish])
        found_to.append(finish[begin < finish])
    begins, finishes = np.concatenate(found_from), np.concatenate(found_to)
    # a clock change inside an open window cuts it in two that touch: one span
    goes_on = begins[1:] == finishes[:-1]
    return begins[np.append(True, ~goes_on)], finishes[np.append(~goes_on, True)]


def plan(instants: Micros, opens: Micros, closes: Micros) -> tuple[Micros, Micros]:
    """For each instant the first one, not before it, at which a window is open, and the end of that window."""
    place = np.searchsorted(closes, instants, side="right")
    # the spans reach days beyond the last instant, so there is always a next one
    return np.maximum(instants, opens[place]), closes[place]


def first_opening(start_time: str, end_time: str, zones: Sequence[str], instant: int) -> tuple[int, int] | None:
    """When a daily window is open in every one of some zones at once.

    Args:
        start_time: First minute of the window, `HH:MM`.
        end_time: First minute after it; earlier than the start means that the window runs over midnight.
        zones: IANA names, one or more.
        instant: Where to look from, microseconds since 1970 UTC.

    Returns:
        The first such instant that is not before `instant`, and the end of that opening; None where there is none in
        the week after it, since the zones lie too far apart.
    """
    clocks = (_clock(zone, instant, instant) for zone in zones)
    opens, closes = _common(_daily_spans(start_time, end_time, clock) for clock in clocks)
    place = int(np.searchsorted(closes, instant, side="right"))
    if place == len(closes):
        return None
    return max(instant, int(opens[place])), int(closes[place])


def _common(spans: Iterable[tuple[Micros, Micros]]) -> tuple[Micros, Micros]:
    """The spans that lie in one span of each; those of one are in order and apart from one another."""
    sides = list(spans)
    edges = np.concatenate([edge for span in sides for edge in span])
    steps = np.concatenate([np.full(len(edge), step) for span in sides for edge, step in ((span[0], 1), (span[1], -1))])
    # what closes goes before what opens at the same instant, so that no span is empty
    order = np.lexsort((steps, edges))
    edges, depth = edges[order], np.cumsum(steps[order])
    inside = np.flatnonzero(depth == len(sides))
    return edges[inside], edges[inside + 1]
