"""Cells to JSON values: whatever cannot be what its place wants stays the text that stood there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import tzinfo
from decimal import Decimal
from typing import Final

import msgspec
import polars as pl

from recovery_batch.clock import parse_zone
from recovery_batch.contract.fields import Form
from recovery_batch.ingest.flat.numbers import json_numbers, marked_numbers, minor_unit_digits, scaled
from recovery_batch.ingest.flat.planning import Leaf, Plan
from recovery_batch.ingest.flat.times import PLAIN, spelled_times
from recovery_batch.ingest.mapping import Column, Scalar

_NUMERIC: Final = frozenset({Form.NUMBER, Form.INTEGER})
_SPECIAL: Final = r'[\x00-\x1f"\\]'
_SHORT: Final = {"\b": "\\b", "\t": "\\t", "\n": "\\n", "\f": "\\f", "\r": "\\r", '"': '\\"', "\\": "\\\\"}
_ESCAPES: Final = {**{chr(code): f"\\u{code:04x}" for code in range(32)}, **_SHORT}
_RAW: Final = msgspec.json.Decoder(msgspec.Raw)
_LIST: Final = msgspec.json.Decoder(list[dict[str, msgspec.Raw]])
_JSON_BLANKS: Final = " \t\r\n"
_NO_BREAKS: Final = str.maketrans("\t\r\n", "   ")


def quoted(texts: pl.Series, plain: bool = False) -> pl.Series:
    """Texts as JSON strings; `plain`: there is nothing in them to escape."""
    return pl.select('"' + escaped(texts, plain) + '"').to_series()


def escaped(texts: pl.Series, plain: bool = False) -> pl.Series:
    """Texts as they stand between the quotes of a JSON string."""
    if plain or not texts.str.contains(_SPECIAL).any():
        return texts
    return texts.str.replace_many(list(_ESCAPES), list(_ESCAPES.values()))


def scalar_json(value: Scalar, form: Form | None) -> str:
    """A value of a mapping file as JSON, as its place wants it where that can be had."""
    if isinstance(value, bool):
        return "true" if value else "false"
    text = f"{value:f}" if isinstance(value, Decimal) else str(value)
    if form in _NUMERIC:
        number = json_numbers(pl.Series([text], dtype=pl.String)).item()
        if number is not None:
            return str(number)
    if form in (Form.OBJECT, Form.SHAPE, Form.SHAPES) and (nested := _nested(text)) is not None:
        return nested
    if isinstance(value, str) or form is Form.STRING:
        return msgspec.json.encode(text).decode()
    return text


def leaf_json(
    leaf: Leaf, cells: pl.Series, plan: Plan, currencies: Callable[[str], pl.Series], *, typed: bool = False
) -> pl.Series | None:
    """The cells of a column as JSON values; None where they are texts and nothing else.

    Args:
        leaf: What the column fills.
        cells: Its cells as texts, null where empty.
        plan: The whole table's.
        currencies: The texts at a path, where the minor units of an amount need them.
        typed: The cells were typed: what the mapping says of how numbers and times are spelled is not of them.
    """
    form, entry = leaf.form, leaf.entry
    found: pl.Series | None = None
    if leaf.holds_json:
        found = _nested_cells(leaf, cells)
    elif entry is not None and (entry.factor is not None or entry.minor_units_of is not None):
        found = _scaled_cells(entry, _numbers(entry, cells, plan, typed), plan, currencies)
    elif form in _NUMERIC:
        found = _numbers(entry, cells, plan, typed)
    elif formats := _formats(leaf, plan, typed):
        found = quoted(spelled_times(cells, formats, _zone(entry, plan)), plain=True)
    if entry is not None and entry.words:
        found = _worded(entry, cells, form, found)
    if entry is not None and entry.prefix:
        found = _either(found, quoted(entry.prefix + cells))
    if found is not None and found.null_count() > cells.null_count():
        found = found.fill_null(quoted(cells.set(found.is_not_null(), None)))
    if leaf.default is not None and cells.null_count():
        found = (quoted(cells) if found is None else found).fill_null(scalar_json(leaf.default, form))
    return found


def _either(first: pl.Series | None, second: pl.Series) -> pl.Series:
    return second if first is None else first.fill_null(second) if first.null_count() else first


def _numbers(entry: Column | None, cells: pl.Series, plan: Plan, typed: bool) -> pl.Series:
    """Cells of a number as JSON numbers; null where one is none."""
    if typed or not plan.is_mapped:
        return json_numbers(cells)
    numbers = plan.mapping.numbers
    decimal = (entry.decimal if entry else None) or numbers.decimal
    thousands = entry.thousands if entry and entry.thousands is not None else numbers.thousands
    return marked_numbers(cells, decimal, "" if thousands == decimal else thousands)


def _scaled_cells(entry: Column, numbers: pl.Series, plan: Plan, currencies: Callable[[str], pl.Series]) -> pl.Series:
    if entry.factor is not None:
        return scaled(numbers, entry.factor)
    assert entry.minor_units_of is not None
    codes = currencies(plan.shape.place(entry.minor_units_of).dotted)
    return scaled(numbers, "1", minor_unit_digits(codes))


def _formats(leaf: Leaf, plan: Plan, typed: bool) -> Sequence[str]:
    """The formats that a column's times are read by; none where they stay as they stand."""
    entry, times = leaf.entry, plan.mapping.times
    is_time = leaf.place.field is not None and leaf.place.field.is_time
    own = entry.formats if entry else ()
    if not is_time and not own:
        return ()
    plain = PLAIN if (entry and entry.zone) or times.zone else ()
    return plain if typed else own or times.formats or plain


