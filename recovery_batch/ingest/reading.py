"""A file to its records: compression and form told apart by content, never by name (SPEC 1.1).

Two forms: one JSON document (a request, an array of elements, one element), of which nothing loads when it cannot be
parsed; and NDJSON (a request or an element a line), of which a bad line is a record with a fault.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.faults import Fault, exact_number, type_name
from recovery_batch.ingest.unpacking import DAMAGED, Source, unpacked

_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,29}")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_FORMS: Final = "a request with external_data, an array of its elements, one element, or NDJSON of elements or requests"
_DEEPEST: Final = 100
"""How deep a record may nest. Some limit there must be, so that no record can exhaust the stack."""

Progress = Callable[[int], None]


class ReadRecord(NamedTuple):
    """One record of a file.

    Attributes:
        number: Its number from 1: its line in NDJSON, else its place in the document.
        prefix: JSON pointer of the record in its line; empty where the line, or the place, is the record.
        value: The decoded record, numbers as int or Decimal.
        root_organization: The organization_code of the request around it.
        fault: What kept it from being a record; None for one that can be checked.
        text: The text of what could not be decoded, as it stood; None where `value` holds it.
    """

    number: int
    value: Any = None
    prefix: str = ""
    root_organization: object = None
    fault: Fault | None = None
    text: str | None = None


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that can be read: its path as named, SHA-256 and size on disk."""

    path: Path
    sha256: str
    size: int


_DECODER: Final = msgspec.json.Decoder(float_hook=exact_number)
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])


def describe(path: Path) -> ExportFile:
    """Hash a file.

    Raises:
        ExportUnreadable: there is no such file, it is a directory or a pipe, empty, may not be read, or its name is no
            text that could be stored.
    """
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    if name != str(path):
        raise ExportUnreadable(f"{name}: the name of the file is not UTF-8", hint="Rename the file.")
    try:
        if path.is_dir():
            raise ExportUnreadable(f"{path}: a directory, not a file", hint="Name the files in it: load DIR/*.json")
        if path.exists() and not path.is_file():
            raise ExportUnreadable(f"{path}: a pipe or a device, not a file", hint="Write it to a file first.")
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
            for count, record in enumerate(_records(file.path, unpacked(disk))):
                if count == 0 and _is_abandoned_flow(record.value):
                    raise ExportUnreadable(
                        f"{file.path}: an export of abandoned flows (it has customer and session, no payment)",
                        hint="Only exports of declined payments can be loaded.",
                    )
                if count % 1000 == 0:
                    progress(disk.tell())
                yield record
            progress(file.size)
    except DAMAGED as error:
        raise ExportUnreadable(f"{file.path}: the compressed data is damaged or cut off ({error})") from error
    except OSError as error:
        raise ExportUnreadable(f"{file.path}: {error.strerror or error}") from error


def _is_abandoned_flow(value: object) -> bool:
    return isinstance(value, dict) and value.keys() >= {"customer", "session"} and "payment" not in value


def _records(path: Path, source: Source) -> Iterator[ReadRecord]:
    head = _head(path, source)
    first = head[-1]
    following = _read_on(source, head)
    if _is_object(first):
        if following:
            return _ndjson(path, chain(head, iter(source.readline, b"")))
        return _document(path, first)
    # Two objects one below the other stand in no document: this is NDJSON, and need not be held whole. (They do in a
    # document that lacks its commas, so that what opens an array or an object is looked at as a whole.)
    opens = first.startswith(b"[") or first.rstrip().endswith((b"{", b"[", b",", b":"))
    if not opens and _is_object(following) and _is_object(_read_on(source, head)):
        return _ndjson(path, chain(head, iter(source.readline, b"")))
    text = b"".join(head) + source.read()
    try:
        return _document(path, text)
    except (UnicodeDecodeError, msgspec.DecodeError, RecursionError) as error:
        lines = text.splitlines(keepends=True)
        if not _is_cut_off(error) and _is_ndjson(lines):
            return _ndjson(path, lines)
        raise _unreadable(path, error) from error


def _head(path: Path, source: Source) -> list[bytes]:
    """The first line that is not blank, after those that are; without a byte order mark."""
    line = source.readline()
    if line.startswith(_UTF16_MARKS) or b"\0" in line[:2]:
        raise ExportUnreadable(f"{path}: the text is UTF-16, not UTF-8", hint="Save the export as UTF-8.")
    head = [line.removeprefix(_UTF8_MARK)]
    if not (head[0].strip() or _read_on(source, head)):
        raise ExportUnreadable(f"{path}: there is nothing in it but blanks", hint="[] is an empty export.")
    return head


def _read_on(source: Source, head: list[bytes]) -> bytes:
    """The next line that is not blank, or nothing; what was read joins the head."""
    while line := source.readline():
        head.append(line)
        if line.strip():
            return line
    return b""


def _is_object(line: bytes) -> bool:
    return line.lstrip()[:1] == b"{" and isinstance(_decoded(line)[0], dict)


def _is_ndjson(lines: list[bytes]) -> bool:
    """Whether a text that is no JSON is NDJSON with a bad first line, rather than a document with a fault.

    In a document with an element a line, the lines begin or end with what joins or closes them, all but a few.
    """
    first, *others = [line.strip() for line in lines if line.strip()]
    objects = sum(map(_is_object, others))
    joined = sum(
        line.startswith((b"]", b"}", b",", b":")) or line.endswith((b"[", b"{", b",", b":")) for line in others
    )
    is_closed = bool(others) and others[-1].startswith((b"]", b"}"))
    doubt = not first.startswith((b"{", b"["))  # the beginning of a document it was not
    return objects > 0 and objects + doubt > joined and not is_closed


