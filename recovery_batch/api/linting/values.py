"""Values of rules that no payment has, and those that are close to them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from difflib import get_close_matches
from itertools import chain
from typing import Final

import polars as pl

from recovery_batch.api.linting.subjects import Population, Subject, described, listed, may_be_listed, value_words
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.money import AMOUNT, held_exactly, plain
from recovery_batch.reporting.formats import count, plural
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind, Part, Rule, column_read
from recovery_batch.rules.nearness import (
    LONGER,
    NEARNESSES,
    SHORTER,
    near_pairs,
    pairs,
    part_of,
    reads_prefixes,
    words,
)

_SPELLING: Final = "spelling"
_HUNDREDFOLD: Final = "hundredfold"

_SEARCHED: Final = 2000
"""So many of the most frequent values are compared letter by letter."""
_ASKED: Final = 20
"""For so many values of a rule at most."""
_SIMILAR: Final = 0.8
_LONGEST_COMPARED: Final = 100


@dataclass(frozen=True, slots=True)
class Close:
    """A value that finds nothing, and the values close to it with their payments, the most frequent first."""

    wanted: str
    others: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Missed:
    """Values of a rule that no payment has: those that have close ones, by nearness, and those that do not.

    `of_currency` says that they are its currency, which has to be equal whatever the conditional.
    """

    part: Part
    close: dict[str, list[Close]]
    unseen: list[str]
    of_currency: bool = False


def lint_values(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """`near_miss` and `value_never_seen` of one rule, whose values are judged each on its own."""
    population = subject.population
    essence = (rule.rule_type, rule.conditional, rule.values, rule.metadata_key)
    missed = population.once(("missed", *essence), lambda: _missed(population, rule))
    verb = "match" if missed.of_currency else _verb(rule)
    for nearness, close in missed.close.items():
        yield _near_miss(subject, rule, missed.part, nearness, close, verb)
    if missed.unseen and verb == "match":  # whoever leaves out what is not there yet is careful
        yield _never_seen(subject, rule, missed.unseen, verb)


def _missed(population: Population, rule: Rule) -> Missed:
    assert rule.values is not None
    values, currency = rule.values, None
    kind = RULE_TYPES[rule.rule_type].kind
    if kind is Kind.AMOUNT_AND_CURRENCY:
        values, currency = values[:-1], values[-1]
        missed = _missed_texts(population.values("currency_code"), [currency], Part.WHOLE, prefixes=False)
        if missed.close or missed.unseen:  # then no amount is in that currency
            return replace(missed, of_currency=True)
    part, column = part_of(rule), column_read(rule)
    if part is not None and column is not None:
        existing, prefixes = population.values(column), reads_prefixes(rule)
        return _missed_texts(existing, values, part, prefixes=prefixes, guess=may_be_listed(rule))
    if rule.conditional is None or CONDITIONALS[rule.conditional].numeric:  # bounds are not looked for among values
        return Missed(Part.WHOLE, {}, [])
    return _missed_amounts(population.amounts(currency), values)


def _missed_texts(
    existing: pl.DataFrame, values: Sequence[str], part: Part, *, prefixes: bool, guess: bool = True
) -> Missed:
    exact = pairs(values, existing, part)
    hit = set(exact["wanted"])
    missing = [value for value in dict.fromkeys(values) if value not in hit]
    # what another value of the rule finds already is not missed: "stripe" beside "STRIPE" is caution
    others = existing.join(exact, on="value", how="anti")
    near = near_pairs(missing, others, part, prefixes=prefixes) if missing else {}
    close = {name: _grouped(found) for name, found in near.items()}
    found = {each.wanted for group in close.values() for each in group}
    left = [value for value in missing if value not in found]
    if guess and (guessed := _guessed(left, others)):
        close[_SPELLING] = guessed
        found = {each.wanted for each in guessed}
        left = [value for value in left if value not in found]
    return Missed(part, close, left)


def _grouped(found: pl.DataFrame) -> list[Close]:
    groups = found.group_by("wanted", maintain_order=True).agg("value", "payments")
    return [Close(wanted, dict(zip(values, payments, strict=True))) for wanted, values, payments in groups.rows()]


def _guessed(missing: Sequence[str], existing: pl.DataFrame) -> list[Close]:
    """The closest existing values by their letters. Digits are codes: one that looks alike means something else."""
    asked = [each for each in missing if not each.isdigit() and len(each) <= _LONGEST_COMPARED][:_ASKED]
    if not asked:
        return []
    known: dict[str, tuple[str, int]] = {}
    for value, payments in existing.head(_SEARCHED).rows():
        if len(value) <= _LONGEST_COMPARED and not value.isdigit():
            known.setdefault(value.lower(), (value, payments))
    found = []
    for each in asked:
        for match in get_close_matches(each.lower(), list(known), 1, _SIMILAR):
            value, payments = known[match]
            found.append(Close(each, {value: payments}))
    return found


def _missed_amounts(existing: pl.DataFrame, values: Sequence[str]) -> Missed:
    """Amounts that no payment has; a hundredth or a hundredfold that exists tells cents from units."""
    wanted = {value: held_exactly(Decimal(value)) for value in dict.fromkeys(values)}
    # an amount that a column can hold has few enough digits for this to be exact
    near = {
        value: [] if amount is None else [held_exactly(amount * factor) for factor in (Decimal(100), Decimal("0.01"))]
        for value, amount in wanted.items()
    }
    asked = {each for each in chain(wanted.values(), *near.values()) if each is not None}
    there = dict(existing.filter(pl.col("value").is_in(pl.Series(list(asked), dtype=AMOUNT).implode())).rows())
    close, unseen = [], []
    for value, amount in wanted.items():
        if amount in there:
            continue
        others = [each for each in near[value] if each is not None and each in there and each not in wanted.values()]
        if others:
            close.append(Close(value, {plain(each): there[each] for each in others}))
        else:
            unseen.append(value)
    return Missed(Part.WHOLE, {_HUNDREDFOLD: close} if close else {}, unseen)


def _near_miss(subject: Subject, rule: Rule, part: Part, nearness: str, close: Sequence[Close], verb: str) -> Finding:
    key = rule.metadata_key
    payments = dict(chain.from_iterable(each.others.items() for each in close))  # two may be close to the same one
    reach = sum(payments.values())
    if nearness == LONGER:
        would = "as the beginning of a value it would match" if verb == "exclude" else "STARTS_WITH would match"
    elif may_be_listed(rule):
        others = dict.fromkeys(value_words(value, key) for value in payments)
        would = f"{listed(list(others))} would {verb}"
    else:
        would = f"what is close would {verb}"
    texts = (
        f"{_hits_nothing(subject, rule, [each.wanted for each in close], verb)}, {would} {count(reach)}. "
        f"{_difference(rule, part, nearness, close[0])}.",
        _advice(nearness, verb),
    )
    counts = {"values": len(close), "matched": 0, "would_match": reach}
    return subject.remark("near_miss", Severity.WARNING, [rule], texts, counts)


def _never_seen(subject: Subject, rule: Rule, values: Sequence[str], verb: str) -> Finding:
    them = "it" if len(values) == 1 else "them"
    texts = (
        f"{_hits_nothing(subject, rule, values, verb)}, and no value that the rule does not have is close to {them}.",
        "Check the value, or leave it in if such payments are still to come.",
    )
    return subject.remark("value_never_seen", Severity.INFO, [rule], texts, {"values": len(values), "matched": 0})


def _hits_nothing(subject: Subject, rule: Rule, values: Sequence[str], verb: str) -> str:
    named = listed([value_words(value, rule.metadata_key) for value in values])
    does = verb + ("es" if verb == "match" else "s") * (len(values) == 1)
    return f"{described(rule)}: {named} {does} 0 of {plural(subject.population.size, 'payment')}"


def _verb(rule: Rule) -> str:
    assert rule.conditional is not None
    return "exclude" if CONDITIONALS[rule.conditional].when_missing else "match"


def _difference(rule: Rule, part: Part, nearness: str, close: Close) -> str:
    if nearness == _HUNDREDFOLD:
        return f"{next(iter(close.others))} and {close.wanted} are a hundredfold apart, as units and cents are"
    if nearness == _SPELLING:
        return "It is the closest in spelling" if len(close.others) == 1 else "They are the closest in spelling"
    if not may_be_listed(rule):
        difference = {LONGER: "length", SHORTER: "length"}.get(nearness) or NEARNESSES[nearness].difference
        return f"They differ in {difference}"
    key = rule.metadata_key
    return words(nearness, part, value_words(close.wanted, key), value_words(next(iter(close.others)), key))


def _advice(nearness: str, verb: str) -> str:
    if nearness == _HUNDREDFOLD:
        return "Write amounts in units of the currency, as the payments have them."
    if nearness == LONGER and verb == "match":
        return "Use STARTS_WITH, or write the values in full."
    if nearness in (LONGER, SHORTER):
        return "Write the values as long as the payments have them."
    return "Write the value exactly as the payments have it: text is compared character by character."
