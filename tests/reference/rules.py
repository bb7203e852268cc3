"""The rules of campaigns once more, slowly and plainly: what the fast code is held against.

Written from the description of the rules alone. It reads neither the catalogue nor anything else that the package makes
of a rule, only the fields of a rule and of a campaign, and it looks at one payment at a time.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from recovery_batch.campaigns.models import Campaign
from recovery_batch.rules import Rule

Payment = Mapping[str, Any]
"""One row of a payments frame."""

EQUALITIES = ("EQUAL", "NOT_EQUAL", "ONE_OF", "NOT_ONE_OF", "IN")
COMPARISONS = ("GREATER_THAN", "GREATER_THAN_OR_EQUAL", "LESS_THAN", "LESS_THAN_OR_EQUAL", "BETWEEN")

ALLOWED: dict[str, tuple[str, ...]] = {
    "AMOUNT": (*EQUALITIES, *COMPARISONS),
    "CURRENCY": EQUALITIES,
    "AMOUNT_AND_CURRENCY": (*EQUALITIES, *COMPARISONS),
    "PAYMENT_STATUS": EQUALITIES,
    "PAYMENT_METHOD": EQUALITIES,
    "PROVIDER": EQUALITIES,
    "CARD_BIN": (*EQUALITIES, "STARTS_WITH"),
    "CATEGORY": EQUALITIES,
    "RESPONSE_CODE": EQUALITIES,
    "ISO_RESPONSE_CODE": EQUALITIES,
    "METADATA": (*EQUALITIES, *COMPARISONS, "CONTAINS", "STARTS_WITH"),
    "USER_COMMS_PER_DAY": (),
    "UNIQUE_BY_USER": (),
}
"""The conditionals of each rule type."""

ARITY: dict[str, tuple[int, int | None]] = {
    "EQUAL": (1, 1),
    "NOT_EQUAL": (1, 1),
    "ONE_OF": (1, None),
    "NOT_ONE_OF": (1, None),
    "IN": (1, None),
    "GREATER_THAN": (1, 1),
    "GREATER_THAN_OR_EQUAL": (1, 1),
    "LESS_THAN": (1, 1),
    "LESS_THAN_OR_EQUAL": (1, 1),
    "BETWEEN": (2, 2),
    "CONTAINS": (1, None),
    "STARTS_WITH": (1, None),
}
"""Fewest and most values of each conditional; AMOUNT_AND_CURRENCY has one more."""

COLUMNS = {
    "AMOUNT": "amount_value",
    "CURRENCY": "currency_code",
    "AMOUNT_AND_CURRENCY": "amount_value",
    "PAYMENT_STATUS": "status",
    "PAYMENT_METHOD": "payment_method",
    "PROVIDER": "provider",
    "CARD_BIN": "card_bin",
    "CATEGORY": "category",
    "RESPONSE_CODE": "response_code",
    "ISO_RESPONSE_CODE": "iso_response_code",
}
"""The column that each rule type reads, but METADATA, which reads that of its key."""

TARGETING = (*COLUMNS, "METADATA")
"""The rule types that look at a payment."""

_NUMBER = re.compile(r"([+-]?)(\d+(?:\.\d*)?|\.\d+)(?:[eE]([+-]?\d+))?", re.ASCII)
_FAR = 20_000


@dataclass(frozen=True)
class Number:
    """`mantissa` × 10 ^ `exponent`, both whole and of any size."""

    mantissa: int
    exponent: int


def number_of(text: str) -> Number | None:
    """The number that a text spells; None when it spells none."""
    match = _NUMBER.fullmatch(text)
    if match is None:
        return None
    sign, digits, exponent = match.groups()
    whole, _, fraction = digits.partition(".")
    mantissa = int(whole + fraction)
    return Number(-mantissa if sign == "-" else mantissa, int(exponent or "0") - len(fraction))


def compare(one: Number, other: Number) -> int:
    """-1, 0 or 1, as the first number is below, equal to or above the second."""
    a, b = one.mantissa, other.mantissa
    shift = one.exponent - other.exponent
    if _sign(a) != _sign(b) or not a:
        return _sign(_sign(a) - _sign(b))
    if abs(shift) > _FAR:
        # further apart than any mantissa here has digits: nothing but the power of ten counts
        assert max(len(str(abs(a))), len(str(abs(b)))) < _FAR
        return _sign(a) * _sign(shift)
    return _sign(a * 10 ** max(shift, 0) - b * 10 ** max(-shift, 0))


def _sign(number: int) -> int:
    return (number > 0) - (number < 0)


def holds(rule: Rule, payment: Payment) -> bool:
    """Whether a rule that looks at a payment is true for one."""
    assert rule.conditional is not None
    assert rule.values is not None
    if rule.rule_type == "METADATA":
        assert rule.metadata_key is not None
        return _text_holds(rule.conditional, rule.values, payment["metadata." + rule.metadata_key])
    value = payment[COLUMNS[rule.rule_type]]
    if rule.rule_type == "AMOUNT":
        return _amount_holds(rule.conditional, rule.values, str(value))
    if rule.rule_type == "AMOUNT_AND_CURRENCY":
        *amounts, currency = rule.values
        return payment["currency_code"] == currency and _amount_holds(rule.conditional, amounts, str(value))
    return _text_holds(rule.conditional, rule.values, value)


def _amount_holds(conditional: str, values: Sequence[str], amount: str) -> bool:
    if conditional in COMPARISONS:
        return _compares(conditional, values, amount)
    equal = any(_compares("BETWEEN", (value, value), amount) for value in values)
    return equal != conditional.startswith("NOT_")


def _text_holds(conditional: str, values: Sequence[str], value: str | None) -> bool:
    if value is None:
        return conditional in ("NOT_EQUAL", "NOT_ONE_OF")
    if conditional in ("EQUAL", "ONE_OF", "IN"):
        return value in values
    if conditional in ("NOT_EQUAL", "NOT_ONE_OF"):
        return value not in values
    if conditional == "CONTAINS":
        return any(wanted.lower() in value.lower() for wanted in values)
    if conditional == "STARTS_WITH":
        return any(value[: len(wanted)] == wanted for wanted in values)
    return _compares(conditional, values, value)


def _compares(conditional: str, values: Sequence[str], text: str) -> bool:
    number = number_of(text)
    if number is None:
        return False
    orders = []
    for value in values:
        threshold = number_of(value)
        assert threshold is not None
        orders.append(compare(number, threshold))
    if conditional == "BETWEEN":
        return orders[0] >= 0 and orders[1] <= 0
    return {
        "GREATER_THAN": orders[0] > 0,
        "GREATER_THAN_OR_EQUAL": orders[0] >= 0,
        "LESS_THAN": orders[0] < 0,
        "LESS_THAN_OR_EQUAL": orders[0] <= 0,
    }[conditional]


def conditions(campaign: Campaign, payment: Payment, successful: Sequence[str]) -> list[bool]:
    """What a payment must be for a campaign, one answer a condition.

    Of the organization and in the country, created in the period, not paid; then that there is an active rule, said
    only where there is none, or every active rule that looks at a payment.
    """
    active = [rule for rule in campaign.rules if rule.status == "ACTIVE"]
    same_place = (payment["organization_code"], payment["country"]) == (campaign.organization_code, campaign.country)
    in_time = campaign.duration.start_at <= payment["created_at"] < campaign.duration.end_at
    rules = [holds(rule, payment) for rule in active if rule.rule_type in TARGETING]
    return [same_place, in_time, payment["status"] not in successful, *(rules if active else [False])]


def matches(campaign: Campaign, payment: Payment, successful: Sequence[str]) -> bool:
    """Whether a campaign targets a payment."""
    return all(conditions(campaign, payment, successful))


def funnel(campaign: Campaign, payments: Sequence[Payment], successful: Sequence[str]) -> list[tuple[int, int]]:
    """For each condition: the payments left after it, and those of the organization and country for which it holds."""
    answers = [conditions(campaign, payment, successful) for payment in payments]
    considered = [answer for answer in answers if answer[0]]
    active = [rule for rule in campaign.rules if rule.status == "ACTIVE"]
    steps = 3 + sum(rule.rule_type in TARGETING for rule in active) + (not active)
    return [
        (sum(all(answer[: step + 1]) for answer in considered), sum(answer[step] for answer in considered))
        for step in range(steps)
    ]
