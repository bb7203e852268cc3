"""What is wrong with a record: data, not an exception, so that the rest of the file loads."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import msgspec

_LONGEST_SHOWN = 80
_PERSONAL = "/customer_payer"


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault of a record.

    Attributes:
        reason: A stable slug, such as `wrong_type`.
        pointer: JSON pointer of the field in the record; empty for the record itself.
        expected: What is allowed there.
        found: What stood there, as JSON text cut to a readable length; only its type where it may be personal.
    """

    reason: str
    pointer: str
    expected: str
    found: str | None


def type_name(value: object) -> str:
    """The JSON type of a value, as errors name it."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a Boolean"
    if isinstance(value, int | Decimal):
        return "a number"
    return {str: "a string", list: "an array", dict: "an object"}.get(type(value), type(value).__name__)


def found(value: Any, pointer: str) -> str:
    """A value as errors show it."""
    if pointer.startswith(_PERSONAL) or isinstance(value, dict | list):
        return type_name(value)
    text = msgspec.json.encode(value).decode() if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"


def escape(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
