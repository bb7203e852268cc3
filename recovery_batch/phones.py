"""Phone numbers: which could exist (phonenumbers' `is_possible_number`, SPEC 5), and which are the same."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from unicodedata import decimal, normalize

import phonenumbers
import polars as pl

from recovery_batch.contract.abandoned import clean_phone
from recovery_batch.contract.declined import CustomerPayer
from recovery_batch.contract.fields import documented

_NUMBER = ["phone_country_code", "phone_number"]
_WRITTEN = re.compile(r"[\s+()./0-9\-]+", re.ASCII)
"""How people write numbers: digits, and what they put between them."""
_DIALLED = re.compile(r"\+?[0-9]+", re.ASCII)
"""A number without what stands between its digits."""
_FEWEST_DIGITS, _MOST_DIGITS = 6, 15
_LAST_DIGITS = 6
"""Prefixes and mobile digits stand before these, in every country: numbers that are the same end alike."""
_ARGENTINA, _BRAZIL, _MEXICO = 54, 55, 52
_MOBILE_OF_ARGENTINA = re.compile(r"9([0-9]{10})")
_MOBILE_OF_BRAZIL = re.compile(r"([0-9]{2})9([6-9][0-9]{7})")
_FORMER_OF_MEXICO = re.compile(r"(?:1|01|044|045)([0-9]{10})")
"""Digits that mark a mobile, and that many lists write or leave out: WhatsApp names Brazilian mobiles without their 9,
Mexican ones still with the 1 that they lost in 2019; Argentinian ones have a 9 from abroad and a 15 at home."""
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

    def keys(self) -> frozenset[str]:
        """What it is compared by: it may be a payer's number that has one of these among its `payer_keys`.

        A key that begins with `+` has a country code, one that does not may lack it.
        """
        parsed = _parsed(f"+{self.digits}")
        if self.is_international:
            return frozenset({f"+{self.digits if parsed is None else _comparable(parsed)}"})
        return frozenset({_bare(self.digits), _bare(self.digits) if parsed is None else _comparable(parsed)})


def read_phone(text: str, country: str | None = None) -> WrittenPhone:
    """Read a phone number in any notation: `+57 310 123-4567`, `0057…`, `(310) 123 4567`, `tel:+57-310-…`.

    Args:
        text: The number.
        country: ISO 3166-1 alpha-2: whose notation it is, where it has no country code. None: not known.

    Raises:
        ValueError: it is not a possible number; the message does not repeat it.
    """
    dialled = _dialled(text.strip().removeprefix("tel:"))
    if not _DIALLED.fullmatch(dialled):
        raise ValueError("a phone number has digits, and blanks, dots, dashes, slashes or brackets between them")
    if dialled.startswith(("+", "00")) or country is not None:
        parsed = _parsed(f"+{dialled[2:]}" if dialled.startswith("00") else dialled, country)
        if parsed is None:
            raise ValueError("no phone number could be that")
        return WrittenPhone(_with_country_code(parsed), True)
    if not _FEWEST_DIGITS <= len(dialled) <= _MOST_DIGITS:
        raise ValueError(f"a phone number has {_FEWEST_DIGITS} to {_MOST_DIGITS} digits")
    return WrittenPhone(dialled, False)


def payer_keys(country_code: str, number: str) -> frozenset[str]:
    """What a payer's number is compared by with one that a person wrote down, see `WrittenPhone.keys`.

    Rather somebody too many is left alone than somebody called who said no: the number counts with and without its
    country code, trunk prefix and mobile digits, and as one that has its country code already if it begins like one.

    Args:
        country_code: `phone_country_code` as the export spells it; empty: there is none.
        number: `phone_number` as the export spells it.
    """
    code, dialled = only_digits(country_code), _dialled(number)
    digits = only_digits(dialled)
    readings = {digits} if "+" in dialled else {code + digits}
    if digits.startswith("00"):
        readings.add(digits[2:])
    if digits.startswith(code):
        readings.add(digits)
    keys = {_bare(digits)}
    for reading in readings:
        keys |= _keys_of(reading)
    return frozenset(keys - {"", "+"})


def is_same_number(written: WrittenPhone, country_code: str, number: str) -> bool:
    """Whether a number that a person wrote down may be that of a payer; see `payer_keys`."""
    return not written.keys().isdisjoint(payer_keys(country_code, number))


def end_like(numbers: pl.Series, written: Iterable[WrittenPhone]) -> pl.Series:
    """Which payers' numbers can be the same as one that was written down: they end in the same digits.

    All others are another's, which is known without reading them one by one; those that remain are compared by keys.

    Args:
        numbers: `phone_number` as exports spell it; no nulls.
        written: The numbers that were written down.

    Returns:
        A Boolean a number, in their order.
    """
    ends = pl.Series([_bare(each.digits)[-_LAST_DIGITS:] for each in written], dtype=pl.String)
    digits = numbers.str.replace_all("[^0-9]", "").str.strip_chars_start("0")
    is_odd = (digits.str.len_bytes() < _LAST_DIGITS) | numbers.str.contains("[^[:ascii:]]")
    return is_odd | digits.str.tail(_LAST_DIGITS).is_in(ends.unique().implode())


def calling_code(country: str) -> str:
    """The country code of phone numbers of a country (ISO 3166-1 alpha-2); empty where there is none."""
    code = phonenumbers.country_code_for_region(country)
    return str(code) if code else ""


def _keys_of(digits: str) -> set[str]:
    """The keys of digits that begin with a country code: with it, without it, and as dialled at home."""
    keys = {f"+{digits}", _bare(digits)}
    parsed = _parsed(f"+{digits}")
    if parsed is not None:
        comparable = _comparable(parsed)
        keys |= {f"+{comparable}", comparable, comparable.removeprefix(str(parsed.country_code))}
        keys.add(_bare(_national(parsed)))
        if parsed.country_code == _ARGENTINA:
            at_home = phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.NATIONAL)
            keys.add(_bare(only_digits(at_home)))
    return keys


def _parsed(text: str, country: str | None = None) -> phonenumbers.PhoneNumber | None:
    """A number that could exist, as it is dialled today; None for any other text."""
    try:
        parsed = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if parsed.country_code == _MEXICO and (former := _FORMER_OF_MEXICO.fullmatch(_national(parsed))):
        parsed = phonenumbers.parse(f"+{_MEXICO}{former[1]}")
    return parsed if phonenumbers.is_possible_number(parsed) else None


def _comparable(parsed: phonenumbers.PhoneNumber) -> str:
    """Country code and number, without a trunk prefix and without the digits that only mark a mobile."""
    national = _bare(_national(parsed))
    if parsed.country_code == _ARGENTINA and (mobile := _MOBILE_OF_ARGENTINA.fullmatch(national)):
        national = mobile[1]
    elif parsed.country_code == _BRAZIL and (mobile := _MOBILE_OF_BRAZIL.fullmatch(national)):
        national = mobile[1] + mobile[2]
    return f"{parsed.country_code}{national}"


def _with_country_code(parsed: phonenumbers.PhoneNumber) -> str:
    return f"{parsed.country_code}{_national(parsed)}"


def _national(parsed: phonenumbers.PhoneNumber) -> str:
    return str(phonenumbers.national_significant_number(parsed))


def _bare(digits: str) -> str:
    """Digits without a trunk prefix."""
    return digits.lstrip("0")


def _dialled(text: str) -> str:
    """A number as it is dialled, in ASCII: without what people put between its digits."""
    plain = text if text.isascii() else "".join(str(decimal(each, each)) for each in normalize("NFKC", text))
    return clean_phone(plain).replace("/", "")
