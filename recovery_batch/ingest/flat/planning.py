"""What each column of a table fills: names of columns, a mapping and the documented fields to places in a record."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from pydantic import BaseModel

from recovery_batch.contract.fields import Documented, Form, documented
from recovery_batch.errors import AppError, ExportUnreadable, escape_pointer
from recovery_batch.ingest.mapping import Column, Mapping, MappingInvalid, Scalar

Path = tuple[str, ...]

_INDEX: Final = re.compile(r"0|[1-9][0-9]{0,3}")
_VALUE: Final = re.compile(r"@|^[0-9+-][0-9 .,:/+TZ-]*$|[0-9]{7}")
"""What looks like a cell of data where names of columns should stand: the cells beside it may be personal."""
_LISTED: Final = 60
_MOST_COLUMNS: Final = 2_000
_NESTED: Final = frozenset({Form.OBJECT, Form.SHAPE, Form.SHAPES})
_SUGGEST: Final = "Write a mapping file: load --suggest-mapping FILE writes a first one."


@dataclass(frozen=True, slots=True)
class Place:
    """Where something goes in a record.

    Attributes:
        path: Keys and places of arrays, from the record's root.
        field: The documented field there; None for a place that is not documented.
    """

    path: Path
    field: Documented | None = None

    @property
    def dotted(self) -> str:
        """The path as headers and mappings spell it."""
        return ".".join(self.path)

    @property
    def pointer(self) -> str:
        """The path as faults spell it."""
        return "".join(f"/{escape_pointer(part)}" for part in self.path)


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value of every record.

    Attributes:
        place: Where it goes.
        column: The column of the table that it comes from; None for a constant.
        entry: What a mapping says of the column; None: nothing.
        constant: The value, where there is no column.
        default: The value where a cell is empty; None: the value is absent there.
    """

    place: Place
    column: str | None = None
    entry: Column | None = None
    constant: Scalar | None = None
    default: Scalar | None = None

    @property
    def form(self) -> Form | None:
        """The documented JSON type of the value; None where nothing is documented."""
        return self.place.field.form if self.place.field else None

    @property
    def holds_json(self) -> bool:
        """Whether its cells are JSON, where they can be read so."""
        if self.entry is not None and self.entry.as_json:
            return True
        known = self.place.field
        return known.form in _NESTED if known else self.place.path[-1] == "metadata"


@dataclass(slots=True)
class Node:
    """An object or an array of a record, or a value."""

    is_array: bool = False
    leaf: Leaf | None = None
    children: dict[str, Node] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """What each column of a table fills.

    Attributes:
        columns: Every column of the table.
        leaves: The values of a record, in the order of the columns; constants after them.
        root: The same as a tree.
        shape: What is documented of a row.
        mapping: What the table is read with; one that says nothing where none was given.
        is_mapped: Whether one was given.
    """

    columns: tuple[str, ...]
    leaves: tuple[Leaf, ...]
    root: Node
    shape: Shape
    mapping: Mapping
    is_mapped: bool

    def columns_of_record(self) -> dict[str, str]:
        """Column of the table by the JSON pointer of what it fills, to name the column of a value that is at fault."""
        return {leaf.place.pointer: leaf.column for leaf in self.leaves if leaf.column is not None}

    def leaf_at(self, path: str) -> Leaf | None:
        """The leaf at a dotted path."""
        return next((leaf for leaf in self.leaves if leaf.place.dotted == path), None)


def column_names(header: Iterable[object], name: str) -> list[str]:
    """The names of columns without the blanks around them; one without a name is called by its number.

    Raises:
        ExportUnreadable: two columns have the same name.
    """
    names = ["" if cell is None else str(cell).strip() for cell in header]
    if len(names) > _MOST_COLUMNS:
        raise ExportUnreadable(f"{name}: {len(names):,} columns; allowed: {_MOST_COLUMNS:,}", hint="Is it a table?")
    names = [each or f"column {number}" for number, each in enumerate(names, 1)]
    if doubled := sorted(each for each, times in Counter(names).items() if times > 1):
        raise ExportUnreadable(
            f"{name}: {len(doubled)} name(s) of columns stand more than once: {_shown(doubled)}",
            hint="Rename one of each, so that it is clear which is meant.",
        )
    return names


