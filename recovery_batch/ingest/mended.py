"""An export of the quarantine as people give it back: some lines gone, some records mended."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import msgspec
import polars as pl

from recovery_batch.errors import ExportUnreadable, Problem
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.faults import type_name

_ALLOWED: Final = "an object with the id of a quarantined record and its record, as rejects export writes it"
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_LINE: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_NULL: Final = b"null"
_IDENTITY: Final = re.compile(r"[0-9a-f]{16}")


@dataclass(slots=True)
class Mended:
    """The lines of a file, in order.

    Attributes:
        numbers: The number of each line, from 1.
        ids: The record that it is about; each id stands once.
        texts: The record as JSON text, its digits as they stand there; None: there is none, try it as it is.
        problems: Lines that are none of such a file.
    """

    numbers: list[int] = field(default_factory=list)
    ids: list[str] = field(default_factory=list)
    texts: list[str | None] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def frame(self) -> pl.DataFrame:
        """The lines as a frame: number, reject_id, text (null: there is none)."""
        schema = {"number": pl.Int64, "reject_id": pl.String, "text": pl.String}
        return pl.DataFrame([self.numbers, self.ids, self.texts], schema=schema)


class _BadLine(Exception):
    """Says what is wrong with a line."""


def read_mended(path: Path) -> Mended:
    """Read an export of the quarantine: NDJSON, a line an object with `id`, and `record`, or `text` for no JSON.

    Raises:
        ExportUnreadable: the file cannot be read.
    """
    mended = Mended()
    lines_of_ids: dict[str, int] = {}
    for number, line in _lines(path):
        try:
            identity, text = _parsed(line)
            if identity in lines_of_ids:
                raise _BadLine(f"the id {identity} stands in line {lines_of_ids[identity]} already")
        except _BadLine as error:
            problem = Problem("", str(error), None, _ALLOWED, code=400, source=str(path), line=number)
            mended.problems.append(problem)
            continue
        lines_of_ids[identity] = number
        mended.numbers.append(number)
        mended.ids.append(identity)
        mended.texts.append(text)
    return mended


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """The lines of a file that are not blank, and their numbers."""
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, 1):
                content = (line.removeprefix(_UTF8_MARK) if number == 1 else line).strip()
                if content:
                    yield number, content
    except OSError as error:
        raise ExportUnreadable(f"{path}: {error.strerror or error}", hint="Check the path.") from error


def _parsed(line: bytes) -> tuple[str, str | None]:
    """Id and record of a line. What stood there is never shown: it may be anybody's name."""
    try:
        line.decode()
        members = {name: bytes(value) for name, value in _LINE.decode(line).items()}
    except UnicodeDecodeError as error:
        raise _BadLine("not UTF-8 text") from error
    except msgspec.ValidationError as error:
        raise _BadLine(f"{type_name(decoded(line)[0])}, not an object") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise _BadLine(f"not JSON: {error}") from error
    identity = _text(members, "id")
    if identity is None:
        raise _BadLine("it has no id")
    if not _IDENTITY.fullmatch(identity):
        raise _BadLine("its id is not that of a quarantined record")
    if members.get("record", _NULL) != _NULL:
        return identity, members["record"].decode()
    return identity, _text(members, "text")


def _text(members: dict[str, bytes], name: str) -> str | None:
    """A text of a line; null counts as absent."""
    if (raw := members.get(name, _NULL)) == _NULL:
        return None
    value = decoded(raw)[0]
    if not isinstance(value, str):
        raise _BadLine(f"its {name} is {type_name(value)}, not a string")
    return value
