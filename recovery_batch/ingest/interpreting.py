"""Texts of records to typed rows and rejects: on the fast road what is plain, on the slow one what is left."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.flows import FlowBatch
from recovery_batch.ingest.kinds import ABANDONED, DECLINED, Kind
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.plain import MACROS, PlainRoad, PlainRows
from recovery_batch.ingest.rows import Batch, PaymentBatch, Read, ReadingOptions
from recovery_batch.store import Store


@dataclass(frozen=True, slots=True)
class Interpreted:
    """Some records of a file as rows.

    Attributes:
        tables: Arrow tables by the name of the store's table.
        records: How many records they come from.
        codes_removed: Security codes that were taken out.
        unreadable: Records that are no JSON.
        part: Which of the files of the source they are of.
    """

    tables: dict[str, Any]
    records: int
    codes_removed: int
    unreadable: int
    part: int = 0


_WORTH_PLANNING: Final = 500
"""For fewer records the slow road is done before the fast one has planned its queries."""

_BATCHES: Final[dict[str, type[Batch]]] = {DECLINED.name: PaymentBatch, ABANDONED.name: FlowBatch}


class Interpreter:
    """Turns the records of one file into rows. Use `Interpreter.open`."""

    def __init__(
        self, kind: Kind, options: ReadingOptions, path: Path, scratch: Store, columns: dict[str, str] | None = None
    ) -> None:
        """Take a database in memory to work in."""
        self._kind = kind
        self._options = options
        self._path = path
        self._scratch = scratch
        self._columns = columns or {}
        self._plain = PlainRoad(scratch, options) if kind is DECLINED and PlainRoad.knows(options) else None
        self.first_fault = ""

    @classmethod
    @contextmanager
    def open(
        cls, kind: Kind, options: ReadingOptions, path: Path, columns: dict[str, str] | None = None
    ) -> Iterator[Interpreter]:
        """Open what works for one file.

        Args:
            kind: What the file holds.
            options: How it is read.
            path: What errors call it.
            columns: The column of the file by the JSON pointer of what it fills, where the file has columns.
        """
        with Store.scratch(MACROS) as scratch:
            yield cls(kind, options, path, scratch, columns)

    def batches(self, source: Iterator[Lines]) -> Iterator[Interpreted]:
        """The rows of a file, some ten thousand records at a time.

        Raises:
            ExportUnreadable: a part of a JSON document is no JSON.
        """
        seq = 0
        for lines in source:
            if self._plain is None or len(lines) < _WORTH_PLANNING:
                yield self._interpreted(lines, PlainRows({}, np.arange(len(lines))), seq)
                seq += len(lines)
                continue
            for each, rows in self._plain.read(chain([lines], source), seq):
                yield self._interpreted(each, rows, seq)
                seq += len(each)

    def _interpreted(self, lines: Lines, plain: PlainRows, seq: int) -> Interpreted:
        batch: Batch = _BATCHES[self._kind.name](self._options, self._columns)
        for read in _reads(lines, plain.others, seq):
            batch.add(read)
        for number, fault, text in lines.unread:
            batch.add_unread(number, fault, text)
        self._check_document(lines, batch)
        if batch.first_unreadable and not self.first_fault:
            number, found = batch.first_unreadable
            self.first_fault = f"line {number}: {found}"
        slow = self._hashed(batch.tables())
        tables = {
            name: pa.concat_tables([plain.tables[name], table]) if name in plain.tables else table
            for name, table in slow.items()
        }
        return Interpreted(tables, len(lines) + len(lines.unread), batch.codes_removed, batch.unreadable, lines.part)

    def _hashed(self, tables: dict[str, Any]) -> dict[str, Any]:
        """Rows of the slow road with the hashes of their texts."""
        main, texts = tables[self._kind.main], tables[self._kind.texts]
        if main.num_rows:
            incoming = texts.select(["seq", "record"]).rename_columns(["seq", "text"])
            hashes = self._scratch.table("ingest/content_hash", incoming, {"salt": self._options.content_salt})
            place = main.schema.get_field_index("content_hash")
            tables[self._kind.main] = main.set_column(place, main.schema.field(place), hashes["content_hash"])
        return tables

    def _check_document(self, lines: Lines, batch: Batch) -> None:
        if lines.is_document and batch.first_broken is not None:
            number, fault = batch.first_broken
            raise ExportUnreadable(
                f"{self._path}: element {number} is not JSON: {fault.found}", hint="Export the file again."
            )


def _reads(lines: Lines, places: Any, seq: int) -> Iterator[Read]:
    """The records at some places, one by one."""
    if not len(places):
        return
    take = pa.array(places)
    columns = [lines.numbers.take(take).to_pylist(), lines.texts.take(take).to_pylist(), places.tolist()]
    prefixes = [""] * len(places) if lines.prefixes is None else lines.prefixes.take(take).to_pylist()
    roots = [None] * len(places) if lines.roots is None else lines.roots.take(take).to_pylist()
    for number, text, place, prefix, root in zip(*columns, prefixes, roots, strict=True):
        organization = None if root is None else decoded(root.encode())[0]
        yield Read(number, text, seq + place, prefix, organization)
