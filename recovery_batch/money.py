"""Exact amounts: how they are held, compared and written. Nothing here goes through a binary float."""

from __future__ import annotations

import re
from decimal import ROUND_CEILING, ROUND_FLOOR, Context, Decimal
from typing import Final

import polars as pl

WHOLE_DIGITS: Final = 18
FRACTION_DIGITS: Final = 6
AMOUNT: Final = pl.Decimal(WHOLE_DIGITS + FRACTION_DIGITS, FRACTION_DIGITS)
"""The type of every amount column: up to 18 digits before the point and 6 after it (SPEC 1.1)."""

_LARGEST: Final = Decimal(10) ** WHOLE_DIGITS - Decimal(1).scaleb(-FRACTION_DIGITS)
_STEP: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
# Thresholds of rules may have any number of digits; this context never rounds what fits into a rule file.
_WIDE: Final = Context(prec=100_000, Emax=999_999, Emin=-999_999)

_NUMBER: Final = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def is_number(text: str) -> bool:
    """Whether a text is exactly a number as SPEC 2.3 spells it: ASCII, nothing around it."""
    return _NUMBER.fullmatch(text) is not None


def plain(number: Decimal | int) -> str:
    """A number as its plain decimal: no exponent, no needless zeros (`5.0` is `5`, `0.10` is `0.1`)."""
    text = format(number, "f") if isinstance(number, Decimal) else str(number)
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def amount_fault(number: Decimal | int) -> str | None:
    """What keeps a number from being an amount, in words of what is allowed; None when it is one."""
    value = Decimal(number)
    if not value.is_finite():  # what stands for a number too large for any decimal
        return f"a number of at most {WHOLE_DIGITS} digits before the decimal point"
    if value < 0:
        return "a number that is not negative"
    if not value:
        return None
    _, digits, exponent = value.as_tuple()
    assert isinstance(exponent, int)
    trailing = len(digits) - len("".join(map(str, digits)).rstrip("0"))
    if value.adjusted() >= WHOLE_DIGITS:
        return f"a number of at most {WHOLE_DIGITS} digits before the decimal point"
    if -(exponent + trailing) > FRACTION_DIGITS:
        return f"a number of at most {FRACTION_DIGITS} digits after the decimal point"
    return None


def held_at_most(threshold: Decimal) -> Decimal | None:
    """The greatest amount that a column can hold and that is not above `threshold`; None when all are above it."""
    if threshold < 0:
        return None
    return min(threshold, _LARGEST).quantize(_STEP, ROUND_FLOOR, _WIDE)


def held_at_least(threshold: Decimal) -> Decimal | None:
    """The smallest amount that a column can hold and that is not below `threshold`; None when all are below it."""
    if threshold > _LARGEST:
        return None
    return max(threshold, Decimal(0)).quantize(_STEP, ROUND_CEILING, _WIDE)


def held_exactly(value: Decimal) -> Decimal | None:
    """The amount equal to `value`, when a column can hold it; else None."""
    low, high = held_at_most(value), held_at_least(value)
    return low if low is not None and low == high == value else None
