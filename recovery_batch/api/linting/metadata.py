"""Metadata rules: keys that no payment has, and numbers that are none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches
from typing import Final

import polars as pl

from recovery_batch.api.linting.subjects import Subject, described, listed, may_be_listed, value_words
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.privacy import mask_contact
from recovery_batch.reporting.formats import count, percent, plural
from recovery_batch.rules import CONDITIONALS, Rule, metadata_column
from recovery_batch.rules.numbers import keys as number_keys

_SIMILAR: Final = 0.6
_CLOSEST: Final = 3
_FEWEST_PERCENT: Final = 1


def unknown_keys(subject: Subject) -> tuple[str, ...]:
    """The keys that the campaign's rules read and none of its payments has."""
    wanted = dict.fromkeys(rule.metadata_key for rule in subject.campaign.targeting_rules if rule.metadata_key)
    return tuple(key for key in wanted if subject.population.values(metadata_column(key)).is_empty())


def lint_unknown_key(subject: Subject, rule: Rule, known: pl.DataFrame) -> Finding:
    """`metadata_key_unknown` of a rule whose key no payment has; `known` holds the keys that there are, by payments."""
    assert rule.metadata_key is not None
    # a key that holds an e-mail address or a phone number is one of the people's, not one of the export's
    close = {mask_contact(key): payments for key, payments in _closest(rule.metadata_key, dict(known.rows())).items()}
    name = value_words(rule.metadata_key)
    reason = f"{described(rule)}: none of {plural(subject.population.size, 'payment')} has metadata “{name}”"
    if close:
        others = [f"“{value_words(key)}” ({count(payments)})" for key, payments in close.items()]
        reason += f"; the closest keys are {listed(others)}."
    else:
        reason += ", or any key that is close to it."
    effect = "The rule excludes nothing" if _is_negative(rule) else "The rule matches nothing"
    texts = (reason, f"{effect}. Write the key as the payments have it, or check what the export holds.")
    counts = {f"payments with {key}": payments for key, payments in close.items()}
    return subject.remark("metadata_key_unknown", Severity.WARNING, [rule], texts, counts)


def lint_numbers(subject: Subject, rule: Rule) -> Iterator[Finding]:
    """`not_numbers` of a rule that compares metadata as numbers."""
    if rule.metadata_key is None or rule.conditional is None or not CONDITIONALS[rule.conditional].numeric:
        return
    existing = subject.population.values(metadata_column(rule.metadata_key))
    sign, _, _ = number_keys(pl.col("value"))
    bad = existing.filter(sign.is_null())
    present, failing = int(existing["payments"].sum()), int(bad["payments"].sum())
    if failing * 100 < present * _FEWEST_PERCENT or not failing:
        return
    examples = ""
    if may_be_listed(rule):
        shown = [value_words(value, rule.metadata_key) or "an empty text" for value in bad["value"].head(_CLOSEST)]
        examples = f", such as {', '.join(shown)}"
    reason = (
        f"{described(rule)}: {percent(failing, present)} of the {plural(present, 'value')} are no numbers "
        f"({count(failing)}){examples}."
    )
    advice = (
        "A value that is no number never matches: no thousands separators, no currency signs, a point before decimals."
    )
    counts = {"present": present, "not_numbers": failing}
    yield subject.remark("not_numbers", Severity.WARNING, [rule], (reason, advice), counts)


def _closest(wanted: str, known: dict[str, int]) -> dict[str, int]:
    """The closest keys, the best first; case, and what stands between words, make no difference."""
    by_letters: dict[str, list[str]] = {}
    for key in known:
        by_letters.setdefault(_letters(key), []).append(key)
    found = get_close_matches(_letters(wanted), list(by_letters), _CLOSEST, _SIMILAR)
    close = [key for letters in found for key in by_letters[letters]]
    return {key: known[key] for key in close[:_CLOSEST]}


def _letters(key: str) -> str:
    return re.sub(r"[\W_]", "", key).lower()


def _is_negative(rule: Rule) -> bool:
    return rule.conditional is not None and CONDITIONALS[rule.conditional].when_missing
