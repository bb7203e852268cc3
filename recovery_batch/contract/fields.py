"""The documented fields of a request shape, read off its pydantic model: what ingest checks and outreach writes."""

from __future__ import annotations

import re
import types
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from recovery_batch.contract.declined import DigitsText, Meaning, TimeText


class Form(Enum):
    """The documented JSON type of a field, as errors name it."""

    STRING = "a string"
    INTEGER = "an integer of at most 64 bits"
    NUMBER = "a number"
    OBJECT = "an object"
    SHAPE = "an object of documented fields"
    SHAPES = "an array of objects"


_FORMS = {str: Form.STRING, int: Form.INTEGER, Decimal: Form.NUMBER, dict: Form.OBJECT}


@dataclass(frozen=True, slots=True)
class Documented:
    """One documented field.

    Attributes:
        name: Its key.
        form: Its JSON type.
        mandatory: Whether a request needs it.
        empty_counts: Whether an empty text is a value; where not, it counts as absent.
        pattern: What a request allows of a text; None for any.
        meaning: What a text must be for a record to be loadable.
        is_time: Whether it is a time.
        digits_only: Whether only its digits go out.
        is_free: Whether it is a text that may be any at all, for a record to be loadable and to be submittable.
        shape: The model of an object, or of the objects of an array.
    """

    name: str
    form: Form
    mandatory: bool
    empty_counts: bool
    pattern: re.Pattern[str] | None
    meaning: Meaning | None
    is_time: bool
    digits_only: bool
    is_free: bool
    shape: type[BaseModel] | None


@cache
def documented(model: type[BaseModel]) -> tuple[Documented, ...]:
    """The documented fields of a model, in its order."""
    return tuple(_documented(name, info) for name, info in model.model_fields.items())


def _documented(name: str, info: FieldInfo) -> Documented:
    base, marks = _unwrapped(info.annotation, list(info.metadata))
    constraints = [mark for mark in marks if isinstance(mark, StringConstraints)]
    pattern = next((str(each.pattern) for each in constraints if each.pattern), None)
    if get_origin(base) is list:
        form, shape = Form.SHAPES, get_args(base)[0]
    elif isinstance(base, type) and issubclass(base, BaseModel):
        form, shape = Form.SHAPE, base
    else:
        form, shape = _FORMS[get_origin(base) or base], None
    meaning = next((mark for mark in marks if isinstance(mark, Meaning)), None)
    is_time = any(isinstance(mark, TimeText) for mark in marks)
    digits_only = any(isinstance(mark, DigitsText) for mark in marks)
    never_empty = form is Form.NUMBER or any(each.min_length for each in constraints)
    return Documented(
        name=name,
        form=form,
        mandatory=info.is_required(),
        empty_counts=not (info.is_required() and never_empty),
        # in JSON Schema and in pydantic `$` is the end of the text, in re also what stands before a last line end
        pattern=re.compile(pattern.removesuffix("$") + r"\Z") if pattern else None,
        meaning=meaning,
        is_time=is_time,
        digits_only=digits_only,
        is_free=form is Form.STRING and (pattern is None or digits_only) and not meaning and not is_time,
        shape=shape,
    )


def _unwrapped(annotation: Any, marks: list[Any]) -> tuple[Any, list[Any]]:
    """The type below `Annotated` and `| None`, with every mark met on the way."""
    if get_origin(annotation) is Annotated:
        inner, *more = get_args(annotation)
        return _unwrapped(inner, marks + more)
    if get_origin(annotation) in (types.UnionType, Union):
        (inner,) = (arg for arg in get_args(annotation) if arg is not type(None))
        return _unwrapped(inner, marks)
    return annotation, marks


def mandatory_paths(model: type[BaseModel]) -> Iterator[str]:
    """The names of the mandatory fields of a model."""
    return (field.name for field in documented(model) if field.mandatory)
