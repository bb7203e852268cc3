"""Files into the store: each in one transaction, each with a report; a file that fails leaves the others alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from recovery_batch.clock import iso, parse_zone
from recovery_batch.errors import AppError, ExportUnreadable
from recovery_batch.ingest.reading import ExportFile, describe, read_records
from recovery_batch.ingest.rows import STAGED, Batch, ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store

_BATCH_RECORDS: Final = 20_000
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
        sha256: Its SHA-256; empty where it could not be read.
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
    """Load files in the order given, each in a transaction of its own; gives a report a file as it is done."""
    for path in paths:
        try:
            file = describe(path)
            yield _load(store, file, options, progress)
        except ExportUnreadable as error:
            yield FileReport(path, "", dict.fromkeys(COUNTS, 0), error)


def _load(store: Store, file: ExportFile, options: LoadOptions, progress: Progress) -> FileReport:
    reading = ReadingOptions(
        parse_zone(options.timezone), options.timezone, options.sources, options.strict, options.loaded_at
    )
    with store.transaction():
        for table in STAGED:
            store.run(f"load/stage_{table}")
        records = codes = 0
        for batch in _batches(file, reading, progress):
            for table, frame in batch.frames().items():
                store.append(f"load/append_{table}", frame)
            records += batch.records
            codes += batch.codes_removed
        return _merge(store, file, options, records, codes)


def _batches(file: ExportFile, reading: ReadingOptions, progress: Progress) -> Iterator[Batch]:
    seq = 0
    source = read_records(file, lambda done: progress(file.path, done, file.size))
    while True:
        batch = Batch(reading)
        for record in source:
            seq += 1
            batch.add(record, seq)
            if batch.records == _BATCH_RECORDS:
                break
        if not batch.records:
            return
        yield batch


def _merge(store: Store, file: ExportFile, options: LoadOptions, records: int, codes: int) -> FileReport:
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
            "timezone": options.timezone,
            "loaded_at": options.loaded_at,
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
