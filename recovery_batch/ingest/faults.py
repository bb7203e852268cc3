"""What is wrong with a record: data, not an exception, so that the rest of the file loads."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, ClassVar

import msgspec

_LONGEST_SHOWN = 80
# Below `customer` and `customer_payer` only these two fields of a few letters may be shown.
_PERSONAL = re.compile(r"/customer(?!/(?:country_code|language)\Z)")
_FEW_LETTERS = 8
"""`Colombia` and `es-CO` may be shown; what is longer may be a name in the column beside its own."""

_FARTHEST = 1000


class FarNumber:
    """A number so large or so small that its plain digits would fill the memory: kept as it is spelled, and refused.

    Not a dataclass: the encoders of msgspec must meet it as something that they do not know.
    """

    __slots__ = ("spelled",)
    ALLOWED: ClassVar[str] = f"a number between 1e-{_FARTHEST} and 1e{_FARTHEST}"

    def __init__(self, spelled: str) -> None:
        self.spelled = spelled


def exact_number(spelled: str) -> Decimal | FarNumber:
    """A JSON number with a fraction or an exponent, exactly."""
    try:
        number = Decimal(spelled)
    except InvalidOperation:  # an exponent that no decimal holds
        return FarNumber(spelled)
    return number if abs(number.adjusted()) <= _FARTHEST else FarNumber(spelled)


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
    if isinstance(value, int | Decimal | FarNumber):
        return "a number"
    return "a string" if isinstance(value, str) else "an array" if isinstance(value, list) else "an object"


def found(value: Any, pointer: str) -> str:
    """A value as errors show it."""
    if _PERSONAL.match(pointer) or isinstance(value, dict | list):
        return type_name(value)
    if isinstance(value, str) and ("@" in value or (pointer.startswith("/customer") and len(value) > _FEW_LETTERS)):
        return type_name(value)  # of a person, in a column that it slipped into
    if isinstance(value, FarNumber):
        text = value.spelled
    else:
        text = msgspec.json.encode(value).decode() if not isinstance(value, Decimal) else str(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}… ({len(text)} characters)"


def escape(key: str) -> str:
    """A key as a part of a JSON pointer."""
    return key.replace("~", "~0").replace("/", "~1")
