"""Zones and instants: what is read, what is refused, and the wall clock of every zone that there is."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from importlib import resources
from itertools import pairwise

import numpy as np
import pytest

from recovery_batch.clock import (
    DAY_US,
    SECOND_US,
    from_micros,
    iso,
    parse_bound,
    parse_instant,
    parse_zone,
    to_micros,
    wall_clock,
    zone_names,
)

NEW_YORK = parse_zone("America/New_York")


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-10-25 00:30:00", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:30", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:30:00Z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:30:00z", "2026-10-25T00:30:00Z"),
        ("2026-10-25T00:30:00-05:00", "2026-10-25T05:30:00Z"),
        ("2026-10-25T00:30:00+0545", "2026-10-24T18:45:00Z"),
        ("2026-10-25 00:30:00+02", "2026-10-24T22:30:00Z"),
        ("2026-10-25T00:30:00.5Z", "2026-10-25T00:30:00.500000Z"),
        ("2026-10-25T00:30:00,000001Z", "2026-10-25T00:30:00.000001Z"),
        ("0001-01-01 00:00:00", "0001-01-01T00:00:00Z"),
        ("9999-12-31 23:59:59.999999", "9999-12-31T23:59:59.999999Z"),
    ],
)
def test_a_time_is_read_as_an_instant_in_utc(text: str, instant: str) -> None:
    moment = parse_instant(text)
    assert moment.tzinfo is UTC
    assert iso(moment) == instant


def test_a_time_without_a_zone_is_read_in_the_zone_given_and_one_with_an_offset_is_not() -> None:
    assert iso(parse_instant("2026-07-01 12:00:00", NEW_YORK)) == "2026-07-01T16:00:00Z"
    assert iso(parse_instant("2026-07-01 12:00:00Z", NEW_YORK)) == "2026-07-01T12:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "2026-10-25",
        "25/10/2026 00:30:00",
        "2026-10-25 0:30:00",
        "2026-02-30 00:30:00",
        "2026-10-25 24:00:00",
        "2026-10-25 00:30:60",
        "2026-10-25T00:30:00+24:00",
        "2026-10-25T00:30:00Z ",
        "2026-10-25T00:30:00Z\n",
        "\uff12\uff10\uff12\uff16-10-25T00:30:00Z",
        "0001-01-01T00:00:00+05:00",
        "9999-12-31T23:59:59-05:00",
    ],
)
def test_a_text_that_is_no_time_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"time|range|day|hour|second|offset"):
        parse_instant(text)


def test_a_bound_may_be_a_date_which_is_its_midnight_utc() -> None:
    assert iso(parse_bound("2026-10-25")) == "2026-10-25T00:00:00Z"
    assert iso(parse_bound("2026-10-25T06:00:00+02:00")) == "2026-10-25T04:00:00Z"


@pytest.mark.parametrize(
    ("name", "hours"),
    [
        ("-05:00", -5),
        ("+05:45", 5.75),
        ("+14:00", 14),
        ("-14:00", -14),
        ("+00:00", 0),
        ("America/Bogota", -5),
        ("UTC", 0),
    ],
)
def test_a_zone_is_an_iana_name_or_an_offset(name: str, hours: float) -> None:
    moment = datetime(2026, 7, 1, tzinfo=parse_zone(name))
    assert moment.utcoffset() == timedelta(hours=hours)


@pytest.mark.parametrize(
    "name", ["", "utc", "Bogota", "America/Bogota ", "../UTC", "05:00", "+5:00", "+0500", "+14:01", "-24:00", "+05:60"]
)
def test_anything_else_is_no_zone(name: str) -> None:
    with pytest.raises(ValueError, match=r"zone|hours"):
        parse_zone(name)


@pytest.mark.parametrize(
    "moment", [datetime(1, 1, 1, tzinfo=UTC), datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC)]
)
def test_microseconds_are_exact_at_both_ends_of_time(moment: datetime) -> None:
    assert from_micros(to_micros(moment)) == moment
    assert to_micros(moment) != to_micros(
        moment - timedelta(microseconds=1) if moment.year > 1 else moment + timedelta(microseconds=1)
    )


def file_of(name: str) -> bytes:
    return resources.files("tzdata.zoneinfo").joinpath(*name.split("/")).read_bytes()


def footer(name: str) -> bytes:
    """The rule for the years after the last change that a zone's file lists."""
    return file_of(name).splitlines()[-1]


