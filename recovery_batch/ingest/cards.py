"""Card data that must not be kept (SPEC 1.3): card numbers are masked and refused, security codes removed.

Nearly every record holds none. So it is first looked at, and only what is not clean is walked again, noting places.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from recovery_batch.ingest.faults import Fault, escape, found

_NUMBER_KEYS: Final = frozenset(
    {"cardnumber", "cardno", "ccnumber", "creditcardnumber", "number", "pan", "primaryaccountnumber"}
)
_CODE_KEYS: Final = frozenset({"cvv", "cvc", "cvv2", "cvc2", "cardcvv", "cardcvc", "securitycode", "cardsecuritycode"})
_CARD_IDS: Final = frozenset({"id", "transaction_id"})
_LONGEST_IIN: Final = 8
_SHORTEST_NUMBER: Final = 13
_LONGEST_NUMBER: Final = 19
_LARGEST_EXPONENT: Final = 1000
"""Powers of ten beyond this are refused: written out in plain digits, such a number would fill the memory."""

_BETWEEN: Final = r"[\s\-\u2010-\u2015\u2212]*"  # spaces and dashes of every kind
_GROUP: Final = re.compile(r"\d+")
# Not amid letters: there digits are a part of a token or a hash.
_NUMBER: Final = re.compile(rf"(?:(?<![\dA-Za-z])|(?<=\\[nrt]))\d(?:{_BETWEEN}\d){{12,}}(?![\dA-Za-z])")

# In the text of a line that is no record, what follows a key can only be guessed at.
_ESCAPED: Final = re.compile(r"\\u(00(?:3[0-9]|2[0dD]|[aA]0)|201[0-5]|2212)")
_IIN_TEXT: Final = re.compile(rf"""(?i)(card_?iin\\?["']?\s*[:=]\s*\\?["']?)(\d(?:{_BETWEEN}\d){{{_LONGEST_IIN},}})""")
_CODE_TEXT: Final = re.compile(
    r"""(?ix) ( \\?["']? (?<![a-z]) (?:card_?)? (?:cv[vc]2?|security_?code) \\?["']? \s*[:=]\s* )
    (?: \\?"[^"\\]*(?:\\?")? | '[^']*'? | [^"',}\]\s]+ )"""
)
_CUT_OFF_REVERSED: Final = re.compile(rf"""\s*(\d(?:{_BETWEEN}\d){{8,}})""")
"""Nine digits or more that the end of a line cuts off: they may be most of a card number."""


class _Key(Enum):
    """What a key says of its value."""

    PLAIN = auto()
    CARD = auto()  # it must not be a card number, nor hold one
    IIN = auto()
    CODE = auto()  # it is a security code
    LABEL = auto()  # it says what the `value` beside it is


@lru_cache(maxsize=4096)
def _meaning(key: str) -> _Key:
    name = re.sub(r"[^a-z0-9]", "", key.lower())
    if name in _CODE_KEYS:
        return _Key.CODE
    if name == "card" or name in _NUMBER_KEYS:
        return _Key.CARD
    return {"cardiin": _Key.IIN, "key": _Key.LABEL}.get(name, _Key.PLAIN)


def passes_luhn(digits: str) -> bool:
    """Whether a run of digits has a right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def mask(digits: str) -> str:
    """All but the last four digits hidden."""
    return "*" * (len(digits) - 4) + digits[-4:]


def mask_numbers(text: str) -> str:
    """A text with every card number in it masked: 13 to 19 digits that pass the Luhn check, with spaces and dashes."""
    return _NUMBER.sub(lambda match: _masked_run(match.group()), text)


def _masked_run(run: str) -> str:
    """Groups of digits, spaces and dashes between them; the longest card number that begins with a group is masked."""
    groups = list(_GROUP.finditer(run))
    kept, end, first = "", 0, 0
    while first < len(groups):
        last = next((n for n in _ends(groups, first) if passes_luhn(_digits(groups, first, n))), None)
        if last is not None:
            kept += run[end : groups[first].start()] + mask(_digits(groups, first, last))
            end = groups[last].end()
        first = (first if last is None else last) + 1
    return kept + run[end:]


def _ends(groups: list[re.Match[str]], first: int) -> list[int]:
    """Where a number that begins with a group may end, by its length; the longest first."""
    lengths = [(n, len(_digits(groups, first, n))) for n in range(first, min(first + _LONGEST_NUMBER, len(groups)))]
    return [n for n, length in reversed(lengths) if _SHORTEST_NUMBER <= length <= _LONGEST_NUMBER]


def _digits(groups: list[re.Match[str]], first: int, last: int) -> str:
    return "".join(group.group() for group in groups[first : last + 1])


def clean_text(text: str) -> tuple[str, int]:
    """A text that is no record (a line that is not JSON) without what could be card data, and how many codes it had."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    text, codes = _CODE_TEXT.subn(r'\1"removed"', text)
    text = _IIN_TEXT.sub(lambda match: match[1] + mask(re.sub(r"\D", "", match[2])), mask_numbers(text))
    if rest := _CUT_OFF_REVERSED.match(text[::-1]):
        start, end = len(text) - rest.end(1), len(text) - rest.start(1)
        text = text[:start] + "*" * (end - start) + text[end:]
    return text, codes


@dataclass(slots=True)
class CardScan:
    """A record without what must not be kept.

    Attributes:
        record: The record, card numbers masked and security codes taken out; the record itself where it had none.
        faults: One for each card number, and for each number too large to be written out.
        codes_removed: How many security codes were taken out.
    """

    record: Any
    faults: list[Fault] = field(default_factory=list)
    codes_removed: int = 0


def scan(record: Any) -> CardScan:
    """Look at every value of a record, and take card numbers and security codes out of it."""
    result = CardScan(record)
    if not _is_clean(record, False, False):
        result.record = _cleaned(record, "", False, result)
    return result


def _is_clean(value: Any, in_card: bool, is_card: bool) -> bool:
    """Whether `_cleaned` would leave a value as it is.

    Args:
        value: Any value of a record.
        in_card: Whether it must hold no card number.
        is_card: Whether it is a `card` itself, whose two ids are no card numbers.
    """
    if isinstance(value, dict):
        for key, item in value.items():
            meaning = _meaning(key)
            if meaning is _Key.PLAIN:
                inside = in_card and not (is_card and key in _CARD_IDS)
                if (inside or type(item) is not str) and not _is_clean(item, inside, False):
                    return False
            elif not _is_clean_under(meaning, item, in_card):
                return False
        return True
    if isinstance(value, list):
        return all(_is_clean(item, in_card, False) for item in value)
    return not (_is_too_large(value) or (in_card and _with_numbers_masked(value) is not None))


def _is_clean_under(meaning: _Key, item: Any, in_card: bool) -> bool:
    if meaning is _Key.CODE or (meaning is _Key.IIN and _is_long_iin(item)):
        return False
    if meaning is _Key.LABEL and isinstance(item, str) and _meaning(item) is not _Key.PLAIN:
        return False
    return _is_clean(item, in_card or meaning is _Key.CARD, meaning is _Key.CARD)


def _cleaned(value: Any, pointer: str, in_card: bool, result: CardScan, is_card: bool = False) -> Any:
    if isinstance(value, dict):
        return _cleaned_object(value, pointer, in_card, result, is_card)
    if isinstance(value, list):
        return [_cleaned(item, f"{pointer}/{place}", in_card, result) for place, item in enumerate(value)]
    if _is_too_large(value):
        allowed = f"a number between 1e-{_LARGEST_EXPONENT} and 1e{_LARGEST_EXPONENT}"
        result.faults.append(Fault("number_too_large", pointer, allowed, "a number beyond that"))
        return value if value.is_finite() else None
    if in_card and (masked := _with_numbers_masked(value)) is not None:
        result.faults.append(Fault("card_number", pointer, "no full card number", found(masked, pointer)))
        return masked
    return value


def _cleaned_object(
    value: dict[str, Any], pointer: str, in_card: bool, result: CardScan, is_card: bool
) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    label = value.get("key")
    for key, item in value.items():
        meaning = _meaning(label) if key == "value" and isinstance(label, str) else _meaning(key)
        place = f"{pointer}/{escape(key)}"
        if meaning is _Key.CODE:
            result.codes_removed += 1
        elif meaning is _Key.IIN and _is_long_iin(item):
            shown = mask(re.sub(r"\D", "", str(item)))
            allowed = f"at most {_LONGEST_IIN} digits of a BIN (IIN)"
            result.faults.append(Fault("card_number", place, allowed, found(shown, place)))
            kept[key] = shown
        else:
            inside = (in_card or meaning is _Key.CARD) and not (is_card and key in _CARD_IDS)
            kept[key] = _cleaned(item, place, inside, result, meaning is _Key.CARD)
    return kept


def _is_too_large(value: object) -> bool:
    if not isinstance(value, Decimal):
        return False
    return not value.is_finite() or abs(value.adjusted()) > _LARGEST_EXPONENT


def _with_numbers_masked(value: object) -> str | None:
    """A text or a number with the card numbers in it masked; None where there are none."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = format(value, "f") if isinstance(value, Decimal) else str(value)
    masked = mask_numbers(text) if len(text) >= _SHORTEST_NUMBER else text
    return None if masked == text else masked


def _is_long_iin(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return False
    return len(re.findall(r"\d", str(value))) > _LONGEST_IIN
