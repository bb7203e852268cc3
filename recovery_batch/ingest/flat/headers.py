"""The beginning of a CSV text: its encoding, its delimiter and the names of its columns."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import Final, NamedTuple

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.flat.cutting import Layout
from recovery_batch.ingest.flat.planning import column_names
from recovery_batch.ingest.mapping import FileShape

DELIMITERS: Final = (b",", b";", b"\t", b"|")
_UTF8_MARK: Final = codecs.BOM_UTF8
_UTF16_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_SEPARATOR: Final = re.compile(rb"\s*sep=(.)\r?\n", re.IGNORECASE)
"""A first line by which Excel is told the delimiter."""

_BLANK_LINES: Final = re.compile(rb"(?:[ \t]*+\r?\n)*+")
_CODE: Final = b"{}<>\0"
_PATH: Final = re.compile(rb"[A-Za-z_]+(?:\.[A-Za-z0-9_]+)+")
_LONGEST_NAME: Final = 200
_ENCODING_HINT: Final = 'A mapping names the encoding: [file] encoding = "latin-1" (or "cp1252").'


class Header(NamedTuple):
    """The header of a CSV text.

    Attributes:
        layout: How its rows are written.
        columns: The names of its columns.
        end: Where the rows of data begin in the text.
    """

    layout: Layout
    columns: list[str]
    end: int


def utf8_blocks(blocks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    """A text as UTF-8, without a byte order mark; what is no text in its encoding becomes what is no UTF-8.

    Args:
        blocks: The text as it stands.
        encoding: Python's name of its encoding, unless a byte order mark says otherwise; None: UTF-8.
    """
    blocks = iter(blocks)
    first = next(blocks, b"")
    if first.startswith(_UTF8_MARK):
        encoding, first = None, first.removeprefix(_UTF8_MARK)
    elif first.startswith(_UTF16_MARKS):
        encoding = "utf-16"
    elif encoding is None and b"\0" in first[:2]:
        encoding = "utf-16-be" if first.startswith(b"\0") else "utf-16-le"
    blocks = chain([first], blocks)
    if encoding not in (None, "utf-8", "utf-8-sig", "ascii"):
        blocks = _recoded(blocks, encoding)
    return _with_line_ends(blocks)


def _recoded(blocks: Iterable[bytes], encoding: str | None) -> Iterator[bytes]:
    assert encoding is not None
    # half characters and bytes that mean nothing become surrogates, which are no UTF-8: their row is bad, no other
    is_wide = encoding.startswith(("utf-16", "utf-32"))
    decoder = codecs.getincrementaldecoder(encoding)("surrogatepass" if is_wide else "surrogateescape")
    for block in blocks:
        try:
            text = decoder.decode(block)
        except UnicodeDecodeError as error:
            text = error.object[: error.start].decode(encoding, "replace") + "\udc80"
            decoder.reset()
        yield text.encode("utf-8", "surrogatepass")
    try:
        yield decoder.decode(b"", final=True).encode("utf-8", "surrogatepass")
    except UnicodeDecodeError:
        yield b"\x80"


def _with_line_ends(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """Lines that end as old Macintoshes end them, as everybody else does."""
    first = next(iter_ := iter(blocks), b"")
    if b"\r" in first and b"\n" not in first:
        return (block.replace(b"\r", b"\n") for block in chain([first], iter_))
    return chain([first], iter_)


def header_of(text: bytes, shape: FileShape, name: str) -> Header:
    """The header at the beginning of a text.

    Raises:
        ExportUnreadable: there is none, it is not UTF-8, or names a column twice.
    """
    at = 0
    delimiter = shape.delimiter.encode() if shape.delimiter else None
    if match := _SEPARATOR.match(text):
        delimiter, at = delimiter or match[1], match.end()
    for _ in range(shape.header_row - 1):
        at = text.find(b"\n", at) + 1 or len(text)
    if blank := _BLANK_LINES.match(text, at):
        at = blank.end()
    if not text[at : at + _LONGEST_NAME].strip():
        raise ExportUnreadable(f"{name}: there is no header line", hint="The first row names the columns.")
    quote = shape.quote.encode()
    chosen = delimiter or sniff_delimiter(text[at:], quote)
    match = Layout(chosen, quote, 0).row.match(text, at)
    if match is None:
        raise ExportUnreadable(f"{name}: the quotes of the header line do not close", hint="See docs/mappings.md.")
    line = match.group().rstrip(b"\r\n")
    try:
        cells = [_unquoted(cell, quote) for cell in Layout(chosen, quote, 0).cells_of(line)]
    except UnicodeDecodeError as error:
        found = f"byte 0x{error.object[error.start]:02x}"
        raise ExportUnreadable(
            f"{name}: the names of the columns are not UTF-8: {found}", hint=_ENCODING_HINT
        ) from error
    return Header(Layout(chosen, quote, len(cells)), column_names(cells, name), match.end())


def _unquoted(cell: bytes, quote: bytes) -> str:
    if quote and cell.startswith(quote):
        cell = cell[1:-1].replace(quote * 2, quote)
    return cell.decode("utf-8")


def sniff_delimiter(text: bytes, quote: bytes = b'"') -> bytes:
    """The delimiter of a text that begins with its header: the one that makes most cells, in the next row too."""
    return max(DELIMITERS, key=lambda each: _evidence(text, each, quote))


def _evidence(text: bytes, delimiter: bytes, quote: bytes) -> tuple[bool, int]:
    """Whether the first two rows have as many cells, and how many."""
    layout = Layout(delimiter, quote, 0)
    counts: list[int] = []
    at = 0
    while len(counts) < 2 and at < len(text) and (match := layout.row.match(text, at)):
        counts.append(len(layout.cells_of(match.group().rstrip(b"\r\n"))))
        blank = _BLANK_LINES.match(text, match.end())
        at = blank.end() if blank else match.end()
    if not counts:
        return False, 0
    return counts[0] > 1 and counts[0] == counts[-1], counts[0]


def looks_like_csv(head: bytes) -> bool:
    """Whether the beginning of a file may be a CSV text, rather than JSON or something else.

    Its first row has several cells, none of them long or with the marks of a programming language, and the next row
    has as many; or it is one dotted path.
    """
    text = next(utf8_blocks([head], None), b"")
    lines = [line for line in text.splitlines(keepends=True) if line.strip()][:2]
    if not lines or lines[0].lstrip()[:1] in (b"[", b"{") or any(code in lines[0] for code in _CODE):
        return False
    if _SEPARATOR.match(lines[0]) or _PATH.fullmatch(lines[0].strip().strip(b'"')):
        return True
    delimiter = sniff_delimiter(text)
    is_even, cells = _evidence(text, delimiter, b'"')
    names = lines[0].split(delimiter)
    return is_even and cells > 1 and all(len(each) <= _LONGEST_NAME for each in names)
