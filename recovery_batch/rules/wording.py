"""Rules in plain English, from the phrases of the catalogue."""

from __future__ import annotations

from collections.abc import Sequence

from recovery_batch.rules.catalogue import CONDITIONALS, RULE_TYPES, Kind
from recovery_batch.rules.model import Rule


def sentence(rule: Rule) -> str:
    """One rule as a person would say it: `amount is above 500 USD`, `response code is none of 14, 43, 59`."""
    rule_type = RULE_TYPES[rule.rule_type]
    values = rule.values or ()
    if rule_type.kind is Kind.RATE_LIMIT:
        if rule_type.daily_limit:
            return f"at most {values[0]} a day for each user, from all campaigns"
        return "at most one for each user, ever, from this campaign"
    assert rule.conditional is not None
    noun = rule_type.noun.format(key=f"“{rule.metadata_key}”")
    currency = ""
    if rule_type.kind is Kind.AMOUNT_AND_CURRENCY:
        values, currency = values[:-1], f" {_shown(values[-1])}"
    conditional = CONDITIONALS[rule.conditional]
    if currency and conditional.when_missing:
        currency = f" and currency is{currency}"  # "is not 500 USD" would hold for 500 EUR, the rule does not
    joined = (" and " if conditional.ordered else ", ").join(map(_shown, values))
    return f"{noun} {conditional.phrase.format(values=joined + currency)}"


def summary(country: str, rules: Sequence[Rule]) -> str:
    """What active rules target, as one sentence.

    Such as `payments in MX whose payment method is CARD and whose amount is above 500 MXN; at most 2 a day for
    each user, from all campaigns`.
    """
    active = [rule for rule in rules if rule.is_active]
    looking = [sentence(rule) for rule in active if not rule.is_rate_limit]
    limits = [sentence(rule) for rule in active if rule.is_rate_limit]
    if not active:
        return "nobody: it has no active rule"
    told = f"payments in {country}"
    if looking:
        first = ", whose ".join(looking[:-1])
        told += f" whose {first} and whose {looking[-1]}" if first else f" whose {looking[0]}"
    return "; ".join([told, *limits])


def _shown(value: str) -> str:
    # blanks at the ends, and a comma inside, would not be seen in a list
    return f"“{value}”" if value != value.strip() or "," in value else value
