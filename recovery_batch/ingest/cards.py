"""Card data that must not be kept (SPEC 1.3): card numbers are masked and refused, security codes removed.

Nearly every record holds none, and `may_hold_card_data` tells so at a glance; only the others are walked.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from decimal import Decimal
from enum import Enum, auto
from functools import lru_cache
from typing import Any, Final

from recovery_batch.ingest.faults import FarNumber, Fault, escape, found

_NUMBER_KEYS: Final = frozenset(
    {"cardnumber", "cardno", "ccnumber", "creditcardnumber", "number", "pan", "primaryaccountnumber"}
)
_CODE_KEYS: Final = frozenset({"cvv", "cvc", "cvv2", "cvc2", "cardcvv", "cardcvc", "securitycode", "cardsecuritycode"})
_CARD_IDS: Final = frozenset({"id", "transaction_id"})
_LONGEST_IIN: Final = 8
_SHORTEST_NUMBER: Final = 13
_LONGEST_NUMBER: Final = 19
_BETWEEN: Final = r"[\s\-\u2010-\u2015\u2212]*"  # spaces and dashes of every kind
_DOUBLED: Final = str.maketrans("0123456789", "0246813579")
"""Each digit doubled, and the digits of what that gives added up."""

_GROUP: Final = re.compile(r"[0-9]+")
# Not amid letters, where digits are a part of a token or a hash; not after a decimal point.
_NUMBER: Final = re.compile(
    rf"(?:(?<![0-9A-Za-z])(?<![0-9]\.)|(?<=\\[nrt]))[0-9](?:{_BETWEEN}[0-9]){{12,}}(?![0-9A-Za-z])"
)

# In a card field letters may touch the number: magnetic track 1 begins with a B.
_NUMBER_ON_CARD: Final = re.compile(rf"(?<![0-9])(?<![0-9]\.)[0-9](?:{_BETWEEN}[0-9]){{12,}}(?![0-9])")

# In the text of a line that is no record, what follows a key can only be guessed at.
_ESCAPED: Final = re.compile(r"\\u(00(?:3[0-9]|2[0dD]|[aA]0)|201[0-5]|2212)")
_IIN_TEXT: Final = re.compile(
    rf"""(?i)(card_?iin\\?["']?\s*[:=]\s*\\?["']?)([0-9](?:{_BETWEEN}[0-9]){{{_LONGEST_IIN},}})"""
)
_CODE_TEXT: Final = re.compile(
    r"""(?ix) ( \\?["']? (?<![a-z]) (?:card_?)? (?:cv[vc]2?|security_?code) \\?["']? \s*[:=]\s* )
    (?: \\?"[^"\\]*(?:\\?")? | '[^']*'? | [^"',}\]\s]+ )"""
)
_LABEL_TEXT: Final = r"""\\?["']?key\\?["']?\s*[:=]\s*\\?["']?(?:card_?)?(?:cv[vc]2?|security_?code)\\?["']?"""
_VALUE_TEXT: Final = r"""\\?["']?value\\?["']?\s*[:=]\s*"""
_HELD_TEXT: Final = r"""(?:\\?"[^"\\]{0,64}(?:\\?")?|'[^']{0,64}'?|[^"',}\]\s]{1,64})"""
_LABELLED_TEXT: Final = re.compile(
    rf"(?i)({_LABEL_TEXT}\s*,\s*{_VALUE_TEXT}){_HELD_TEXT}|({_VALUE_TEXT}){_HELD_TEXT}(\s*,\s*{_LABEL_TEXT})"
)
"""A pair of a label and a value, in either order. No code is longer; without a bound it could take time without end."""

_CUT_OFF_REVERSED: Final = re.compile(rf"\s*([0-9](?:{_BETWEEN}[0-9]){{8,}})")
"""Nine digits or more that the end of a line cuts off: they may be most of a card number."""

_JOINTS: Final = dict.fromkeys(map(ord, " -_."))
"""Left out of keys, so that `card_number`, `cardNumber` and `Card-Number` are one."""

# A glance at a record: letters in lower case, every digit a 0, and neither spaces, dashes nor joints.
_FOLD: Final = bytes.maketrans(b"ABCDEFGHIJKLMNOPQRSTUVWXYZ123456789", b"abcdefghijklmnopqrstuvwxyz000000000")
_UNSEEN: Final = b" -_." + bytes(range(0x80, 0x100))
_JOINT: Final = r"[ _.\-]*"
_JOINTED: Final = r"[ _.\-]+"


def _spellings(name: str) -> str:
    """A pattern of all spellings of a key: in any case, with joints anywhere."""
    return f"{_JOINT}(?i:{_JOINT.join(name)}){_JOINT}"


def _strange_spellings(name: str) -> str:
    """The same, the plain spelling in lower case left out."""
    cases = (f"{name[:i]}{name[i].upper()}(?i:{name[i + 1 :]})" for i in range(len(name)))
    joints = (
        _JOINT + f"(?i:{_JOINT.join(name[:i])}{_JOINTED}{_JOINT.join(name[i:])})" + _JOINT for i in range(len(name) + 1)
    )
    return "|".join((*cases, *joints))


_HIDING: Final = "|".join(map(_spellings, sorted(_NUMBER_KEYS | _CODE_KEYS)))
SUSPECT_KEYS: Final = "|".join(
    (
        rf'"(?:{_HIDING}|{_strange_spellings("card")})"\s*:',
        rf'"{_spellings("cardiin")}"\s*:\s*(?:"[^"]{{{_LONGEST_IIN + 1}}}|[^",}}\]\s]{{{_LONGEST_IIN + 1}}})',
        rf'"key"\s*:\s*"(?:{_HIDING}|{_spellings("card")}|{_spellings("cardiin")})"',
        rf'"(?:key|{_spellings("cardiin")})"\s*:\s*"[^"\\]*\\',  # which letters and digits these are, escapes hide
    )
)
"""A pattern (RE2) for the text of a record that has no escapes in its keys: where it finds nothing, only what stands
under `card` could be card data."""

_SUSPECT: Final = (b"0" * _SHORTEST_NUMBER, b"e+0", b"securitycode", b'"key":"card')
_SUSPECT_CODES: Final = (b'cvv":', b'cvv0":', b'cvc":', b'cvc0":', b'"key":"cv')
_SUSPECT_IIN: Final = re.compile(rf'cardiin":(?:"[^"]{{{_LONGEST_IIN + 1}}}|[^",}}\]]{{{_LONGEST_IIN + 1}}})'.encode())


class _Key(Enum):
    """What a key says of its value."""

    PLAIN = auto()
    CARD = auto()  # it is a card: nothing under it but its two ids may be a card number
    NUMBER = auto()  # it must not be a card number, nor hold one
    IIN = auto()
    CODE = auto()  # it is a security code
    LABEL = auto()  # it says what the `value` beside it is


@lru_cache(maxsize=4096)
def _meaning(key: str) -> _Key:
    name = key.lower().translate(_JOINTS)
    if name in _CODE_KEYS:
        return _Key.CODE
    if name in _NUMBER_KEYS:
        return _Key.NUMBER
    return {"card": _Key.CARD, "cardiin": _Key.IIN, "key": _Key.LABEL}.get(name, _Key.PLAIN)


def is_security_code(name: str) -> bool:
    """Whether what a name, or the last part of a dotted path, stands for is a card's security code."""
    return _meaning(name.rpartition(".")[2].strip()) is _Key.CODE


def passes_luhn(digits: str) -> bool:
    """Whether a run of digits has a right check digit (ISO/IEC 7812-1, annex B)."""
    return sum(map(int, digits[::-2] + digits[-2::-2].translate(_DOUBLED))) % 10 == 0


def mask(digits: str) -> str:
    """All but the last four digits hidden."""
    return "*" * (len(digits) - 4) + digits[-4:]


def mask_numbers(text: str, number: re.Pattern[str] = _NUMBER) -> str:
    """A text with every card number in it masked: 13 to 19 digits that pass the Luhn check, with spaces and dashes."""
    return number.sub(lambda match: _masked_run(match.group()), text)


def _masked_run(run: str) -> str:
    """Groups of digits, spaces and dashes between them; the longest card number that begins with a group is masked."""
    groups = list(_GROUP.finditer(run))
    kept, end, first = [], 0, 0
    while first < len(groups):
        number, taken = _longest_number(groups, first)
        if number:
            kept += [run[end : groups[first].start()], mask(number)]
            end = groups[first + taken - 1].end()
        first += taken
    return "".join(kept) + run[end:]


def _longest_number(groups: list[re.Match[str]], first: int) -> tuple[str, int]:
    """The longest card number that begins with a group, and how many groups it takes; where there is none, "" and 1."""
    number, taken, digits = "", 1, ""
    for last in range(first, len(groups)):
        digits += groups[last].group()
        if len(digits) > _LONGEST_NUMBER:
            break
        if len(digits) >= _SHORTEST_NUMBER and passes_luhn(digits):
            number, taken = digits, last - first + 1
    return number, taken


def clean_text(text: str) -> tuple[str, int]:
    """A text that is no record (a line that is not JSON) without what could be card data, and how many codes it had."""
    text = _ESCAPED.sub(lambda match: chr(int(match[1], 16)), text)
    text, codes = _CODE_TEXT.subn(r'\1"removed"', text)
    text, labelled = _LABELLED_TEXT.subn(lambda match: f'{match[1] or match[2]}"removed"{match[3] or ""}', text)
    text = mask_numbers(text, _NUMBER_ON_CARD)  # a card field for all that is known: letters may touch the number
    text = _IIN_TEXT.sub(lambda match: match[1] + mask(re.sub(r"[^0-9]", "", match[2])), text)
    if rest := _CUT_OFF_REVERSED.match(text[::-1]):
        start, end = len(text) - rest.end(1), len(text) - rest.start(1)
        text = text[:start] + "*" * (end - start) + text[end:]
    return text, codes + labelled


@dataclass(slots=True)
class CardScan:
    """A record without what must not be kept.

    Attributes:
        record: The record, card numbers masked and security codes taken out; the record itself where it had none.
        faults: One for each card number, and for each number that cannot be held.
        codes_removed: How many security codes were taken out.
    """

    record: Any
    faults: list[Fault] = field(default_factory=list)
    codes_removed: int = 0


def may_hold_card_data(text: bytes) -> bool:
    """Whether `scan` could find anything in a record: true for some in which it finds nothing, never false wrongly.

    Args:
        text: The record as JSON without blanks between its parts, letters and digits not escaped.
    """
    folded = text.translate(_FOLD, _UNSEEN)
    return (
        b"\\" in text
        or any(part in folded for part in _SUSPECT)
        or (b"cv" in folded and any(part in folded for part in _SUSPECT_CODES))
        or _SUSPECT_IIN.search(folded) is not None
    )


def scan(record: Any) -> CardScan:
    """Look at every value of a record, and take card numbers and security codes out of it.

    What is no record but a text, a number or an array could be anything, a card number too.
    """
    result = CardScan(record)
    cleaned = _cleaned(record, "", not isinstance(record, dict), result)
    if result.faults or result.codes_removed:
        result.record = cleaned
    return result


def _cleaned(value: Any, pointer: str, in_card: bool, result: CardScan, is_card: bool = False) -> Any:
    if isinstance(value, dict):
        return _cleaned_object(value, pointer, in_card, result, is_card)
    if isinstance(value, list):
        return [_cleaned(item, f"{pointer}/{place}", in_card, result) for place, item in enumerate(value)]
    if isinstance(value, FarNumber):
        result.faults.append(Fault("number_too_large", pointer, FarNumber.ALLOWED, found(value, pointer)))
        return value
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
            shown = mask(re.sub(r"[^0-9]", "", str(item)))
            allowed = f"at most {_LONGEST_IIN} digits of a BIN (IIN)"
            result.faults.append(Fault("card_number", place, allowed, found(shown, place)))
            kept[key] = shown
        else:
            inside = (in_card or meaning in (_Key.CARD, _Key.NUMBER)) and not (is_card and key in _CARD_IDS)
            kept[key] = _cleaned(item, place, inside, result, meaning is _Key.CARD)
    return kept


def _with_numbers_masked(value: object) -> str | None:
    """A text or a number with the card numbers in it masked; None where there are none."""
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return None
    text = format(value, "f").partition(".")[0] if isinstance(value, Decimal) else str(value)
    masked = mask_numbers(text, _NUMBER_ON_CARD) if len(text) >= _SHORTEST_NUMBER else text
    return None if masked == text else masked


def _is_long_iin(value: object) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | Decimal):
        return False
    return len(re.findall(r"[0-9]", str(value))) > _LONGEST_IIN
