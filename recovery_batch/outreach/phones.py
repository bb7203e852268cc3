"""Which phone numbers could exist: phonenumbers' `is_possible_number` (SPEC 5), each distinct number once."""

from __future__ import annotations

import re

import phonenumbers
import polars as pl

from recovery_batch.contract.declined import CustomerPayer
from recovery_batch.contract.fields import documented

_NUMBER = ["phone_country_code", "phone_number"]
_WRITTEN = re.compile(r"[\s+()./0-9\-]+", re.ASCII)
"""How people write numbers: digits, and what they put between them."""
_PATTERNS = {field.name: field.pattern for field in documented(CustomerPayer) if field.digits_only}


def only_digits(text: str) -> str:
    """The ASCII digits of a text: how phone fields go out."""
    return re.sub(r"[^0-9]", "", text)


def is_possible(country_code: str, number: str) -> bool:
    """Whether what goes out, the digits of both, is a number that could exist.

    Letters, an extension, or a number that is written with another country's code are refused: what went out would not
    be the customer's number.
    """
    code, digits = only_digits(country_code), only_digits(number)
    for name, text, sent in (("phone_country_code", country_code, code), ("phone_number", number, digits)):
        pattern = _PATTERNS[name]
        if not _WRITTEN.fullmatch(text) or (pattern is not None and not pattern.match(sent)):
            return False
    if "+" in number and not digits.startswith(code):
        return False
    try:
        parsed = phonenumbers.parse(f"+{digits}" if "+" in number else f"+{code}{digits}")
    except phonenumbers.NumberParseException:
        return False
    return phonenumbers.is_possible_number(parsed)


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
