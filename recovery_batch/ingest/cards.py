"""Card data that must not be kept (SPEC 1.3): card numbers are masked and refused, security codes removed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final

from recovery_batch.ingest.faults import Fault, escape

_NUMBER_KEYS: Final = frozenset({"cardnumber", "number", "pan", "primaryaccountnumber"})
_CODE_KEYS: Final = frozenset({"cvv", "cvc", "cvv2", "cvc2", "securitycode", "cardsecuritycode"})
_CARD_IDS: Final = frozenset({"id", "transaction_id"})
_LONGEST_IIN: Final = 8
_LARGEST_EXPONENT: Final = 1000
"""Powers of ten beyond this are refused: written out in plain digits, such a number would fill the memory."""

_DIGIT_RUN: Final = re.compile(r"[0-9](?:[ \-]?[0-9]){12,18}(?![ \-]?[0-9])")
_CODE_TEXT: Final = re.compile(
    r"""(?i)(["']?(?:cvv2?|cvc2?|(?:card_?)?security_?code)["']?\s*[:=]\s*)["']?[^"',}\s]*["']?"""
)


def passes_luhn(digits: str) -> bool:
    """Whether a run of digits has a right check digit (ISO/IEC 7812-1, annex B)."""
    total = 0
    for place, digit in enumerate(reversed(digits)):
        doubled = int(digit) * (1 + place % 2)
        total += doubled - 9 * (doubled > 9)
    return total % 10 == 0


def card_digits(value: object) -> str | None:
    """The digits of a value that is a full card number, 13 to 19 of them; None when it is not one."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = format(value, "f").partition(".")[0] if isinstance(value, Decimal) else str(value)
    digits = re.sub(r"[\s\-‐-―]", "", text)
    is_one = 13 <= len(digits) <= 19 and digits.isascii() and digits.isdigit() and passes_luhn(digits)
    return digits if is_one else None


def mask(digits: str) -> str:
    """All but the last four digits hidden."""
    return "*" * (len(digits) - 4) + digits[-4:]


def mask_text(text: str) -> str:
    """A text that is no record (a line that is not JSON), with whatever could be card data taken out."""

    def masked(match: re.Match[str]) -> str:
        digits = card_digits(match.group())
        return match.group() if digits is None else mask(digits)

    return _DIGIT_RUN.sub(masked, _CODE_TEXT.sub(r'\1"removed"', text))


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
    result.record = _cleaned(record, "", False, result)
    return result


def _cleaned(value: Any, pointer: str, in_card: bool, result: CardScan) -> Any:
    if isinstance(value, dict):
        return _cleaned_object(value, pointer, in_card, result)
    if isinstance(value, list):
        return [_cleaned(item, f"{pointer}/{place}", in_card, result) for place, item in enumerate(value)]
    if isinstance(value, Decimal) and not (value.is_finite() and abs(value.adjusted()) <= _LARGEST_EXPONENT):
        allowed = f"a number between 1e-{_LARGEST_EXPONENT} and 1e{_LARGEST_EXPONENT}"
        result.faults.append(Fault("number_too_large", pointer, allowed, "a number beyond that"))
        return None
    if in_card and (digits := card_digits(value)):
        result.faults.append(Fault("card_number", pointer, "no full card number", mask(digits)))
        return mask(digits)
    return value


def _cleaned_object(value: dict[str, Any], pointer: str, in_card: bool, result: CardScan) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    is_card = pointer.endswith("/card")
    for key, item in value.items():
        name = re.sub(r"[^a-z0-9]", "", key.lower())
        place = f"{pointer}/{escape(key)}"
        if name in _CODE_KEYS:
            result.codes_removed += 1
        elif name == "cardiin" and _long_iin(item):
            digits = re.sub(r"[^0-9]", "", str(item))
            shown = mask(digits) if len(digits) >= 13 else "*" * len(digits)
            result.faults.append(Fault("card_number", place, f"at most {_LONGEST_IIN} digits of a BIN (IIN)", shown))
            kept[key] = shown
        else:
            inside = (in_card or name == "card" or name in _NUMBER_KEYS) and not (is_card and key in _CARD_IDS)
            kept[key] = _cleaned(item, place, inside, result)
    return kept


def _long_iin(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return False
    return len(re.findall(r"[0-9]", str(value))) > _LONGEST_IIN
