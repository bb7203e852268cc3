"""A file to its records: compression and form told apart by content, never by name (SPEC 1.1).

Two forms of JSON: one document (a request, an array of elements, one element), of which nothing loads when it cannot be
parsed; and NDJSON (a request or an element a line), of which a bad line is a record with a fault.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

import msgspec
import pyarrow as pa

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.faults import type_name
from recovery_batch.ingest.files import ExportFile
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.ndjson import read_ndjson
from recovery_batch.ingest.splitting import DocumentBroken, Members, Split, split_document
from recovery_batch.ingest.unpacking import DAMAGED, Source, unpacked

_FIELD_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z_.-]{0,29}")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_UTF16_MARKS: Final = (b"\xff\xfe", b"\xfe\xff")
_FORMS: Final = "a request with external_data, an array of its elements, one element, or NDJSON of elements or requests"
_HEAD_BYTES: Final = 1 << 20
"""What is looked at to tell the form of a file."""

_LONGEST_LINE: Final = 64 << 20
"""A first line longer than this is a document: NDJSON of so long requests is not told from it."""

_LONGEST_ELEMENT: Final = 64 << 20
"""A document that is one element may be so long."""

Progress = Callable[[int], None]


def read_lines(file: ExportFile, unpacked_limit: int, progress: Progress = lambda _: None) -> Iterator[Lines]:
    """The records of a JSON file, in its order.

    Args:
        file: What to read.
        unpacked_limit: Compressed data that unfolds to more bytes than these is refused.
        progress: Called now and then with the number of bytes of the file on disk that have been read.

    Raises:
        ExportUnreadable: nothing of the file can be loaded; says why, and where it can.
    """
    reader = _Reader(file, unpacked_limit, progress)
    try:
        yield from reader.records()
    except DAMAGED as error:
        raise ExportUnreadable(f"{file.path}: the compressed data is damaged or cut off ({error})") from error
    except OSError as error:
        raise ExportUnreadable(f"{file.path}: {error.strerror or error}") from error
    progress(file.size)


class _Reader:
    """Reads one file, from its beginning as often as it takes to tell what it is."""

    def __init__(self, file: ExportFile, unpacked_limit: int, progress: Progress) -> None:
        self._file = file
        self._limit = unpacked_limit
        self._progress = progress

    def records(self) -> Iterator[Lines]:
        with self._open() as source:
            head = self._past_blanks(source, _without_mark(self._file, source.read(_HEAD_BYTES)))
            if self._is_ndjson(source, head):
                yield from read_ndjson(source, b"".join(head))
                return
            elements = self._document(source, b"".join(head))
            try:
                first = next(elements, None)
            except DocumentBroken as error:
                is_cut_off = error.cut_off and _may_go_on(head[0])
                if is_cut_off or not _looks_like_ndjson(head[0]):
                    raise self._broken(error) from error
            else:
                yield from self._of_document(first, elements)
                return
        with self._open() as source:  # a line that is no JSON stands first, and good ones after it
            yield from read_ndjson(source, _without_mark(self._file, source.read(_HEAD_BYTES)))

    @contextmanager
    def _open(self) -> Iterator[Source]:
        with self._file.location.open("rb") as disk:
            yield unpacked(disk, self._file.path, self._limit, self._progress)

    def _past_blanks(self, source: Source, head: bytes) -> list[bytes]:
        """The head, and more where it was blanks alone."""
        parts = [head]
        if not head.strip() and not _more(source, parts).strip():
            raise ExportUnreadable(
                f"{self._file.path}: there is nothing in it but blanks", hint="[] is an empty export."
            )
        return [b"".join(parts)]

    def _is_ndjson(self, source: Source, head: list[bytes]) -> bool:
        """Whether the first lines are those of NDJSON; what had to be read to tell joins the head.

        Two objects one below the other stand in no document. (They do in one that lacks its commas, so that what opens
        an array or an object is looked at as a whole.)
        """
        if head[0].lstrip()[:1] == b"[":
            return False
        is_whole = b"\n" in head[0].lstrip()
        while not is_whole and len(head) < _LONGEST_LINE // _HEAD_BYTES and (more := source.read(_HEAD_BYTES)):
            head.append(more)
            is_whole = b"\n" in more
        lines = [line for line in b"".join(head).split(b"\n") if line.strip()]
        first = lines[0]
        if _is_object(first):
            return len(lines) > 1 or bool(_more(source, head).strip())
        opens = first.rstrip().endswith((b"{", b"[", b",", b":"))
        return not opens and len(lines) > 2 and all(map(_is_object, lines[1:3]))

    def _document(self, source: Source, head: bytes) -> Iterator[Split | Members]:
        return split_document(source.read, head)

    def _of_document(self, first: Split | Members | None, others: Iterator[Split | Members]) -> Iterator[Lines]:
        """The elements of a document; whose they are may stand before them or after them."""
        members: dict[str, bytes] = {}
        root: str | None = None
        has_elements = False
        try:
            for part in chain([first], others):
                if isinstance(part, Members):
                    members |= {key: value for key, value in part.values.items() if key not in members}
                elif part is not None:
                    if not has_elements:
                        root = self._root(members)
                    has_elements = True
                    yield from self._split(part, root)
        except DocumentBroken as error:
            raise self._broken(error) from error
        if not has_elements:
            yield self._whole(members)

    def _root(self, before: dict[str, bytes]) -> str | None:
        """The organization_code of a request, which for all that is known may stand after its elements."""
        if "organization_code" in before:
            return self._organization(before)
        with self._open() as source:
            head = _without_mark(self._file, source.read(_HEAD_BYTES))
            if head.lstrip()[:1] == b"[":
                return None
            for part in self._document(source, head):
                if isinstance(part, Members) and "organization_code" in part.values:
                    return self._organization(part.values)
        return None

    def _organization(self, members: dict[str, bytes]) -> str:
        try:
            return members["organization_code"].decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"byte 0x{error.object[error.start]:02x}"
            raise ExportUnreadable(
                f"{self._file.path}: /organization_code: the text is not UTF-8: {found}",
                hint="Save the export as UTF-8.",
            ) from error

    def _split(self, part: Split, root: str | None) -> Iterator[Lines]:
        count = len(part.texts)
        numbers = pa.array(range(part.first_number, part.first_number + count), pa.int64())
        try:
            texts = pa.array(part.texts, pa.binary()).cast(pa.string())
        except pa.ArrowInvalid:
            for number, text in enumerate(part.texts, part.first_number):
                try:
                    text.decode("utf-8")
                except UnicodeDecodeError as error:
                    found = f"0x{text[error.start]:02x} at byte {error.start + 1} of it"
                    raise ExportUnreadable(
                        f"{self._file.path}: element {number}: the text is not UTF-8: {found}",
                        hint="Save the export as UTF-8.",
                    ) from error
            raise
        roots = None if root is None else pa.array([root] * count, pa.string())
        yield Lines(numbers, texts, roots=roots, is_document=True)

    def _whole(self, members: dict[str, bytes]) -> Lines:
        """The document as one element."""
        path = self._file.path
        if "external_data" in members:
            kind = type_name(decoded(members["external_data"])[0])
            raise ExportUnreadable(f"{path}: /external_data is {kind}; allowed: an array of objects")
        if not ("payment" in members or members.keys() >= {"customer", "session"}):
            # only what looks like a field's name: a key of a strange file may be somebody's e-mail address
            keys = ", ".join(sorted(filter(_FIELD_NAME.fullmatch, members))[:8]) or "none that look like field names"
            raise ExportUnreadable(
                f"{path}: JSON of another shape, an object with the keys: {keys}; allowed: {_FORMS}",
                hint="Is it an export of declined payments or of abandoned flows?",
            )
        with self._open() as source:
            text = source.read(_LONGEST_ELEMENT)
            while more := source.read(_LONGEST_ELEMENT):
                text += more
                if len(text) > _LONGEST_ELEMENT:
                    raise ExportUnreadable(f"{path}: one element of more than {_LONGEST_ELEMENT >> 20} MB")
        try:
            element = text.removeprefix(_UTF8_MARK).strip().decode("utf-8")
        except UnicodeDecodeError as error:
            found = f"0x{error.object[error.start]:02x} at byte {error.start + 1}"
            raise ExportUnreadable(
                f"{path}: the text is not UTF-8: {found}", hint="Save the export as UTF-8."
            ) from error
        return Lines(pa.array([1], pa.int64()), pa.array([element], pa.string()), is_document=True)

    def _broken(self, error: DocumentBroken) -> ExportUnreadable:
        what = "the JSON is cut off" if error.cut_off else f"not JSON: {error.message}"
        allowed = "" if error.offset or error.cut_off else f"; allowed: {_FORMS}"
        place = f"{self._file.path}: {what} at byte {error.offset}"
        return ExportUnreadable(place + allowed, hint="Export the file again.")


def _without_mark(file: ExportFile, head: bytes) -> bytes:
    if head.startswith(_UTF16_MARKS) or b"\0" in head[:2]:
        raise ExportUnreadable(f"{file.path}: the text is UTF-16, not UTF-8", hint="Save the export as UTF-8.")
    return head.removeprefix(_UTF8_MARK)


def _more(source: Source, head: list[bytes]) -> bytes:
    """The next text that is not blank, which joins the head."""
    while more := source.read(_HEAD_BYTES):
        head.append(more)
        if more.strip():
            return more
    return b""


def _is_object(line: bytes) -> bool:
    try:
        return line.lstrip()[:1] == b"{" and isinstance(msgspec.json.decode(line), dict)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False


def _may_go_on(head: bytes) -> bool:
    """Whether a text that ends too early is JSON as far as it goes; what counts brackets cannot tell."""
    try:
        msgspec.json.decode(head.decode("utf-8", "replace"))
    except msgspec.DecodeError as error:
        return "truncated" in str(error)
    except RecursionError:
        return False
    return True


def _looks_like_ndjson(head: bytes) -> bool:
    """Whether a text that is no JSON is NDJSON with a bad first line, rather than a document with a fault.

    In a document with an element a line, the lines begin or end with what joins or closes them, all but a few.
    """
    first, *others = [line.strip() for line in head.split(b"\n") if line.strip()]
    objects = sum(map(_is_object, others))
    joined = sum(
        line.startswith((b"]", b"}", b",", b":")) or line.endswith((b"[", b"{", b",", b":")) for line in others
    )
    is_closed = bool(others) and others[-1].startswith((b"]", b"}"))
    doubt = not first.startswith((b"{", b"["))  # the beginning of a document it was not
    return objects > 0 and objects + doubt > joined and not is_closed


def looks_like_flow(value: Any) -> bool:
    """Whether a decoded record is an abandoned flow rather than a declined payment."""
    return isinstance(value, dict) and value.keys() >= {"customer", "session"} and "payment" not in value
