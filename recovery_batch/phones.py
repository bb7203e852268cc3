"""Phone numbers: which could exist (phonenumbers' `is_possible_number`, SPEC 5), and which are the same."""

from __future__ import annotations

import re
from dataclasses import dataclass

import phonenumbers
import polars as pl

from recovery_batch.contract.declined import CustomerPayer
from recovery_batch.contract.fields import documented

_NUMBER = ["phone_country_code", "phone_number"]
_WRITTEN = re.compile(r"[\s+()./0-9\-]+", re.ASCII)
"""How people write numbers: digits, and what they put between them."""
_FEWEST_DIGITS, _MOST_DIGITS = 6, 15
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


@dataclass(frozen=True, slots=True)
class WrittenPhone:
    """A phone number that a person wrote down.

    Attributes:
        digits: Its digits: with the country code where that is known, else as they were written.
        is_international: Whether they begin with the country code.
    """

    digits: str
    is_international: bool


def read_phone(text: str, country: str | None = None) -> WrittenPhone:
    """Read a phone number in any notation: `+57 310 123-4567`, `0057…`, `(310) 123 4567`, `573101234567`.

    Args:
        text: The number.
        country: ISO 3166-1 alpha-2: whose notation it is, where it has no country code. None: not known.

    Raises:
        ValueError: it is not a possible number; the message does not repeat it.
    """
    stripped = text.strip()
    if not _WRITTEN.fullmatch(stripped) or "+" in stripped[1:]:
        raise ValueError("a phone number has digits, and blanks, dots, dashes, slashes or brackets between them")
    digits = only_digits(stripped)
    is_international = stripped.startswith(("+", "00")) or country is not None
    if is_international:
        written = f"+{digits[2:]}" if stripped.startswith("00") else stripped
        try:
            parsed = phonenumbers.parse(written, country)
        except phonenumbers.NumberParseException as error:
            raise ValueError("no phone number could be that") from error
        if not phonenumbers.is_possible_number(parsed):
            raise ValueError("no phone number could be that")
        return WrittenPhone(only_digits(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)), True)
    if not _FEWEST_DIGITS <= len(digits) <= _MOST_DIGITS:
        raise ValueError(f"a phone number has {_FEWEST_DIGITS} to {_MOST_DIGITS} digits")
    return WrittenPhone(digits, False)


def is_same_number(written: WrittenPhone, country_code: str, number: str) -> bool:
    """Whether a number that a person wrote down may be that of a payer.

    Without a country code it is compared with the payer's number with and without theirs, a trunk prefix ignored:
    rather somebody too many is left alone than somebody called who said no.
    """
    code, digits = only_digits(country_code), only_digits(number)
    dialled = digits if "+" in number else code + digits
    known = {dialled}
    national = {digits}
    try:
        parsed = phonenumbers.parse(f"+{dialled}")
        known.add(only_digits(phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)))
        national.add(phonenumbers.national_significant_number(parsed))
    except phonenumbers.NumberParseException:
        pass
    known.add(code + digits.lstrip("0"))
    if written.is_international:
        return written.digits in known
    return written.digits in known or written.digits.lstrip("0") in {each.lstrip("0") for each in national}
