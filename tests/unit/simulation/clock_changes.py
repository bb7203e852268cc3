"""Clock changes that have caught programs out, and Hypothesis strategies that stay close to them."""

from __future__ import annotations

from datetime import datetime, timedelta

from hypothesis import strategies as st

from recovery_batch.campaigns.models import Schedule
from tests.reference.simulation import find_zone, read_wall
from tests.unit.simulation.cases import at

CHANGES = (
    ("America/Santiago", "2026-04-05 03:00", "24:00 on Saturday is 23:00 again"),
    ("America/Santiago", "2026-09-06 04:00", "the day begins at 01:00"),
    ("Europe/Madrid", "2026-03-29 01:00", "02:00 is skipped"),
    ("Europe/Madrid", "2026-10-25 01:00", "02:00 happens twice"),
    ("America/New_York", "2026-03-08 07:00", "02:00 is skipped"),
    ("America/New_York", "2026-11-01 06:00", "01:00 happens twice"),
    ("America/St_Johns", "2011-03-13 03:31", "00:01 is skipped"),
    ("America/St_Johns", "2010-11-07 02:31", "00:01 is 23:01 of the day before: a day of two parts"),
    ("Africa/Cairo", "2026-04-23 22:00", "the day begins at 01:00"),
    ("Africa/Cairo", "2026-10-29 21:00", "24:00 is 23:00 again"),
    ("Asia/Beirut", "2026-03-28 22:00", "the day begins at 01:00"),
    ("Asia/Beirut", "2026-10-24 21:00", "24:00 is 23:00 again"),
    ("America/Sao_Paulo", "2018-11-04 03:00", "the day begins at 01:00"),
    ("America/Sao_Paulo", "2018-02-18 02:00", "24:00 is 23:00 again"),
    ("Pacific/Apia", "2011-12-30 10:00", "the 30th of December is skipped whole"),
    ("Pacific/Kwajalein", "1969-09-30 13:00", "23 hours happen twice"),
    ("Australia/Lord_Howe", "2026-04-04 15:00", "half an hour happens twice"),
    ("Australia/Lord_Howe", "2026-10-03 15:30", "half an hour is skipped"),
    ("Asia/Kathmandu", "1985-12-31 18:30", "a quarter of an hour is skipped"),
    ("America/Juneau", "1867-10-19 00:31:13", "a day and some seconds happen twice"),
    ("Europe/Lisbon", "1912-01-01 00:00", "offsets of whole seconds before"),
)
"""Zone, the first instant after the change, and what it looks like on the wall."""

OFFSETS = ("-05:00", "+05:45", "+14:00", "UTC")
_DAY_MINUTES = 24 * 60

changes = st.one_of(
    st.sampled_from([(zone, at(text)) for zone, text, _ in CHANGES]),
    st.sampled_from([(zone, at("2026-10-25 01:00")) for zone in OFFSETS]),
)
zones = st.sampled_from(sorted({zone for zone, *_ in CHANGES}.union(OFFSETS)))


def instants_near(moment: datetime) -> st.SearchStrategy[datetime]:
    """Instants within three days of one, most of them on or beside a full quarter of an hour."""
    quarters = st.integers(-12, 12) | st.integers(-3 * 96, 3 * 96)
    ticks = st.sampled_from((0, 0, 0, -1, 1, 60_000_000, -60_000_000, 1_234_567))
    return st.builds(
        lambda quarter, tick: moment + quarter * timedelta(minutes=15) + timedelta(microseconds=tick),
        quarters,
        ticks,
    )


def _clock_text(minutes: int) -> str:
    hours, rest = divmod(minutes % _DAY_MINUTES, 60)
    return f"{hours:02d}:{rest:02d}"


@st.composite
def schedules_near(draw: st.DrawFn, zone: str, moment: datetime) -> Schedule:
    """Daily windows of a zone that begin or end close to what its wall clock shows just before or after an instant."""
    wall = read_wall(moment + draw(st.sampled_from((timedelta(), -timedelta(microseconds=1)))), zone)
    near = st.integers(-65, 65).map(lambda away: wall.hour * 60 + wall.minute + away)
    edge = draw(near | st.integers(0, _DAY_MINUTES - 1))
    length = draw(st.sampled_from((1, 2, 30, 60, 61, 480, 1380, 1410, 1439)) | st.integers(1, _DAY_MINUTES - 1))
    start = edge - draw(st.sampled_from((0, length)))
    return Schedule(daily_start_time=_clock_text(start), daily_end_time=_clock_text(start + length), time_zone=zone)


def changes_at(zone: str, moment: datetime) -> bool:
    """Whether the clock of a zone changes at an instant."""
    before = moment - timedelta(seconds=1)
    return before.astimezone(find_zone(zone)).utcoffset() != moment.astimezone(find_zone(zone)).utcoffset()
