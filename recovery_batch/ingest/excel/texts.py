"""What stands in the cells of a workbook to texts: numbers without the noise of binary fractions, days to dates."""

from __future__ import annotations

import re
from decimal import Decimal
from math import isfinite
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

_NUMERAL: Final = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?")
_SHORT: Final = r"^(?:0|-?[1-9][0-9]{0,14}|-?(?:0|[1-9][0-9]{0,6})\.[0-9]{0,7}[1-9])$"
"""Numbers of at most 15 digits that are spelled as they come out."""
_LEAP_BUG: Final = 60
"""The day from which Excel counts a 29 February 1900 that never was."""
_LAST_DAY: Final = 2_958_466
_DAY_S: Final = 86_400
_FROM_1900: Final = -25_569
_FROM_1904: Final = -24_107
_ESCAPED: Final = re.compile(r"_x([0-9A-Fa-f]{4})_")


def unescaped(texts: pl.Series) -> pl.Series:
    """Texts with the characters that XML cannot hold, which workbooks spell `_x000D_`."""
    escaped = texts.str.contains(r"_x[0-9A-Fa-f]{4}_")
    if not escaped.any():
        return texts
    plain = [_ESCAPED.sub(_character, text) for text in texts.filter(escaped)]
    return texts.scatter(escaped.arg_true(), pl.Series(plain, dtype=pl.String))


def _character(match: re.Match[str]) -> str:
    character = chr(int(match[1], 16))
    return match[0] if "\ud800" <= character <= "\udfff" else character


def numbers(raw: pl.Series) -> tuple[pl.Series, npt.NDArray[np.bool_]]:
    """Numbers as Excel shows them, without an exponent, and which are long."""
    is_long = np.zeros(len(raw), dtype=np.bool_)
    doubtful = (~raw.str.contains(_SHORT)).arg_true()
    if not len(doubtful):
        return raw, is_long
    pairs = [_number(text) for text in raw.gather(doubtful).to_list()]
    is_long[doubtful.to_numpy()] = [long for _, long in pairs]
    return raw.scatter(doubtful, pl.Series([text for text, _ in pairs], dtype=pl.String)), is_long


def _number(text: str) -> tuple[str, bool]:
    """One number with its 15 digits, and whether it has more than Excel keeps; what is no number stays."""
    text = text.strip()
    if not _NUMERAL.fullmatch(text):
        return text, False
    value = float(text)
    if not isfinite(value):
        return text, False
    is_long = abs(value) >= 1e15 or sum(map(str.isdigit, text.partition("e")[0].partition("E")[0].lstrip("0."))) > 17
    if text.removeprefix("-").isdigit():
        # spelled out by another program than Excel, digits beyond the fifteenth may still be right
        return f"{Decimal(text):f}" if Decimal(text) else "0", is_long
    return (f"{Decimal(f'{value:.15g}'):f}" if value else "0"), is_long


def dates(raw: pl.Series, since_1904: bool) -> pl.Series:
    """Days and parts of days to times; below one day to times of day. What is no date stays the number it is."""
    days = raw.cast(pl.Float64, strict=False)
    is_date = ((days >= 0) & (days < _LAST_DAY)).fill_null(False)
    frame = pl.DataFrame({"raw": raw, "days": days.set(~is_date, None), "number": numbers(raw)[0]})
    seconds = (pl.col("days") * _DAY_S).round().cast(pl.Int64)
    shift = (
        pl.lit(_FROM_1904)
        if since_1904
        else pl.lit(_FROM_1900) + pl.when(pl.col("days") < _LEAP_BUG).then(1).otherwise(0)
    )
    moment = pl.from_epoch(seconds + shift.cast(pl.Int64) * _DAY_S, time_unit="s")
    written = (
        pl.when(pl.col("days") < 1)
        .then(moment.dt.to_string("%H:%M:%S"))
        .otherwise(moment.dt.to_string("%Y-%m-%d %H:%M:%S"))
    )
    return frame.select(pl.when(pl.col("days").is_null()).then(pl.col("number")).otherwise(written)).to_series()
