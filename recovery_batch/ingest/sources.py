"""A file of any form to records: JSON, CSV, Parquet, a workbook; and two tables that make one export."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from enum import Enum, auto
from itertools import chain
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final

import polars as pl
from pydantic import BaseModel

from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.contract.declined import Element
from recovery_batch.errors import AppError, ExportUnreadable, UsageError
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.files import ExportFile, describe
from recovery_batch.ingest.finding import Found
from recovery_batch.ingest.flat.headers import looks_like_csv
from recovery_batch.ingest.flat.joining import is_transactions_header, join_transactions
from recovery_batch.ingest.flat.planning import documented_columns
from recovery_batch.ingest.flat.tables import Table, open_csv, open_parquet, read_records
from recovery_batch.ingest.kinds import ABANDONED, DECLINED, KINDS, Kind
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.mapping import FileShape, Mapping
from recovery_batch.ingest.reading import looks_like_flow, read_lines
from recovery_batch.ingest.unpacking import DAMAGED, unpacked
from recovery_batch.ingest.workbook import is_workbook, open_workbook

_MODELS: Final[dict[str, type[BaseModel]]] = {DECLINED.name: Element, ABANDONED.name: AbandonedFlow}
_OUR_COLUMN: Final = re.compile(
    rf"(?i)(?:{'|'.join({name: None for model in _MODELS.values() for name in model.model_fields})})(?:\.[a-z0-9_]+)+"
)
_DELIMITERS: Final = re.compile(r"[,;\t|]")
_AROUND_NAMES: Final = ' "\r'
_HEAD_BYTES: Final = 1 << 16
_PROBED: Final = 20
_PARQUET: Final = b"PAR1"
_SAMPLE_ROWS: Final = 5000
_UNLIMITED: Final = 1 << 62

Progress = Callable[[int], None]


class Form(Enum):
    """The forms of files."""

    JSON = auto()
    CSV = auto()
    PARQUET = auto()
    WORKBOOK = auto()


@dataclass(frozen=True, slots=True)
class Source:
    """The records of a file, or of two that make one.

    Attributes:
        kind: What they are.
        lines: The records.
        columns: The column of the file by the JSON pointer of what it fills; empty where there are no columns.
        mapping: SHA-256 of the mapping that the file is read with; empty without one.
    """

    kind: Kind
    lines: Iterator[Lines]
    columns: dict[str, str] = field(default_factory=dict)
    mapping: str = ""


@dataclass(frozen=True, slots=True)
class Wanted:
    """How files are to be read.

    Attributes:
        kind: The name of what they hold; auto looks into each.
        mappings: Mapping files, of which the first that fits a table is its own.
        unpacked_bytes: Compressed data that unfolds to more than this is refused.
        workspace: The folder where what takes too much memory is put aside; None: the system's own for such files.
    """

    kind: str
    mappings: Sequence[Mapping]
    unpacked_bytes: int
    workspace: Path | None = None


def open_source(
    stack: ExitStack,
    file: ExportFile,
    found: Found,
    wanted: Wanted,
    progress: Progress,
    joined: ExportFile | None = None,
) -> Source:
    """Open a file; the stack closes it.

    Args:
        stack: Closes what is open.
        file: The file.
        found: How it was found.
        wanted: How it is to be read.
        progress: Called now and then with the bytes that have been read.
        joined: The file that gives the transactions, if another does.

    Raises:
        ExportUnreadable: nothing of it can be read.
        MappingInvalid: no mapping fits it.
    """
    form = form_of(file.location, bool(wanted.mappings))
    if form is Form.JSON:
        lines = read_lines(file, wanted.unpacked_bytes, progress)
        first = next(lines, None)
        kind = KINDS[_kind_of(first) if wanted.kind == "auto" else wanted.kind]
        return Source(kind, lines if first is None else chain([first], lines))
    table, mapping = _open_table(stack, file, found, wanted, form, progress)
    kind = _kind_of_table(table, mapping, wanted.kind)
    records = read_records(table, mapping, _MODELS[kind.name])
    if records.are_transactions:
        raise ExportUnreadable(
            f"{file.path}: transactions without their payments",
            hint="Name the one file of payments that they belong to in the same command.",
        )
    own = "" if mapping is None else hashlib.sha256(mapping.model_dump_json(by_alias=True).encode()).hexdigest()
    source = Source(kind, records.lines, records.columns, own)
    return source if joined is None else _with_transactions(stack, source, joined, wanted)


def _with_transactions(stack: ExitStack, payments: Source, joined: ExportFile, wanted: Wanted) -> Source:
    form = form_of(joined.location, bool(wanted.mappings))
    table, mapping = _open_table(stack, joined, Found(joined.path, joined.location), wanted, form, lambda _: None)
    transactions = read_records(table, mapping, Element)
    more = "" if mapping is None else mapping.model_dump_json(by_alias=True)
    digest = hashlib.sha256((payments.mapping + more).encode()).hexdigest() if payments.mapping or more else ""
    aside = TemporaryFile(dir=wanted.workspace)  # noqa: SIM115  # closed with the stack
    stack.enter_context(aside)
    lines = (
        each.lines if each.are_payments else replace(each.lines, part=1)
        for each in join_transactions(payments.lines, transactions.lines, aside)
    )
    return replace(payments, lines=lines, mapping=digest)


def form_of(location: Path, has_mapping: bool) -> Form:
    """The form of a file, by its content; text that is no JSON is CSV where it looks like it, or a mapping is there.

    Raises:
        ExportUnreadable: the file cannot be read.
    """
    with location.open("rb") as disk:
        head = disk.read(_HEAD_BYTES)
        if head.startswith(_PARQUET):
            return Form.PARQUET
        if is_workbook(head, location):
            return Form.WORKBOOK
        disk.seek(0)
        try:
            text = unpacked(disk, location, _UNLIMITED).read(_HEAD_BYTES)
        except (*DAMAGED, OSError):
            return Form.JSON  # whose reader says what is wrong
    start = _as_utf8(text).lstrip("\ufeff \t\r\n")
    if start[:1] in ("{", "["):
        return Form.JSON
    return Form.CSV if has_mapping or looks_like_csv(text) or _names_our_columns(start) else Form.JSON


def _names_our_columns(text: str) -> bool:
    """Whether a text begins with a header of ours, whatever is wrong with the row below it."""
    header, _, _ = text.partition("\n")
    cells = [each.strip(_AROUND_NAMES) for each in _DELIMITERS.split(header)]
    return sum(map(bool, map(_OUR_COLUMN.fullmatch, cells))) > 1 or (len(cells) > 1 and is_transactions_header(cells))


def _as_utf8(text: bytes) -> str:
    encoding = "utf-16" if text.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    return text[: len(text) // 2 * 2].decode(encoding, "replace")


def has_transactions_alone(found: Found, mappings: Sequence[Mapping], unpacked_bytes: int) -> bool | None:
    """Whether a file is a table of transactions whose payments stand in another; None for what is no table.

    Args:
        found: The file.
        mappings: Mapping files for tables.
        unpacked_bytes: What unfolds to more than this is not looked at any further.
    """
    wanted = Wanted("auto", mappings, unpacked_bytes)
    with ExitStack() as stack:
        try:
            # opening a pipe would wait for somebody to write into it
            form = form_of(found.location, bool(mappings)) if found.location.is_file() else Form.JSON
            if form is Form.JSON:
                return None
            file = ExportFile(found.path, 0, found.location, Future())
            table, mapping = _open_table(stack, file, found, wanted, form, lambda _: None)
        except (AppError, OSError):
            return None  # loading it says what is wrong
        return mapping.part == "transactions" if mapping else is_transactions_header(table.columns)


def suggestion_for(found: Found, kind: str) -> str:
    """The text of a first mapping file for a table, with comments on what could not be decided.

    Args:
        found: The table.
        kind: The name of what it holds; auto looks into it.

    Raises:
        ExportUnreadable: the file is no table, or cannot be read.
    """
    from recovery_batch.ingest.suggesting import suggest_mapping  # country names of three languages take a while

    file = describe(found.path, found.location)
    with ExitStack() as stack:
        form = form_of(found.location, has_mapping=True)
        if form is Form.JSON:
            raise ExportUnreadable(f"{found.path}: this is JSON, which needs no mapping", hint="Load it as it is.")
        wanted = Wanted(kind, (), _UNLIMITED)
        table, _ = _open_table(stack, file, found, wanted, form, lambda _: None)
        frame = next(
            (batch.frame for batch in table.batches), pl.DataFrame(schema=dict.fromkeys(table.columns, pl.String))
        )
        model = _MODELS[_kind_of_table(table, None, kind).name]
        return suggest_mapping(list(table.columns), frame.head(_SAMPLE_ROWS), found=FileShape(), model=model)


def _open_table(
    stack: ExitStack, file: ExportFile, found: Found, wanted: Wanted, form: Form, progress: Progress
) -> tuple[Table, Mapping | None]:
    """A table with the mapping that fits it: layouts differ, so that with each the file is opened anew."""
    failure: AppError | None = None
    for mapping in wanted.mappings or (None,):
        try:
            table = _table(stack, file, found, wanted, form, mapping, progress)
        except ExportUnreadable as error:
            failure = error
            continue
        if mapping is None or len(wanted.mappings) == 1 or _fits(table, mapping):
            return table, mapping
        failure = None
    if failure is not None:
        raise failure
    raise UsageError(
        f"{file.path}: none of the {len(wanted.mappings)} mappings names its columns",
        hint="Columns of the file: " + ", ".join(table.columns[:20]),
    )


def _fits(table: Table, mapping: Mapping) -> bool:
    names = {column.strip().casefold() for column in table.columns}
    return all(each.column.strip().casefold() in names for each in mapping.columns.values())


def _table(
    stack: ExitStack,
    file: ExportFile,
    found: Found,
    wanted: Wanted,
    form: Form,
    mapping: Mapping | None,
    progress: Progress,
) -> Table:
    if form is Form.PARQUET:
        return open_parquet(file.location, found.partitions, progress)
    if form is Form.WORKBOOK:
        shape = FileShape() if mapping is None else mapping.file
        limit = wanted.unpacked_bytes
        return open_workbook(file.location, shape.sheet, shape.header_row, limit=limit, progress=progress)
    disk = stack.enter_context(file.location.open("rb"))
    text = unpacked(disk, file.path, wanted.unpacked_bytes, progress)
    return open_csv(text, str(file.path), None if mapping is None else mapping.file, found.partitions)


def _kind_of(first: Lines | None) -> str:
    """What a file holds, by the first of its records that is plainly one or the other: any may be broken."""
    for text in [] if first is None else first.texts.slice(0, _PROBED).to_pylist():
        value, fault = decoded(text.encode())
        if fault is None and looks_like_flow(value):
            return ABANDONED.name
        if fault is None and isinstance(value, dict) and "payment" in value:
            break
    return DECLINED.name


def _kind_of_table(table: Table, mapping: Mapping | None, wanted: str) -> Kind:
    if wanted != "auto":
        return KINDS[wanted]
    if mapping is not None and mapping.kind is not None:
        return KINDS[mapping.kind]
    counts = {name: documented_columns(table.columns, mapping, model) for name, model in _MODELS.items()}
    return KINDS[max(counts, key=lambda name: counts[name])]
