"""JSON values by row, strung together to objects and arrays without a loop over the rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import msgspec
import polars as pl

_EMPTY_OBJECT: Final = r"^\{\s*\}$"


@dataclass(slots=True)
class Rendered:
    """JSON text by row.

    Attributes:
        parts: Literal texts and columns to be strung together.
        sure: Whether every row has a text. Where not, the parts are one expression, null where there is nothing.
    """

    parts: list[str | pl.Expr]
    sure: bool

    @property
    def expression(self) -> pl.Expr:
        """The text as one expression."""
        return joined(self.parts)


def joined(parts: Sequence[str | pl.Expr]) -> pl.Expr:
    """Parts strung together, neighbouring literals as one; null where one of them is."""
    merged: list[str | pl.Expr] = []
    for part in parts:
        if isinstance(part, str) and merged and isinstance(merged[-1], str):
            merged[-1] += part
        else:
            merged.append(part)
    expressions = [pl.lit(part) if isinstance(part, str) else part for part in merged]
    return expressions[0] if len(expressions) == 1 else pl.concat_str(expressions)


def column_of(values: pl.Series, name: str, *, quotes: bool) -> Rendered:
    """The column of a name with these values."""
    mark = ['"'] if quotes else []
    parts: list[str | pl.Expr] = [*mark, pl.col(name), *mark]
    return Rendered(parts, True) if values.null_count() == 0 else Rendered([joined(parts)], False)


def object_of(members: Sequence[tuple[str, Rendered]]) -> Rendered:
    """An object of members by key, those that are absent left out; absent where all of them are."""
    return _strung([(msgspec.json.encode(key).decode() + ":", value) for key, value in members], "{", "}")


def array_of(elements: Sequence[Rendered]) -> Rendered:
    """An array; elements that are absent are left out, and the others close up."""
    return _strung([("", element) for element in elements], "[", "]")


def _strung(members: Sequence[tuple[str, Rendered]], opening: str, closing: str) -> Rendered:
    if not any(value.sure for _, value in members):
        each = [joined([f",{key}", *value.parts]).fill_null("") for key, value in members]
        inner = pl.concat_str(each)
        return Rendered([pl.when(inner != "").then(joined([opening, inner.str.strip_prefix(","), closing]))], False)
    parts: list[str | pl.Expr] = [opening]
    is_first = True
    for key, value in members:
        if value.sure:
            parts += [key if is_first else f",{key}", *value.parts]
            is_first = False
        elif is_first:  # whether or not it is there: the next sure one stands behind it
            parts.append(joined([key, *value.parts, ","]).fill_null(""))
        else:
            parts.append(joined([f",{key}", *value.parts]).fill_null(""))
    return Rendered([*parts, closing], True)


def merged(members: Rendered, cell: Rendered) -> Rendered:
    """An object of members and JSON that fill the same place: members stand first, since the first of a key counts."""
    inner, outer = members.expression, cell.expression
    rest = pl.when(outer.str.contains(_EMPTY_OBJECT)).then(pl.lit("}")).otherwise("," + outer.str.strip_prefix("{"))
    both = inner.str.strip_suffix("}") + rest
    whole = pl.when(inner.is_null()).then(outer).when(outer.is_null()).then(inner)
    return Rendered([whole.when(outer.str.starts_with("{")).then(both).otherwise(outer)], False)
