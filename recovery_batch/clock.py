"""Zones and instants: parsed, written, and turned into wall-clock time, vectorised.

Zone rules come from the pinned `tzdata` package, never from the machine, so that the same inputs give the same plan
on every machine. Instants are handled as whole microseconds since 1970 UTC (`int64`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from functools import cache, lru_cache
from importlib import resources
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

Micros = npt.NDArray[np.int64]

SECOND_US: Final = 1_000_000
MINUTE_US: Final = 60 * SECOND_US
DAY_US: Final = 86_400 * SECOND_US
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
FIRST_US: Final = (datetime.min.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
LAST_US: Final = (datetime.max.replace(tzinfo=UTC) - EPOCH) // timedelta(microseconds=1)
"""The first and the last microsecond that a datetime holds: of the years 1 and 9999."""
_EARLIEST_US: Final = -62_135_510_400 * SECOND_US  # 0001-01-02: a day inside datetime's range
_LATEST_US: Final = 253_402_128_000 * SECOND_US  # 9999-12-30
_WIDEST_OFFSET: Final = timedelta(hours=14)
_LOOK_US: Final = 5 * DAY_US

_OFFSET: Final = re.compile(r"([+-])([01][0-9]|2[0-3]):([0-5][0-9])")
_TIME: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)?"
)
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


@cache
def zone_names() -> frozenset[str]:
    """The IANA names that the pinned time zone database knows."""
    return frozenset((resources.files("tzdata") / "zones").read_text(encoding="utf-8").split())


@cache
def parse_zone(name: str) -> tzinfo:
    """The zone of an IANA name or of an offset such as `-05:00`.

    Raises:
        ValueError: it is neither.
    """
    if match := _OFFSET.fullmatch(name):
        sign, hours, minutes = match.groups()
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        if offset > _WIDEST_OFFSET:
            raise ValueError(f"{name} is further from UTC than 14 hours")
        return timezone(-offset if sign == "-" else offset)
    if name not in zone_names():
        raise ValueError(f"{name!r} is no IANA time zone and no offset")
    with (resources.files("tzdata.zoneinfo").joinpath(*name.split("/"))).open("rb") as file:
        return ZoneInfo.from_file(file, key=name)


def parse_instant(text: str, zone: tzinfo = UTC) -> datetime:
    """The instant of an ISO 8601 time (or `YYYY-MM-DD HH:MM:SS`), in UTC; without an offset it is read in `zone`.

    Raises:
        ValueError: the text is no such time, or no such time exists.
    """
    if not _TIME.fullmatch(text):
        raise ValueError(f"{text!r} is not a time")
    try:
        moment = datetime.fromisoformat(text.replace(",", ".").upper())
        return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)
    except OverflowError as error:
        raise ValueError(f"{text!r} is out of range") from error


def parse_bound(text: str) -> datetime:
    """The instant of a `--from`, `--to` or `--as-of`: a time, or a date alone, which is its midnight UTC.

    Raises:
        ValueError: the text is neither.
    """
    return parse_instant(f"{text}T00:00:00" if _DATE.fullmatch(text) else text)


def iso(moment: datetime) -> str:
    """An instant as RFC 3339 in UTC: `2026-10-25T00:30:00Z`, with a fraction only where there is one."""
    text = moment.astimezone(UTC).replace(tzinfo=None).isoformat()
    return f"{text}Z"


def minute_of_day(clock_time: str) -> int:
    """The minutes from midnight to a time of day, `HH:MM`."""
    return int(clock_time[:2]) * 60 + int(clock_time[3:])


def to_micros(moment: datetime) -> int:
    """Microseconds since 1970 UTC of an aware time, exactly."""
    return (moment - EPOCH) // timedelta(microseconds=1)


def from_micros(micros: int) -> datetime:
    """The aware UTC time of microseconds since 1970."""
    return EPOCH + timedelta(microseconds=micros)


def _offset_us(zone: tzinfo, micros: int) -> int:
    offset = from_micros(micros).astimezone(zone).utcoffset()
    assert offset is not None
    return offset // timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class WallClock:
    """The wall clock of one zone over a span of instants: spans of constant offset from UTC, in order.

    Attributes:
        starts: First instant of each span, microseconds UTC; the first one is the start of the whole.
        offsets: What to add to an instant of the span to get the wall clock, microseconds.
        end: First instant after the last span.
    """

    starts: Micros
    offsets: Micros
    end: int

    def local(self, instants: Micros) -> Micros:
        """The wall-clock time of each instant, as microseconds since 1970 of a clock without a zone."""
        place = np.searchsorted(self.starts, instants, side="right") - 1
        return instants + self.offsets[np.maximum(place, 0)]


@lru_cache(maxsize=1024)
def wall_clock(zone: tzinfo, first: int, last: int) -> WallClock:
    """The wall clock of `zone` from `first` to `last` (microseconds UTC).

    Offsets are compared every five days, and a change between two looks is then found to the second, which is the
    resolution of the time zone database: no zone ever changed twice within six days. Beyond what a datetime can hold
    the nearest offset goes on, so that an export's year 9999 has a wall clock too.
    """
    before, latest = (min(max(bound, _EARLIEST_US), _LATEST_US) for bound in (first, last))
    starts, offsets = [first], [_offset_us(zone, before)]
    while before < latest:
        after = min(before + _LOOK_US, latest)
        offset = _offset_us(zone, after)
        if offset != offsets[-1]:
            starts.append(_change_between(zone, before, after, offset))
            offsets.append(offset)
        before = after
    return WallClock(np.array(starts, dtype=np.int64), np.array(offsets, dtype=np.int64), last + 1)


def _change_between(zone: tzinfo, before: int, after: int, offset: int) -> int:
    """The first whole second from which `zone` has `offset`, knowing that it has not at `before` and has at `after`."""
    low, high = before // SECOND_US, -(-after // SECOND_US)
    while high - low > 1:
        middle = (low + high) // 2
        if _offset_us(zone, middle * SECOND_US) == offset:
            high = middle
        else:
            low = middle
    return high * SECOND_US
