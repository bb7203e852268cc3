"""Windows and days on the wall clock, held against a walk from minute to minute (tests/reference/simulation.py)."""

from __future__ import annotations

from datetime import date, datetime, timedelta

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.campaigns.models import Schedule
from recovery_batch.clock import DAY_US, SECOND_US, WallClock, from_micros, parse_zone, to_micros, wall_clock
from recovery_batch.simulation.limits import day_spans
from recovery_batch.simulation.windows import clock_for, open_spans, plan
from tests.reference.simulation import find_opening, find_zone, is_open, read_wall
from tests.unit.simulation.clock_changes import changes, instants_near, schedules_near

TICK = timedelta(microseconds=1)


@st.composite
def schedules_and_instants(draw: st.DrawFn) -> tuple[Schedule, list[datetime]]:
    zone, change = draw(changes)
    schedule = draw(schedules_near(zone, change))
    return schedule, draw(st.lists(instants_near(change), min_size=1, max_size=6))


@st.composite
def zones_and_instants(draw: st.DrawFn) -> tuple[str, list[datetime]]:
    zone, change = draw(changes)
    return zone, draw(st.lists(instants_near(change), min_size=1, max_size=12))


def clock_around(schedule: Schedule, instants: list[datetime]) -> WallClock:
    return clock_for(schedule, to_micros(min(instants)), to_micros(max(instants)))


@given(schedules_and_instants())
def test_a_match_is_planned_for_the_first_instant_at_which_the_window_is_open(
    case: tuple[Schedule, list[datetime]],
) -> None:
    schedule, instants = case
    opens, closes = open_spans(schedule, clock_around(schedule, instants))
    planned, closing = plan(np.array([to_micros(each) for each in instants]), opens, closes)
    found = [(from_micros(int(p)), from_micros(int(c))) for p, c in zip(planned, closing, strict=True)]
    assert found == [(expected.at, expected.closes_at) for expected in (find_opening(schedule, i) for i in instants)]


@given(schedules_and_instants())
def test_open_spans_hold_exactly_the_instants_whose_wall_clock_is_inside_the_window(
    case: tuple[Schedule, list[datetime]],
) -> None:
    schedule, instants = case
    clock = clock_around(schedule, instants)
    opens, closes = open_spans(schedule, clock)
    assert (opens < closes).all()
    assert (closes[:-1] < opens[1:]).all(), "in order, and apart from one another"
    first, after = from_micros(int(clock.starts[0])), from_micros(clock.end)
    edges = [from_micros(int(edge)) for edge in (*opens, *closes)]
    probes = {*instants, *edges, *(edge - TICK for edge in edges)}
    for probe in (probe for probe in probes if first <= probe < after):
        inside = bool(np.any((opens <= to_micros(probe)) & (to_micros(probe) < closes)))
        assert inside == is_open(schedule, probe), probe


@given(zones_and_instants())
def test_the_wall_clock_is_that_of_the_standard_library(case: tuple[str, list[datetime]]) -> None:
    zone, instants = case
    micros = np.array([to_micros(each) for each in instants])
    clock = wall_clock(parse_zone(zone), int(micros.min()) - DAY_US, int(micros.max()) + DAY_US)
    shown = [from_micros(int(each)).replace(tzinfo=None) for each in clock.local(micros)]
    assert shown == [read_wall(each, zone) for each in instants]
    for start in clock.starts[1:]:
        sides = [from_micros(int(start) + away).astimezone(find_zone(zone)).utcoffset() for away in (-SECOND_US, 0)]
        assert sides[0] != sides[1], "a span begins where the offset changes"


@given(zones_and_instants())
def test_a_calendar_day_holds_exactly_the_instants_of_that_date(case: tuple[str, list[datetime]]) -> None:
    zone, instants = case
    schedule = Schedule(daily_start_time="00:00", daily_end_time="12:00", time_zone=zone)
    micros = np.array([to_micros(each) for each in instants])
    spans = day_spans(clock_around(schedule, instants), micros)
    dates: list[date] = [read_wall(each, zone).date() for each in instants]
    for place, day in enumerate(dates):
        for other, micro in enumerate(micros):
            inside = sum(bool(begin[place] <= micro < finish[place]) for begin, finish in spans)
            assert inside == (dates[other] == day), (instants[place], instants[other])
