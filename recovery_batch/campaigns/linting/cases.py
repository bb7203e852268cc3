"""Which combinations of answers a set of rules can get: one table of cases for the rules that read the same fields.

Everything that lint says about rules against one another is read off this table. A case stands for all the payments
that the rules cannot tell apart: a value that a rule names, a value beside a threshold, a text that no rule names, no
value at all. What a rule answers in a case is what the compiled rule answers: there is no second reading of the rules
here, only the choice of values to ask about.

The choice is complete: for every payment there is a case in which every rule that holds for the payment holds as
well, and any one rule that fails for the payment fails as well. So "no case has it" means "no payment has it". A case
too many costs a remark, a case too few would make lint say something false; where rules mix numbers with pieces of text
there may therefore be cases that no value has.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from itertools import product
from math import prod
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from recovery_batch.money import AMOUNT, FRACTION_DIGITS, WHOLE_DIGITS, held_at_least, held_at_most
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind, Part, Rule, column_read, compile_rule

Answers = npt.NDArray[np.bool_]

MOST_CASES: Final = 50_000
"""Rules with more cases than this are not judged; people do not write them by hand."""

_AMOUNT: Final = "amount_value"
_CURRENCY: Final = "currency_code"
_STEP: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
_BEYOND_AMOUNTS: Final = Decimal(10) ** WHOLE_DIGITS
_NEAREST_TO_ZERO: Final = "1e-999999999999999999"  # an exponent longer than any that a rule may have
_FIRST_FRESH: Final = 0xE000  # private use: no letter, so that nothing happens to it in lower case
_START_OF_NUMBER: Final = re.compile(r"[+-]?([0-9]+(\.[0-9]*)?([eE][+-]?[0-9]*)?|\.([0-9]+([eE][+-]?[0-9]*)?)?)?")
_IN_NUMBER: Final = re.compile(r"[0-9.eE+-]*")
_FINAL_SIGMA: Final = "Σ"  # the one letter whose lower case depends on what follows


@dataclass(frozen=True, slots=True)
class Cases:
    """The table of cases.

    Attributes:
        rules: The rules, which all read the same fields.
        answers: One row a case, one column a rule: whether the rule holds.
        values: The value of each case, for rules that read one field; None where it is missing.
    """

    rules: tuple[Rule, ...]
    answers: Answers
    values: tuple[str | None, ...] = ()


def rules_by_field(rules: Iterable[Rule]) -> list[tuple[Rule, ...]]:
    """Rules in groups that read the same field, in the order of the first of each.

    Amount and currency are one group, since one rule type reads both.
    """
    groups: dict[str, list[Rule]] = {}
    for rule in rules:
        column = column_read(rule)
        assert column is not None
        groups.setdefault(_AMOUNT if column == _CURRENCY else column, []).append(rule)
    return [tuple(group) for group in groups.values()]


def cases_of(rules: tuple[Rule, ...]) -> Cases | None:
    """The cases of rules that read the same field; None when there are too many, or they cannot be told."""
    column = column_read(rules[0])
    assert column is not None
    if column in (_AMOUNT, _CURRENCY):
        return _amount_cases(rules)
    return _text_cases(rules, column)


def holds_for(rule: Rule, values: Sequence[str | None]) -> Answers:
    """Whether a rule that reads one field of text holds for each of some values."""
    column = column_read(rule)
    assert column is not None
    return _ask((rule,), pl.DataFrame({column: pl.Series(values, dtype=pl.String)}))[:, 0]


def _ask(rules: Sequence[Rule], payments: pl.DataFrame) -> Answers:
    found = payments.select(compile_rule(rule).alias(str(place)) for place, rule in enumerate(rules))
    answers: Answers = np.zeros((payments.height, len(rules)), dtype=np.bool_)
    for place, series in enumerate(found.iter_columns()):
        answers[:, place] = series.to_numpy()
    return answers


def _amount_cases(rules: tuple[Rule, ...]) -> Cases | None:
    amounts = _amounts(threshold for rule in rules for threshold in _thresholds(rule))
    currencies = _named_and_fresh(currency for rule in rules for currency in _currencies(rule))
    if len(amounts) * len(currencies) > MOST_CASES:
        return None
    pairs = list(product(amounts, currencies))
    payments = pl.DataFrame(
        {_AMOUNT: [amount for amount, _ in pairs], _CURRENCY: [currency for _, currency in pairs]},
        schema={_AMOUNT: AMOUNT, _CURRENCY: pl.String},
    )
    return Cases(rules, _ask(rules, payments))


def _thresholds(rule: Rule) -> tuple[str, ...]:
    kind, values = RULE_TYPES[rule.rule_type].kind, rule.values or ()
    if kind is Kind.AMOUNT:
        return values
    return values[:-1] if kind is Kind.AMOUNT_AND_CURRENCY else ()


def _currencies(rule: Rule) -> tuple[str, ...]:
    kind, values = RULE_TYPES[rule.rule_type].kind, rule.values or ()
    if kind is Kind.AMOUNT:
        return ()
    return values[-1:] if kind is Kind.AMOUNT_AND_CURRENCY else values


def _amounts(thresholds: Iterable[str]) -> list[Decimal | None]:
    """Both sides of every place where an answer may change, among the amounts that a column can hold."""
    found: set[Decimal] = set()
    for threshold in (Decimal(0), _BEYOND_AMOUNTS, *map(Decimal, thresholds)):
        for bound in (held_at_most(threshold), held_at_least(threshold)):
            for near in () if bound is None else (bound - _STEP, bound, bound + _STEP):
                if 0 <= near < _BEYOND_AMOUNTS:
                    found.add(near)
    # every payment has an amount and a currency; asking about none as well is a case too many, which does no harm
    return [None, *sorted(found)]


def _named_and_fresh(named: Iterable[str]) -> list[str | None]:
    texts = dict.fromkeys(named)
    return [None, *texts, _fresh(texts)]


def _fresh(texts: Iterable[str]) -> str:
    """A character that is in none of the texts."""
    used = {character for text in texts for character in text}
    return next(chr(code) for code in range(_FIRST_FRESH, _FIRST_FRESH + len(used) + 1) if chr(code) not in used)


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Texts that no rule names, one for each way to begin with prefixes and contain pieces that rules name."""

    texts: tuple[str, ...]
    possible_in_numbers: tuple[str, ...]