def _decoded(text: bytes) -> tuple[Any, Fault | None]:
    """A decoded value, or why there is none."""
    try:
        value = _DECODER.decode(text)
        is_deep = text.count(b"[") + text.count(b"{") > _DEEPEST and _depth(value) > _DEEPEST
    except UnicodeDecodeError as error:
        return None, Fault("not_utf8", "", "UTF-8 text", f"byte 0x{error.object[error.start]:02x}")
    except msgspec.ValidationError:
        return None, Fault("number_too_large", "", "numbers of at most 4,000 digits", "a longer number")
    except msgspec.DecodeError as error:
        return None, Fault("not_json", "", "one JSON object", str(error))
    except RecursionError:
        is_deep = True
    if is_deep:
        return None, Fault(
            "nested_too_deep", "", f"objects and arrays nested at most {_DEEPEST} deep", "deeper nesting"
        )
    return value, None


def _depth(value: Any, above: int = 0) -> int:
    """How deep a value nests; no more than one level beyond the deepest allowed is looked at."""
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else None
    if inner is None or above > _DEEPEST:
        return above
    return max((_depth(each, above + 1) for each in inner), default=above + 1)


def _document(path: Path, text: bytes) -> Iterator[ReadRecord]:
    """The records of one JSON document; raises what decoding raises."""
    text.decode("utf-8")
    if text.lstrip()[:1] == b"[":
        return _elements_decoded(path, _ARRAY.decode(text), None)
    document = _OBJECT.decode(text)
    root = _decoded(bytes(document.get("organization_code", b"null")))[0]
    return _elements_decoded(path, _elements(path, text, document), root)


def _is_cut_off(error: Exception) -> bool:
    return "truncated" in str(error)


def _unreadable(path: Path, error: UnicodeDecodeError | msgspec.DecodeError | RecursionError) -> ExportUnreadable:
    """Why a text that is no document cannot be loaded."""
    if isinstance(error, UnicodeDecodeError):
        found = f"0x{error.object[error.start]:02x} at byte {error.start + 1}"
        return ExportUnreadable(f"{path}: the text is not UTF-8: {found}", hint="Save the export as UTF-8.")
    if isinstance(error, msgspec.ValidationError):
        return ExportUnreadable(f"{path}: JSON of another shape; allowed: {_FORMS}")
    if isinstance(error, RecursionError):
        return ExportUnreadable(f"{path}: nested too deep to be an export")
    fault = "the JSON is cut off" if _is_cut_off(error) else f"not JSON: {error}"
    return ExportUnreadable(f"{path}: {fault}", hint="Export the file again.")


def _elements(path: Path, text: bytes, document: dict[str, msgspec.Raw]) -> list[msgspec.Raw]:
    """The elements of a request, or the one element that the document is."""
    if "external_data" in document:
        try:
            return _ARRAY.decode(document["external_data"])
        except msgspec.ValidationError as error:
            kind = type_name(_decoded(bytes(document["external_data"]))[0])
            raise ExportUnreadable(f"{path}: /external_data is {kind}; allowed: an array of objects") from error
    if "payment" in document or _is_abandoned_flow(document):
        return [msgspec.Raw(text)]
    # only what looks like a field's name: a key of a strange file may be somebody's e-mail address
    keys = ", ".join(sorted(filter(_FIELD_NAME.fullmatch, document))[:8]) or "none that look like field names"
    raise ExportUnreadable(
        f"{path}: JSON of another shape, an object with the keys: {keys}; allowed: {_FORMS}",
        hint="Is it a declined-payment export?",
    )


def _elements_decoded(path: Path, elements: list[msgspec.Raw], root: object) -> Iterator[ReadRecord]:
    for number, element in enumerate(elements, 1):
        text = bytes(element)
        value, fault = _decoded(text)
        if fault is not None and fault.reason in ("not_json", "not_utf8"):
            raise ExportUnreadable(f"{path}: element {number} is not JSON: {fault.found}")
        yield ReadRecord(number, value, "", root, fault, _shown(text) if fault else None)


def _shown(text: bytes) -> str:
    return text.decode("utf-8", "backslashreplace").rstrip("\r\n")


def _ndjson(path: Path, lines: Iterable[bytes]) -> Iterator[ReadRecord]:
    readable = False
    faults: list[ReadRecord] = []
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        value, fault = _decoded(line)
        if fault is None:
            yield from faults
            faults, readable = [], True
            yield from _line_records(number, value)
        elif readable:
            yield ReadRecord(number, fault=fault, text=_shown(line))
        else:
            faults.append(ReadRecord(number, fault=fault, text=_shown(line)))
    if not readable:
        first = faults[0]
        reason = first.fault.found if first.fault else ""
        raise ExportUnreadable(f"{path}: no line of it can be read; line {first.number}: {reason}")


def _line_records(number: int, value: Any) -> Iterator[ReadRecord]:
    if not isinstance(value, dict) or value.get("external_data") is None:
        yield ReadRecord(number, value)
        return
    elements = value["external_data"]
    if not isinstance(elements, list):
        yield ReadRecord(
            number, value, fault=Fault("wrong_type", "/external_data", "an array of objects", type_name(elements))
        )
        return
    for place, element in enumerate(elements):
        yield ReadRecord(number, element, f"/external_data/{place}", value.get("organization_code"))
