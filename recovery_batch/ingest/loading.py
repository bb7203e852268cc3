"""Files into the store: each in one transaction, each with a report; a file that fails leaves the others alone."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import pyarrow as pa

from recovery_batch.clock import parse_zone
from recovery_batch.errors import AppError, ExportUnreadable, UsageError
from recovery_batch.ingest.ahead import ahead
from recovery_batch.ingest.erased import Erased
from recovery_batch.ingest.facts import Facts
from recovery_batch.ingest.files import ExportFile, describe
from recovery_batch.ingest.finding import Found
from recovery_batch.ingest.interpreting import Interpreter
from recovery_batch.ingest.kinds import Kind
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.mapping import Mapping
from recovery_batch.ingest.rows import ReadingOptions
from recovery_batch.ingest.sources import Source, Wanted, has_transactions_alone, open_source
from recovery_batch.ingest.writing import Writer
from recovery_batch.settings import Load, Sources
from recovery_batch.store import Store

_OUTCOMES: Final = ("inserted", "updated", "unchanged", "quarantined", "forgotten")
COUNTS: Final = ("records", *_OUTCOMES, "not_submittable")
"""The counts of a file's report; records = inserted + updated + unchanged + quarantined + forgotten."""

_SESSION: Final = ("load/session_memory", "load/session_threads", "load/session_row_groups")

Progress = Callable[[Path, int, int], None]


@dataclass(frozen=True, slots=True)
class LoadOptions:
    """How files are read.

    Attributes:
        timezone: How times without a zone are read: IANA name or offset.
        strict: Whether records that are not submittable are quarantined.
        sources: Where codes and metadata come from.
        loaded_at: The time of the load.
        kind: What the files hold; auto looks into each.
        mappings: Mapping files for tables; the first that fits a table is its own.
        unpacked_bytes: Compressed data that unfolds to more than this is refused.
    """

    loaded_at: datetime
    kind: Literal["auto", "declined", "abandoned"] = "auto"
    mappings: tuple[Mapping, ...] = ()
    unpacked_bytes: int = Load().unpacked_bytes
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
        kind: What it holds: declined or abandoned; empty for a file that failed.
        joined: The file that gave its transactions, if another did.
        reject_reasons: Quarantined records by reason.
        unfit_fields: Records that are not submittable, by the field that is missing or not as a request wants it.
        facts: Span of created_at, currencies, records without a time of their own, without a user, security codes.
    """

    path: Path
    sha256: str
    counts: dict[str, int]
    error: AppError | None = None
    kind: str = ""
    joined: Path | None = None
    reject_reasons: dict[str, int] = field(default_factory=dict)
    unfit_fields: dict[str, int] = field(default_factory=dict)
    facts: dict[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The report in the shape of `load --json` (DESIGN 4)."""
        return {
            "path": str(self.path),
            "sha256": self.sha256,
            "status": "loaded" if self.error is None else "failed",
            "kind": self.kind or None,
            **({} if self.joined is None else {"transactions_path": str(self.joined)}),
            **self.counts,
            "quarantined_by_reason": self.reject_reasons,
            "not_submittable_by_field": self.unfit_fields,
            **self.facts,
            "error": None if self.error is None else self.error.as_json(),
        }


def load_files(
    store: Store, paths: Iterable[Path | Found], options: LoadOptions, progress: Progress = lambda *_: None
) -> Iterator[FileReport]:
    """Load files in the order given, each in a transaction of its own; gives a report a file as it is done.

    A table of transactions is joined to the one table of payments that is named with it; the two are one source.

    Raises:
        UsageError: there is no such time zone.
    """
    try:
        zone = parse_zone(options.timezone)
    except ValueError as error:
        raise UsageError(f"timezone: {error}", hint="Allowed: America/Bogota, UTC, -05:00 and the like.") from error
    reading = ReadingOptions(zone, options.timezone, options.sources, options.strict, options.loaded_at)
    for setting in _SESSION:
        store.run(setting)
    founds = [path if isinstance(path, Found) else Found(path, path) for path in paths]
    for found, joined in _paired(founds, options):
        yield _load(store, found, joined, reading, options, progress)


def _paired(founds: list[Found], options: LoadOptions) -> Iterator[tuple[Found, Found | None]]:
    """Files, and a table of transactions beside the one table of payments that is there."""
    tables = {
        at: has_transactions_alone(found, options.mappings, options.unpacked_bytes)
        for at, found in enumerate(founds)
        if len(founds) > 1
    }
    transactions = [at for at, is_part in tables.items() if is_part]
    payments = [at for at, is_part in tables.items() if is_part is False]
    if len(transactions) != 1 or len(payments) != 1:
        yield from ((found, None) for found in founds)
        return
    for at, found in enumerate(founds):
        if at not in transactions:
            yield found, founds[transactions[0]] if at in payments else None


