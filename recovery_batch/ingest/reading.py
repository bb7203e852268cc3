"""A file to its records: compression and form told apart by content, never by name (SPEC 1.1).

Two forms: one JSON document (a request, an array of elements, one element), of which nothing loads when it cannot be
parsed; and NDJSON (a request or an element a line), of which a bad line is a record with a fault.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol, cast

import msgspec
import zstandard

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.cards import mask_text
from recovery_batch.ingest.faults import Fault, type_name

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_FORMS: Final = "a request with external_data, an array of its elements, one element, or NDJSON of elements or requests"

Progress = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class ReadRecord:
    """One record of a file.

    Attributes:
        number: Its number from 1: its line in NDJSON, else its place in the document.
        prefix: JSON pointer of the record in its line; empty where the line, or the place, is the record.
        value: The decoded record, numbers as int or Decimal.
        root_organization: The organization_code of the request around it.
        fault: What kept it from being decoded; None for a decoded record.
        raw: The text of a record that was not decoded, card data masked.
    """

    number: int
    value: Any = None
    prefix: str = ""
    root_organization: object = None
    fault: Fault | None = None
    raw: str = ""


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that can be read: its path as named, SHA-256 and size on disk."""

    path: Path
    sha256: str
    size: int


class _Lines(Protocol):
    """What both decompressors and plain files can do."""

    def readline(self) -> bytes: ...
    def read(self) -> bytes: ...


def _exact(number: str) -> Decimal:
    try:
        return Decimal(number)
    except InvalidOperation:  # an exponent that no decimal holds: refused later, with its place
        return Decimal("NaN")


_DECODER: Final = msgspec.json.Decoder(float_hook=_exact)
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def describe(path: Path) -> ExportFile:
    """Hash a file.

    Raises:
        ExportUnreadable: there is no such file, it is a directory, empty, or may not be read.
    """
    try:
        if path.is_dir():
            raise ExportUnreadable(f"{path}: a directory, not a file", hint="Name the files in it: load DIR/*.json")
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise ExportUnreadable(f"{path}: {error.strerror or error}", hint="Check the path.") from error
    if not size:
        raise ExportUnreadable(f"{path}: the file is empty (0 bytes)", hint="Export it again; [] is an empty export.")
    return ExportFile(path, digest, size)


def read_records(file: ExportFile, progress: Progress = lambda _: None) -> Iterator[ReadRecord]:
    """The records of a file, in its order.

    Args:
        file: What to read.
        progress: Called now and then with the number of bytes of the file on disk that have been read.

    Raises:
        ExportUnreadable: nothing of the file can be loaded; says why, and where it can.
    """
    try:
        with file.path.open("rb") as disk:
            for count, record in enumerate(_records(file.path, _decompressed(disk))):
                if count % 1000 == 0:
                    progress(disk.tell())
                yield record
            progress(file.size)
    except (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError) as error:
        raise ExportUnreadable(f"{file.path}: the compressed data is damaged or cut off ({error})") from error
    except OSError as error:
        raise ExportUnreadable(f"{file.path}: {error.strerror or error}") from error


def _decompressed(disk: BinaryIO) -> _Lines:
    mark = disk.read(4)
    disk.seek(0)
    if mark.startswith(_GZIP):
        return cast(_Lines, gzip.GzipFile(fileobj=disk))
    if mark.startswith(_ZSTD):
        # TextIOWrapper-free buffering: the zstandard reader has no readline of its own
        import io

        return io.BufferedReader(
            cast(Any, zstandard.ZstdDecompressor().stream_reader(disk, read_across_frames=True)), 1 << 20
        )
    return disk


def _records(path: Path, lines: _Lines) -> Iterator[ReadRecord]:
    blank, first = _first_line(path, lines)
    start = first.lstrip()[:1]
    if start == b"[":
        return _document(path, first + lines.read())
    if start == b"{" and isinstance(_decoded(first)[0], dict):
        following = lines.readline()
        while following and not following.strip():
            following = lines.readline()
        if not following:
            return _document(path, first)
        return _ndjson(path, blank, chain([first, following], iter(lines.readline, b"")))
    whole = first + lines.read()
    if start == b"{":
        try:
            _OBJECT.decode(whole)
        except RecursionError:
            return _document(path, whole)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            if "truncated" in str(error):
                return _document(path, whole)
        else:
            return _document(path, whole)
    pieces = whole.splitlines(keepends=True)
    others = [piece for piece in pieces[1:] if piece.strip()]
    readable = sum(isinstance(_decoded(piece)[0], dict) for piece in others)
    if others and readable * 2 >= len(others):
        return _ndjson(path, blank, iter(pieces))
    return _document(path, whole)


