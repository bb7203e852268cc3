"""Numbers as a table spells them to JSON numbers: exactly, on their digits, never through a float."""

from __future__ import annotations

import re
from decimal import Context, Decimal
from typing import Final

import polars as pl

from recovery_batch.ingest.mapping import DecimalMark, ThousandsMark

JSON_NUMBER: Final = r"^-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?$"
_NUMBER: Final = r"^[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?$"
_BLANKS: Final = " \u00a0\u202f\u2007\u2009"
_APOSTROPHES: Final = "'’"
_FARTHEST: Final = 1_000
_INT64_DIGITS: Final = 18
_WIDE: Final = Context(prec=10_000)

_NO_DIGITS: Final = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF"
_THREE_DIGITS: Final = "BHD IQD JOD KWD LYD OMR TND"
_FOUR_DIGITS: Final = "CLF UYW"
MINOR_UNITS: Final = {
    **dict.fromkeys(_NO_DIGITS.split(), 0),
    **dict.fromkeys(_THREE_DIGITS.split(), 3),
    **dict.fromkeys(_FOUR_DIGITS.split(), 4),
}
"""Digits of the minor unit (ISO 4217) of the currencies in use that have not two. CLDR's are those of daily life, in
which COP and HUF have none; and withdrawn currencies have no minor unit in ISO's list."""


def json_numbers(cells: pl.Series) -> pl.Series:
    """Numbers with a point to JSON numbers, digits as they stand; null where a cell is none.

    What JSON does not know is taken away: a plus, leading zeros, a point with nothing before or behind it.
    """
    is_json = cells.str.contains(JSON_NUMBER)
    if is_json.all():
        return cells
    lenient = cells.set(is_json.fill_null(True) | ~cells.str.contains(_NUMBER), None)
    mended = (
        lenient.str.strip_prefix("+")
        .str.replace(r"^(-?)0+([0-9])", "${1}${2}")
        .str.replace(r"^(-?)\.", "${1}0.")
        .str.replace(r"\.([eE]|$)", "${1}")
    )
    return cells.set(~is_json, None).fill_null(mended)


def marked_numbers(cells: pl.Series, decimal: DecimalMark, thousands: ThousandsMark) -> pl.Series:
    """Numbers with these marks to JSON numbers; null where a cell is none.

    Between groups there are always three digits: with a point for thousands `1.234,5` is a number and `12.34,5` none.
    """
    if not thousands and decimal == ".":
        return json_numbers(cells.str.strip_chars(_BLANKS + "\t"))
    usual = (
        rf"^-?(?:0|[1-9][0-9]{{0,2}}(?:{re.escape(thousands)}[0-9]{{3}})*|[1-9][0-9]*)(?:{re.escape(decimal)}[0-9]+)?$"
    )
    if cells.str.contains(usual).all():  # a road for columns without surprises; what follows would give the same
        bare = cells.str.replace_all(thousands, "", literal=True) if thousands else cells
        return bare.str.replace(decimal, ".", literal=True)
    cells = cells.str.strip_chars(_BLANKS + "\t")
    if thousands:
        kinds = _BLANKS if thousands in _BLANKS else _APOSTROPHES if thousands in _APOSTROPHES else thousands
        marks = f"[{re.escape(kinds)}]"
        grouped = rf"^[+-]?[0-9]{{1,3}}(?:{marks}[0-9]{{3}})+(?:{re.escape(decimal)}[0-9]*)?$"
        bare = cells.str.replace_all(marks, "")
        is_grouped = cells.str.contains(grouped)
        cells = pl.select(pl.when(is_grouped).then(bare).otherwise(cells)).to_series()
    else:
        is_grouped = cells.is_null()
    if decimal == ",":
        # a point that is left is no mark of these numbers
        points = cells.str.contains(".", literal=True)
        cells = cells.set(points, None).str.replace(",", ".", literal=True)
    elif thousands:
        cells = cells.set(cells.str.contains(re.escape(thousands)), None)
    return json_numbers(cells)


