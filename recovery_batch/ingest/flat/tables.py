"""A file to frames of cells, some ten thousand rows at a time: CSV texts, Parquet files."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from collections.abc import Mapping as Pairs
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.ahead import ahead
from recovery_batch.ingest.cards import is_security_code
from recovery_batch.ingest.flat.building import record_texts
from recovery_batch.ingest.flat.cutting import Cutter, Layout, Rows
from recovery_batch.ingest.flat.headers import header_of, utf8_blocks
from recovery_batch.ingest.flat.joining import PAYMENT_ID, arrow_texts, is_transactions_header, transactions_shape
from recovery_batch.ingest.flat.planning import Shape, column_names, plan_for
from recovery_batch.ingest.flat.typed import frame_of
from recovery_batch.ingest.lines import Lines, Unread
from recovery_batch.ingest.mapping import FileShape, Mapping

_BLOCK_BYTES: Final = 4 << 20
_BATCH_ROWS: Final = 65_536
_MOST_ROWS: Final = 100_000
_NOT_KEPT: Final = "(not kept: the table has a column of security codes)"
_NO_VALUE: Final = "__HIVE_DEFAULT_PARTITION__"
"""What Hive calls the folder of the rows without a value."""


class Source(Protocol):
    """A text that is read in blocks."""

    def read(self, size: int, /) -> bytes:
        """So many bytes or fewer; none at the end of the text."""
        ...


@dataclass(frozen=True, slots=True)
class Batch:
    """Some rows of a table.

    Attributes:
        frame: The cells by the names of the columns, of texts or typed; null, or an empty text, where a cell is empty.
        numbers: The number of each row of data, from 1; int64.
        unread: Rows that are not in the frame because they are bad.
        plain: No text of the frame holds anything that JSON escapes.
    """

    frame: pl.DataFrame
    numbers: Any
    unread: list[Unread]
    plain: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table that is open to be read once.

    Attributes:
        name: What errors call it.
        columns: The names of its columns, no two alike.
        batches: Its rows.
    """

    name: str
    columns: tuple[str, ...]
    batches: Iterator[Batch]


@dataclass(frozen=True, slots=True)
class Records:
    """A table as records.

    Attributes:
        columns: The column by the JSON pointer of what it fills, to name it in a fault. In an array the place is that
            of the table, also where elements without a value were left out of a record.
        lines: The records.
        are_transactions: They are transactions, to be joined with the payments of another table.
    """

    columns: dict[str, str]
    lines: Iterator[Lines]
    are_transactions: bool = False


def open_csv(source: Source, name: str, shape: FileShape | None = None, partitions: Pairs[str, str] = {}) -> Table:
    """A CSV text as a table of texts.

    Args:
        source: The text, unpacked.
        name: What errors call it.
        shape: What a mapping says of its layout; None: it is found out.
        partitions: Columns with one value, of the folders that the file is in.

    Raises:
        ExportUnreadable: it has no header that can be read.
    """
    shape = shape or FileShape()
    blocks = utf8_blocks(_blocks(source), shape.encoding)
    first = next(blocks, b"")
    header = header_of(first, shape, name)
    rest = chain([first[header.end :]], blocks)
    del first
    batches = _csv_batches(Cutter(header.layout, name).rows(rest), header.layout, header.columns)
    return _partitioned(Table(name, tuple(header.columns), batches), partitions)


def _blocks(source: Source) -> Iterator[bytes]:
    """The text in blocks of about the same size, however little a read gives."""
    parts: list[bytes] = []
    size = 0
    while part := source.read(_BLOCK_BYTES - size):
        parts.append(part)
        size += len(part)
        if size >= _BLOCK_BYTES:
            yield b"".join(parts)
            parts, size = [], 0
    if parts:
        yield b"".join(parts)


def _csv_batches(rows: Iterable[Rows], layout: Layout, columns: list[str]) -> Iterator[Batch]:
    for some in rows:
        frame, numbers = _csv_frame(some, layout, columns)
        for at in range(0, max(len(frame), 1), _MOST_ROWS):
            unread = some.unread if at == 0 else []
            part = frame.slice(at, _MOST_ROWS)
            if len(part) or unread:
                yield Batch(part, numbers[at : at + _MOST_ROWS], unread, some.plain)