def place_of(name: str, model: type[BaseModel]) -> Place:
    """Where a column of a name goes in a record: documented names in any case, arrays by their place from 0.

    `transactions.amount` is `transactions.0.amount`. What is not documented keeps its own spelling.
    """
    parts = name.split(".")
    if not all(parts):
        return Place((name,))
    path: list[str] = []
    shape: type[BaseModel] | None = model
    for at, part in enumerate(parts):
        known = _field(shape, part) if shape else None
        if known is None:
            return Place((*path, *parts[at:]))
        path.append(known.name)
        if known.form is Form.SHAPES:
            if at + 1 == len(parts) or _INDEX.fullmatch(parts[at + 1]):
                return _place_in_array(path, parts[at + 1 :], known)
            return _place_in_array(path, ["0", *parts[at + 1 :]], known)
        if at + 1 == len(parts):
            return Place(tuple(path), known)
        shape = known.shape
    raise AssertionError(name)


def _place_in_array(path: list[str], rest: Sequence[str], known: Documented) -> Place:
    if not rest:
        return Place(tuple(path), known)
    assert known.shape is not None
    if len(rest) == 1:
        return Place((*path, *rest))
    inner = place_of(".".join(rest[1:]), known.shape)
    return Place((*path, rest[0], *inner.path), inner.field)


def _field(model: type[BaseModel], name: str) -> Documented | None:
    wanted = name.strip().casefold()
    return next((each for each in documented(model) if each.name.casefold() == wanted), None)


@dataclass(frozen=True, slots=True)
class Shape:
    """The documented shape of what a row is.

    Attributes:
        model: The documented fields.
        bare: What a name is called in it.
    """

    model: type[BaseModel]
    bare: Callable[[str], str] = str

    def place(self, name: str) -> Place:
        """Where a column, or a path of a mapping, goes."""
        return place_of(self.bare(name), self.model)


def documented_columns(columns: Sequence[str], mapping: Mapping | None, model: type[BaseModel]) -> int:
    """How many documented fields of a model a table fills: of several models, the records are of that with most."""
    names = [*mapping.columns, *mapping.constants] if mapping else []
    return sum(place_of(name, model).field is not None for name in {*names, *columns})


def plan_for(columns: Sequence[str], mapping: Mapping | None, shape: Shape, name: str) -> Plan:
    """What each column of a table fills.

    Args:
        columns: The names of its columns, as `column_names` gives them.
        mapping: What is known of the table; None: its columns are called by our paths.
        shape: What is documented of a row.
        name: What errors call the file.

    Raises:
        MappingInvalid: the mapping names columns that the table lacks, or does not fit otherwise; names all of them.
        ExportUnreadable: two columns fill the same place, or without a mapping none is called by a documented path.
    """
    used = mapping or Mapping(version=1)
    leaves = [*_named(columns, used, shape, name), *_others(columns, used, shape, mapping is None)]
    leaves.sort(key=lambda leaf: columns.index(leaf.column) if leaf.column is not None else len(columns))
    if mapping is None and not any(leaf.place.field for leaf in leaves):
        raise ExportUnreadable(
            f"{name}: no column is called by a path that is ours, such as payment.id; the file has: {_shown(columns)}",
            hint=_SUGGEST,
        )
    leaves = _apart(leaves, name, MappingInvalid if mapping else ExportUnreadable)
    plan = Plan(tuple(columns), tuple(leaves), _tree(leaves, shape.model), shape, used, mapping is not None)
    for leaf in leaves:
        currency = leaf.entry.minor_units_of if leaf.entry else None
        if currency and plan.leaf_at(shape.place(currency).dotted) is None:
            raise MappingInvalid(
                f'{name}: columns."{leaf.place.dotted}".minor_units_of: no column and no constant fills {currency}'
            )
    return plan


def _named(columns: Sequence[str], mapping: Mapping, shape: Shape, name: str) -> Iterator[Leaf]:
    """What the entries of a mapping fill."""
    faults = []
    defaults = {shape.place(path).path: value for path, value in mapping.defaults.items()}
    for path, entry in mapping.columns.items():
        found = _called(columns, entry.column)
        if len(found) == 1:
            place = shape.place(path)
            yield Leaf(place, found[0], entry, default=defaults.get(place.path))
        else:
            faults.append(f"{entry.column!r} ({path})" + (f" may be {_shown(found)}" if found else ""))
    if faults:
        raise MappingInvalid(
            f"{name}: the mapping names columns that the file lacks: {', '.join(faults)}; "
            f"the file has: {_shown(columns)}",
            hint="Names of columns count in any case, but as a whole.",
            details={"columns": faults},
        )
    for path, value in mapping.constants.items():
        yield Leaf(shape.place(path), constant=value)


