"""How figures read: money, counts, shares, times and text as a person sees them.

Nothing here computes a figure. Amounts stay `Decimal` and are written digit by digit: no float, no rounding,
and no arithmetic whose result depends on the precision of the decimal context.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache

from babel import Locale
from babel.numbers import get_currency_precision

from recovery_batch.simulation import REASONS

CHANNEL_WORDS = {"WHATSAPP_MESSAGE": "WhatsApp message", "PHONE_CALL": "Phone call"}
NOTHING = "–"
"""Stands where there is no value: an empty cell could be taken for a fault."""

_LONGEST_TEXT = 280
_WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June"),
    *("July", "August", "September", "October", "November", "December"),
)
"""Written out, because `strftime` speaks the language of the machine."""

_BIDI_AND_INVISIBLE = re.compile(
    "[\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)
"""Characters that show nothing themselves and change how their neighbours are shown: direction marks,
overrides, embeddings and isolates, line separators, zero-width characters, tags. The two joiners that scripts
and emoji need (U+200C, U+200D) stay."""
_CONTROL = re.compile("[\x00-\x1f\x7f-\x9f]")
_CONTROL_SIGNS = {"\n": "↵", "\t": "⇥"}
_SURROGATE = re.compile("[\ud800-\udfff]")


def visible(text: str) -> str:
    """Text with every control character replaced by something that can be seen.

    Line feed becomes `↵`, a right-to-left override `⟨U+202E⟩`, half of a surrogate pair (which no encoding
    can write) `�`. What remains cannot reorder or hide its surroundings.
    """
    text = _SURROGATE.sub("\ufffd", text)
    text = _CONTROL.sub(_control_sign, text)
    return _BIDI_AND_INVISIBLE.sub(_code_point, text)


def shortened(text: str, longest: int = _LONGEST_TEXT) -> str:
    """The beginning of a long text, saying how much is left out; a short one as it is."""
    if len(text) <= longest:
        return text
    return f"{text[:longest]} … ({count(len(text) - longest)} more characters)"


def count(number: int) -> str:
    """A whole number with thousands separators: `1,234`."""
    return f"{number:,}"


def plural(number: int, one: str, many: str | None = None) -> str:
    """A number and its noun: `1 campaign`, `2 campaigns`."""
    return f"{count(number)} {one if number == 1 else many or one + 's'}"


def percent(part: int, whole: int) -> str:
    """A share with one decimal, half up, that never pretends: only all reads `100 %`, only none reads `0 %`."""
    if whole == 0:
        return NOTHING
    if part == 0:
        return "0\u00a0%"
    if part == whole:
        return "100\u00a0%"
    tenths = (2000 * part + whole) // (2 * whole)
    if tenths == 0:
        return "<\u202f0.1\u00a0%"
    if tenths >= 1000 and part < whole:
        return ">\u202f99.9\u00a0%"
    return f"{tenths // 10}.{tenths % 10}\u00a0%"


def bar_width(part: int, whole: int) -> str:
    """The width of a bar as CSS wants it: `12.34%`. What is there is at least a sliver."""
    if whole <= 0 or part <= 0:
        return "0%"
    hundredths = max(30, min(10_000, 10_000 * part // whole))
    return f"{hundredths // 100}.{hundredths % 100:02d}%"


def exact_amount(amount: Decimal, currency_code: str) -> str:
    """An amount in plain digits: `1234.50`.

    At least the digits that the currency usually has (CLP none, USD two, KWD three), and every further digit
    that the amount needs. Without thousands separators: the form for machines.
    """
    sign, whole, fraction = _digits_of(amount, currency_code)
    return f"{sign}{whole}.{fraction}" if fraction else f"{sign}{whole}"


def grouped_amount(amount: Decimal, currency_code: str) -> str:
    """The digits of `exact_amount` with thousands separators: `1,234.50`."""
    sign, whole, fraction = _digits_of(amount, currency_code)
    grouped = f"{int(whole):,}"
    return f"{sign}{grouped}.{fraction}" if fraction else f"{sign}{grouped}"


def utc_clock(moment: datetime) -> str:
    """A moment in UTC: `2026-07-01 14:30:05`; seconds and their fractions only where there are any."""
    moment = moment.astimezone(UTC).replace(tzinfo=None)
    precision = "auto" if moment.second or moment.microsecond else "minutes"
    return moment.isoformat(sep=" ", timespec=precision)


def day(value: date | None) -> str:
    """A calendar day: `Wed 1 Jul 2026`."""
    if value is None:
        return "no day"
    return f"{_WEEKDAYS[value.weekday()]} {value.day} {_MONTHS[value.month - 1][:3]} {value.year:04d}"


def month(value: date) -> str:
    """The month of a calendar day: `July 2026`."""
    return f"{_MONTHS[value.month - 1]} {value.year:04d}"


def hour(value: int | None) -> str:
    """An hour of the day: `09:00–10:00`."""
    return "no hour" if value is None else f"{value:02d}:00–{value + 1:02d}:00"


def channel(code: str) -> str:
    """A channel in plain words; the code itself where there are none."""
    return CHANNEL_WORDS.get(code, code)


def reason(slug: str) -> str:
    """Why a match is suppressed, in plain words; the slug itself where there are none."""
    return REASONS.get(slug, slug)


@lru_cache(maxsize=512)
def country(code: str) -> str:
    """A country's name and its code: `Chile (CL)`; the code alone where the name is not known."""
    name = Locale("en").territories.get(code)
    return f"{name} ({code})" if name and re.fullmatch("[A-Z]{2}", code) else code


def currency_name(code: str) -> str:
    """A currency's English name, or nothing where it has none."""
    name = Locale("en").currencies.get(code)
    return str(name) if name else ""


def _control_sign(match: re.Match[str]) -> str:
    """The sign on the key, for those that texts really have; Unicode's pictures are missing in many fonts."""
    return _CONTROL_SIGNS.get(match[0]) or _code_point(match)


def _code_point(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"


@lru_cache(maxsize=512)
def _usual_digits(currency_code: str) -> int:
    """Digits after the point that the currency usually has; two where the currency is not known."""
    return get_currency_precision(currency_code)


def _digits_of(amount: Decimal, currency_code: str) -> tuple[str, str, str]:
    """Sign, whole digits and fraction digits of an amount.

    `normalize()` and `quantize()` would round to the context's 28 digits or fail; formatting with `f` does
    neither.
    """
    if not amount.is_finite():
        message = f"an amount must be a finite number, not {amount}"
        raise ValueError(message)
    whole, _, fraction = format(amount.copy_abs(), "f").partition(".")
    fraction = fraction.rstrip("0").ljust(_usual_digits(currency_code), "0")
    return ("-" if amount.is_signed() and amount else ""), whole, fraction