def _load(
    store: Store,
    found: Found,
    joined: Found | None,
    reading: ReadingOptions,
    options: LoadOptions,
    progress: Progress,
) -> FileReport:
    file = None
    try:
        file = describe(found.path, found.location)
        other = None if joined is None else describe(joined.path, joined.location)
        wanted = Wanted(options.kind, options.mappings, options.unpacked_bytes, store.path.resolve().parent)
        with ExitStack() as stack:
            source = open_source(stack, file, found, wanted, lambda done: progress(file.path, done, file.size), other)
            files = [file] if other is None else [file, other]
            with store.transaction():
                return load_source(store, source, files, replace(reading, mapping=source.mapping))
    except (ExportUnreadable, UsageError) as error:
        sha256 = ""
        with suppress(ExportUnreadable):  # which may be the very error
            sha256 = "" if file is None else file.sha256
        return FileReport(found.path, sha256, dict.fromkeys(COUNTS, 0), error)


def load_source(store: Store, source: Source, files: Sequence[ExportFile], reading: ReadingOptions) -> FileReport:
    """Load the records of a source into a store that is in a transaction, and record that it was loaded.

    Args:
        store: The store.
        source: The records.
        files: The file that they come from, and the one that gives their transactions, if another does.
        reading: How they are read.

    Raises:
        ExportUnreadable: nothing of it can be loaded; the caller has to end the transaction.
    """
    file, kind = files[0], source.kind
    with _memory_kept(), Interpreter.open(kind, reading, file.path, source.columns) as road:
        load_id = store.frame("load/next_id").item()
        writer, facts, erased = Writer(store, kind, reading, load_id, files), Facts(kind.name), Erased(store, kind)
        records = codes = readable = 0
        for batch in ahead(road.batches(source.lines)):
            tables = erased.without(batch.tables)
            writer.write(tables, batch.part)
            facts.add(tables[kind.main])
            records += batch.records
            readable += batch.records - batch.unreadable
            codes += batch.codes_removed
    if records and not readable:
        raise ExportUnreadable(f"{file.path}: no line of it can be read; {road.first_fault}")
    written = writer.written.counts | Counter(forgotten=erased.dropped)
    counts = {"records": records, **{name: written[name] for name in COUNTS[1:]}}
    _check_sum(file, counts)
    store.run(
        "load/insert_load",
        {
            "load_id": load_id,
            "path": str(file.path),
            "file_sha256": file.sha256,
            "bytes": sum(each.size for each in files),
            "timezone": reading.zone_name,
            "loaded_at": reading.loaded_at,
            "kind": kind.name,
            "security_codes_removed": codes,
            **counts,
        },
    )
    return FileReport(
        file.path,
        file.sha256,
        counts,
        kind=kind.name,
        joined=None if len(files) == 1 else files[1].path,
        reject_reasons=ranked(writer.written.reject_reasons),
        unfit_fields=ranked(writer.written.unfit_fields),
        facts={**facts.as_json(), "security_codes_removed": codes},
    )


def load_lines(
    store: Store, source: Iterator[Lines], file: ExportFile, kind: Kind, reading: ReadingOptions
) -> FileReport:
    """Load records of one kind that come from one file; see `load_source`."""
    return load_source(store, Source(kind, source), [file], reading)


def _check_sum(file: ExportFile, counts: dict[str, int]) -> None:
    if counts["records"] != sum(counts[name] for name in _OUTCOMES):
        raise AssertionError(f"{file.path}: records read do not add up: {counts}")


def ranked(counts: dict[str, int]) -> dict[str, int]:
    """Counts by name, the greatest first."""
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))


@contextmanager
def _memory_kept() -> Iterator[None]:
    """Memory of one batch is kept for the next, and garbage collection waits.

    Giving pages back to the system and taking them again, and looking for circles among records that refer to nothing,
    each take a tenth of the time of a load.
    """
    was_on, pool = gc.isenabled(), pa.default_memory_pool()
    gc.disable()
    with suppress(NotImplementedError):  # not built in everywhere
        pa.set_memory_pool(pa.jemalloc_memory_pool())
    try:
        yield
    finally:
        pa.set_memory_pool(pool)
        if was_on:
            gc.enable()


def totals(reports: Sequence[FileReport]) -> dict[str, int]:
    """The counts of all files together."""
    files = {"files": len(reports), "failed": sum(report.error is not None for report in reports)}
    return {**files, **{name: sum(report.counts[name] for report in reports) for name in COUNTS}}
