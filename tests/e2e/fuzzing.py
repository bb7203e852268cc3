"""What the fuzz test loads, and what must hold of whatever was loaded."""

from __future__ import annotations

import faulthandler
import re
import signal
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import FrameType
from typing import Final

import duckdb
import msgspec
import polars as pl
import pytest

from recovery_batch.ingest import FileReport, LoadOptions, load_files
from recovery_batch.ingest.mapping import Mapping
from recovery_batch.store import Store
from tests.e2e.mutations import CARDS, CODE

SECONDS: Final = 60
"""A file of some kilobytes that takes longer hangs, however slow the machine is."""

UNPACKED_BYTES: Final = 200_000_000
PERSONAL: Final = ("Quillf", "31777055", "feather@")
"""Of the name, the phone number and the e-mail address that all records have."""

_TABLES: Final = (
    "payments",
    "transactions",
    "payers",
    "records",
    "flows",
    "flow_customers",
    "flow_items",
    "flow_records",
)
_BETWEEN: Final = re.compile(r"[\s\-]+")
_ESCAPED: Final = re.compile(r"\\u00(3[0-9])")
_SUM: Final = ("inserted", "updated", "unchanged", "quarantined")


@dataclass(frozen=True)
class Mutant:
    """Files that are loaded together.

    Attributes:
        name: What made it, so that it can be made again.
        files: Their content, by name.
        good: Ids of the records in it that nothing was done to, and that load where the file does.
        loads: Whether the file must load.
        mapping: What its tables are read with.
    """

    name: str
    files: dict[str, bytes]
    good: frozenset[str] = frozenset()
    loads: bool = False
    mapping: Mapping | None = None


@dataclass
class Outcome:
    """What went wrong, and what was counted."""

    problems: list[str] = field(default_factory=list)
    loaded: list[tuple[Mutant, FileReport]] = field(default_factory=list)
    failed: list[tuple[Mutant, FileReport]] = field(default_factory=list)


def load_all(folder: Path, mutants: Iterator[Mutant]) -> Outcome:
    """Load every mutant into one store; gives whatever must not be."""
    outcome = Outcome()
    path = folder / "fuzz.duckdb"
    with Store.open(path, write=True) as store:
        for number, mutant in enumerate(mutants):
            place = folder / str(number)
            place.mkdir()
            for name, content in mutant.files.items():
                (place / name).write_bytes(content)
            _load(store, [place / name for name in mutant.files], mutant, outcome)
    _check_store(path, outcome)
    return outcome


def _load(store: Store, paths: Sequence[Path], mutant: Mutant, outcome: Outcome) -> None:
    mappings = () if mutant.mapping is None else (mutant.mapping,)
    options = LoadOptions(datetime(2026, 11, 3, tzinfo=UTC), mappings=mappings, unpacked_bytes=UNPACKED_BYTES)
    where = f"{mutant.name} ({paths[0]})"
    try:
        with bounded(where):
            reports = list(load_files(store, paths, options))
    except (Exception, pl.exceptions.PanicException) as error:  # whatever it is, it should have been a report
        outcome.problems.append(f"{where}: raised {type(error).__name__}: {str(error)[:300]}")
        return
    for report in reports:
        (outcome.loaded if report.error is None else outcome.failed).append((mutant, report))
        outcome.problems += [f"{where}: {problem}" for problem in _problems(mutant, report)]


def _problems(mutant: Mutant, report: FileReport) -> Iterator[str]:
    if report.counts["records"] != sum(report.counts[name] for name in _SUM):
        yield f"does not add up: {report.counts}"
    if report.error is not None:
        if any(report.counts.values()):
            yield f"failed, and counts: {report.counts}"
        if mutant.loads:
            yield f"failed: {report.error.message[:300]}"
        yield from leaks(msgspec.json.encode(report.error.as_json()).decode(), "the error")


def leaks(text: str, what: str) -> Iterator[str]:
    """Personal data in what is shown to anybody."""
    for each in (*PERSONAL, *CARDS, CODE):
        if each in text:
            yield f"{what} shows {each}: {text[:300]}"


