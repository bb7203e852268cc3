"""NDJSON to records: a record or a whole request a line; a bad line is a record with a fault."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.faults import Fault, type_name
from recovery_batch.ingest.lines import Lines, Unread
from recovery_batch.ingest.unpacking import Source

_BLOCK_BYTES: Final = 32 << 20
_FIRST_BLOCK_BYTES: Final = 4 << 20
"""The first is short: whoever takes the records has something to do sooner."""

_PART_BYTES: Final = 1 << 20
_NEWLINE: Final = 10
_BLANKS: Final = " \t\r\n"
_REQUEST: Final = '"external_data"'
_REQUEST_LINE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ELEMENTS: Final = msgspec.json.Decoder(list[msgspec.Raw])
_Row = tuple[int, bytes | str, str, str | None]
"""Number, text, prefix and root of an element."""

_FULL: Final = 20_000
"""So many elements of requests are gathered before they are handed on."""


def read_ndjson(source: Source, head: bytes = b"") -> Iterator[Lines]:
    """The records of a text, line by line.

    Args:
        source: The text.
        head: What has been read of it already.
    """
    first = 1
    for block, ends in _blocks(source, head):
        yield from _records(block, ends, first)
        first += len(ends)


def _blocks(source: Source, head: bytes) -> Iterator[tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]]:
    """A text in blocks of whole lines, and where each line ends. A block is overwritten by the next.

    One buffer serves all blocks: taking memory for each, and giving it back, would take longer than looking for lines.
    """
    room = np.empty(max(_BLOCK_BYTES, 2 * len(head)), np.uint8)
    full = min(len(room), max(_FIRST_BLOCK_BYTES, 2 * len(head)))
    filled, ends = 0, [np.zeros(0, np.int64)]
    part = head or source.read(_PART_BYTES)
    while part:
        if filled + len(part) > full:
            full = len(room)
            ready = np.concatenate(ends)
            if len(ready):
                end = int(ready[-1])
                yield room[:end], ready
                rest = room[end:filled].copy()
                room[: len(rest)] = rest
                filled, ends = len(rest), [np.zeros(0, np.int64)]
            if filled + len(part) > len(room):  # one line, longer than a block
                room = np.concatenate([room, np.empty(len(room) + len(part), np.uint8)])
                full = len(room)
        room[filled : filled + len(part)] = np.frombuffer(part, np.uint8)
        ends.append(np.flatnonzero(room[filled : filled + len(part)] == _NEWLINE) + filled + 1)
        filled += len(part)
        part = source.read(_PART_BYTES)
    if filled:
        ready = np.concatenate(ends)
        if not len(ready) or ready[-1] < filled:  # the last line has no end
            room = np.append(room[:filled], np.uint8(_NEWLINE))
            ready = np.append(ready, filled + 1)
        yield room[: ready[-1]], ready


def _records(block: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64], first: int) -> Iterator[Lines]:
    numbers = pa.array(np.arange(first, first + len(ends)))
    unread: list[Unread] = []
    try:
        texts = _cut(block, ends)
    except pa.ArrowInvalid:
        good, lines, unread = _readable(block.tobytes(), first)
        numbers, texts = pa.array(good, pa.int64()), pa.array(lines, pa.string())
    texts = pc.utf8_trim(texts, characters=_BLANKS)
    is_filled = pc.not_equal(pc.binary_length(texts), 0)
    if not pc.all(is_filled).as_py():
        texts, numbers = texts.filter(is_filled), numbers.filter(is_filled)
    is_request = pl.Series(texts).str.contains(_REQUEST, literal=True)
    if is_request.any():
        yield from _elements(texts.to_pylist(), numbers.to_pylist(), unread)
    elif len(texts) or unread:
        yield Lines(numbers, texts, unread=unread)


def _cut(block: npt.NDArray[np.uint8], ends: npt.NDArray[np.int64]) -> Any:
    """The lines of a block as Arrow sees them, where they lie; raises ArrowInvalid where they are not UTF-8."""
    offsets = np.zeros(len(ends) + 1, np.int64)
    offsets[1:] = ends
    lines = pa.LargeStringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(block))
    lines.validate(full=True)
    return lines.cast(pa.string())


def _readable(block: bytes, first: int) -> tuple[list[int], list[bytes], list[Unread]]:
    """The lines of a block that are UTF-8, and their numbers; and those that are not."""
    numbers, good, unread = [], [], []
    for number, line in enumerate(block.split(b"\n")[:-1], first):
        try:
            line.decode("utf-8")
        except UnicodeDecodeError as error:
            fault = Fault("not_utf8", "", "UTF-8 text", f"byte 0x{line[error.start]:02x}")
            unread.append(Unread(number, fault, as_text(line)))
        else:
            numbers.append(number)
            good.append(line)
    return numbers, good, unread


def as_text(line: bytes) -> str:
    """A line that is no text, as it can be shown and stored."""
    return line.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _elements(lines: list[str], numbers: list[int], unread: list[Unread]) -> Iterator[Lines]:
    """The elements of requests, one a line, amid lines that may be elements by themselves."""
    rows: list[_Row] = []
    for number, line in zip(numbers, lines, strict=True):
        try:
            rows += _of_request(number, line)
        except _NoArray as error:
            unread.append(Unread(number, error.fault, line))
        if len(rows) >= _FULL:
            yield _gathered(rows, unread)
            rows, unread = [], []
    if rows or unread:
        yield _gathered(rows, unread)


class _NoArray(Exception):
    def __init__(self, found: object) -> None:
        super().__init__()
        self.fault = Fault("wrong_type", "/external_data", "an array of objects", type_name(found))


def _of_request(number: int, line: str) -> list[_Row]:
    whole: list[_Row] = [(number, line, "", None)]
    try:
        # the first of a repeated key counts, which this decoder does not know: such a line is no request of ours
        members = _REQUEST_LINE.decode(line)
    except (msgspec.DecodeError, RecursionError):
        return whole  # whoever reads it says what is wrong with it
    listed = bytes(members.get("external_data", b"null"))
    if listed == b"null":
        return whole
    try:
        elements = _ELEMENTS.decode(listed)
    except msgspec.ValidationError as error:
        raise _NoArray(decoded(listed)[0]) from error
    root = bytes(members.get("organization_code", b"null")).decode()
    return [(number, bytes(each), f"/external_data/{place}", root) for place, each in enumerate(elements)]


def _gathered(rows: list[_Row], unread: list[Unread]) -> Lines:
    numbers, texts, prefixes, roots = zip(*rows, strict=True) if rows else ((), (), (), ())
    return Lines(
        pa.array(numbers, pa.int64()),
        pa.array(texts, pa.string()),
        pa.array(prefixes, pa.string()),
        pa.array(roots, pa.string()),
        unread,
    )
