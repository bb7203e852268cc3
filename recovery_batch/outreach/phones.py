"""Which phone numbers could exist: phonenumbers' `is_possible_number` (SPEC 5), each distinct number once."""

from __future__ import annotations

import re

import phonenumbers
import polars as pl

from recovery_batch.contract.declined import CustomerPayer
from recovery_batch.contract.fields import documented

_NUMBER = ["phone_country_code", "phone_number"]
_PATTERNS = {field.name: field.pattern for field in documented(CustomerPayer) if field.digits_only}


def only_digits(text: str) -> str:
    """The ASCII digits of a text: how phone fields go out."""
    return re.sub(r"[^0-9]", "", text)


def is_possible(country_code: str, number: str) -> bool:
    """Whether a number could exist, and its digits are what a request allows."""
    for name, text in (("phone_country_code", country_code), ("phone_number", number)):
        pattern = _PATTERNS[name]
        if pattern is not None and not pattern.match(only_digits(text)):
            return False
    international = number if number.strip().startswith("+") else f"+{only_digits(country_code)}{only_digits(number)}"
    try:
        return phonenumbers.is_possible_number(phonenumbers.parse(international))
    except phonenumbers.NumberParseException:
        return False


def impossible_phones(payers: pl.DataFrame) -> pl.DataFrame:
    """The keys of the payers whose number is there and not a possible one.

    Args:
        payers: One row a payment: its key, `phone_country_code` and `phone_number`.
    """
    distinct = payers.select(_NUMBER).drop_nulls().unique(maintain_order=True)
    bad = [not is_possible(code, number) for code, number in distinct.iter_rows()]
    return payers.join(distinct.filter(pl.Series(bad, dtype=pl.Boolean)), on=_NUMBER, how="semi").select(
        "organization_code", "payment_id"
    )
