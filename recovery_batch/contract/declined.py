"""The request body of declined payments: `POST /declined-payments/external` (facts from seed 002).

A field that may be null is optional. Amounts keep the digits of their source. `Meaning` marks a text that must be more
than a text: a code of a list, or a time.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, Any

import pycountry
from babel.core import get_global
from pydantic import BaseModel, ConfigDict, Field, StringConstraints, WithJsonSchema

CURRENCIES = frozenset(get_global("all_currencies")) | {currency.alpha_3 for currency in pycountry.currencies}
COUNTRIES = frozenset(country.alpha_2 for country in pycountry.countries)


@dataclass(frozen=True, slots=True)
class Meaning:
    """What a text must be, besides a text, for a record to be loadable."""

    holds: Callable[[str], bool]
    allowed: str


@dataclass(frozen=True, slots=True)
class TimeText:
    """Marks a text that is a time; it goes out as `YYYY-MM-DD HH:MM:SS` in UTC."""


@dataclass(frozen=True, slots=True)
class DigitsText:
    """Marks a text that goes out as its digits only."""


Text = Annotated[str, StringConstraints(min_length=1)]
Country = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{2}$", min_length=1),
    Meaning(COUNTRIES.__contains__, "an ISO 3166-1 alpha-2 country code such as CO"),
]
# Withdrawn codes stand in old exports, so the list is of every code that ever was.
Currency = Annotated[
    str,
    StringConstraints(pattern=r"^[A-Z]{3}$", min_length=1),
    Meaning(CURRENCIES.__contains__, "an ISO 4217 currency code such as COP"),
]
Time = Annotated[str, StringConstraints(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}$"), TimeText()]
# A JSON number: what pydantic says of a decimal by itself would let a text through.
Amount = Annotated[Decimal, Field(ge=0), WithJsonSchema({"type": "number", "minimum": 0})]
Object = dict[str, Any]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Card(_Body):
    """`card` of a transaction."""

    id: int | None = None
    card_iin: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,8}$")] | None = None
    card_lfd: Annotated[str, StringConstraints(pattern=r"^[0-9]{0,4}$")] | None = None
    card_type: str | None = None
    issuer_name: str | None = None
    transaction_id: int | None = None
    card_expiration_year: int | None = None
    card_expiration_month: int | None = None


class Transaction(_Body):
    """One element of `transactions`."""

    id: Text
    card: Card | None = None
    code: str | None = None
    type: str | None = None
    amount: Amount
    status: Text
    provider: str | None = None
    category: str | None = None
    payment_method_type: Text
    description: str
    reject_reason: str | None = None
    additional_data: Object | None = None
    created_at: Time | None = None


class Payment(_Body):
    """`payment` of an element of `external_data`."""

    organization_code: Text
    id: Text
    code: str | None = None
    order_id: Text
    country: Country
    status: Text
    sub_status: str | None = None
    description: str
    amount_value: Amount
    currency_code: Currency
    reject_reason: str
    additional_data: Object | None = None
    created_at: Time | None = None


class CustomerPayer(_Body):
    """`customer_payer` of an element of `external_data`."""

    name: Text
    phone_number: Annotated[str, StringConstraints(min_length=1, pattern=r"^[0-9]{4,15}$"), DigitsText()]
    phone_country_code: Annotated[str, StringConstraints(min_length=1, pattern=r"^[0-9]{1,4}$"), DigitsText()]
    additional_data: Object | None = None


class Element(_Body):
    """One declined payment with its transactions and its customer."""

    payment: Payment
    transactions: list[Transaction] | None = None
    customer_payer: CustomerPayer


class Request(_Body):
    """One request: many declined payments of one organization."""

    organization_code: Text
    external_data: Annotated[list[Element], Field(min_length=1)]


LOADABLE = frozenset({"organization_code", "id", "country", "status", "amount_value", "currency_code"})
"""The fields of `payment` without which a record is quarantined (SPEC 1.1)."""
