"""Kinds of field that campaigns and rules share, and how the value of one is refused."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Annotated, NoReturn

from pydantic import AfterValidator, BeforeValidator, PlainSerializer, StrictStr
from pydantic_core import PydanticCustomError

from recovery_batch.clock import iso, parse_bound

ACTIVE = "ACTIVE"
STAMPS = {"created_at", "updated_at"}
"""The fields of campaigns and rules that say when they were stored, and not what they are."""
_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def refuse(message: str, allowed: str, code: int = 422) -> NoReturn:
    """Refuse the value of a field: what is wrong, and what is allowed, for the list of problems."""
    raise PydanticCustomError("refused", "{message}", {"message": message, "allowed": allowed, "code": code})


def one_of(value: object, allowed: tuple[str, ...], what: str) -> str:
    """The value, when it is one of a list of words; refused otherwise."""
    if not isinstance(value, str) or value not in allowed:
        refuse(f"unknown {what}", ", ".join(allowed))
    return value


def is_uuid(text: object) -> bool:
    """Whether a value is a UUID in its usual spelling, eight-four-four-four-twelve."""
    return isinstance(text, str) and _UUID.fullmatch(text) is not None


def absent_is_active(value: object) -> object:
    """A status of null counts as absent."""
    return ACTIVE if value is None else value


def _uuid(value: str) -> str:
    if not is_uuid(value):
        refuse("malformed UUID", "a UUID such as e4c03f29-b0f6-403a-8814-9aee1a88d60e", code=400)
    return value


def _whole(value: str) -> str:
    # JSON's \ud800 alone: Python holds it, but nothing can store, compare or print it
    if any("\ud800" <= character <= "\udfff" for character in value):
        refuse("half a surrogate pair in a text", "Unicode text")
    return value


def _instant(value: object) -> datetime:
    if not isinstance(value, str | datetime):
        refuse("not a time", "a text in ISO 8601 such as 2026-09-01T00:00:00Z")
    try:
        if isinstance(value, str):
            return parse_bound(value)
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        refuse("not a time", "ISO 8601 such as 2026-09-01T00:00:00Z")


Text = Annotated[StrictStr, AfterValidator(_whole)]
Uuid = Annotated[StrictStr, AfterValidator(_uuid)]
Instant = Annotated[datetime, BeforeValidator(_instant), PlainSerializer(iso, return_type=str, when_used="json")]
"""A time in UTC; one without a zone is read as UTC, a date alone is its midnight."""
