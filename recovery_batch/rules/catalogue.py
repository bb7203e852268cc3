"""The one table of conditionals and the one table of rule types (SPEC 2.2 and 2.3; facts from seed 003).

Everything that needs to know about a conditional or a rule type reads it here: validation (`rules.model`), compilation
(`rules.compiling`), sentences (`rules.wording`), the reference page and the tests. A new conditional is one entry.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from types import MappingProxyType
from typing import Final

import polars as pl

from recovery_batch.rules.operands import Operand


class Kind(Enum):
    """What a rule type compares."""

    AMOUNT = "an exact amount"
    AMOUNT_AND_CURRENCY = "an exact amount in one currency"
    TEXT = "text"
    BIN = "text that is a prefix of a card number"
    METADATA = "text, or a number in text"
    RATE_LIMIT = "communications of a user"


class Part(Enum):
    """Which part of a text the values of a conditional are held against."""

    WHOLE = "the whole text"
    START = "its beginning"
    ANY = "any piece of it"


@dataclass(frozen=True, slots=True)
class RuleExample:
    """A rule of a type in use.

    Attributes:
        conditional: Its conditional; None for a rate limit.
        values: Its values.
        true: A value for which it is true; for a rate limit, a communication that it lets through.
        false: One for which it is false.
        missing: What it answers where there is no value.
        metadata_key: The key that it reads, for METADATA.
    """

    conditional: str | None
    values: tuple[str, ...]
    true: str
    false: str
    missing: str
    metadata_key: str | None = None


@dataclass(frozen=True, slots=True)
class RuleType:
    """One rule type.

    Attributes:
        name: As campaign files spell it.
        kind: What it compares; decides which conditionals are allowed.
        column: The column of the payments frame that it reads; None for METADATA, whose column depends on its key,
            and for the rate limits, which read what was sent before.
        noun: How it reads in a sentence; `{key}` stands for the metadata key.
        source: Where the value comes from, in words of the export.
        example: A rule of this type, with what it is true and false for.
        daily_limit: For a rate limit: whether it takes a whole number of communications a day.
    """

    name: str
    kind: Kind
    column: str | None
    noun: str
    source: str
    example: RuleExample
    daily_limit: bool = False


@dataclass(frozen=True, slots=True)
class Example:
    """A rule of this conditional in use: its values, a text for which it is true, and one for which it is false."""

    values: tuple[str, ...]
    true: str
    false: str


@dataclass(frozen=True, slots=True)
class Conditional:
    """One conditional.

    Attributes:
        name: As campaign files spell it.
        kinds: The kinds of rule type that it is allowed for.
        fewest: The smallest number of values.
        most: The greatest number of values; None where there is no limit.
        numeric: Whether it compares numbers on text, so that its values must be numbers.
        ordered: Whether the first value must not be above the second.
        part: Which part of a text its values are held against.
        when_missing: What it answers for a missing value.
        test: The expression over an operand; null where the value is missing.
        phrase: How it reads in a sentence; `{values}` stands for the values.
        example: Values with one true and one false text, as a METADATA or CARD_BIN rule.
    """

    name: str
    kinds: frozenset[Kind]
    fewest: int
    most: int | None
    numeric: bool
    ordered: bool
    part: Part
    when_missing: bool
    test: Callable[[Operand, Sequence[str]], pl.Expr]
    phrase: str
    example: Example

    def arity(self, kind: Kind) -> tuple[int, int | None]:
        """Fewest and most values of a rule: AMOUNT_AND_CURRENCY has the currency as one more, always the last."""
        more = kind is Kind.AMOUNT_AND_CURRENCY
        return self.fewest + more, None if self.most is None else self.most + more


def _types(*entries: RuleType) -> Mapping[str, RuleType]:
    return MappingProxyType({entry.name: entry for entry in entries})


def _conditionals(*entries: Conditional) -> Mapping[str, Conditional]:
    return MappingProxyType({entry.name: entry for entry in entries})


_DECISIVE: Final = "the decisive transaction's "
_TRUE: Final = "true"
_FALSE: Final = "false"
_NO_USER: Final = "without a user_id it is left out"

_NEVER_MISSING: Final = "a payment without it is not loaded"

RULE_TYPES: Final = _types(
    RuleType(
        "AMOUNT",
        Kind.AMOUNT,
        "amount_value",
        "amount",
        "payment.amount_value",
        RuleExample("GREATER_THAN", ("500",), "500.01", "500.00", _NEVER_MISSING),
    ),
    RuleType(
        "CURRENCY",
        Kind.TEXT,
        "currency_code",
        "currency",
        "payment.currency_code",
        RuleExample("EQUAL", ("MXN",), "MXN", "USD", _NEVER_MISSING),
    ),
    RuleType(
        "AMOUNT_AND_CURRENCY",
        Kind.AMOUNT_AND_CURRENCY,
        "amount_value",
        "amount",
        "payment.amount_value and payment.currency_code",
        RuleExample("GREATER_THAN", ("500", "MXN"), "500.01 MXN", "500.01 USD", _NEVER_MISSING),
    ),
    RuleType(
        "PAYMENT_STATUS",
        Kind.TEXT,
        "status",
        "payment status",
        "payment.status",
        RuleExample("EQUAL", ("DECLINED",), "DECLINED", "declined", _NEVER_MISSING),
    ),
    RuleType(
        "PAYMENT_METHOD",
        Kind.TEXT,
        "payment_method",
        "payment method",
        _DECISIVE + "payment_method_type",
        RuleExample("ONE_OF", ("CARD", "PSE"), "PSE", "NEQUI", _FALSE),
    ),
    RuleType(
        "PROVIDER",
        Kind.TEXT,
        "provider",
        "provider",
        _DECISIVE + "provider",
        RuleExample("NOT_EQUAL", ("STRIPE",), "ADYEN", "STRIPE", _TRUE),
    ),
    RuleType(
        "CARD_BIN",
        Kind.BIN,
        "card_bin",
        "card BIN",
        _DECISIVE + "card.card_iin",
        RuleExample("STARTS_WITH", ("411111",), "41111122", "51111122", _FALSE),
    ),
    RuleType(
        "CATEGORY",
        Kind.TEXT,
        "category",
        "category",
        _DECISIVE + "category",
        RuleExample("IN", ("CARD", "WALLET"), "CARD", "Card", _FALSE),
    ),
    RuleType(
        "RESPONSE_CODE",
        Kind.TEXT,
        "response_code",
        "response code",
        "the first response code present",
        RuleExample("EQUAL", ("05",), "05", "5", _FALSE),
    ),
    RuleType(
        "ISO_RESPONSE_CODE",
        Kind.TEXT,
        "iso_response_code",
        "ISO 8583 response code",
        "the first ISO 8583 response code present",
        RuleExample("NOT_ONE_OF", ("14", "43", "59"), "51", "43", _TRUE),
    ),
    RuleType(
        "METADATA",
        Kind.METADATA,
        None,
        "metadata {key}",
        "the payment's metadata",
        RuleExample("CONTAINS", ("gold",), "Golden", "silver", _FALSE, "customer_tier"),
    ),
    RuleType(
        "USER_COMMS_PER_DAY",
        Kind.RATE_LIMIT,
        None,
        "communications of the user on that day",
        "what was sent before",
        RuleExample(None, ("2",), "the user's second of the day", "the user's third of the day", _NO_USER),
        daily_limit=True,
    ),
    RuleType(
        "UNIQUE_BY_USER",
        Kind.RATE_LIMIT,
        None,
        "earlier communications of this campaign",
        "what was sent before",
        RuleExample(None, (), "the campaign's first to the user", "its second to the user", _NO_USER),
    ),
)
"""The 13 rule types by name."""

_VALUED: Final = frozenset(Kind) - {Kind.RATE_LIMIT}
_NUMERIC: Final = frozenset({Kind.AMOUNT, Kind.AMOUNT_AND_CURRENCY, Kind.METADATA})


def _equality(name: str, most: int | None, *, negated: bool, phrase: str, example: Example) -> Conditional:
    def test(operand: Operand, values: Sequence[str]) -> pl.Expr:
        equal = operand.equals_one_of(values)
        return ~equal if negated else equal

    return Conditional(name, _VALUED, 1, most, False, False, Part.WHOLE, negated, test, phrase, example)


def _comparison(
    name: str,
    test: Callable[[Operand, Sequence[str]], pl.Expr],
    phrase: str,
    example: Example,
    count: int = 1,
) -> Conditional:
    return Conditional(name, _NUMERIC, count, count, True, count > 1, Part.WHOLE, False, test, phrase, example)


CONDITIONALS: Final = _conditionals(
    _equality("EQUAL", 1, negated=False, phrase="is {values}", example=Example(("gold",), "gold", "Gold")),
    _equality("NOT_EQUAL", 1, negated=True, phrase="is not {values}", example=Example(("gold",), "silver", "gold")),
    _equality("ONE_OF", None, negated=False, phrase="is one of {values}", example=Example(("05", "51"), "51", "5")),
    _equality(
        "NOT_ONE_OF",
        None,
        negated=True,
        phrase="is none of {values}",
        example=Example(("14", "43"), "51", "43"),
    ),
    _equality("IN", None, negated=False, phrase="is one of {values}", example=Example(("05", "51"), "05", "14")),
    _comparison(
        "GREATER_THAN",
        lambda x, v: x.exceeds(v[0]),
        "is above {values}",
        Example(("100",), "100.01", "100.00"),
    ),
    _comparison(
        "GREATER_THAN_OR_EQUAL",
        lambda x, v: x.reaches(v[0]),
        "is {values} or more",
        Example(("100",), "1e2", "99.99"),
    ),
    _comparison("LESS_THAN", lambda x, v: ~x.reaches(v[0]), "is below {values}", Example(("100",), "99.99", "100")),
    _comparison(
        "LESS_THAN_OR_EQUAL",
        lambda x, v: ~x.exceeds(v[0]),
        "is {values} or less",
        Example(("100",), "100.00", "100.01"),
    ),
    _comparison(
        "BETWEEN",
        lambda x, v: x.reaches(v[0]) & ~x.exceeds(v[1]),
        "is between {values}",
        Example(("10", "20"), "20.0", "20.01"),
        count=2,
    ),
    Conditional(
        name="CONTAINS",
        kinds=frozenset({Kind.METADATA}),
        fewest=1,
        most=None,
        numeric=False,
        ordered=False,
        part=Part.ANY,
        when_missing=False,
        test=lambda x, v: x.contains_one_of(v),
        phrase="contains {values} (case ignored)",
        example=Example(("gold",), "Golden", "silver"),
    ),
    Conditional(
        name="STARTS_WITH",
        kinds=frozenset({Kind.BIN, Kind.METADATA}),
        fewest=1,
        most=None,
        numeric=False,
        ordered=False,
        part=Part.START,
        when_missing=False,
        test=lambda x, v: x.starts_with_one_of(v),
        phrase="starts with {values}",
        example=Example(("4111", "5523"), "41111122", "5111"),
    ),
)
"""The 12 conditionals by name."""


def allowed_conditionals(rule_type: RuleType) -> tuple[str, ...]:
    """The names of the conditionals that a rule type may have, in the order of the table."""
    return tuple(entry.name for entry in CONDITIONALS.values() if rule_type.kind in entry.kinds)
