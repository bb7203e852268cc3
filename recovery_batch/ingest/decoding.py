"""JSON text to values: numbers exact, of a key that stands twice in one object the first (as DuckDB takes it)."""

from __future__ import annotations

import json
from typing import Any, Final

import msgspec

from recovery_batch.ingest.faults import FarNumber, Fault, exact_number

_DEEPEST: Final = 100
"""How deep a record may nest. Some limit there must be, so that no record can exhaust the stack."""

_DECODER: Final = msgspec.json.Decoder(float_hook=exact_number)


def _spelled(value: object) -> msgspec.Raw:
    assert isinstance(value, FarNumber)
    return msgspec.Raw(value.spelled.encode())


_AS_READ: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_spelled)
_SORTED: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")


def decoded(text: bytes) -> tuple[Any, Fault | None]:
    """A decoded value, numbers as int or Decimal, or why there is none."""
    try:
        value = _DECODER.decode(text)
        is_deep = text.count(b"[") + text.count(b"{") > _DEEPEST and _depth(value) > _DEEPEST
    except UnicodeDecodeError as error:
        return None, Fault("not_utf8", "", "UTF-8 text", f"byte 0x{error.object[error.start]:02x}")
    except msgspec.ValidationError:
        return None, Fault("number_too_large", "", "numbers of at most 4,000 digits", "a longer number")
    except msgspec.DecodeError as error:
        return None, Fault("not_json", "", "one JSON object", str(error))
    except RecursionError:
        is_deep = True
    if is_deep:
        return None, Fault(
            "nested_too_deep", "", f"objects and arrays nested at most {_DEEPEST} deep", "deeper nesting"
        )
    return first_of_repeated(text, value), None


def first_of_repeated(text: bytes, value: Any) -> Any:
    """A value decoded from a text, with the first value of a repeated key where the decoder took the last."""
    if encoded(value) == msgspec.json.format(text, indent=-1):
        return value
    return json.loads(text, parse_float=exact_number, object_pairs_hook=_first)


def has_repeated_keys(text: bytes, encoded_value: bytes) -> bool:
    """Whether a key stands twice in an object of a text, of which the value is given as `encoded` writes it."""
    if encoded_value == msgspec.json.format(text, indent=-1):
        return False
    repeated: list[bool] = []
    json.loads(text, object_pairs_hook=lambda pairs: repeated.append(len(dict(pairs)) < len(pairs)))
    return any(repeated)


def _first(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    kept: dict[str, Any] = {}
    for key, value in pairs:
        kept.setdefault(key, value)
    return kept


def encoded(value: Any) -> bytes:
    """A value as compact JSON, its keys in their order, its numbers with their digits."""
    return _AS_READ.encode(value)


def holds_far_number(value: Any) -> bool:
    """Whether a value holds a number so far away that it is refused."""
    try:
        _SORTED.encode(value)
    except TypeError:
        return True
    return False


def canonical(text: bytes) -> bytes:
    """A record in a form that neither blanks nor the order of keys change: what counts as its content."""
    return _SORTED.encode(first_of_repeated(text, _DECODER.decode(text)))


def _depth(value: Any, above: int = 0) -> int:
    """How deep a value nests; no more than one level beyond the deepest allowed is looked at."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None or above > _DEEPEST:
        return above
    return max((_depth(each, above + 1) for each in inner), default=above + 1)