def _called(columns: Sequence[str], name: str) -> list[str]:
    """The columns that a mapping may mean by a name: spelled so, else in another case."""
    wanted = name.strip()
    exact = [each for each in columns if each == wanted]
    return exact or [each for each in columns if each.casefold() == wanted.casefold()]


def _others(columns: Sequence[str], mapping: Mapping, shape: Shape, alone: bool) -> Iterator[Leaf]:
    """What columns fill that no entry names."""
    if not (mapping.extra.keep or alone):
        return
    named = {each for entry in mapping.columns.values() for each in _called(columns, entry.column)}
    taken = {shape.place(path).path for path in (*mapping.columns, *mapping.constants)}
    defaults = {shape.place(path).path: value for path, value in mapping.defaults.items()}
    for column in columns:
        if column in named:
            continue
        place = shape.place(column)
        if place.path in taken or (not alone and len(place.path) == 1 and place.field is None):
            place = Place((column,))
        yield Leaf(place, column, default=defaults.pop(place.path, None))
    filled = taken | {shape.place(column).path for column in columns}
    for path, value in mapping.defaults.items():
        if shape.place(path).path not in filled:  # a column that this file lacks is empty throughout
            yield Leaf(shape.place(path), constant=value)


def _apart(leaves: list[Leaf], name: str, error: type[AppError]) -> list[Leaf]:
    """Leaves that do not stand in one another's way.

    A column that is not documented gives way: it goes to the root under its own name.
    """
    paths = {leaf.place.path: leaf for leaf in leaves}
    kept: list[Leaf] = []
    faults = []
    seen: dict[Path, Leaf] = {}
    for leaf in leaves:
        above = [paths[leaf.place.path[:n]] for n in range(1, len(leaf.place.path)) if leaf.place.path[:n] in paths]
        rival = seen.get(leaf.place.path) or next((each for each in above if not _takes_members(each)), None)
        free = leaf.column is not None and leaf.entry is None and leaf.place.field is None
        if rival and free and leaf.column and (leaf.column,) not in paths:
            kept.append(Leaf(Place((leaf.column,)), leaf.column, default=leaf.default))
        elif rival:
            faults.append(f"{_source(rival)} and {_source(leaf)} both fill {rival.place.dotted}")
        else:
            seen[leaf.place.path] = leaf
            kept.append(leaf)
    if faults:
        raise error(
            f"{name}: {'; '.join(faults)}", hint="Rename one of each, or name the one that counts in a mapping."
        )
    return kept


def _takes_members(leaf: Leaf) -> bool:
    is_list = leaf.place.field is not None and leaf.place.field.form is Form.SHAPES
    return leaf.holds_json and not is_list


def _source(leaf: Leaf) -> str:
    return f"column {leaf.column!r}" if leaf.column is not None else f"constant {leaf.place.dotted}"


def _tree(leaves: Iterable[Leaf], model: type[BaseModel]) -> Node:
    root = Node()
    for leaf in leaves:
        node = root
        for part in leaf.place.path:
            node = node.children.setdefault(part, Node())
        node.leaf = leaf
    _find_arrays(root, model)
    return root


def _find_arrays(node: Node, shape: type[BaseModel] | None, known: Documented | None = None) -> None:
    """Mark the arrays: the documented ones, and elsewhere what has a place 0 and nothing but places."""
    if known is not None:
        node.is_array = known.form is Form.SHAPES and bool(node.children)
    elif shape is None:
        node.is_array = "0" in node.children and all(_INDEX.fullmatch(each) for each in node.children)
    if node.is_array:
        node.children = dict(sorted(node.children.items(), key=lambda each: int(each[0])))
    for part, child in node.children.items():
        if node.is_array:
            _find_arrays(child, known.shape if known else None)
        else:
            inner = _field(shape, part) if shape else None
            _find_arrays(child, inner.shape if inner and inner.form is Form.SHAPE else None, inner)


def _shown(columns: Sequence[str]) -> str:
    """Names of columns for an error; none where the row holds data, which may be personal."""
    if any(_VALUE.search(each) for each in columns):
        return "(values rather than names of columns)"
    shown = [repr(each if len(each) <= _LISTED else f"{each[:_LISTED]}…") for each in columns[:_LISTED]]
    more = f" and {len(columns) - _LISTED} more" if len(columns) > _LISTED else ""
    return ", ".join(shown) + more