def _check_store(path: Path, outcome: Outcome) -> None:
    with duckdb.connect(str(path), read_only=True) as db:
        outcome.problems += _check_sums(db, outcome)
        outcome.problems += _check_good(db, outcome)
        shown = "SELECT path, record_no, pointer || expected || coalesce(found, '') || faults::VARCHAR FROM rejects"
        for file, number, text in db.sql(shown).fetchall():
            outcome.problems += leaks(text, f"the reject {number} of {file}")
        for table in (*_TABLES, "rejects", "loads"):
            outcome.problems += _check_cards(db, table)
    stored = b"".join(each.read_bytes() for each in path.parent.glob("fuzz.duckdb*"))
    outcome.problems += [f"the store's bytes hold {each}" for each in (*CARDS, CODE) if each.encode() in stored]


def _check_sums(db: duckdb.DuckDBPyConnection, outcome: Outcome) -> Iterator[str]:
    """A file that failed left nothing: there is no more than what the others reported."""
    reports = [report for _, report in outcome.loaded]
    for what, table, name in (("payments", "payments", "declined"), ("flows", "flows", "abandoned")):
        expected = sum(report.counts["inserted"] for report in reports if report.kind == name)
        found = _count(db, table)
        if found != expected:
            yield f"{found} {what} are stored, {expected} were inserted"
    for table, column in (("rejects", "quarantined"),):
        expected = sum(report.counts[column] for report in reports)
        if (found := _count(db, table)) != expected:
            yield f"{found} rejects are stored, {expected} were quarantined"
    if (found := _count(db, "loads")) != len(reports):
        yield f"{found} loads are noted, {len(reports)} files were loaded"
    for own, main in (("payers", "payments"), ("records", "payments"), ("flow_customers", "flows")):
        if (rows := _count(db, own)) != (mains := _count(db, main)):
            yield f"{rows} rows of {own} belong to {mains} {main}"


def _check_good(db: duckdb.DuckDBPyConnection, outcome: Outcome) -> Iterator[str]:
    stored = {
        *db.sql(
            "SELECT payment_id FROM payments JOIN payers USING (organization_code, payment_id)"
            " WHERE amount_value = 1234.56 AND name LIKE 'Quillfeather, Z%' AND phone_number = '3177705512'"
            " AND status = 'DECLINED'"
        ).fetchall(),
        *db.sql(
            "SELECT session_id FROM flows JOIN flow_customers USING (flow_id)"
            " WHERE cart_total = 1234.56 AND full_name LIKE 'Quillfeather, Z%'"
        ).fetchall(),
    }
    for mutant, report in outcome.loaded:
        if missing := [each for each in sorted(mutant.good) if (each,) not in stored]:
            yield f"{mutant.name} ({report.path}): good records are missing: {missing}; {report.counts}"


def _check_cards(db: duckdb.DuckDBPyConnection, table: str) -> Iterator[str]:
    for values in db.table(table).project("COLUMNS(*)::VARCHAR").fetchall():
        row = " ".join(map(str, values))
        text = _BETWEEN.sub("", _ESCAPED.sub(lambda match: chr(int(match[1], 16)), row))
        for number in (*CARDS, CODE):
            if number in text:
                at = text.index(number)
                yield f"{table} holds {number}: {text[max(0, at - 200) : at + 60]}"


def _count(db: duckdb.DuckDBPyConnection, table: str) -> int:
    return len(db.table(table))


@contextmanager
def bounded(what: str, seconds: int = SECONDS) -> Iterator[None]:
    """Fail what hangs; where not even that helps, end the process with a traceback."""

    def stop(_signal: int, _frame: FrameType | None) -> None:
        pytest.fail(f"{what}: takes longer than {seconds} seconds")

    before = signal.signal(signal.SIGALRM, stop)
    signal.alarm(seconds)
    faulthandler.dump_traceback_later(3 * seconds, exit=True)
    try:
        yield
    finally:
        faulthandler.cancel_dump_traceback_later()
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