def _text_cases(rules: tuple[Rule, ...], column: str) -> Cases | None:
    groups = [_reads(rule) for rule in rules]
    named = dict.fromkeys(
        value for rule, reads in zip(rules, groups, strict=True) if reads == "all" for value in _of(rule)
    )
    numbers = _numbers(
        [v for rule, reads in zip(rules, groups, strict=True) if reads == "number" for v in _of(rule)], named
    )
    shapes = _shapes(rules, groups, [value for rule in rules for value in _of(rule)])
    if shapes is None or len(named) + len(shapes.texts) + len(numbers) * len(shapes.possible_in_numbers) > MOST_CASES:
        return None
    values: list[str | None] = [None, *named, *shapes.texts]
    exact = _ask(rules, _frame(column, values))
    mixed = list(product(numbers, shapes.possible_in_numbers))
    of_number = _ask(rules, _frame(column, [number for number, _ in mixed]))
    of_shape = _ask(rules, _frame(column, [shape for _, shape in mixed]))
    by_shape = np.array([reads == "piece" for reads in groups], dtype=np.bool_)
    both = np.where(by_shape, of_shape, of_number)
    return Cases(rules, np.concatenate([exact, both]), (*values, *(number for number, _ in mixed)))


def _frame(column: str, values: Sequence[str | None]) -> pl.DataFrame:
    return pl.DataFrame({column: pl.Series(values, dtype=pl.String)})


def _of(rule: Rule) -> tuple[str, ...]:
    return rule.values or ()


def _part(rule: Rule) -> Part:
    assert rule.conditional is not None
    return CONDITIONALS[rule.conditional].part


def _reads(rule: Rule) -> str:
    """What of a text a rule looks at: `all` of it, the `number` it is, or a `piece`."""
    assert rule.conditional is not None
    if CONDITIONALS[rule.conditional].numeric:
        return "number"
    return "all" if _part(rule) is Part.WHOLE else "piece"


def _shapes(rules: Sequence[Rule], groups: Sequence[str], texts: Sequence[str]) -> _Shapes | None:
    """The shapes; None when there are too many or lower case cannot be told piece by piece.

    Of the prefixes that a text begins with all are prefixes of the longest, so the longest stands for them. Of the
    pieces that it contains it takes one a rule; a character that no rule names keeps them from making up another.
    """
    pieces = [rule for rule, reads in zip(rules, groups, strict=True) if reads == "piece"]
    prefixes = dict.fromkeys(["", *(v for rule in pieces if _part(rule) is Part.START for v in _of(rule))])
    contained = [tuple(dict.fromkeys(("", *_of(rule)))) for rule in pieces if _part(rule) is Part.ANY]
    if len(prefixes) * prod(map(len, contained)) > MOST_CASES:
        return None
    if contained and any(_FINAL_SIGMA in prefix for prefix in prefixes):
        return None
    fresh = _fresh(texts)
    found: list[str] = []
    in_numbers: list[str] = []
    for prefix, *parts in product(prefixes, *contained):
        text = fresh.join([prefix, *filter(None, parts), ""])
        found.append(text)
        if _START_OF_NUMBER.fullmatch(prefix) and all(map(_IN_NUMBER.fullmatch, parts)):
            in_numbers.append(text)
    return _Shapes(tuple(dict.fromkeys(found)), tuple(dict.fromkeys(in_numbers)))


def _numbers(thresholds: Sequence[str], named: Iterable[str]) -> list[str]:
    """Each threshold, and a number between each two and beyond them, spelled as no rule spells them."""
    if not thresholds:
        return []
    longest = max(map(len, (*thresholds, *named)))
    found: list[str] = []
    for number in dict.fromkeys(thresholds):
        found += [number, _further_from_zero(number, longest)]
    tiny = [_NEAREST_TO_ZERO, f"-{_NEAREST_TO_ZERO}"]
    return [_padded(number, longest) for number in (*found, *tiny, "0")]


def _further_from_zero(number: str, digits: int) -> str:
    """A number that is further from zero than `number`, by less than any two thresholds of so many digits differ."""
    mantissa, mark, exponent = number.lower().partition("e")
    return f"{mantissa}{'' if '.' in mantissa else '.'}{'0' * digits}1{mark}{exponent}"


def _padded(number: str, longest: int) -> str:
    sign = number[:1] if number[:1] in ("+", "-") else ""
    return f"{sign}{'0' * (longest + 1)}{number[len(sign) :]}"
