"""A rule as campaign files, the operations and the store hold it, validated against the catalogue."""

from __future__ import annotations

import json
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StrictStr, ValidationInfo, field_validator

from recovery_batch.money import is_number
from recovery_batch.rules.catalogue import (
    CONDITIONALS,
    RULE_TYPES,
    Conditional,
    Kind,
    RuleType,
    allowed_conditionals,
)
from recovery_batch.rules.fields import ACTIVE, STAMPS, Instant, Text, Uuid, absent_is_active, one_of, refuse
from recovery_batch.rules.numbers import key_of

RULE_STATUSES = (ACTIVE, "INACTIVE")


class Rule(BaseModel):
    """One rule of a campaign.

    Attributes:
        id: UUID; given by the store where a file has none.
        campaign_id: UUID of the campaign.
        rule_type: One of the catalogue's rule types.
        conditional: One of the conditionals that the rule type allows; None for a rate limit.
        values: What to compare with, as texts; None for UNIQUE_BY_USER.
        metadata_key: The key that a METADATA rule reads; None for every other.
        status: ACTIVE, or INACTIVE for a rule that is kept and not used.
        created_at: In UTC.
        updated_at: In UTC.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Uuid | None = None
    campaign_id: Uuid | None = None
    rule_type: StrictStr
    conditional: Annotated[StrictStr | None, Field(validate_default=True)] = None
    values: Annotated[tuple[Text, ...] | None, Field(validate_default=True)] = None
    metadata_key: Annotated[Text | None, Field(validate_default=True)] = None
    status: Annotated[StrictStr, BeforeValidator(absent_is_active)] = ACTIVE
    created_at: Instant | None = None
    updated_at: Instant | None = None

    @property
    def is_active(self) -> bool:
        """Whether the rule counts."""
        return self.status == ACTIVE

    @property
    def is_rate_limit(self) -> bool:
        """Whether the rule looks at a user's communications and not at a payment."""
        return RULE_TYPES[self.rule_type].kind is Kind.RATE_LIMIT

    @field_validator("rule_type")
    @classmethod
    def _known_type(cls, value: str) -> str:
        return one_of(value, tuple(RULE_TYPES), "rule_type")

    @field_validator("status")
    @classmethod
    def _known_status(cls, value: str) -> str:
        return one_of(value, RULE_STATUSES, "status")

    @field_validator("conditional")
    @classmethod
    def _allowed_conditional(cls, value: str | None, info: ValidationInfo) -> str | None:
        rule_type = RULE_TYPES.get(info.data.get("rule_type", ""))
        if rule_type is None:
            return None if value is None else one_of(value, tuple(CONDITIONALS), "conditional")
        names = allowed_conditionals(rule_type)
        if not names:
            if value is not None:
                refuse(f"{rule_type.name} takes no conditional", "no conditional")
            return None
        if value is None:
            refuse(f"{rule_type.name} needs a conditional", ", ".join(names))
        if value not in CONDITIONALS:
            refuse("unknown conditional", ", ".join(names))
        if value not in names:
            refuse(f"conditional {value} is not allowed for {rule_type.name}", ", ".join(names))
        return value

    @field_validator("values")
    @classmethod
    def _fitting_values(cls, values: tuple[str, ...] | None, info: ValidationInfo) -> tuple[str, ...] | None:
        rule_type = RULE_TYPES.get(info.data.get("rule_type", ""))
        if rule_type is None:
            return values
        if rule_type.kind is Kind.RATE_LIMIT:
            return _check_limit(rule_type, values)
        conditional = CONDITIONALS.get(info.data.get("conditional") or "")
        return values if conditional is None else _check_values(rule_type, conditional, values or ())

    @field_validator("metadata_key")
    @classmethod
    def _fitting_key(cls, value: str | None, info: ValidationInfo) -> str | None:
        rule_type = RULE_TYPES.get(info.data.get("rule_type", ""))
        if rule_type is not None and rule_type.kind is Kind.METADATA and not value:
            refuse("METADATA needs a metadata_key", "the name of a metadata field, not empty")
        if rule_type is not None and rule_type.kind is not Kind.METADATA and value is not None:
            refuse(f"{rule_type.name} takes no metadata_key", "null, or leave it out")
        return value

    def undated(self) -> dict[str, Any]:
        """The rule without the times at which it was stored."""
        return self.model_dump(mode="json", exclude=STAMPS)

    def as_json(self) -> dict[str, Any]:
        """The rule in the API's shape."""
        return self.model_dump(mode="json")


def _check_limit(rule_type: RuleType, values: tuple[str, ...] | None) -> tuple[str, ...] | None:
    if not rule_type.daily_limit:
        if values:
            refuse(f"{rule_type.name} takes no values", "no values")
        return None
    allowed = "one whole number from 1 to 999999999, as a text of digits"
    if not values or len(values) != 1:
        refuse(f"{rule_type.name} takes 1 value, not {len(values or ())}", allowed)
    digits = values[0]
    if not (digits.isascii() and digits.isdigit() and digits.strip("0")) or len(digits.lstrip("0")) > 9:
        refuse(f"{rule_type.name} needs a whole number", allowed)
    return values


def _check_values(rule_type: RuleType, conditional: Conditional, values: tuple[str, ...]) -> tuple[str, ...]:
    fewest, most = conditional.arity(rule_type.kind)
    expected = f"{fewest} or more values" if most is None else f"{fewest} value{'s' * (fewest > 1)}"
    with_currency = rule_type.kind is Kind.AMOUNT_AND_CURRENCY
    if with_currency:
        expected += ", the last one the currency"
    if len(values) < fewest or (most is not None and len(values) > most):
        refuse(f"{conditional.name} on {rule_type.name} takes {expected}, not {len(values)}", expected)
    if "" in values:
        refuse("an empty value", "texts that are not empty")
    if not (conditional.numeric or rule_type.kind in (Kind.AMOUNT, Kind.AMOUNT_AND_CURRENCY)):
        return values
    compared = values[:-1] if with_currency else values
    _check_numbers(compared)
    if conditional.ordered and _is_above(compared[0], compared[1]):
        refuse(f"the first value of {conditional.name} is above the second", "min, then max, min not above max")
    return values


def _check_numbers(values: tuple[str, ...]) -> None:
    bad = [value for value in values if not is_number(value)]
    if bad:
        shown = ", ".join(json.dumps(value[:40], ensure_ascii=False) for value in bad[:5])
        refuse(f"not a number: {shown}", "numbers such as 50000, 0.5 or 1e3, as texts")
    for value in values:
        try:
            key_of(value)
        except ValueError as error:
            refuse(str(error)[:100], "numbers whose exponent has at most 15 digits")


def _is_above(low: str, high: str) -> bool:
    a, b = key_of(low), key_of(high)
    if a.sign != b.sign:
        return a.sign > b.sign
    return (a.power, a.digits) > (b.power, b.digits) if a.sign >= 0 else (a.power, a.digits) < (b.power, b.digits)
