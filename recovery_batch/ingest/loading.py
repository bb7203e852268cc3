"""Files into the store: each in one transaction, each with a report; a file that fails leaves the others alone."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from recovery_batch.clock import iso, parse_zone
from recovery_batch.errors import AppError, ExportUnreadable, UsageError
from recovery_batch.ingest.reading import ExportFile, describe, read_records
from recovery_batch.ingest.rows import STAGED, Batch, ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store

_BATCH_RECORDS: Final = 500
"""So few that they are still in the processor's cache when they are turned into tables."""

_BATCHES_A_WRITE: Final = 40
_PAYMENT_TABLES: Final = ("payments", "transactions", "payers", "records")
COUNTS: Final = ("records", "inserted", "updated", "unchanged", "quarantined", "not_submittable")
"""The counts of a file's report; records = inserted + updated + unchanged + quarantined."""

Progress = Callable[[Path, int, int], None]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How files are read.

    Attributes:
        timezone: How times without a zone are read: IANA name or offset.
        strict: Whether records that are not submittable are quarantined.
        sources: Where codes and metadata come from.
        loaded_at: The time of the load.
    """

    loaded_at: datetime
    timezone: str = "UTC"
    strict: bool = False
    sources: Sources = field(default_factory=Sources)


@dataclass(frozen=True, slots=True)
class FileReport:
    """What became of one file.

    Attributes:
        path: The file, as named.
        sha256: Its SHA-256; empty where it could not be opened, or is empty.
        counts: By the names of `COUNTS`.
        error: Why nothing of it was loaded; None for a loaded file.
        reject_reasons: Quarantined records by reason.
        unfit_fields: Records that are not submittable, by the field that is missing or not as a request wants it.
        facts: Span of created_at, currencies, records without a time of their own, without a user, security codes.
    """

    path: Path
    sha256: str
    counts: dict[str, int]
    error: AppError | None = None
    reject_reasons: dict[str, int] = field(default_factory=dict)
    unfit_fields: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report in the shape of `load --json` (DESIGN 4)."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "status": "loaded" if self.error is None else "failed",
            **self.counts,
            "quarantined_by_reason": self.reject_reasons,
            "not_submittable_by_field": self.unfit_fields,
            **self.facts,
            "error": None if self.error is None else self.error.as_json(),
        }


def load_files(
    store: Store, paths: Iterable[Path], options: LoadOptions, progress: Progress = lambda *_: None
) -> Iterator[FileReport]:
    """Load files in the order given, each in a transaction of its own; gives a report a file as it is done.

    Raises:
        UsageError: there is no such time zone.
    """
    try:
        zone = parse_zone(options.timezone)
    except ValueError as error:
        raise UsageError(f"timezone: {error}", hint="Allowed: America/Bogota, UTC, -05:00 and the like.") from error
    reading = ReadingOptions(zone, options.timezone, options.sources, options.strict, options.loaded_at)
    for path in paths:
        sha256 = ""
        try:
            file = describe(path)
            sha256 = file.sha256
            yield _load(store, file, reading, progress)
        except ExportUnreadable as error:
            yield FileReport(path, sha256, dict.fromkeys(COUNTS, 0), error)


def _load(store: Store, file: ExportFile, reading: ReadingOptions, progress: Progress) -> FileReport:
    with store.transaction(), _garbage_collection_paused():
        for table in STAGED:
            store.run(f"load/stage_{table}")
        records = codes = 0
        batches = _batches(file, reading, progress)
        while some := list(islice(batches, _BATCHES_A_WRITE)):
            for name in STAGED:
                store.append(f"load/append_{name}", pa.concat_tables(tables[name] for _, tables in some))
            records += sum(batch.records for batch, _ in some)
            codes += sum(batch.codes_removed for batch, _ in some)
        return _merge(store, file, reading, records, codes)


@contextmanager
def _garbage_collection_paused() -> Iterator[None]:
    """Records refer to nothing that refers to them: looking for such circles takes a tenth of the time of a load."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def _batches(
    file: ExportFile, reading: ReadingOptions, progress: Progress
) -> Iterator[tuple[Batch, dict[str, pa.Table]]]:
    """The records of a file in batches, each with its tables; the rows themselves are let go."""
    seq = 0
    source = read_records(file, lambda done: progress(file.path, done, file.size))
    while True:
        batch = Batch(reading)
        for record in islice(source, _BATCH_RECORDS):
            seq += 1
            batch.add(record, seq)
        if not batch.records:
            return
        tables = batch.tables()
        batch.rows.clear()
        yield batch, tables


def _merge(store: Store, file: ExportFile, reading: ReadingOptions, records: int, codes: int) -> FileReport:
    load_id = store.frame("load/next_id").item()
    store.run("load/classify")
    counts = {"records": records, **store.frame("load/counts").row(0, named=True)}
    for table in _PAYMENT_TABLES:
        store.run(f"load/replace_{table}")
        store.run(f"load/insert_{table}", {"load_id": load_id} if table == "payments" else None)
    where = {"load_id": load_id, "path": str(file.path), "file_sha256": file.sha256}
    store.run("load/insert_rejects", where)
    reasons = dict(store.frame("load/reject_reasons").iter_rows())
    counts["quarantined"] = sum(reasons.values())
    if records != counts["inserted"] + counts["updated"] + counts["unchanged"] + counts["quarantined"]:
        raise AssertionError(f"{file.path}: records read do not add up: {counts}")
    store.run(
        "load/insert_load",
        {
            **where,
            "bytes": file.size,
            "kind": "declined",
            "timezone": reading.zone_name,
            "loaded_at": reading.loaded_at,
            **{name: counts[name] for name in COUNTS},
            "security_codes_removed": codes,
        },
    )
    return FileReport(
        file.path,
        file.sha256,
        {name: counts[name] for name in COUNTS},
        reject_reasons=reasons,
        unfit_fields=dict(store.frame("load/unfit").iter_rows()),
        facts={**_facts(store), "security_codes_removed": codes},
    )


def _facts(store: Store) -> dict[str, Any]:
    row = store.frame("load/facts").row(0, named=True)
    first, last = row.pop("first_created_at"), row.pop("last_created_at")
    span = None if first is None else {"first": iso(first), "last": iso(last)}
    return {**row, "currencies": row["currencies"] or [], "created_at": span}


def totals(reports: Sequence[FileReport]) -> dict[str, int]:
    """The counts of all files together."""
    files = {"files": len(reports), "failed": sum(report.error is not None for report in reports)}
    return {**files, **{name: sum(report.counts[name] for report in reports) for name in COUNTS}}
