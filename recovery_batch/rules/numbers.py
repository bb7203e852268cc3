"""Numbers in text, compared as exact decimals of any size, as Polars expressions.

A text that is a number (SPEC 2.3) has a key: its sign, the power of ten of its first digit, and its digits without
leading and trailing zeros. Two keys compare as the numbers do, without rounding and without a limit on the digits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from recovery_batch.money import is_number

_PARTS: Final = r"\A([+-]?)(?:([0-9]+)(?:\.([0-9]*))?|\.([0-9]+))(?:[eE]([+-]?[0-9]+))?\z"
_LONGEST_EXPONENT: Final = 15
_BEYOND: Final = 10**17
"""What an exponent in the data of more than 15 digits counts as: beyond every threshold, whose exponent is shorter."""


@dataclass(frozen=True, slots=True)
class NumberKey:
    """The key of one number: sign (-1, 0, 1), power of ten, significant digits."""

    sign: int
    power: int
    digits: str


def key_of(text: str) -> NumberKey:
    """The key of a threshold.

    Raises:
        ValueError: the text is no number, or its exponent has more than 15 digits.
    """
    if not is_number(text):
        raise ValueError(f"{text!r} is not a number")
    mantissa, _, exponent = text.lower().partition("e")
    size = exponent.lstrip("+-").lstrip("0")
    if len(size) > _LONGEST_EXPONENT:
        raise ValueError(f"{text!r} has an exponent of more than {_LONGEST_EXPONENT} digits")
    whole, _, fraction = mantissa.lstrip("+-").partition(".")
    significant = (whole + fraction).lstrip("0")
    if not significant:
        return NumberKey(0, 0, "")
    shift = -int(size or 0) if exponent.startswith("-") else int(size or 0)
    power = len(significant) - len(fraction) + shift
    return NumberKey(-1 if mantissa.startswith("-") else 1, power, significant.rstrip("0"))


def _exponent(text: pl.Expr) -> pl.Expr:
    digits = text.str.strip_chars_start("+-").str.strip_chars_start("0")
    size = (
        pl.when(digits.str.len_bytes() > _LONGEST_EXPONENT)
        .then(_BEYOND)
        .when(digits == "")
        .then(0)
        .otherwise(digits.str.slice(0, _LONGEST_EXPONENT).cast(pl.Int64, strict=False))
    )
    return pl.when(text.str.starts_with("-")).then(-size).otherwise(size)


def keys(text: pl.Expr) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Sign, power and digits of each text as three expressions; null where the text is null or no number."""
    parts = text.str.extract_groups(_PARTS)
    whole = parts.struct.field("2").fill_null("")
    fraction = pl.coalesce(parts.struct.field("3"), parts.struct.field("4"), pl.lit(""))
    significant = (whole + fraction).str.strip_chars_start("0")
    is_a_number = parts.struct.field("1").is_not_null()
    sign = (
        pl.when(significant == "")
        .then(pl.lit(0, dtype=pl.Int8))
        .when(parts.struct.field("1") == "-")
        .then(pl.lit(-1, dtype=pl.Int8))
        .otherwise(pl.lit(1, dtype=pl.Int8))
    )
    power = (
        significant.str.len_bytes().cast(pl.Int64)
        - fraction.str.len_bytes().cast(pl.Int64)
        + _exponent(parts.struct.field("5").fill_null(""))
    )
    return (
        pl.when(is_a_number).then(sign),
        pl.when(is_a_number).then(pl.when(significant == "").then(pl.lit(0, dtype=pl.Int64)).otherwise(power)),
        pl.when(is_a_number).then(significant.str.strip_chars_end("0")),
    )


def exceeds(text: pl.Expr, threshold: str, *, or_equal: bool) -> pl.Expr:
    """Whether each text, as a number, is above `threshold` (or equal to it); null where it is no number."""
    key = key_of(threshold)
    sign, power, digits = keys(text)
    if key.sign == 0:
        return sign >= 0 if or_equal else sign > 0
    same = (power == key.power) & (digits == key.digits)
    larger = (power > key.power) | ((power == key.power) & (digits > key.digits))
    beyond = larger | same if or_equal else larger
    if key.sign > 0:
        return (sign > 0) & beyond
    nearer_to_zero = ~(larger | same) | same if or_equal else ~(larger | same)
    return (sign >= 0) | nearer_to_zero
