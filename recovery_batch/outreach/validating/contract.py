"""One request body held against its model: what is wrong with it, by place, never with what stood there."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from pydantic import BaseModel, ValidationError

from recovery_batch.contract.fields import Documented, Form, documented
from recovery_batch.errors import escape_pointer

_UNKNOWN = "extra_forbidden"


class Finding(NamedTuple):
    """What is wrong in a body: JSON pointer, and in words what, and what is allowed."""

    pointer: str
    message: str
    allowed: str


def contract_findings(model: type[BaseModel], body: Any) -> Iterator[Finding]:
    """Everything that the contract refuses in a body.

    Args:
        model: The contract.
        body: Plain values, numbers as int or Decimal.
    """
    try:
        model.model_validate(_held(model, body))
    except ValidationError as error:
        for each in error.errors(include_url=False, include_input=False, include_context=False):
            # an undocumented key may be somebody's name: the object that holds it is named
            keys = each["loc"][:-1] if each["type"] == _UNKNOWN else each["loc"]
            pointer = "".join(f"/{escape_pointer(str(key))}" for key in keys)
            if each["type"] == _UNKNOWN:
                yield Finding(pointer, "a field that is not documented", "documented fields")
            else:
                yield Finding(pointer, "not as the contract wants it", each["msg"])
    yield from _wrong_meanings(model, body, "")


def _held(model: type[BaseModel], body: Any) -> Any:
    """The body with every amount as a Decimal, as the models hold them: a JSON integer is an amount too."""
    if not isinstance(body, dict):
        return body
    fields = {each.name: each for each in documented(model)}
    return {name: _field_held(fields[name], item) if name in fields else item for name, item in body.items()}


def _field_held(field: Documented, item: Any) -> Any:
    if field.form is Form.NUMBER:
        return Decimal(item) if isinstance(item, int) and not isinstance(item, bool) else item
    if field.form is Form.SHAPE and field.shape is not None:
        return _held(field.shape, item)
    if field.form is Form.SHAPES and field.shape is not None and isinstance(item, list):
        return [_held(field.shape, each) for each in item]
    return item


def _wrong_meanings(model: type[BaseModel], body: Any, pointer: str) -> Iterator[Finding]:
    """Texts that look as they should and mean nothing: a country that is none, a day that no month has."""
    for field in documented(model) if isinstance(body, dict) else ():
        item, place = body.get(field.name), f"{pointer}/{field.name}"
        if field.shape is not None:
            items = [(place, item)] if field.form is Form.SHAPE else _numbered(place, item)
            for inner_place, inner in items:
                yield from _wrong_meanings(field.shape, inner, inner_place)
        elif isinstance(item, str) and field.allows(item):
            if field.meaning is not None and not field.meaning.holds(item):
                yield Finding(place, "means nothing", field.meaning.allowed)
            elif field.is_time and not _is_time(item):
                yield Finding(place, "means nothing", "a time that exists")


def _numbered(place: str, items: Any) -> list[tuple[str, Any]]:
    return [(f"{place}/{number}", item) for number, item in enumerate(items)] if isinstance(items, list) else []


def _is_time(text: str) -> bool:
    try:
        datetime.fromisoformat(text)
    except ValueError:
        return False
    return True
