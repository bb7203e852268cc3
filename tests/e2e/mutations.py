"""Seeded damage for the fuzz test: to JSON values, to cells, to bytes; and card data planted where it must not stay."""

from __future__ import annotations

import codecs
from collections.abc import Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Final

import msgspec

CARDS: Final = ("4929371680054215", "5364471203378890", "378734493671000", "6011000990139424")
"""Numbers that pass the Luhn check and stand nowhere but where they are planted."""

CODE: Final = "73918264"
"""Stands for a security code."""

_CARD_KEYS: Final = ("card_number", "cardNumber", "Card-Number", "number", "pan", "PAN", "primary_account_number")
_CODE_KEYS: Final = ("cvv", "CVV2", "card_cvc", "security_code", "securityCode")

_DEEP: Final = (1, 3, 50, 99, 100, 101, 1000, 100_000)
_NUMBERS: Final = (
    *("0", "-0", "-0.0", "-1", "1.", ".5", "01", "+1", "0x10", "1e5", "1E-7", "1e400", "1e999999", "-1E-999999"),
    *("NaN", "Infinity", "-Infinity", "nan", "1e99999999999999999999", "123456789012345678.123456", "1" + "0" * 18),
    *("9" * 4000, "9" * 4500, "0." + "0" * 4500 + "1", "1." + "0" * 400, "9223372036854775808", "-9223372036854775809"),
)
_TEXTS: Final = (
    *("", " ", "x", "NULL", "\\N", "0", "null", "true", "Atlantis", "XX", "co", "abc", "12,34,5", "1.234.567,89"),
    *("2026-02-30 10:00:00", "0000-00-00 00:00:00", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"),
    *("10000-01-01 00:00:00", "1600000000", "2026-09-01T10:00:00+99:99", "31/31/2026", "24:00:00", "1e3", "1_000"),
    *(
        "'; DROP TABLE payments; --",
        "%s%n$1",
        "${jndi}",
        "=1+1",
        "\u202eabc",
        "\U0001f4a5",
        "e\u0301",
        "\uffff",
        "\u2028",
    ),
    "x" * 70_000,
)
_OTHER: Final = (
    *("null", "true", "false", "[]", "{}", "[[]]", "[null]", '[1,"a",{}]', '{"":{}}', '"\\ud800"', '"\\udc00\\ud800"'),
    *('"\\u0000"', '"a\\u0000b"', '"\\ufeff"', '"\\x"', '"\\u12"', "'x'", "undefined", "", '"', "{", "}", ",", "tru"),
    *(
        '"a\x00b"',
        '"a\tb"',
        '"\x7f"',
        "/* x */ 1",
        "//",
        "[1,]",
        '{"a":1,}',
        "{a:1}",
        '{"a"}',
        '"\\/"',
        '"\\ud83d\\udca5"',
    ),
)
_KEYS: Final = (
    "",
    " ",
    "id ",
    "ID",
    "payment",
    "amount",
    "a.b",
    "a/b~c",
    "\u0130",
    "key",
    "\x00",
    "k" * 10_000,
    "$",
    "0",
)
_BITS: Final = (
    *(
        b"\x00",
        b"\x00\x00",
        codecs.BOM_UTF8,
        codecs.BOM_UTF16_LE,
        b"\xff",
        b"\xc3",
        b"\xed\xa0\x80",
        b"\xf5\x80\x80\x80",
    ),
    *(
        b'"',
        b"'",
        b"\\",
        b"\\u",
        b"\\ud800",
        b"\n",
        b"\r",
        b"\r\n",
        b"\t",
        b"\x1a",
        b"\x85",
        "\u2028".encode(),
        b"{",
        b"}",
    ),
    *(
        b"[",
        b"]",
        b",",
        b":",
        b";",
        b"|",
        b"\n\n",
        b"\n}\n",
        b"\n]",
        b"[\n",
        b"][",
        b"},{",
        b"null",
        b"-",
        b"e9",
        b"/*",
    ),
    *(b"1e999999", b"9" * 4500, b"[" * 200, b"{" * 300, b'{"a":' * 150, b'""', b'",', b',"', b"sep=;\n", b"PK\x03\x04"),
    *(b"\x1f\x8b", b"PAR1", b"\xe9", "\u20ac".encode("cp1252"), "\u00e9".encode("utf-16-le")),
)


@dataclass
class Object:
    """A JSON object of which a key may stand twice, or be raw."""

    members: list[tuple[Any, Any]]


class Mutator:
    """Damages what it is given; the same seed does the same on every machine."""

    def __init__(self, *seed: object) -> None:
        """Begin."""
        self.random = Random("/".join(map(str, seed)))

    def any(self, *chances: int) -> int:
        """A place among chances that are so many times as likely as one of 1."""
        return self.random.choices(range(len(chances)), chances)[0]

    # JSON

    def record(self, value: Any, times: int = 1) -> bytes:
        """The JSON text of a value with something wrong in it, which may make it no JSON any more."""
        changed = _tree(value)
        for _ in range(times):
            changed = self._changed(changed)
        return encoded(changed)

    def planted(self, value: dict[str, Any]) -> tuple[bytes, list[tuple[int, int]]]:
        """A record with a card number and a security code in it, and where in the text they stand."""
        planted = _tree(value)
        card, places = self.random.choice(CARDS), [each for each in _containers(planted) if isinstance(each, Object)]
        number = self._spelled_card(card)
        key, code = self.random.choice(_CARD_KEYS), self.random.choice(_CODE_KEYS)
        place: list[tuple[Any, Any]] = self.random.choice(places).members
        match self.any(4, 1, 1, 1):
            case 0:
                place.append((key, number))
            case 1:
                place.append(("metadata", [{"key": key, "value": number}, {"key": code, "value": CODE}]))
            case 2:
                place.append(("card", {"card_iin": number}))
            case _:
                place.append(("card", {"holder": f"%B{card}^X"}))
        self.random.choice(places).members.append((code, CODE))
        text = encoded(planted)
        return text, _spans(text, [bytes(number), CODE.encode(), f"%B{card}".encode()])

    def _spelled_card(self, card: str) -> msgspec.Raw:
        groups = [card[at : at + 4] for at in range(0, len(card), 4)]
        spelled = self.random.choice(
            (f'"{card}"', card, f'"{" ".join(groups)}"', f'"{"-".join(groups)}"', f"{card}.0", _escaped(card))
        )
        return msgspec.Raw(spelled.encode())

    def _changed(self, value: Any) -> Any:
        places = [each for each in _containers(value) if _size(each)]
        if not places or not self.random.randrange(20):
            return self._nested(value)
        place = self.random.choice(places)
        at = self.random.randrange(_size(place))
        if isinstance(place, list):
            place[at : at + 1] = self.random.choice(([], [self._wrong()], [self._nested(place[at])]))
            return value
        key, held = place.members[at]
        match self.any(8, 3, 2, 2, 2, 1):
            case 0:
                place.members[at] = (key, self._wrong())
            case 1:
                place.members[at] = (self._key(str(key)), held)
            case 2:
                place.members.insert(self.random.choice((0, at, len(place.members))), (key, self._wrong()))
            case 3:
                del place.members[at]
            case 4:
                place.members[at] = (key, self._nested(held))
            case _:
                place.members[at] = (
                    key,
                    msgspec.Raw(encoded(held)[self.random.randrange(2) : self.random.randrange(9)]),
                )
        return value

    def _wrong(self) -> msgspec.Raw:
        match self.any(3, 3, 2):
            case 0:
                return msgspec.Raw(self.random.choice(_NUMBERS).encode())
            case 1:
                return msgspec.Raw(encoded(self.random.choice(_TEXTS)))
            case _:
                return msgspec.Raw(self.random.choice(_OTHER).encode())

    def _key(self, key: str) -> str | msgspec.Raw:
        spelled = (key.upper(), key.title(), f" {key}", f"{key}s", key.replace("_", "-"), key[1:], f"\ufeff{key}")
        match self.any(3, 2, 1):
            case 0:
                return self.random.choice(spelled)
            case 1:
                return self.random.choice(_KEYS)
            case _:
                return msgspec.Raw(_escaped(key).encode())

    def _nested(self, value: Any) -> msgspec.Raw:
        depth, inner = self.random.choice(_DEEP), encoded(value)
        match self.any(3, 2, 1, 1):
            case 0:
                return msgspec.Raw(b"[" * depth + inner + b"]" * depth)
            case 1:
                return msgspec.Raw(b'{"a":' * depth + inner + b"}" * depth)
            case 2:
                return msgspec.Raw(b"[" * depth + inner)
            case _:
                return msgspec.Raw(inner + b"]" * depth)

    # cells

    def cells(self, cells: Sequence[str]) -> list[str]:
        """A row with cells of another kind, or with too many or too few of them."""
        changed = list(cells)
        for _ in range(self.random.choice((1, 1, 1, 2, 3))):
            at = self.random.randrange(len(changed))
            match self.any(12, 2, 1, 1):
                case 0:
                    changed[at] = self.cell()
                case 1:
                    changed[at] = changed[at][::-1]
                case 2:
                    changed.insert(at, "")
                case _:
                    if len(changed) > 1:
                        del changed[at]
        return changed

    def cell(self) -> str:
        """A text that few cells should hold."""
        return self.random.choice(self.random.choice((_NUMBERS, _TEXTS, _OTHER)))

    # bytes

    def damaged(self, text: bytes, spared: Sequence[tuple[int, int]] = (), times: int = 1) -> bytes:
        """Bytes flipped, cut out, doubled, put in; what is spared stays, and so do its neighbours."""
        for _ in range(times):
            begin, end = self._piece(text, spared)
            text, spared = self._hurt(text, begin, end), ()
        return text

    def _piece(self, text: bytes, spared: Sequence[tuple[int, int]]) -> tuple[int, int]:
        for _ in range(100):
            begin = self.random.randrange(len(text) + 1)
            end = min(len(text), begin + self.random.choice((1, 1, 1, 2, 5, 20, 100)))
            if not any(begin <= last + 1 and end >= first - 1 for first, last in spared):
                return begin, end
        return 0, 0

    def _hurt(self, text: bytes, begin: int, end: int) -> bytes:
        before, piece, after = text[:begin], text[begin:end], text[end:]
        match self.any(4, 3, 2, 4, 1, 1):
            case 0:
                return before + bytes(each ^ 1 << self.random.randrange(8) for each in piece[:3]) + piece[3:] + after
            case 1:
                return before + after
            case 2:
                return before + piece * self.random.choice((2, 2, 3, 50)) + after
            case 3:
                return before + self.random.choice(_BITS) + piece + after
            case 4:
                return before + self.random.randbytes(len(piece)) + after
            case _:
                return before + piece[::-1] + after


def encoded(value: Any) -> bytes:
    """A value as JSON; what is raw stands as it is."""
    if isinstance(value, Object | dict):
        members = value.members if isinstance(value, Object) else value.items()
        return b"{" + b",".join(encoded(key) + b":" + encoded(held) for key, held in members) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(encoded, value)) + b"]"
    return bytes(value) if isinstance(value, msgspec.Raw) else msgspec.json.encode(value)


def _tree(value: Any) -> Any:
    """A copy of a value, the objects in it as `Object`."""
    if isinstance(value, dict):
        return Object([(key, _tree(held)) for key, held in value.items()])
    return [_tree(each) for each in value] if isinstance(value, list) else value


def _containers(value: Any) -> list[Any]:
    """All objects and arrays of a value, itself first."""
    if not isinstance(value, Object | list):
        return []
    inner = value if isinstance(value, list) else [held for _, held in value.members]
    return [value, *(below for each in inner for below in _containers(each))]


def _size(container: Any) -> int:
    return len(container) if isinstance(container, list) else len(container.members)


def _escaped(text: str) -> str:
    """A JSON string in which every other character is escaped."""
    return '"' + "".join(f"\\u{ord(each):04x}" if at % 2 else each for at, each in enumerate(text)) + '"'


def _spans(text: bytes, parts: Sequence[bytes]) -> list[tuple[int, int]]:
    """Where parts stand, with the key before each."""
    found = []
    for part in parts:
        at = text.find(part)
        while at >= 0:
            found.append((max(0, at - 40), at + len(part) + 1))
            at = text.find(part, at + 1)
    return found
