"""A sheet of a workbook (XLSX) to rows of texts, as a CSV file would hold them; memory does not grow with the sheet.

Read with the standard library. The libraries that are fast hold a sheet as a table of every cell between its first and
its last: memory grows with it, and a file of five kilobytes with two cells far apart ends the process.
"""

from __future__ import annotations

import posixpath
import re
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Final, NamedTuple
from xml.parsers import expat

import numpy as np
import polars as pl

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.excel.sheets import (
    MOST_COLUMNS,
    Batch,
    Cells,
    Damaged,
    date_styles,
    named,
    parse,
    shared_texts,
)
from recovery_batch.ingest.flat.planning import column_names
from recovery_batch.ingest.flat.tables import Batch as TableBatch
from recovery_batch.ingest.flat.tables import Table

BATCH_ROWS: Final = 50_000
UNPACKED_LIMIT: Final = 8 << 30
"""Bytes that a workbook may unpack to where the caller sets no limit; a full sheet of 30 columns is some 2 GB."""

_ZIP: Final = b"PK\x03\x04"
_OLE2: Final = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
_FIRST_PART: Final = re.compile(rb"(\[Content_Types\]\.xml|_rels/|xl/|docProps/)")
_BATCH_CELLS: Final = 1_000_000
_READ_BYTES: Final = 1 << 20
_WORKBOOK: Final = "xl/workbook.xml"
_BINARY: Final = "xl/workbook.bin"
_DAMAGED: Final = (
    Damaged,
    EOFError,
    KeyError,
    NotImplementedError,  # a kind of compression that Python does not know
    OverflowError,
    RuntimeError,  # a part with a password
    UnicodeDecodeError,
    ValueError,
    expat.ExpatError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)


@dataclass(slots=True)
class SheetNotes:
    """What a caller may warn of once a sheet is read.

    Attributes:
        sheet: The name of the sheet.
        long_numbers: Cells by column that hold a number of more than 15 digits: Excel keeps no more, so that the last
            digits of an identifier may be lost already.
        beyond: Cells to the right of the last column, which were left out.
    """

    sheet: str = ""
    long_numbers: dict[str, int] = field(default_factory=dict)
    beyond: int = 0


class _Sheet(NamedTuple):
    name: str
    part: str
    is_hidden: bool


class _Book(NamedTuple):
    """What is known of a workbook before a sheet is read."""

    sheets: list[_Sheet]
    dates: frozenset[str]
    shared: pl.Series
    since_1904: bool


def is_workbook(head: bytes, path: Path) -> bool:
    """Whether a file is a workbook of Excel, by its content: one that can be read, or one that `read_workbook` refuses.

    Args:
        head: Its first bytes, 64 or more.
        path: Where it is; a zip is looked into.
    """
    if head.startswith(_OLE2):
        return True
    if not head.startswith(_ZIP):
        return False
    try:
        with zipfile.ZipFile(path) as archive:
            return not {_WORKBOOK, _BINARY}.isdisjoint(_parts(archive))
    except (*_DAMAGED, OSError):
        return bool(_FIRST_PART.match(head, 30))  # a zip that is cut off has lost its directory


def sheet_names(path: Path) -> list[str]:
    """The names of the sheets that hold cells, in the order of the workbook.

    Raises:
        ExportUnreadable: the workbook cannot be read.
    """
    with _opened(path, UNPACKED_LIMIT) as archive:
        return [sheet.name for sheet in _sheets(archive)[0]]


