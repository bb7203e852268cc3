"""Values that just miss: they differ from what a rule wants in case, blanks, leading zeros or length. Pure.

Text is compared exactly (SPEC 2.3), so `stripe` never finds `STRIPE`. One table says what counts as close; it is
applied to frames of distinct values, so that thousands of values against millions of others are a few joins.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from recovery_batch.money import is_number
from recovery_batch.privacy import mask_value
from recovery_batch.rules import numbers
from recovery_batch.rules.catalogue import CONDITIONALS, RULE_TYPES, Kind, Part
from recovery_batch.rules.model import Rule

EXISTING: Final = pl.Schema({"value": pl.String, "payments": pl.UInt32})
"""Distinct values and how many payments have each."""
PAIRS: Final = pl.Schema({"wanted": pl.String(), **EXISTING})

_SHORTEST_BIN: Final = 6
_LONGEST_CARD: Final = 19
_DIGITS: Final = r"\A[0-9]+\z"


@dataclass(frozen=True, slots=True)
class Nearness:
    """One way in which two texts are close.

    Attributes:
        name: Stable, for grouping.
        difference: What they differ in.
        form: What is the same for both; null or empty: the text has no such form.
        parts: The parts of a text for which it is looked for.
    """

    name: str
    difference: str
    form: Callable[[pl.Expr], pl.Expr]
    parts: frozenset[Part]


_MISSES: Final = {Part.WHOLE: "differs from", Part.START: "would start with", Part.ANY: "would contain"}
"""How a value that is close misses, by the part of a text that is looked at."""


def _number(text: pl.Expr) -> pl.Expr:
    sign, power, digits = numbers.keys(text)
    return pl.format("{} {} {}", sign, power, digits)


_EXACT_OR_START: Final = frozenset({Part.WHOLE, Part.START})

NEARNESSES: Final = {
    each.name: each
    for each in (
        Nearness("case", "case only", lambda text: text.str.to_lowercase(), _EXACT_OR_START),
        Nearness("blanks", "blanks at the ends", lambda text: text.str.strip_chars(), frozenset(Part)),
        Nearness(
            "case_and_blanks",
            "case and blanks at the ends",
            lambda text: text.str.strip_chars().str.to_lowercase(),
            _EXACT_OR_START,
        ),
        # one zero that stands alone stays
        Nearness("zeros", "leading zeros", lambda text: text.str.replace("^0+([0-9A-Za-z])", "$1"), _EXACT_OR_START),
        # metadata compares as text, and its numbers are written without needless zeros: 5.0 never finds 5
        Nearness("number", "how the same number is written", _number, frozenset({Part.WHOLE})),
    )
}
"""What counts as close, the likeliest first."""

LONGER: Final = "longer"
SHORTER: Final = "shorter"
"""Digits of which one is the beginning of the other: a BIN of six digits and one of eight."""


def part_of(rule: Rule) -> Part | None:
    """How a rule finds its values in texts; None where it compares amounts or numbers, or no values at all."""
    if rule.conditional is None or RULE_TYPES[rule.rule_type].kind in (Kind.AMOUNT, Kind.AMOUNT_AND_CURRENCY):
        return None
    if CONDITIONALS[rule.conditional].numeric:
        return None
    return CONDITIONALS[rule.conditional].part


def pairs(
    wanted: Sequence[str], existing: pl.DataFrame, part: Part, form: Callable[[pl.Expr], pl.Expr] | None = None
) -> pl.DataFrame:
    """Which existing values each wanted value finds, once both are brought into a form: rows of `PAIRS`."""
    if part is Part.ANY:
        inner = form
        form = (lambda text: inner(text).str.to_lowercase()) if inner else (lambda text: text.str.to_lowercase())
    form = form or (lambda text: text)
    asked = pl.DataFrame({"wanted": list(dict.fromkeys(wanted))}, schema={"wanted": pl.String})
    asked = asked.with_columns(form=form(pl.col("wanted"))).filter(pl.col("form") != "")
    held = existing.with_columns(form=form(pl.col("value"))).filter(pl.col("form").is_not_null())
    if part is Part.WHOLE:
        found = [asked.join(held, on="form")]
    elif part is Part.START:
        found = [
            asked.filter(pl.col("form").str.len_chars() == length).join(
                held.with_columns(pl.col("form").str.slice(0, length)), on="form"
            )
            for length in asked["form"].str.len_chars().unique()
        ]
    else:
        found = [
            held.filter(pl.col("form").str.contains(text, literal=True)).with_columns(wanted=pl.lit(value))
            for value, text in asked.rows()
        ]
    return pl.concat([pl.DataFrame(schema=PAIRS), *(_as_pairs(each) for each in found)])


def near_pairs(
    wanted: Sequence[str], existing: pl.DataFrame, part: Part, *, prefixes: bool = False
) -> dict[str, pl.DataFrame]:
    """The existing values close to each wanted one, by the first nearness that there is: rows of `PAIRS`.

    Args:
        wanted: Values that find nothing.
        existing: Rows of `EXISTING`.
        part: How they are looked for.
        prefixes: Whether digits may be the beginning of other digits.
    """
    left = list(dict.fromkeys(wanted))
    found: dict[str, pl.DataFrame] = {}

    def keep(name: str, close: pl.DataFrame) -> None:
        if not close.is_empty():
            found[name] = close.sort(["wanted", "payments", "value"], descending=[False, True, False])
            near = set(close["wanted"])
            left[:] = [each for each in left if each not in near]

    for each in NEARNESSES.values():
        if part in each.parts and left:
            keep(each.name, pairs(left, existing, part, each.form))
    if prefixes and left:
        digits = existing.filter(pl.col("value").str.contains(_DIGITS))
        if part is Part.WHOLE:
            numbers_wanted = [each for each in left if _is_bin(each)]
            keep(LONGER, pairs(numbers_wanted, digits, Part.START))
        if part in _EXACT_OR_START:
            keep(SHORTER, _beginnings([each for each in left if _is_bin(each)], digits))
    return found


def near_miss_of(rule: Rule, seen: str | None) -> str | None:
    """Why a rule that failed on a value failed by a hair, in plain words; None where it did not.

    Args:
        rule: The rule.
        seen: The value that it read, as it is; what is personal is masked here.
    """
    if seen is None or rule.conditional is None or rule.values is None:
        return None
    conditional, key = CONDITIONALS[rule.conditional], rule.metadata_key
    if key is not None and conditional.numeric:
        return None if is_number(seen) else f"{shown(seen, key)} is not a number"
    part = part_of(rule)
    if part is None or conditional.when_missing:  # what is excluded was hit, not missed
        return None
    existing = pl.DataFrame({"value": [seen], "payments": [1]}, schema=EXISTING)
    for name, close in near_pairs(rule.values, existing, part, prefixes=reads_prefixes(rule)).items():
        missed = set(close["wanted"])
        first = next(value for value in rule.values if value in missed)
        return words(name, part, shown(first, key), shown(seen, key))
    return None


def reads_prefixes(rule: Rule) -> bool:
    """Whether what a rule reads may be the beginning of a card number."""
    return RULE_TYPES[rule.rule_type].kind in (Kind.BIN, Kind.METADATA)


def words(nearness: str, part: Part, wanted: str, value: str) -> str:
    """How a value is close to the wanted one: `STRIPE differs from stripe in case only`."""
    if nearness == LONGER:
        return f"{value} starts with {wanted}"
    if nearness == SHORTER:
        return f"{wanted} starts with {value}"
    difference = NEARNESSES[nearness].difference
    if part is Part.WHOLE:
        return f"{value} {_MISSES[part]} {wanted} in {difference}"
    return f"{value} {_MISSES[part]} {wanted} but for {difference.removesuffix(' only')}"


def shown(value: str, key: str | None = None) -> str:
    """A value as it may be shown: masked where it is, or under this metadata key would be, personal."""
    masked = value if key is None else mask_value(value, key)
    return f"“{masked}”" if masked != masked.strip() or "," in masked else masked


def _is_bin(text: str) -> bool:
    return text.isascii() and text.isdigit() and _SHORTEST_BIN <= len(text) <= _LONGEST_CARD


def _beginnings(wanted: Sequence[str], existing: pl.DataFrame) -> pl.DataFrame:
    """Existing values that are the beginning of a wanted one."""
    begun = [(each, each[:length]) for each in wanted for length in range(_SHORTEST_BIN, len(each))]
    asked = pl.DataFrame(begun, schema={"wanted": pl.String, "form": pl.String}, orient="row")
    return _as_pairs(asked.join(existing.with_columns(form=pl.col("value")), on="form"))


def _as_pairs(rows: pl.DataFrame) -> pl.DataFrame:
    return rows.select(pl.col(name).cast(dtype) for name, dtype in PAIRS.items())