def scaled(numbers: pl.Series, factor: str, more_digits: pl.Series | None = None) -> pl.Series:
    """JSON numbers multiplied exactly, as Decimal does it: the digits after the point of both add up.

    Args:
        numbers: JSON numbers or null.
        factor: A plain positive decimal.
        more_digits: By how many places to move each point to the left besides; null: the number becomes null.

    Returns:
        Plain decimals; null where a number is null, or its exponent is beyond a thousand.
    """
    mantissa, places = int(factor.replace(".", "")), len(factor.partition(".")[2])
    moved = pl.Series([places], dtype=pl.Int64).new_from_index(0, len(numbers))
    if more_digits is not None:
        moved = moved + more_digits
    quick_digits = _INT64_DIGITS - len(str(mantissa))
    is_hard = numbers.str.contains("[eE]") | (numbers.str.len_bytes() > max(quick_digits, 0))
    easy = numbers.set(is_hard & numbers.is_not_null(), None)
    quick = _scaled_digits(easy, mantissa if quick_digits > 0 else 1, moved)
    if not is_hard.any():
        return quick
    slow = [
        _scaled(number, mantissa, places) if hard and number is not None and places is not None else None
        for number, hard, places in zip(numbers, is_hard, moved, strict=True)
    ]
    return quick.fill_null(pl.Series(slow, dtype=pl.String))


def _scaled_digits(numbers: pl.Series, mantissa: int, moved: pl.Series) -> pl.Series:
    """The same for numbers without an exponent whose product is an int64."""
    cell, digits, places = pl.col("cell"), pl.col("digits"), pl.col("places")
    fraction = pl.col("fraction").str.len_bytes().fill_null(0).cast(pl.Int64)
    product = (pl.col("whole") + pl.col("fraction").fill_null("")).cast(pl.Int64) * mantissa
    frame = (
        pl.DataFrame({"cell": numbers, "moved": moved})
        .with_columns(
            sign=pl.when(cell.str.starts_with("-")).then(pl.lit("-")).otherwise(pl.lit("")),
            parts=cell.str.strip_prefix("-").str.split_exact(".", 1).struct.rename_fields(["whole", "fraction"]),
        )
        .unnest("parts")
        .with_columns(digits=product.cast(pl.String), places=fraction + pl.col("moved"))
        .with_columns(digits=digits.str.pad_start(places + 1, "0"))
    )
    whole = digits.str.head(digits.str.len_bytes().cast(pl.Int64) - places)
    spelled = pl.when(places > 0).then(whole + "." + digits.str.tail(places)).otherwise(digits)
    return frame.select(
        pl.when(pl.col("moved").is_not_null()).then(pl.col("sign") + spelled).alias("scaled")
    ).to_series()


def _scaled(number: str, mantissa: int, places: int) -> str | None:
    """The same for one number, however it is spelled."""
    exponent = re.search("[eE]([+-]?[0-9]+)", number)
    if exponent and (len(exponent[1]) > 5 or abs(int(exponent[1])) > _FARTHEST):
        return None
    if len(number) > _FARTHEST:
        return None
    return f"{_WIDE.multiply(Decimal(number), _WIDE.scaleb(Decimal(mantissa), -places)):f}"


def minor_unit_digits(currencies: pl.Series) -> pl.Series:
    """Digits of the minor unit of each currency, int64; null for one that ISO 4217 has no longer, or never had."""
    import pycountry

    # funds, metals and codes for testing have no minor unit
    none = {"XAD", "XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"}
    known = {
        each.alpha_3: MINOR_UNITS.get(each.alpha_3, 2) for each in pycountry.currencies if each.alpha_3 not in none
    }
    return currencies.replace_strict(list(known), list(known.values()), default=None, return_dtype=pl.Int64)
