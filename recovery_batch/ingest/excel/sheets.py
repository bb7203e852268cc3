"""The XML of a workbook to cells, and cells to texts: a piece at a time, with the parser of the standard library."""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol
from xml.parsers import expat

import numpy as np
import numpy.typing as npt
import polars as pl

from recovery_batch.ingest.excel.texts import dates, numbers, unescaped

MOST_COLUMNS: Final = 2_000
_MOST_ROWS: Final = 1 << 20
_WIDEST: Final = 1 << 14
_SHARED_BATCH: Final = 50_000

_NUMBER, _DATE, _SHARED, _TEXT, _BOOLEAN, _ISO = range(6)
_CODES: Final = {
    "n": _NUMBER, "s": _SHARED, "str": _TEXT, "inlineStr": _TEXT, "b": _BOOLEAN, "d": _ISO, "e": None,
}  # fmt: skip
_DATE_FORMATS: Final = frozenset(map(str, (*range(14, 23), *range(27, 37), 45, 47, *range(50, 59))))
_ELAPSED: Final = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_NO_DIRECTIVE: Final = re.compile(r'"[^"]*"|\\.|_.|\*.|\[[^\]]*\]')


class Damaged(Exception):
    """The XML is not that of a workbook."""


class Handler(Protocol):
    """What is called while XML is read."""

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """An element begins."""
        ...

    def end(self, name: str) -> None:
        """An element ends."""
        ...

    def text(self, data: str) -> None:
        """Text between elements."""
        ...


def parse(pieces: Iterable[bytes], handler: Handler) -> Iterator[int]:
    """Read XML a piece at a time; yields the number of bytes read after each.

    Raises:
        Damaged: it has a document type, which no workbook has and which could unfold without end.
        expat.ExpatError: it is not XML.
    """
    parser = expat.ParserCreate()
    parser.buffer_text = True
    parser.StartElementHandler = handler.start
    parser.EndElementHandler = handler.end
    parser.CharacterDataHandler = handler.text
    parser.StartDoctypeDeclHandler = _refuse_doctype
    read = 0
    for piece in pieces:
        parser.Parse(piece, False)
        read += len(piece)
        yield read
    parser.Parse(b"", True)


def _refuse_doctype(*_: Any) -> None:
    raise Damaged("its XML has a document type")


class _Local(dict[str, str]):
    """Names of elements without the prefix of their namespace."""

    def __missing__(self, name: str) -> str:
        local = self[name] = name.rpartition(":")[2]
        return local


class _Columns(dict[str, int]):
    """Places of columns from 0 by their letters."""

    def __missing__(self, letters: str) -> int:
        place = 0
        for letter in letters.upper():
            if not "A" <= letter <= "Z":
                raise Damaged(f"a cell is at {letters[:20]!r}")
            place = place * 26 + ord(letter) - 64
        if not 0 < place <= _WIDEST:
            raise Damaged(f"a cell is at {letters[:20]!r}")
        self[letters] = place - 1
        return place - 1


_LOCAL: Final = _Local()
_COLUMNS: Final = _Columns()


@dataclass(slots=True)
class _Named:
    """Collects the attributes of elements of some names."""

    wanted: frozenset[str]
    found: list[tuple[str, dict[str, str]]]

    def start(self, name: str, attributes: dict[str, str]) -> None:
        if (local := name.rpartition(":")[2]) in self.wanted:
            self.found.append((local, {_LOCAL[key]: value for key, value in attributes.items()}))

    def end(self, name: str) -> None:
        pass

    def text(self, data: str) -> None:
        pass