def _first_line(path: Path, lines: _Lines) -> tuple[int, bytes]:
    """How many blank lines come first, and the first line that is not blank, without a byte order mark."""
    line = lines.readline()
    if line.startswith(_UTF16_MARKS):
        raise ExportUnreadable(f"{path}: the text is UTF-16, not UTF-8", hint="Save the export as UTF-8.")
    line = line.removeprefix(_UTF8_MARK)
    blank = 0
    while line and not line.strip():
        blank, line = blank + 1, lines.readline()
    if not line:
        raise ExportUnreadable(f"{path}: there is nothing in it but blanks", hint="[] is an empty export.")
    return blank, line


def _decoded(text: bytes | msgspec.Raw) -> tuple[Any, Fault | None]:
    """A decoded value, or why there is none."""
    try:
        return _DECODER.decode(text), None
    except UnicodeDecodeError as error:
        return None, Fault("not_utf8", "", "UTF-8 text", f"byte 0x{error.object[error.start]:02x}")
    except msgspec.ValidationError:
        return None, Fault("number_too_large", "", "numbers of at most 4,000 digits", "a longer number")
    except msgspec.DecodeError as error:
        return None, Fault("not_json", "", "one JSON object", str(error))
    except RecursionError:
        return None, Fault("nested_too_deep", "", "objects and arrays nested less than 1,000 deep", "deeper nesting")


def _document(path: Path, text: bytes) -> Iterator[ReadRecord]:
    try:
        text.decode("utf-8")
        is_array = text.lstrip()[:1] == b"["
        document: Any = _ARRAY.decode(text) if is_array else _OBJECT.decode(text)
        elements = document if is_array else _elements(path, document)
    except UnicodeDecodeError as error:
        place = f"byte {error.start + 1}"
        raise ExportUnreadable(
            f"{path}: the text is not UTF-8: 0x{error.object[error.start]:02x} at {place}",
            hint="Save the export as UTF-8.",
        ) from error
    except msgspec.ValidationError as error:
        raise ExportUnreadable(f"{path}: JSON of another shape; allowed: {_FORMS}") from error
    except msgspec.DecodeError as error:
        cut = "the JSON is cut off" if "truncated" in str(error) else f"not JSON: {error}"
        raise ExportUnreadable(f"{path}: {cut}", hint="Export the file again.") from error
    except RecursionError as error:
        raise ExportUnreadable(f"{path}: nested too deep to be an export") from error
    root = None if is_array else _decoded(document.get("organization_code", msgspec.Raw(b"null")))[0]
    return _elements_decoded(path, elements, root)


def _elements(path: Path, document: dict[str, msgspec.Raw]) -> list[msgspec.Raw]:
    if "external_data" in document:
        try:
            return _ARRAY.decode(document["external_data"])
        except msgspec.ValidationError as error:
            kind = type_name(_decoded(document["external_data"])[0])
            raise ExportUnreadable(f"{path}: /external_data is {kind}; allowed: an array of objects") from error
    if "payment" in document:
        return [msgspec.Raw(msgspec.json.encode(document))]
    keys = ", ".join(sorted(key[:30] for key in document)[:8]) or "none"
    raise ExportUnreadable(
        f"{path}: JSON of another shape, an object with the keys: {keys}; allowed: {_FORMS}",
        hint="Is it a declined-payment export?",
    )


def _elements_decoded(path: Path, elements: list[msgspec.Raw], root: object) -> Iterator[ReadRecord]:
    for number, element in enumerate(elements, 1):
        value, fault = _decoded(element)
        if fault is not None and fault.reason in ("not_json", "not_utf8"):
            raise ExportUnreadable(f"{path}: element {number} is not JSON: {fault.found}")
        raw = "" if fault is None else mask_text(bytes(element).decode("utf-8", "backslashreplace"))
        yield ReadRecord(number, value, root_organization=root, fault=fault, raw=raw)


def _ndjson(path: Path, blank: int, lines: Iterator[bytes]) -> Iterator[ReadRecord]:
    readable = False
    faults: list[ReadRecord] = []
    for number, line in enumerate(lines, blank + 1):
        if not line.strip():
            continue
        value, fault = _decoded(line)
        if fault is not None:
            raw = mask_text(line.decode("utf-8", "backslashreplace").rstrip("\r\n"))
            record = ReadRecord(number, fault=fault, raw=raw)
            if readable:
                yield record
            else:
                faults.append(record)
            continue
        if not readable:
            yield from faults
            readable = True
        yield from _line_records(number, value)
    if not readable:
        assert faults and faults[0].fault
        raise ExportUnreadable(f"{path}: no line of it can be read; line 1: {faults[0].fault.found}")


def _line_records(number: int, value: Any) -> Iterator[ReadRecord]:
    if not isinstance(value, dict) or "external_data" not in value:
        yield ReadRecord(number, value)
        return
    elements = value["external_data"]
    if not isinstance(elements, list):
        fault = Fault("wrong_type", "/external_data", "an array of objects", type_name(elements))
        yield ReadRecord(number, fault=fault, raw=mask_text(msgspec.json.encode(value, enc_hook=str).decode()))
        return
    for place, element in enumerate(elements):
        yield ReadRecord(number, element, f"/external_data/{place}", value.get("organization_code"))
