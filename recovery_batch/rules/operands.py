"""What a conditional is applied to: a column of the payments frame, seen as text, as amounts, or as numbers in text.

Every method gives a Boolean expression that is null where the value is missing (or is no number); what a missing value
means is decided by the conditional, once, in the catalogue.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Protocol

import polars as pl

from recovery_batch.money import AMOUNT, held_at_least, held_at_most, held_exactly
from recovery_batch.rules import numbers


class Operand(Protocol):
    """What the conditionals of the catalogue may ask of a column."""

    def equals_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Whether the value equals one of `values`."""

    def exceeds(self, value: str) -> pl.Expr:
        """Whether the value is above `value`."""

    def reaches(self, value: str) -> pl.Expr:
        """Whether the value is above `value` or equal to it."""

    def contains_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Whether the text contains one of `values`, ignoring case."""

    def starts_with_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Whether the text starts with one of `values`."""


@dataclass(frozen=True, slots=True)
class TextOperand:
    """A column of text: compared exactly, as numbers only by the numeric conditionals."""

    column: pl.Expr

    def equals_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Case counts, and `05` is not `5`."""
        if len(values) == 1:
            return self.column == pl.lit(values[0])
        return self.column.is_in(pl.Series(values, dtype=pl.String).implode())

    def exceeds(self, value: str) -> pl.Expr:
        """As exact decimals; null for a text that is no number."""
        return numbers.exceeds(self.column, value, or_equal=False)

    def reaches(self, value: str) -> pl.Expr:
        """As exact decimals; null for a text that is no number."""
        return numbers.exceeds(self.column, value, or_equal=True)

    def contains_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Both sides in lower case, by the same function."""
        lowered = pl.Series(values, dtype=pl.String).str.to_lowercase().to_list()
        return self.column.str.to_lowercase().str.contains_any(lowered)

    def starts_with_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Case counts."""
        return pl.any_horizontal([self.column.str.starts_with(value) for value in values])


@dataclass(frozen=True, slots=True)
class AmountOperand:
    """The amount column: exact decimals, against thresholds of any number of digits."""

    column: pl.Expr

    def _never(self) -> pl.Expr:
        # false, but null where the amount is: the column decides what is missing
        return self.column != self.column

    def equals_one_of(self, values: Sequence[str]) -> pl.Expr:
        """`50000` equals `50000.00`; a value that no column could hold equals nothing."""
        held = [amount for value in values if (amount := held_exactly(Decimal(value))) is not None]
        if not held:
            return self._never()
        return self.column.is_in(pl.Series(held, dtype=AMOUNT).implode())

    def exceeds(self, value: str) -> pl.Expr:
        """Above the greatest amount that a column can hold and that is not above the threshold."""
        bound = held_at_most(Decimal(value))
        return ~self._never() if bound is None else self.column > pl.lit(bound, dtype=AMOUNT)

    def reaches(self, value: str) -> pl.Expr:
        """At or above the smallest amount that a column can hold and that is not below the threshold."""
        bound = held_at_least(Decimal(value))
        return self._never() if bound is None else self.column >= pl.lit(bound, dtype=AMOUNT)

    def contains_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Amounts are no text: the catalogue allows no such rule."""
        raise TypeError("an amount has no text to search")

    def starts_with_one_of(self, values: Sequence[str]) -> pl.Expr:
        """Amounts are no text: the catalogue allows no such rule."""
        raise TypeError("an amount has no text to search")
