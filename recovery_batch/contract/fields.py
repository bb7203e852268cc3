"""The documented fields of a request shape, read off its pydantic model: what ingest checks and outreach writes."""

from __future__ import annotations

import re
import types
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from functools import cache
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, StringConstraints
from pydantic.fields import FieldInfo

from recovery_batch.contract.abandoned import Cleaned, LeftOut
from recovery_batch.contract.declined import DigitsText, Meaning, TimeText

_Mark = TypeVar("_Mark")


class Form(Enum):
    """The documented JSON type of a field, as errors name it."""

    STRING = "a string"
    INTEGER = "an integer of at most 64 bits"
    NUMBER = "a number"
    OBJECT = "an object"
    SHAPE = "an object of documented fields"
    SHAPES = "an array of objects"


_FORMS = {
    str: Form.STRING,
    Literal: Form.STRING,
    int: Form.INTEGER,
    Decimal: Form.NUMBER,
    dict: Form.OBJECT,
}


@dataclass(frozen=True, slots=True)
class Documented:
    """One documented field.

    Attributes:
        name: Its key.
        form: Its JSON type.
        mandatory: Whether a request needs it.
        empty_counts: Whether an empty text is a value; where not, it counts as absent.
        pattern: What a request allows of a text; None for any.
        meaning: What a text must be for a record to be loadable: a code of a list, one of some words.
        is_time: Whether it is a time.
        digits_only: Whether only its digits go out.
        clean: What makes of a text what goes out of it, and what the pattern is of; None: it goes out as it is.
        left_out: Whether it is left out of a request where the pattern refuses it, rather than keep the record back.
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
    clean: Callable[[str], str] | None
    left_out: bool
    is_free: bool
    shape: type[BaseModel] | None

    def allows(self, text: str) -> bool:
        """Whether the pattern takes what goes out of a text."""
        return self.pattern is None or self.pattern.match(self.clean(text) if self.clean else text) is not None


@cache
def documented(model: type[BaseModel]) -> tuple[Documented, ...]:
    """The documented fields of a model, in its order."""
    return tuple(_documented(name, info) for name, info in model.model_fields.items())


def _documented(name: str, info: FieldInfo) -> Documented:
    base, marks = _unwrapped(info.annotation, list(info.metadata))
    constraints = [mark for mark in marks if isinstance(mark, StringConstraints)]
    pattern = next((str(each.pattern) for each in constraints if each.pattern), None)
    form, shape = _form(base)
    meaning = _one_of(get_args(base)) if get_origin(base) is Literal else _mark(marks, Meaning)
    cleaned = _mark(marks, Cleaned)
    is_time = _mark(marks, TimeText) is not None
    digits_only = _mark(marks, DigitsText) is not None
    never_empty = form is Form.NUMBER or get_origin(base) is Literal or any(each.min_length for each in constraints)
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
        clean=cleaned.clean if cleaned else None,
        left_out=_mark(marks, LeftOut) is not None,
        is_free=form is Form.STRING and (pattern is None or digits_only) and not meaning and not is_time,
        shape=shape,
    )


def _form(base: Any) -> tuple[Form, type[BaseModel] | None]:
    """The JSON type that a type stands for, and the model of its objects."""
    if get_origin(base) is list:
        return Form.SHAPES, get_args(base)[0]
    if isinstance(base, type) and issubclass(base, BaseModel):
        return Form.SHAPE, base
    return _FORMS[get_origin(base) or base], None


def _mark(marks: list[Any], kind: type[_Mark]) -> _Mark | None:
    """The first mark of a kind."""
    return next((mark for mark in marks if isinstance(mark, kind)), None)


def _one_of(words: tuple[str, ...]) -> Meaning:
    return Meaning(frozenset(words).__contains__, f"one of {', '.join(words)}")


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
