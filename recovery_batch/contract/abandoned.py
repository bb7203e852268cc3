"""The request body of abandoned flows: `POST /smart-support/external/payments` (facts from seeds 000 and 001).

One body a flow. As in `declined`, a field that may be null is optional and amounts keep the digits of their source; the
marks here say what goes out of a text that an export spells in another way, or not at all.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

from recovery_batch.contract.declined import Amount, Country, Currency, Object, Text, TimeText

_BETWEEN: Final = re.compile(r"[\s.()\[\]\-\u2010-\u2015\u2212\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]+")
"""Blanks, dots, brackets and dashes of every kind, and the invisible marks that come along when a number is copied."""


@dataclass(frozen=True, slots=True)
class Cleaned:
    """Marks a text that goes out as `clean` makes it; its pattern is of what goes out."""

    clean: Callable[[str], str]


@dataclass(frozen=True, slots=True)
class LeftOut:
    """Marks an optional text that does not go out where its pattern refuses it; the rest of the record does."""


def clean_phone(text: str) -> str:
    """A phone number without what people put between its digits: blanks, dashes, dots, brackets."""
    return _BETWEEN.sub("", text)


FlowStage = Literal["product_selection", "cart_review", "checkout", "payment"]
Platform = Literal["web", "ios", "android"]
Channel = Literal["call", "whatsapp", "auto"]
DEFAULT_CHANNEL: Final = "auto"

# Patterns end in `$` alone: for pydantic and JSON Schema that is the end of the text.
Phone = Annotated[str, StringConstraints(min_length=1, pattern=r"^\+[1-9][0-9]{1,14}$"), Cleaned(clean_phone)]
Email = Annotated[
    str,
    StringConstraints(pattern=r'^[^@\s<>()\[\],;:"\\]+@[^@\s<>()\[\],;:"\\.]+(\.[^@\s<>()\[\],;:"\\.]+)+$'),
    LeftOut(),
]
UtcTime = Annotated[
    str,
    StringConstraints(min_length=1, pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,6})?Z$"),
    TimeText(),
]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Customer(_Body):
    """`customer`: who left."""

    full_name: Text
    phone_number: Phone
    email: Email | None = None
    country_code: Country
    language: str | None = None


class Session(_Body):
    """`session`: when the flow was left, where in it, and on what; its time goes out as RFC 3339 in UTC."""

    abandonment_timestamp: UtcTime
    flow_stage: FlowStage
    platform: Platform
    session_id: str | None = None


class CartItem(_Body):
    """One element of `cart.items`."""

    name: str | None = None
    sku: str | None = None
    quantity: int | None = None
    price: Amount | None = None


class Cart(_Body):
    """`cart`: what would have been bought."""

    total_value: Amount | None = None
    currency: Currency | None = None
    items: list[CartItem] | None = None


class Engagement(_Body):
    """`engagement`: how the customer is to be reached, and why."""

    preferred_channel: Channel = DEFAULT_CHANNEL
    reason: str | None = None
    metadata: Object | None = None


class AbandonedFlow(_Body):
    """One request: one flow that a customer left."""

    customer: Customer
    session: Session
    cart: Cart | None = None
    engagement: Engagement | None = None


FLOW_LOADABLE: Final = frozenset({"abandonment_timestamp", "flow_stage", "platform"})
"""The fields of `session` without which a record is quarantined (SPEC 1.2)."""