def changes_in_the_database(name: str) -> list[tuple[int, int]]:
    """Every change that a zone's file lists (RFC 9636): the instant and the offset from then on, in seconds."""
    data = file_of(name)
    is_utc, is_std, leaps, times, types, letters = struct.unpack(">6l", data[20:44])
    second = 44 + times * 5 + types * 6 + letters + leaps * 8 + is_std + is_utc
    *_, times, types, letters = struct.unpack(">6l", data[second + 20 : second + 44])
    instants_at = second + 44
    kinds_at = instants_at + 8 * times
    offsets_at = kinds_at + times
    instants = struct.unpack(f">{times}q", data[instants_at:kinds_at])
    offsets = [struct.unpack(">lBB", data[offsets_at + 6 * n : offsets_at + 6 * n + 6])[0] for n in range(types)]
    found, before = [], offsets[0]
    for instant, kind in zip(instants, data[kinds_at:offsets_at], strict=True):
        if offsets[kind] != before:
            found.append((instant, offsets[kind]))
        before = offsets[kind]
    return found


def test_no_zone_changes_its_clock_twice_within_six_days() -> None:
    for name in zone_names():
        instants = [instant for instant, _ in changes_in_the_database(name)]
        assert all(after - before > 6 * 86_400 for before, after in pairwise(instants)), name


def test_the_wall_clock_has_every_change_of_every_zone_of_the_database() -> None:
    first, last = to_micros(datetime(1965, 1, 1, tzinfo=UTC)), to_micros(datetime(2030, 1, 1, tzinfo=UTC))
    alike = {(*changes_in_the_database(name), footer(name)): name for name in zone_names()}
    for (*changes, _), name in alike.items():
        clock = wall_clock(parse_zone(name), first, last)
        found = list(zip(clock.starts[1:].tolist(), clock.offsets[1:].tolist(), strict=True))
        listed = [(at * SECOND_US, to * SECOND_US) for at, to in changes if first < at * SECOND_US <= last]
        assert found[: len(listed)] == listed, name
        # what comes after is not listed but follows from a rule for every year to come
        months = np.arange(listed[-1][0] if listed else first, last, 30 * DAY_US)
        zone = parse_zone(name)
        shown = [from_micros(month).astimezone(zone).replace(tzinfo=UTC) for month in months.tolist()]
        assert clock.local(months).tolist() == [to_micros(wall) for wall in shown], name


def test_a_wall_clock_shows_the_hour_that_is_skipped_and_the_hour_that_happens_twice() -> None:
    clock = wall_clock(NEW_YORK, to_micros(parse_bound("2026-01-01")), to_micros(parse_bound("2027-01-01")))
    texts = ["2026-03-08T06:59:59Z", "2026-03-08T07:00:00Z", "2026-11-01T05:30:00Z", "2026-11-01T06:30:00Z"]
    shown = clock.local(np.array([to_micros(parse_instant(text)) for text in texts]))
    assert [f"{from_micros(each):%H:%M:%S}" for each in shown.tolist()] == [
        "01:59:59",
        "03:00:00",
        "01:30:00",
        "01:30:00",
    ]


@pytest.mark.parametrize("year", [1, 9999])
def test_the_first_and_the_last_day_of_all_have_a_wall_clock(year: int) -> None:
    moment = to_micros(datetime(year, 1, 1, tzinfo=UTC) if year == 1 else datetime(year, 12, 31, 23, tzinfo=UTC))
    clock = wall_clock(parse_zone("-05:00"), moment - 3 * DAY_US, moment + 3 * DAY_US)
    assert clock.starts.tolist() == [moment - 3 * DAY_US]
    assert clock.local(np.array([moment])).tolist() == [moment - 5 * 3600 * SECOND_US]
    assert clock.end == moment + 3 * DAY_US + 1
