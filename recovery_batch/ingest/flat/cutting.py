"""CSV text to its rows: exact numbers, bad rows apart, and the good ones as text that any reader takes apart alike.

Blocks are looked at as arrays of bytes; only where quotes stand as they should not is the text gone through row by row.
A row with such a quote is bad, but only its first line: the next line begins a row of its own, so that one quote too
many cannot swallow the rest of a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

import numpy as np
import numpy.typing as npt

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.faults import Fault
from recovery_batch.ingest.lines import Unread

LONGEST_ROW: Final = 16 << 20
"""Bytes of the longest row; a cell whose quotes are open for longer counts as one that was never closed."""

_DOUBTFUL: Final = 64 << 10
_LINE_END: Final = 10
_RETURN: Final = 13
_SPACE: Final = 32
_LAST_ASCII: Final = 127

_Bytes = npt.NDArray[np.uint8]
_Places = npt.NDArray[np.int64]


class Rows(NamedTuple):
    """Rows of a block.

    Attributes:
        text: The good rows, each with a line end and the wanted number of cells, quotes as RFC 4180 has them.
        numbers: The number of each, from 1.
        unread: The bad rows.
        plain: There is nothing in the good rows that JSON escapes.
    """

    text: bytes
    numbers: _Places
    unread: list[Unread]
    plain: bool


@dataclass(frozen=True, slots=True)
class Layout:
    """How rows are written.

    Attributes:
        delimiter: The byte between two cells.
        quote: The byte around a cell; empty: there is none.
        cells: Cells of each row.
    """

    delimiter: bytes
    quote: bytes
    cells: int

    @property
    def row(self) -> re.Pattern[bytes]:
        """One whole row with its line end."""
        cell = self.cell
        return re.compile(b"(?:%b(?:%b%b)*+)\r?(?:\n|\\Z)" % (cell, re.escape(self.delimiter), cell))

    @property
    def cell(self) -> bytes:
        """The pattern of a cell with or without quotes."""
        delimiter, quote = re.escape(self.delimiter), re.escape(self.quote)
        if not self.quote:
            return b"[^%b\n]*+" % delimiter
        inside = b"%b(?:[^%b]++|%b%b)*+%b(?=%b|\r?\n|\r?\\Z)" % (quote, quote, quote, quote, quote, delimiter)
        return b"(?:%b|(?!%b)[^%b\n]*+)" % (inside, quote, delimiter)

    def cells_of(self, line: bytes) -> list[bytes]:
        """The cells of one row, as they stand: with their quotes."""
        cells: list[bytes] = re.findall(b"(%b)(?:%b|\\Z)" % (self.cell, re.escape(self.delimiter)), line)
        # behind a last cell that is not empty the end of the row matches once more
        return cells if line.endswith(self.delimiter) or not line else cells[:-1]

    @property
    def opened(self) -> re.Pattern[bytes]:
        """A row that goes on behind the text: its last cell is open."""
        cell, delimiter, quote = self.cell, re.escape(self.delimiter), re.escape(self.quote)
        inside = b"%b(?:[^%b]++|%b%b)*+(?:%b\r?)?\\Z" % (quote, quote, quote, quote, quote)
        return re.compile(b"(?:%b%b)*+%b" % (cell, delimiter, inside))


class _Clean(NamedTuple):
    """The rows at the beginning of a text whose quotes stand as they should.

    Attributes:
        ends: Place of the line end of each.
        breaks: Places of the delimiters between cells.
        is_doubtful: A quote that stands as it should not is what ended them.
    """

    ends: _Places
    breaks: _Places
    is_doubtful: bool


@dataclass(slots=True)
class Cutter:
    """The cutting of one text that comes in blocks."""

    layout: Layout
    name: str
    count: int = 0
    pieces: list[bytes] = field(default_factory=list)
    numbers: list[_Places] = field(default_factory=list)
    unread: list[Unread] = field(default_factory=list)
    breaks_inside: bool = False

    def rows(self, blocks: Iterable[bytes]) -> Iterator[Rows]:
        """The rows of a text.

        Raises:
            ExportUnreadable: a line is longer than any row may be.
        """
        rest = b""
        for block in blocks:
            text = rest + block
            rest = text[self._cut(text, is_last=False) :]
            yield self._taken()
        self._cut(rest if rest.endswith(b"\n") or not rest else rest + b"\n", is_last=True)
        yield self._taken()

    def _taken(self) -> Rows:
        text = b"".join(self.pieces)
        numbers = np.concatenate(self.numbers) if self.numbers else np.empty(0, np.int64)
        rows = Rows(text, numbers, self.unread, self._is_plain(text, len(numbers)))
        self.pieces, self.numbers, self.unread = [], [], []
        return rows

    def _is_plain(self, text: bytes, rows: int) -> bool:
        delimiter, quote = self.layout.delimiter, self.layout.quote
        if b"\\" in text or (quote != b'"' and b'"' in text):
            return False
        has_quotes = bool(quote) and quote in text
        if has_quotes and (quote * 2 in text or delimiter == b"\t"):
            return False
        controls = int(np.count_nonzero(np.frombuffer(text, np.uint8) < _SPACE))
        returns = text.count(b"\r\n") if b"\r" in text else 0
        tabs = rows * (self.layout.cells - 1) if delimiter == b"\t" else 0
        return controls == rows + returns + tabs

    def _cut(self, text: bytes, *, is_last: bool) -> int:
        """Take the rows of a text; gives the place where what is left begins."""
        at = self._scan(text, 0, is_last=is_last)
        while (left := len(text) - at) and (is_last or left > LONGEST_ROW):  # a cell whose quotes nobody closed
            at = self._bad_line(text, at, "quotes that close", "a quote that stays open")
            at = self._scan(text, at, is_last=is_last)
        return at

    def _scan(self, text: bytes, at: int, *, is_last: bool) -> int:
        """Take whole rows from a place on; gives the place of the first that goes on behind the text."""
        window = len(text)
        while at < len(text):
            end = min(at + window, len(text))
            part = text[at:end]
            clean = self._clean(np.frombuffer(part, np.uint8))
            if len(clean.ends):
                taken = int(clean.ends[-1]) + 1
                self._take(part[:taken], clean)
                at += taken
            if clean.is_doubtful:
                at, is_open = self._go_through(text, at, is_last=is_last)
                window = _DOUBTFUL
                if is_open:
                    break
            elif end == len(text):
                break
            else:
                window *= 4
        return at

    def _clean(self, codes: _Bytes) -> _Clean:
        """The rows whose quotes stand as they should, up to the first that do not."""
        ends = np.flatnonzero(codes == _LINE_END)
        breaks = np.flatnonzero(codes == self.layout.delimiter[0])
        if not self.layout.quote:
            return _Clean(ends, breaks, False)
        is_quote = codes == self.layout.quote[0]
        quotes = np.flatnonzero(is_quote)
        if not len(quotes):
            return _Clean(ends, breaks, False)
        wrong = self._misplaced(codes, quotes)
        inside = np.bitwise_xor.accumulate(is_quote.view(np.uint8))
        ends, breaks = ends[inside[ends] == 0], breaks[inside[breaks] == 0]
        if wrong is not None:
            ends = ends[ends < wrong]
        return _Clean(ends, breaks, wrong is not None)

    def _misplaced(self, codes: _Bytes, quotes: _Places) -> int | None:
        """Where the first cell begins whose quotes stand as they should not: not around it, and not doubled in it."""
        padded = np.full(len(codes) + 3, _LINE_END, np.uint8)
        padded[1:-2] = codes
        delimiter, quote = self.layout.delimiter[0], self.layout.quote[0]
        opening, closing = quotes[0::2], quotes[1::2]
        before, after, second = padded[opening], padded[closing + 2], padded[closing + 3]
        is_opening = (before == delimiter) | (before == _LINE_END) | (before == quote)
        is_closing = (after == delimiter) | (after == _LINE_END) | (after == quote)
        is_closing |= (after == _RETURN) & (second == _LINE_END)
        places = [*opening[~is_opening][:1], *opening[: len(closing)][~is_closing][:1]]
        return int(min(places)) if places else None

    def _take(self, text: bytes, clean: _Clean) -> None:
        """Take rows whose quotes stand as they should; those with another number of cells, or bad UTF-8, are bad."""
        ends = clean.ends
        starts = np.concatenate([[0], ends[:-1] + 1])
        codes = np.frombuffer(text, np.uint8)
        lengths = ends - starts
        is_row = (lengths > 1) | ((lengths == 1) & (codes[starts] != _RETURN))
        cells = np.diff(np.searchsorted(clean.breaks, ends), prepend=0) + 1
        for blank in np.flatnonzero(is_row & (cells == 1) & (cells != self.layout.cells)):
            is_row[blank] = bool(text[int(starts[blank]) : int(ends[blank])].strip())
        is_good = is_row & (cells == self.layout.cells)
        numbers = self.count + np.cumsum(is_row)
        self.count = int(numbers[-1])
        faults = {int(at): self._cells_fault(int(cells[at])) for at in np.flatnonzero(is_row & ~is_good)}
        faults |= _not_utf8(text, starts, ends)
        for at in sorted(faults):
            is_good[at] = False
            if is_row[at]:
                line = text[int(starts[at]) : int(ends[at])]
                self.unread.append(Unread(int(numbers[at]), faults[at], _shown(line)))
        if is_good.all():
            self.pieces.append(text)
            self.numbers.append(numbers)
            return
        changes = np.flatnonzero(np.diff(is_good, prepend=False, append=False))
        for first, behind in zip(changes[0::2], changes[1::2], strict=True):
            self.pieces.append(text[int(starts[first]) : int(ends[behind - 1]) + 1])
        self.numbers.append(numbers[is_good])

    def _go_through(self, text: bytes, at: int, *, is_last: bool) -> tuple[int, bool]:
        """Take rows one by one, as far as doubt goes; gives where it ended, and whether more text is needed there."""
        row, opened = self.layout.row, self.layout.opened
        until = min(at + _DOUBTFUL, len(text))
        while at < until:
            match = row.match(text, at)
            if match and (is_last or match.group().endswith(b"\n")):
                self._one_row(match.group().removesuffix(b"\n"))
                at = match.end()
                continue
            is_open = match or opened.match(text, at) or text.find(b"\n", at) < 0
            if is_open and not is_last and len(text) - at <= LONGEST_ROW:
                return at, True
            at = self._bad_line(text, at, "quotes around a whole cell, or doubled in it", "a quote elsewhere")
        return at, False

    def _one_row(self, line: bytes) -> None:
        line = line.removesuffix(b"\r")
        if not line or (self.layout.cells > 1 and not line.strip()):
            return
        self.count += 1
        delimiter, quote = self.layout.delimiter, self.layout.quote
        cells = self.layout.cells_of(line)
        fault = None if len(cells) == self.layout.cells else self._cells_fault(len(cells))
        fault = fault or _not_utf8(line, np.array([0]), np.array([len(line)])).get(0)
        if fault:
            self.unread.append(Unread(self.count, fault, _shown(line)))
            return
        written = [
            cell if cell.startswith(quote) or quote not in cell else quote + cell.replace(quote, quote * 2) + quote
            for cell in cells
        ]
        self.pieces.append(delimiter.join(written) + b"\n")
        self.numbers.append(np.array([self.count]))

    def _bad_line(self, text: bytes, at: int, expected: str, found: str) -> int:
        """Take a line as a row that is bad; gives the place behind it."""
        end = text.find(b"\n", at)
        if end < 0 or end - at > LONGEST_ROW:
            raise ExportUnreadable(
                f"{self.name}: row {self.count + 1} has a line of more than {LONGEST_ROW >> 20} MB",
                hint="This is no CSV with that delimiter and these quotes; a mapping can name others.",
            )
        self.count += 1
        self.unread.append(Unread(self.count, Fault("bad_row", "", expected, found), _shown(text[at:end])))
        return end + 1

    def _cells_fault(self, cells: int) -> Fault:
        return Fault("bad_row", "", _counted(self.layout.cells), _counted(cells))


def _counted(cells: int) -> str:
    return "1 cell" if cells == 1 else f"{cells} cells"


def _shown(line: bytes) -> str:
    return line.removesuffix(b"\r").decode("utf-8", "backslashreplace")


def _not_utf8(text: bytes, starts: _Places, ends: _Places) -> dict[int, Fault]:
    """The rows that are not UTF-8, by their place among the rows."""
    if _is_utf8(text):
        return {}
    far = np.flatnonzero(np.frombuffer(text, np.uint8) > _LAST_ASCII)
    faults: dict[int, Fault] = {}
    for row in np.unique(np.searchsorted(ends, far)).tolist():
        line = text[int(starts[row]) : int(ends[row])]
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"byte 0x{line[error.start]:02x}"
            faults[row] = Fault("not_utf8", "", "UTF-8 text, or a mapping that names the encoding", found)
    return faults


def _is_utf8(text: bytes) -> bool:
    if text.isascii():
        return True
    try:
        text.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
