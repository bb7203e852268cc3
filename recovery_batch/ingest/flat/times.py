"""Times as a table spells them to `YYYY-MM-DD HH:MM:SS[.ffffff]`, with `+00:00` where the instant is known."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta, timezone, tzinfo
from typing import Final

import numpy as np
import polars as pl

from recovery_batch.clock import FIRST_US, LAST_US, SECOND_US, Micros, wall_clock
from recovery_batch.ingest.mapping import EPOCHS

PLAIN: Final = (
    "%Y-%m-%d %H:%M:%S",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M",
    "%Y-%m-%d",
)
"""What is tried where a mapping gives a zone and no formats: the times of ISO 8601 that have none themselves."""

_SHAPES: Final = {
    **dict.fromkeys("dHIm", "[0-9]{1,2}"),
    **dict.fromkeys("MS", "[0-5]?[0-9]"),
    **dict.fromkeys("aAbB", r"\p{L}+"),
    "j": "[0-9]{1,3}",
    "y": "[0-9]{2}",
    "Y": "[0-9]{4}",
    "f": "[0-9]{1,6}",
    "p": "[AaPp][Mm]",
    "z": "(?:[Zz]|[+-][0-9]{2}:?[0-9]{2})",
    "%": "%",
}
"""What each directive looks like. The parser alone would take the year 26 for `%Y`."""

_EPOCH: Final = r"^-?[0-9]{1,17}(?:\.[0-9]{1,9})?$"
_BUCKET_US: Final = 400 * 86_400 * SECOND_US
_MARGIN_US: Final = 3 * 86_400 * SECOND_US


def spelled_times(cells: pl.Series, formats: Sequence[str], zone: tzinfo | None) -> pl.Series:
    """Times of the first format that fits each; null where none does.

    Args:
        cells: Texts.
        formats: As a mapping gives them.
        zone: The zone of times without one; None: they stay without one.
    """
    left = cells.str.strip_chars()
    result = pl.Series(cells.name, [None], dtype=pl.String).new_from_index(0, len(cells))
    for each in formats:
        if left.null_count() == len(left):
            break
        micros, is_instant = (_epochs(left, EPOCHS[each]), True) if each in EPOCHS else _parsed(left, each)
        if zone is not None and not is_instant:
            micros, is_instant = to_utc(micros, zone), True
        found = spelled_micros(micros, is_instant)
        result = result.fill_null(found)
        left = left.set(found.is_not_null(), None)
    return result


def _parsed(cells: pl.Series, spelled: str) -> tuple[pl.Series, bool]:
    """Microseconds of the times of a format (null where it does not fit), and whether they are instants."""
    pattern = re.sub(r"%(.)|([^%]+)", lambda part: _SHAPES[part[1]] if part[1] else re.escape(part[2]), spelled)
    has_zone = "%z" in spelled.replace("%%", "")
    fitting = cells.set(~cells.str.contains(f"^(?:{pattern})$") & cells.is_not_null(), None)
    if has_zone:
        fitting = fitting.str.replace(r"[Zz]$", "+0000")
    moments = fitting.str.to_datetime(spelled.replace(".%f", "%.f"), time_unit="us", strict=False)
    return moments.dt.timestamp("us"), has_zone


def _epochs(cells: pl.Series, unit: int) -> pl.Series:
    """Microseconds of numbers of units since 1970; what lies below a microsecond is cut off."""
    fitting = cells.set(~cells.str.contains(_EPOCH) & cells.is_not_null(), None)
    places = len(str(unit)) - 1
    parts = fitting.str.strip_prefix("-").str.split_exact(".", 1).struct.unnest()
    fraction = (pl.col("field_1").fill_null("") + "0" * places).str.head(places) if places else pl.lit("")
    digits = parts.select((pl.col("field_0") + fraction).alias("micros")).to_series()
    micros = digits.cast(pl.Int64, strict=False)
    return pl.select(pl.when(fitting.str.starts_with("-")).then(-micros).otherwise(micros)).to_series()


def to_utc(local: pl.Series, zone: tzinfo) -> pl.Series:
    """Wall-clock times of a zone to instants, both in microseconds.

    Of an hour that happens twice the first is meant, and one that is skipped goes on by the clock before the change:
    as datetime has it with fold=0, and as times of other exports are read.
    """
    if isinstance(zone, timezone):
        return local - zone.utcoffset(None) // timedelta(microseconds=1)
    known = local.is_not_null() & (local >= FIRST_US) & (local <= LAST_US)
    micros: Micros = local.filter(known).to_numpy()
    buckets = micros // _BUCKET_US
    instants = np.empty_like(micros)
    for bucket in np.unique(buckets):
        first = int(bucket) * _BUCKET_US
        clock = wall_clock(zone, first - _MARGIN_US, first + _BUCKET_US + _MARGIN_US)
        changes = clock.starts[1:] + np.maximum(clock.offsets[:-1], clock.offsets[1:])
        here = buckets == bucket
        instants[here] = micros[here] - clock.offsets[np.searchsorted(changes, micros[here], side="right")]
    result = pl.Series(local.name, [None], dtype=pl.Int64).new_from_index(0, len(local))
    return result.scatter(known.arg_true(), pl.Series(instants))


def spelled_micros(micros: pl.Series, is_instant: bool) -> pl.Series:
    """Microseconds since 1970 as texts; null where they are null or beyond the years 1 to 9999."""
    held = micros.set((micros < FIRST_US) | (micros > LAST_US), None)
    moments = held.cast(pl.Datetime("us"))
    texts = moments.dt.strftime("%Y-%m-%d %H:%M:%S")
    fractions = held.mod(SECOND_US) if hasattr(held, "mod") else held % SECOND_US
    if (fractions != 0).any():
        spelled = pl.select(
            pl.when(fractions != 0).then("." + fractions.cast(pl.String).str.pad_start(6, "0")).otherwise(pl.lit(""))
        ).to_series()
        texts = texts + spelled
    return texts + "+00:00" if is_instant else texts