def read_workbook(
    path: Path,
    sheet: str | None = None,
    header_row: int = 1,
    *,
    limit: int = UNPACKED_LIMIT,
    notes: SheetNotes | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Iterator[pl.DataFrame]:
    """The rows of a sheet below its header, as texts; null where a cell is empty or holds an error such as `#N/A`.

    Numbers are spelled with the at most 15 digits that Excel shows, without an exponent; a whole number that the file
    spells out keeps all its digits. Dates are `YYYY-MM-DD HH:MM:SS`, rounded to the second; times of day `HH:MM:SS`;
    Booleans `true` and `false`; texts are verbatim. Blank rows between others come as rows of nulls, so that the n-th
    row is row `header_row` + n of the sheet; those after the last row with a value do not come. A column without a name
    is called by its number, `column 3`.

    Args:
        path: The workbook.
        sheet: The name of the sheet; None: the first that is not empty, one that is shown before one that is hidden.
        header_row: The row of the sheet with the names of the columns, from 1.
        limit: Bytes that the workbook may unpack to.
        notes: Filled while the frames are taken.
        progress: Called now and then with the number of bytes of the sheet, as it lies on disk, that have been read.

    Yields:
        Frames of at most `BATCH_ROWS` rows with one column of texts a column of the sheet; at least one, which has no
        rows where there are none.

    Raises:
        ExportUnreadable: there is no such sheet, no header, the workbook is damaged, has a password, is of another
            form, unpacks to more than the limit, or two columns have the same name.
    """
    notes = SheetNotes() if notes is None else notes
    with _opened(path, limit) as archive:
        yield from _Reading(path, archive, header_row, notes, progress).frames(sheet)


def open_workbook(
    path: Path,
    sheet: str | None = None,
    header_row: int = 1,
    *,
    limit: int = UNPACKED_LIMIT,
    notes: SheetNotes | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> Table:
    """A sheet as a table, as `open_csv` opens a CSV text: blank rows count, and have no record in them.

    The arguments are those of `read_workbook`, and so is what it raises: here, and while the table is read.
    """
    frames = read_workbook(path, sheet, header_row, limit=limit, notes=notes, progress=progress)
    first = next(frames)
    return Table(str(path), tuple(first.columns), _table_batches(chain([first], frames)))


def _table_batches(frames: Iterable[pl.DataFrame]) -> Iterator[TableBatch]:
    read = 0
    for frame in frames:
        is_filled = frame.select(pl.any_horizontal(pl.all().is_not_null())).to_series()
        numbers = np.arange(read + 1, read + len(frame) + 1)
        read += len(frame)
        if is_filled.any():
            yield TableBatch(frame.filter(is_filled), numbers[is_filled.to_numpy()], [])


@contextmanager
def _opened(path: Path, limit: int) -> Iterator[zipfile.ZipFile]:
    """The zip of a workbook; whatever is wrong with it while it is open becomes an error of ours."""
    try:
        with path.open("rb") as disk:
            _refuse_other_forms(path, disk.read(8))
            with zipfile.ZipFile(disk) as archive:
                _refuse_bombs(path, archive, limit)
                yield archive
    except _DAMAGED as error:
        raise ExportUnreadable(
            f"{path}: the workbook is damaged or cut off ({error})", hint="Save it again, or export it as CSV."
        ) from error
    except OSError as error:
        raise ExportUnreadable(f"{path}: {error.strerror or error}", hint="Check the path.") from error


def _refuse_other_forms(path: Path, head: bytes) -> None:
    if head == _OLE2:
        raise ExportUnreadable(
            f"{path}: a workbook of the old form (.xls), or one with a password",
            hint="Save it as .xlsx (Excel workbook) without a password.",
        )


def _refuse_bombs(path: Path, archive: zipfile.ZipFile, limit: int) -> None:
    """Refuse by the directory of the zip; no more of a part is ever unpacked than its size there."""
    size = sum(info.file_size for info in archive.infolist())
    if size > limit:
        raise ExportUnreadable(
            f"{path}: the workbook would unpack to {size:,} bytes, more than the limit of {limit:,}",
            hint="If the file is what it should be, raise the limit.",
        )
    parts = _parts(archive)
    if _WORKBOOK not in parts:
        is_binary = _BINARY in parts
        found = "a binary workbook (.xlsb)" if is_binary else "a zip that holds no workbook"
        raise ExportUnreadable(f"{path}: {found}", hint="Save it as .xlsx (Excel workbook).")


def _parts(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The parts of a workbook by their names, which count in any case; some writers spell them the Windows way."""
    return {info.filename.replace("\\", "/").lstrip("/").lower(): info for info in archive.infolist()}


def _pieces(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    with archive.open(_parts(archive)[part.lower()]) as file:
        while piece := file.read(_READ_BYTES):
            yield piece


def _sheets(archive: zipfile.ZipFile) -> tuple[list[_Sheet], bool]:
    """The sheets that hold cells, and whether days count from 1904."""
    targets: dict[str, str] = {}
    for _, each in named(_pieces(archive, "xl/_rels/workbook.xml.rels"), "Relationship"):
        if each.get("Type", "").endswith("/worksheet"):
            target = each.get("Target", "").replace("\\", "/")
            targets[each.get("Id", "")] = posixpath.normpath(posixpath.join("/xl", target)).lstrip("/")
    sheets, since_1904 = [], False
    for name, each in named(_pieces(archive, _WORKBOOK), "sheet", "workbookPr"):
        if name == "workbookPr":
            since_1904 = each.get("date1904", "0") in ("1", "true")
        elif part := targets.get(each.get("id", "")):
            sheets.append(_Sheet(each.get("name", ""), part, each.get("state", "visible") != "visible"))
    return sheets, since_1904


def _book(archive: zipfile.ZipFile) -> _Book:
    parts = _parts(archive)
    sheets, since_1904 = _sheets(archive)
    styles = date_styles(_pieces(archive, "xl/styles.xml")) if "xl/styles.xml" in parts else frozenset[str]()
    shared = pl.Series(dtype=pl.String)
    if "xl/sharedstrings.xml" in parts:
        shared = shared_texts(_pieces(archive, "xl/sharedStrings.xml"))
    return _Book(sheets, styles, shared, since_1904)


@dataclass(slots=True)
class _Reading:
    """One sheet on its way to frames."""

    path: Path
    archive: zipfile.ZipFile
    header_row: int
    notes: SheetNotes
    progress: Callable[[int], None]

    def frames(self, wanted: str | None) -> Iterator[pl.DataFrame]:
        """The frames of the sheet of a name, or of the first that is not empty."""
        book = _book(self.archive)
        for sheet in self._candidates(book.sheets, wanted):
            batches = self._batches(book, sheet)
            if (first := next(batches, None)) is not None:
                self.notes.sheet = sheet.name
                yield from self._named(first, batches)
                return
        which = f"the sheet {wanted!r} is empty" if wanted is not None else "every sheet is empty"
        raise ExportUnreadable(f"{self.path}: {which}", hint=_listed(book.sheets))

    def _candidates(self, sheets: Sequence[_Sheet], wanted: str | None) -> Sequence[_Sheet]:
        if wanted is None:
            return sorted(sheets, key=lambda sheet: sheet.is_hidden)
        found = [sheet for sheet in sheets if sheet.name == wanted]
        folded = wanted.strip().casefold()
        found = found or [sheet for sheet in sheets if sheet.name.strip().casefold() == folded]
        if not found:
            raise ExportUnreadable(f"{self.path}: there is no sheet {wanted!r}", hint=_listed(sheets))
        return found[:1]

    def _batches(self, book: _Book, sheet: _Sheet) -> Iterator[Batch]:
        """The cells of a sheet, some ten thousand rows at a time; nothing for a sheet without any."""
        cells = Cells(book.dates)
        for read in parse(_pieces(self.archive, sheet.part), cells):
            is_full = cells.complete_rows() >= BATCH_ROWS or len(cells.texts) >= _BATCH_CELLS
            if is_full and (batch := cells.take(book.shared, book.since_1904)) is not None:
                yield batch
            self.progress(int(read * self._ratio(sheet.part)))
        if (batch := cells.take(book.shared, book.since_1904, whole=True)) is not None:
            yield batch

    def _ratio(self, part: str) -> float:
        info = _parts(self.archive)[part.lower()]
        return info.compress_size / max(info.file_size, 1)

    def _named(self, first: Batch, following: Iterator[Batch]) -> Iterator[pl.DataFrame]:
        """The rows below the header."""
        header = first.row(self.header_row)
        if not header:
            raise ExportUnreadable(
                f"{self.path}: sheet {self.notes.sheet!r}: row {self.header_row} is empty, it should hold the names of "
                f"columns; the first row with a value is {first.first_row}",
                hint="A mapping file says in [file] header_row where the names stand.",
            )
        width = max(max(header) + 1, first.width(self.header_row))
        if width > MOST_COLUMNS:
            raise ExportUnreadable(f"{self.path}: the sheet has {width:,} columns; allowed: {MOST_COLUMNS:,}")
        names = column_names([header.get(place) for place in range(width)], str(self.path))
        done = self.header_row
        if first.last_row == done:
            yield pl.DataFrame(schema=dict.fromkeys(names, pl.String))
        for batch in chain([first], following):
            self._note(batch, names, done)
            yield from batch.frames(done, names, max(1, min(BATCH_ROWS, _BATCH_CELLS // width)))
            done = max(done, batch.last_row)

    def _note(self, batch: Batch, names: Sequence[str], done: int) -> None:
        for place, count in batch.long_numbers(done).items():
            if place < len(names):
                self.notes.long_numbers[names[place]] = self.notes.long_numbers.get(names[place], 0) + count
        self.notes.beyond += batch.beyond(done, len(names))


def _listed(sheets: Sequence[_Sheet]) -> str:
    return f"The workbook has: {', '.join(repr(sheet.name) for sheet in sheets[:30]) or 'no sheet with cells'}."