def _zone(entry: Column | None, plan: Plan) -> tzinfo | None:
    name = (entry.zone if entry else None) or plan.mapping.times.zone
    return parse_zone(name) if name else None


def _worded(entry: Column, cells: pl.Series, form: Form | None, others: pl.Series | None) -> pl.Series:
    """Cells that are words of the mapping as their values: as they are spelled, else in any case."""
    values = {word: scalar_json(value, form) for word, value in entry.words.items()}
    loose = {word.strip().lower(): value for word, value in reversed(values.items())}
    exact = cells.replace_strict(list(values), list(values.values()), default=None, return_dtype=pl.String)
    if exact.null_count() > cells.null_count():
        bare = cells.str.strip_chars().str.to_lowercase()
        rest = bare.replace_strict(list(loose), list(loose.values()), default=None, return_dtype=pl.String)
        exact = exact.fill_null(rest)
    return exact if others is None else exact.fill_null(others)


def _nested_cells(leaf: Leaf, cells: pl.Series) -> pl.Series:
    """Cells that are JSON, as they stand; null where one is none."""
    takes_scalars = leaf.entry is not None and leaf.entry.as_json
    is_metadata = leaf.place.path[-1] == "additional_data"
    found = [
        None if cell is None else _nested(cell, takes_scalars=takes_scalars, is_metadata=is_metadata)
        for cell in cells.to_list()
    ]
    return pl.Series(cells.name, found, dtype=pl.String)


def _nested(cell: str, *, takes_scalars: bool = False, is_metadata: bool = False) -> str | None:
    """A cell that is a JSON object or array; a list of pairs goes where metadata of that form is looked for."""
    text = cell.strip(_JSON_BLANKS)
    opening = text[:1]
    if not takes_scalars and opening not in ("{", "["):
        return None
    try:
        _RAW.decode(text)
        if is_metadata and opening == "[" and all("key" in pair for pair in _LIST.decode(text)):
            text = f'{{"metadata":{text}}}'
    except msgspec.ValidationError:  # JSON, but no list of pairs
        pass
    except (msgspec.DecodeError, RecursionError):
        return None
    return text.translate(_NO_BREAKS) if not text.isprintable() else text
