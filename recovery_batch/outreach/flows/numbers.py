"""Phone numbers of abandoned flows: what goes out of them, which are the same, and what time it is where they are."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import phonenumbers
from phonenumbers.timezone import UNKNOWN_TIMEZONE, time_zones_for_number
from phonenumbers.tzdata import TIMEZONE_DATA

from recovery_batch.contract.abandoned import clean_phone
from recovery_batch.phones import WrittenPhone, only_digits

_NOWHERE: Final = ("UTC",)
"""Numbers of no country, such as +800, are taken to be where it is UTC."""


@dataclass(frozen=True, slots=True)
class FlowNumber:
    """A phone number that could exist.

    Attributes:
        e164: How it goes out.
        key: Numbers of one telephone have one key, however they are written.
        zones: The IANA zones that it may be in, sorted; never empty.
    """

    e164: str
    key: str
    zones: tuple[str, ...]


def to_e164(text: str) -> str | None:
    """What goes out of a number; None where it has no country code or could not exist (SPEC 5)."""
    parsed = _parsed(text)
    return None if parsed is None else _written(parsed)


def read_number(text: str) -> FlowNumber | None:
    """The number that a flow has; None where it has no country code or could not exist (SPEC 5).

    The zones are those of the number's prefix. A number that tells no place (a mobile of many countries, or one that no
    operator is known to have) is in any of the zones of its country calling code.
    """
    parsed = _parsed(text)
    if parsed is None:
        return None
    e164 = _written(parsed)
    (key,) = WrittenPhone(only_digits(e164), is_international=True).keys()
    return FlowNumber(e164, key, _zones(parsed))


def _parsed(text: str) -> phonenumbers.PhoneNumber | None:
    try:
        parsed = phonenumbers.parse(clean_phone(text))
    except phonenumbers.NumberParseException:
        return None
    return parsed if phonenumbers.is_possible_number(parsed) else None


def _written(parsed: phonenumbers.PhoneNumber) -> str:
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def _zones(parsed: phonenumbers.PhoneNumber) -> tuple[str, ...]:
    zones = time_zones_for_number(parsed)
    if UNKNOWN_TIMEZONE in zones:
        zones = TIMEZONE_DATA.get(str(parsed.country_code), _NOWHERE)
    return tuple(sorted(zones))
