"""Rows of a table to JSON texts of records, column by column: no loop over rows, no value through a float."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

import polars as pl

from recovery_batch.ingest.flat.planning import Leaf, Node, Plan
from recovery_batch.ingest.flat.stringing import Rendered, array_of, column_of, merged, object_of
from recovery_batch.ingest.flat.typed import as_texts, typed_json
from recovery_batch.ingest.flat.values import escaped, leaf_json, scalar_json


def record_texts(frame: pl.DataFrame, plan: Plan, *, plain: bool = False) -> pl.Series:
    """The JSON text of the record of each row.

    Args:
        frame: Cells by column, of texts or typed; null where a cell is empty. It has all columns of the plan.
        plan: What each column fills.
        plain: No text of the frame holds anything that JSON escapes.

    Returns:
        Texts, UTF-8, in the order of the rows; no nulls.
    """
    building = _Building(frame, plan, plain)
    rendered = building.node(plan.root)
    texts = pl.DataFrame(building.columns).select(rendered.expression.alias("text")).to_series()
    if len(texts) != len(frame):  # constants alone
        return texts.new_from_index(0, len(frame))
    return texts if rendered.sure else texts.fill_null("{}")


@dataclass(slots=True)
class _Building:
    """The building of the texts of one batch of rows.

    Attributes:
        columns: The values that the texts are strung together of, by the names that expressions call them by.
    """

    frame: pl.DataFrame
    plan: Plan
    plain: bool
    columns: dict[str, pl.Series] = field(default_factory=dict)

    def node(self, node: Node) -> Rendered:
        """The text of an object, an array or a value."""
        if not node.children and node.leaf:
            return self.leaf(node.leaf)
        if node.is_array:
            return array_of([self.node(child) for child in node.children.values()])
        members = object_of([(key, self.node(child)) for key, child in node.children.items()])
        whole = merged(members, self.leaf(node.leaf)) if node.leaf else members
        return whole if node is self.plan.root else self.unless_empty(node, whole)

    def unless_empty(self, node: Node, whole: Rendered) -> Rendered:
        """The text of an object, absent where all of its cells are empty: what a mapping adds does not make one."""
        leaves = list(_leaves(node))
        if not any(leaf.column is None or leaf.default is not None for leaf in leaves):
            return whole
        cells = [self.cells(leaf) for leaf in leaves if leaf.column is not None]
        if not cells or any(each.null_count() == 0 for each in cells):
            return whole
        name = str(len(self.columns))
        self.columns[name] = reduce(or_, (each.is_not_null() for each in cells)).alias(name)
        return Rendered([pl.when(pl.col(name)).then(whole.expression)], False)

    def leaf(self, leaf: Leaf) -> Rendered:
        """The text of a value."""
        if leaf.column is None:
            assert leaf.constant is not None
            return Rendered([scalar_json(leaf.constant, leaf.form)], True)
        values = self.values(leaf)
        name = str(len(self.columns))
        self.columns[name] = escaped(self.cells(leaf), self.plain) if values is None else values
        return column_of(self.columns[name], name, quotes=values is None)

    def values(self, leaf: Leaf) -> pl.Series | None:
        """The JSON values of a column; None where they are texts."""
        assert leaf.column is not None
        cells = self.frame[leaf.column]
        if cells.dtype != pl.String and leaf.entry is None and not self.wants_zone(leaf, cells):
            known = typed_json(cells, leaf.place.field)
            return known if leaf.default is None else known.fill_null(scalar_json(leaf.default, leaf.form))
        return leaf_json(leaf, self.cells(leaf), self.plan, self.texts_at, typed=cells.dtype != pl.String)

    def wants_zone(self, leaf: Leaf, cells: pl.Series) -> bool:
        """Whether a mapping's zone applies to a typed column."""
        is_time = leaf.place.field is not None and leaf.place.field.is_time
        return is_time and cells.dtype.is_temporal() and self.plan.mapping.times.zone is not None

    def cells(self, leaf: Leaf) -> pl.Series:
        """The cells of a column as texts, null where empty."""
        assert leaf.column is not None
        cells = as_texts(self.frame[leaf.column])
        empty = cells.str.len_bytes() == 0
        if nulls := self.plan.mapping.file.null_texts:
            empty = empty | cells.is_in(list(nulls))
        return cells.set(empty.fill_null(False), None) if empty.any() else cells

    def texts_at(self, path: str) -> pl.Series:
        """The texts at a path."""
        leaf = self.plan.leaf_at(path)
        assert leaf is not None
        if leaf.column is None:
            return pl.Series([str(leaf.constant)]).new_from_index(0, len(self.frame))
        values = self.values(leaf)
        return self.cells(leaf) if values is None else values.str.strip_chars('"')


def _leaves(node: Node) -> Iterator[Leaf]:
    """The leaves of a node and of everything in it."""
    if node.leaf:
        yield node.leaf
    for child in node.children.values():
        yield from _leaves(child)