def _csv_frame(rows: Rows, layout: Layout, columns: list[str]) -> tuple[pl.DataFrame, Any]:
    """The cells of rows; a row whose cells are all empty has no record in it."""
    schema = {str(at): pl.String() for at in range(len(columns))}
    header = layout.delimiter.join(name.encode() for name in schema) + b"\n"
    frame = pl.read_csv(
        header + rows.text,
        schema=schema,
        separator=layout.delimiter.decode(),
        quote_char=layout.quote.decode() or None,
    )
    if len(frame) != len(rows.numbers):
        raise AssertionError(f"{len(rows.numbers)} rows cut, {len(frame)} rows parsed")
    frame.columns = columns
    if len(frame) and all(each.null_count() or (each == "").any() for each in frame):
        is_filled = frame.select(pl.any_horizontal(pl.all().fill_null("") != "")).to_series()
        return frame.filter(is_filled), rows.numbers[is_filled.to_numpy()]
    return frame, rows.numbers


def open_parquet(
    path: Path, partitions: Pairs[str, str] = {}, progress: Callable[[int], None] = lambda _: None
) -> Table:
    """A Parquet file as a table.

    Args:
        path: The file.
        partitions: Columns with one value, of the folders that the file is in.
        progress: Called now and then with about the number of bytes of the file that have been read.

    Raises:
        ExportUnreadable: the file is damaged, or no Parquet; while it is read as well.
    """
    try:
        file = pq.ParquetFile(path, pre_buffer=False, buffer_size=1 << 20)
        columns = column_names(file.schema_arrow.names, str(path))
    except (pa.ArrowException, OSError, ValueError) as error:
        raise _damaged(path, error) from error
    return _partitioned(Table(str(path), tuple(columns), _parquet_batches(path, file, columns, progress)), partitions)


def _parquet_batches(path: Path, file: Any, columns: list[str], progress: Callable[[int], None]) -> Iterator[Batch]:
    size, rows, read = path.stat().st_size, file.metadata.num_rows, 0
    try:
        for batch in file.iter_batches(batch_size=_BATCH_ROWS):
            batch.validate(full=True)
            frame = frame_of(batch)
            frame.columns = columns
            yield Batch(frame, np.arange(read + 1, read + len(frame) + 1), [])
            read += len(frame)
            progress(size * read // max(rows, 1))
    except (pa.ArrowException, OSError, ValueError, pl.exceptions.PolarsError) as error:
        raise _damaged(path, error) from error
    finally:
        file.close()


def _damaged(path: Path, error: Exception) -> ExportUnreadable:
    said = (str(error).splitlines() or [type(error).__name__])[0].rstrip(".")
    return ExportUnreadable(f"{path}: the Parquet file is damaged or cut off ({said})", hint="Export the file again.")


def _partitioned(table: Table, partitions: Pairs[str, str]) -> Table:
    """A table with the columns of its folders, but for those that it has itself."""
    known = {column.casefold() for column in table.columns}
    more = {name: value for name, value in partitions.items() if name.strip().casefold() not in known}
    if not more:
        return table
    columns = column_names([*table.columns, *more], table.name)
    constants = [pl.lit(None if value == _NO_VALUE else value, pl.String) for value in more.values()]
    added = [value.alias(name) for value, name in zip(constants, columns[len(table.columns) :], strict=True)]
    batches = (
        Batch(each.frame.with_columns(added), each.numbers, each.unread) for each in table.batches
    )  # what folders are called may have to be escaped
    return Table(table.name, tuple(columns), batches)


def read_records(table: Table, mapping: Mapping | None, model: type[BaseModel]) -> Records:
    """A table as records, or as the transactions of records of another table, as its columns or the mapping say.

    Args:
        table: The table.
        mapping: What is known of it; None: its columns are called by our paths.
        model: The documented shape of a record.

    Raises:
        MappingInvalid: the mapping does not fit the table; names every column that it lacks.
        ExportUnreadable: no column is ours, two fill the same place, or what reading the table raises.
    """
    are_transactions = mapping.part == "transactions" if mapping else is_transactions_header(table.columns)
    shape = transactions_shape(model) if are_transactions else Shape(model)
    plan = plan_for(table.columns, mapping, shape, table.name)
    if are_transactions and plan.leaf_at(PAYMENT_ID) is None:
        raise ExportUnreadable(
            f"{table.name}: no column is called {PAYMENT_ID}", hint="Transactions say which payment they are of."
        )

    # which cell of a row with too many or too few is the security code cannot be told: nothing of it is kept then
    has_codes = any(is_security_code(name) for name in (*table.columns, *(mapping.columns if mapping else ())))

    def lines() -> Iterator[Lines]:
        for batch in ahead(table.batches):
            texts = record_texts(batch.frame, plan, plain=batch.plain)
            unread = [each._replace(text=_NOT_KEPT) for each in batch.unread] if has_codes else batch.unread
            yield Lines(pa.array(batch.numbers, pa.int64()), arrow_texts(texts), unread=unread)

    return Records(plan.columns_of_record(), lines(), are_transactions)