def named(pieces: Iterable[bytes], *names: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The elements of some names with their attributes, both without prefixes, in the order of the document."""
    handler = _Named(frozenset(names), [])
    for _ in parse(pieces, handler):
        yield from handler.found
        handler.found.clear()


def date_styles(pieces: Iterable[bytes]) -> frozenset[str]:
    """The numbers of the styles that show a number as a date or a time of day, as cells spell them."""
    formats: dict[str, bool] = {}
    styles: set[str] = set()
    section, count = "", 0
    for name, each in named(pieces, "numFmt", "cellStyleXfs", "cellXfs", "cellStyles", "dxfs", "xf"):
        if name == "numFmt":
            formats.setdefault(each.get("numFmtId", ""), _shows_dates(each.get("formatCode", "")))
        elif name != "xf":
            section = name
        elif section == "cellXfs":
            number = each.get("numFmtId", "0")
            if formats.get(number, number in _DATE_FORMATS):
                styles.add(str(count))
            count += 1
    return frozenset(styles)


def _shows_dates(code: str) -> bool:
    """Whether a format shows dates; one of elapsed time, `[h]:mm`, shows a number of days."""
    first = code.partition(";")[0]
    return not _ELAPSED.search(first) and bool(re.search("[ymdhs]", _NO_DIRECTIVE.sub("", first), re.IGNORECASE))


class _SharedTexts:
    """Collects the texts of `sharedStrings.xml`, without what is written above them to say how they sound."""

    def __init__(self) -> None:
        self.texts: list[str] = []
        self._value = ""
        self._is_read = self._is_phonetic = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = _LOCAL[name]
        if local == "t":
            self._is_read = not self._is_phonetic
        elif local == "si":
            self._value = ""
        elif local == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        local = _LOCAL[name]
        if local == "t":
            self._is_read = False
        elif local == "si":
            self.texts.append(self._value)
        elif local == "rPh":
            self._is_phonetic = False

    def text(self, data: str) -> None:
        if self._is_read:
            self._value += data


def shared_texts(pieces: Iterable[bytes]) -> pl.Series:
    """The texts that cells name by their number. They are held packed: as Python objects they take thrice as much."""
    handler = _SharedTexts()
    packed = [pl.Series(dtype=pl.String)]
    for _ in parse(pieces, handler):
        if len(handler.texts) > _SHARED_BATCH:
            packed.append(unescaped(pl.Series(handler.texts, dtype=pl.String)))
            handler.texts.clear()
    packed.append(unescaped(pl.Series(handler.texts, dtype=pl.String)))
    return pl.concat(packed, rechunk=True)


@dataclass(frozen=True, slots=True)
class Batch:
    """The cells of some rows that follow one another, in any order.

    Attributes:
        rows: The row of each, from 1.
        columns: Its column, from 0.
        texts: Its text.
        is_long: Whether it holds a number of more digits than Excel keeps.
    """

    rows: npt.NDArray[np.int64]
    columns: npt.NDArray[np.int64]
    texts: pl.Series
    is_long: npt.NDArray[np.bool_]

    @property
    def first_row(self) -> int:
        """The first row with a cell."""
        return int(self.rows.min())

    @property
    def last_row(self) -> int:
        """The last row with a cell."""
        return int(self.rows.max())

    def row(self, number: int) -> dict[int, str]:
        """The texts of a row by column."""
        places = np.flatnonzero(self.rows == number)
        return dict(zip(self.columns[places].tolist(), self.texts.gather(places).to_list(), strict=True))

    def width(self, after: int) -> int:
        """How many columns the rows after one of a number take."""
        columns = self.columns[self.rows > after]
        return int(columns.max()) + 1 if len(columns) else 0

    def long_numbers(self, after: int) -> dict[int, int]:
        """How many long numbers stand in the rows after one of a number, by column."""
        places, counts = np.unique(self.columns[(self.rows > after) & self.is_long], return_counts=True)
        return dict(zip(places.tolist(), counts.tolist(), strict=True))

    def beyond(self, after: int, width: int) -> int:
        """How many cells of the rows after one of a number stand to the right of the last column."""
        return int(((self.rows > after) & (self.columns >= width)).sum())

    def frames(self, after: int, names: Sequence[str], height: int) -> Iterator[pl.DataFrame]:
        """All rows from the one after `after` to the last, blank ones too, in frames of at most `height` rows."""
        texts = self.texts.extend_constant(None, 1)
        for first in range(after + 1, self.last_row + 1, height):
            size = min(height, self.last_row + 1 - first)
            cells = np.flatnonzero((self.rows >= first) & (self.rows < first + size) & (self.columns < len(names)))
            index = np.full(size * len(names), len(self.texts), dtype=np.uint32)
            index[self.columns[cells] * size + self.rows[cells] - first] = cells
            table = texts.gather(index)
            yield pl.DataFrame([table.slice(place * size, size).alias(name) for place, name in enumerate(names)])


class Cells:
    """Collects the cells of a sheet that hold a value, until they are taken."""

    def __init__(self, date_styles: frozenset[str]) -> None:
        self.texts: list[str] = []
        self._rows, self._columns, self._codes = array("q"), array("q"), bytearray()
        self._date_styles = date_styles
        self._row, self._column, self._taken_to = 0, -1, 0
        self._type = self._style = self._value = ""
        self._is_read = self._is_phonetic = self._is_over = False

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """A cell or its value begins."""
        local = _LOCAL[name]
        if local == "c":
            place = attributes.get("r")
            self._column = _COLUMNS[place.rstrip("0123456789")] if place else self._column + 1
            self._type, self._style, self._value = attributes.get("t", "n"), attributes.get("s", "0"), ""
        elif local in ("v", "t"):
            self._is_read = not self._is_phonetic
        elif local == "row" and not self._is_over:
            before = self._row
            self._row, self._column = int(attributes.get("r", before + 1)), -1
            if not before < self._row <= _MOST_ROWS:
                raise Damaged(f"row {self._row} comes after row {before}")
        elif local == "rPh":
            self._is_phonetic = True

    def end(self, name: str) -> None:
        """A cell or its value is over."""
        local = _LOCAL[name]
        if local in ("v", "t"):
            self._is_read = False
        elif local == "c":
            code = _CODES.get(self._type, _TEXT)
            if self._value and code is not None:
                self.texts.append(self._value)
                self._rows.append(self._row)
                self._columns.append(self._column)
                self._codes.append(_DATE if code == _NUMBER and self._style in self._date_styles else code)
        elif local == "rPh":
            self._is_phonetic = False
        elif local == "sheetData":
            self._is_over = True

    def text(self, data: str) -> None:
        """A piece of a value, or what stands between values."""
        if self._is_read:
            self._value += data

    def complete_rows(self) -> int:
        """How many rows have been passed since cells were taken."""
        return self._row - self._taken_to

    def take(self, shared: pl.Series, since_1904: bool, *, whole: bool = False) -> Batch | None:
        """The cells of all rows but the one that may go on, or of that too; None where there are none."""
        end = len(self._rows) if whole else bisect_left(self._rows, self._row)
        self._taken_to = self._row
        if not end:
            return None
        codes = np.frombuffer(bytes(self._codes[:end]), dtype=np.uint8)
        rows, columns = (np.array(each[:end], dtype=np.int64) for each in (self._rows, self._columns))
        batch = _batch(rows, columns, codes, pl.Series(self.texts[:end], dtype=pl.String), shared, since_1904)
        for each in (self._rows, self._columns, self._codes, self.texts):
            del each[:end]
        return batch


def _batch(
    rows: npt.NDArray[np.int64],
    columns: npt.NDArray[np.int64],
    codes: npt.NDArray[np.uint8],
    raw: pl.Series,
    shared: pl.Series,
    since_1904: bool,
) -> Batch:
    places, texts, is_long = [], [], []
    for code in np.unique(codes).tolist():
        held = np.flatnonzero(codes == code)
        spelled, long_ones = _spelled(code, raw.gather(held), shared, since_1904)
        places.append(held)
        texts.append(spelled)
        is_long.append(long_ones)
    order = np.concatenate(places)
    return Batch(rows[order], columns[order], pl.concat(texts, rechunk=True), np.concatenate(is_long))


def _spelled(code: int, raw: pl.Series, shared: pl.Series, since_1904: bool) -> tuple[pl.Series, npt.NDArray[np.bool_]]:
    """The texts of cells of one kind, and which of them are long numbers."""
    none = np.zeros(len(raw), dtype=np.bool_)
    if code == _NUMBER:
        return numbers(raw)
    if code == _DATE:
        return dates(raw, since_1904), none
    if code == _SHARED:
        places = raw.cast(pl.UInt32, strict=False)
        if places.null_count() or int(places.to_numpy().max()) >= len(shared):
            raise Damaged("a cell names a text that is not there")
        return shared.gather(places), none
    if code == _BOOLEAN:
        return raw.replace({"1": "true", "0": "false"}), none
    if code == _ISO:
        days = raw.str.contains(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$")
        timed = raw.str.replace("T", " ", literal=True)
        return timed.zip_with(~days, raw + " 00:00:00"), none
    return unescaped(raw), none
