"""Files of the suppression list: CSV with a header or NDJSON, told apart by content; each line an entry."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from recovery_batch.errors import ExportUnreadable, Problem
from recovery_batch.ingest.faults import type_name
from recovery_batch.outreach.opt_outs import (
    FIELDS,
    OptOut,
    add_opt_outs,
    read_opt_outs,
    stored_campaigns,
    unknown_organizations,
)
from recovery_batch.store import Store

COUNTS: Final = ("lines", "added", "already_there", "refused")
"""What an import counts. A line with a phone number and a user id is two entries, a refused one is none."""

_DELIMITERS: Final = (",", ";", "\t", "|")
_LINE_END: Final = re.compile(rb"\r\n|\n|\r")
_UTF8_MARK: Final = b"\xef\xbb\xbf"
_NAMES: Final = ", ".join(FIELDS)

Fields = Mapping[str, str | None]


@dataclass(slots=True)
class ImportReport:
    """What an import did.

    Attributes:
        source: The file.
        counts: By the names of `COUNTS`.
        problems: What is wrong with lines that were refused, without what stood there.
        unknown_organizations: Organizations of good lines that the store knows nothing of.
    """

    source: str
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTS, 0))
    problems: list[Problem] = field(default_factory=list)
    unknown_organizations: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report in the shape of `suppressions import --json`."""
        return {
            "path": self.source,
            **self.counts,
            "problems": [problem.as_json() for problem in self.problems],
            "unknown_organizations": self.unknown_organizations,
        }


class _BadLine(Exception):
    """Says what is wrong with a line, and in which field; empty: the line as a whole."""

    def __init__(self, message: str, allowed: str, name: str = "") -> None:
        super().__init__(message)
        self.allowed = allowed
        self.name = name


def import_opt_outs(store: Store, content: bytes, source: str, now: datetime) -> ImportReport:
    """Put the entries of a file on the list, in one transaction. Lines that are no entry are refused, the others count.

    Args:
        store: The store, open for writing.
        content: The file.
        source: What it is called.
        now: When entries are added that do not say when they were.

    Raises:
        ExportUnreadable: it is empty, or its header is none.
    """
    report = ImportReport(source)
    campaigns = stored_campaigns(store)
    opt_outs: list[OptOut] = []
    for number, line in _read(content, source):
        report.counts["lines"] += 1
        problems: list[Problem] = []
        if isinstance(line, _BadLine):
            pointer = f"/{line.name}" if line.name else ""
            problems.append(Problem(pointer, str(line), None, line.allowed, code=400))
        else:
            opt_outs += read_opt_outs(line, campaigns, now, problems)
        report.counts["refused"] += bool(problems)
        report.problems += [replace(problem, source=source, line=number) for problem in problems]
    with store.transaction():
        for change, _ in add_opt_outs(store, opt_outs):
            report.counts[change.replace(" ", "_")] += 1
    codes = (each.organization_code for each in opt_outs)
    report.unknown_organizations = unknown_organizations(store, (code for code in codes if code is not None))
    return report


def _read(content: bytes, source: str) -> Iterator[tuple[int, Fields | _BadLine]]:
    """The lines that are not blank, with their numbers, as fields, or what is wrong with them."""
    # each line by itself: a quote that nobody closed must not take the lines after it along
    lines = enumerate(_LINE_END.split(content.removeprefix(_UTF8_MARK)), 1)
    filled = [(number, line) for number, line in lines if line.strip()]
    if not filled:
        raise ExportUnreadable(f"{source}: empty", hint=f"Give CSV with a header, or NDJSON, of: {_NAMES}.")
    if filled[0][1].lstrip().startswith(b"{"):
        return ((number, _attempt(_from_json, line)) for number, line in filled)
    columns, delimiter = _header(filled[0][1], source)
    return ((number, _attempt(_from_csv, line, columns, delimiter)) for number, line in filled[1:])


def _attempt(read: Callable[..., Fields], line: bytes, *more: Any) -> Fields | _BadLine:
    try:
        fields = read(line.decode(), *more)
        for name, value in fields.items():
            _check_text(name, value)
    except _BadLine as error:
        return error
    except UnicodeDecodeError:
        return _BadLine("not UTF-8", "UTF-8")
    return fields


def _check_text(name: str, value: str | None) -> None:
    try:
        (value or "").encode()
    except UnicodeEncodeError as error:  # half of a surrogate pair, which only an escape of JSON can bring
        raise _BadLine("not a text", "Unicode characters", name) from error


def _from_json(line: str) -> Fields:
    """The fields of an object; numbers count as the text of their digits."""
    try:
        pairs = json.loads(line, object_pairs_hook=_Pairs, parse_float=Decimal)
    except (ValueError, RecursionError) as error:
        raise _BadLine("not JSON", "an object") from error
    if not isinstance(pairs, _Pairs):
        raise _BadLine(f"{type_name(pairs)}, not an object", "an object")
    fields = dict(pairs)
    if fields.keys() - set(FIELDS):
        raise _BadLine("a field that no entry has", _NAMES)
    if len(fields) < len(pairs):
        raise _BadLine("a field stands there twice", "each field once")
    return {name: _text(name, value) for name, value in fields.items()}


class _Pairs(list[tuple[str, Any]]):
    """An object of JSON, its members in their order."""


def _text(name: str, value: object) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)
    kind = (
        "an object" if isinstance(value, _Pairs) else "a number that is not whole" if isinstance(value, float) else ""
    )
    raise _BadLine(f"{kind or type_name(value)}, not a text", "a text, or a whole number", name)


def _header(line: bytes, source: str) -> tuple[Sequence[str], str]:
    """The columns of a CSV file, and what stands between them."""
    text = line.decode(errors="replace")
    for delimiter in _DELIMITERS:
        try:
            (cells,) = csv.reader([text], delimiter=delimiter, strict=True)
        except csv.Error:
            continue
        columns = [cell.strip().lower() for cell in cells]
        if set(columns) <= set(FIELDS) and len(set(columns)) == len(columns) and {"phone", "user_id"} & set(columns):
            return columns, delimiter
    raise ExportUnreadable(
        f"{source}: neither NDJSON nor CSV with a header of known columns, each once, phone or user_id among them",
        hint=f"Its columns may be: {_NAMES}.",
    )


def _from_csv(line: str, columns: Sequence[str], delimiter: str) -> Fields:
    try:
        (cells,) = csv.reader([line], delimiter=delimiter, strict=True)
    except csv.Error as error:
        raise _BadLine("not a line of CSV", "cells in quotes that end in the same line") from error
    if any(cell.strip() for cell in cells[len(columns) :]):
        raise _BadLine("more cells than the header has columns", f"at most {len(columns)} cells")
    return dict(zip(columns, cells, strict=False))
