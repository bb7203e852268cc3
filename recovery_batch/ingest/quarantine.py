"""The quarantine: what is in it, an export of it that people mend, and records tried again, mended or as they are."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

import msgspec
import polars as pl
import pyarrow as pa

from recovery_batch.clock import parse_zone
from recovery_batch.errors import ExportUnreadable, Problem
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.files import ExportFile, describe
from recovery_batch.ingest.kinds import KINDS
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.loading import FileReport, load_lines, ranked
from recovery_batch.ingest.mended import Mended, read_mended
from recovery_batch.ingest.rows import ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store

COUNTS: Final = ("records", "inserted", "updated", "unchanged", "quarantined", "forgotten", "unknown", "refused")
"""The counts of a retry; records is the sum of the others."""

_WHOLE: Final = "(quarantine)"
"""What `loads` calls a retry of everything."""

_MARK: Final = "again"
"""Stands before the pointers of what is quarantined again, until it has its place back: no pointer begins so, and so
nothing that was quarantined before is taken for it."""

_IN_REQUEST: Final = r"^(/external_data/[0-9]+)(?:/|$)"
_SLICE: Final = 20_000


@dataclass(frozen=True, slots=True)
class Filter:
    """Which quarantined records are meant.

    Attributes:
        reason: Those whose first fault is this; None: any.
        file: Those of the file with this path or name, or of files whose path or name a pattern with `*`, `?` and
            `[…]` fits; None: any.
    """

    reason: str | None = None
    file: str | None = None

    def as_parameters(self) -> dict[str, str | None]:
        """The filter as queries take it."""
        return {"reason": self.reason, "file": self.file}


@dataclass(frozen=True, slots=True)
class RetryOptions:
    """How records are tried again.

    Attributes:
        loaded_at: The time of the retry.
        kind: What the records are; auto is what their file held.
        timezone: How times without a zone are read; None: as their file was read.
        strict: Whether records that are not submittable stay in the quarantine.
        sources: Where codes and metadata come from.
    """

    loaded_at: datetime
    kind: Literal["auto", "declined", "abandoned"] = "auto"
    timezone: str | None = None
    strict: bool = False
    sources: Sources = field(default_factory=Sources)


@dataclass(slots=True)
class RetryReport:
    """What became of the records that were tried again.

    Attributes:
        path: The file with mended records; None where everything was tried as it was.
        counts: By the names of `COUNTS`, and not_submittable.
        reject_reasons: Records that are still quarantined, by reason.
        unfit_fields: Loaded records that are not submittable, by the field that keeps them from it.
        unknown_ids: Ids of the file that are not in the quarantine, in its order.
        problems: Lines of the file that are no lines of an export of the quarantine.
    """

    path: Path | None
    counts: dict[str, int] = field(default_factory=lambda: dict.fromkeys((*COUNTS, "not_submittable"), 0))
    reject_reasons: Counter[str] = field(default_factory=Counter)
    unfit_fields: Counter[str] = field(default_factory=Counter)
    unknown_ids: list[str] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        """The report in the shape of `rejects retry --json`."""
        return {
            "path": None if self.path is None else str(self.path),
            **self.counts,
            "quarantined_by_reason": ranked(self.reject_reasons),
            "not_submittable_by_field": ranked(self.unfit_fields),
            "unknown_ids": self.unknown_ids,
            "problems": [problem.as_json() for problem in self.problems],
        }


def count_rejects(store: Store, wanted: Filter) -> pl.DataFrame:
    """How much is quarantined: one row a file, kind and reason; columns path, kind, reason, records; no nulls."""
    return store.frame("rejects/counts", wanted.as_parameters())


def list_rejects(store: Store, wanted: Filter, limit: int) -> pl.DataFrame:
    """The first quarantined records, in the order of loading; nothing in it is personal data.

    Returns:
        One row a record: reject_id, path, record_no, kind, reason, pointer, expected, found (null: nothing stood
        there), faults.
    """
    return store.frame("rejects/listed", {**wanted.as_parameters(), "most": limit})


def export_rejects(store: Store, wanted: Filter) -> Iterator[str]:
    """Quarantined records with their reasons, each a line of JSON without its end, in the order of loading.

    The record stands under `record` as JSON with every digit, or under `text` where it is none.
    """
    for row in store.frame("rejects/records", wanted.as_parameters()).iter_rows(named=True):
        root, raw = row["root_organization"], row["raw"]
        line = {
            "id": row["reject_id"],
            **{name: row[name] for name in ("reason", "pointer", "expected", "found", "faults")},
            "file": row["path"],
            "record_no": row["record_no"],
            "kind": row["kind"],
            "root_organization": None if root is None else msgspec.Raw(root.encode()),
        }
        held = {"record": msgspec.Raw(raw.encode())} if _is_json(raw) else {"text": raw}
        yield msgspec.json.encode({**line, **held}).decode()


def retry_rejects(store: Store, path: Path | None, options: RetryOptions) -> RetryReport:
    """Try quarantined records again, all in one transaction.

    What loads leaves the quarantine; what does not stays there with the fault that it has now, under the id, file and
    record number that it had. A record that was loaded since is replaced: what is tried again is loaded last.

    Args:
        store: The store, open for writing.
        path: A file as `export_rejects` writes it, with records mended, lines left out, or records left out (those are
            tried as they are); None: everything is tried as it is.
        options: How the records are read.

    Raises:
        ExportUnreadable: there is no such file, or no line of it is one of an export of the quarantine.
    """
    report = RetryReport(path)
    if path is None:
        file, mended = None, None
    else:
        file, mended = _read(path, report)
    with store.transaction():
        tried = _tried(store, mended, report)
        loadable = tried.filter("can_load")
        stay = tried.filter(~pl.col("can_load"))["reason"]  # no new reason could say more
        store.append("rejects/delete", loadable.select("reject_id"))
        others = store.frame("rejects/total").item() - len(stay)
        report.counts["quarantined"] = len(stay)
        report.reject_reasons.update(stay)
        if loadable.height:
            _load(store, loadable, file or _everything(loadable), options, report)
        _check(report, store.frame("rejects/total").item() - others)
    return report


def _read(path: Path, report: RetryReport) -> tuple[ExportFile | None, Mended]:
    """The records of a file; problems and counts go into the report."""
    if path.is_file() and not path.stat().st_size:  # what an export of an empty quarantine is
        return None, Mended()
    file = describe(path)
    mended = read_mended(path)
    if mended.problems and not mended.ids:
        first = mended.problems[0]
        raise ExportUnreadable(
            f"{path}: line {first.line}: {first.message}; allowed: {first.allowed}",
            hint="recovery-batch rejects export --out FILE writes such a file.",
        )
    report.problems = mended.problems
    report.counts["refused"] = len(mended.problems)
    report.counts["records"] = len(mended.problems) + len(mended.ids)
    return file, mended


def _tried(store: Store, mended: Mended | None, report: RetryReport) -> pl.DataFrame:
    """The records to try: one row each, in order.

    Returns:
        Columns of the query rejects/origins, and number (line of the file, or from 1), text, can_load.
    """
    if mended is None:
        ids = store.frame("rejects/ids").unique(maintain_order=True).with_row_index("number", 1)
        lines = ids.select(pl.col("number").cast(pl.Int64), "reject_id", text=pl.lit(None, dtype=pl.String))
        report.counts["records"] = lines.height
    else:
        lines = mended.frame()
    origins = store.lookup("rejects/origins", lines.select("reject_id")).unique("reject_id")
    rows = lines.join(origins, on="reject_id", how="left", maintain_order="left")
    report.unknown_ids = rows.filter(pl.col("raw").is_null())["reject_id"].to_list()
    report.counts["unknown"] = len(report.unknown_ids)
    known = rows.filter(pl.col("raw").is_not_null()).with_columns(text=pl.coalesce("text", "raw"))
    loadable = [_can_load(*row) for row in known.select("text", "raw", "is_altered").iter_rows()]
    return known.with_columns(can_load=pl.Series(loadable, dtype=pl.Boolean))


def _can_load(text: str, raw: str, is_altered: bool) -> bool:
    """Whether there is a chance that a record loads.

    There is none for what is no JSON, nor for what was altered to be kept, as long as nobody mended it: with its card
    number masked it would load, and nobody would have looked at it.
    """
    if not _is_json(text):
        return False
    return not is_altered or not _is_json(raw) or json.loads(text) != json.loads(raw)


def _is_json(text: str) -> bool:
    return decoded(text.encode())[1] is None


def _everything(tried: pl.DataFrame) -> ExportFile:
    """The quarantine, as if it were a file."""
    content = tried["text"]
    digest = hashlib.sha256()
    for text in content:
        digest.update(text.encode() + b"\n")
    size = int(content.str.len_bytes().sum()) + len(content)
    known: Future[str] = Future()
    known.set_result(digest.hexdigest())
    return ExportFile(Path(_WHOLE), size, Path(_WHOLE), known)


def _load(store: Store, tried: pl.DataFrame, file: ExportFile, options: RetryOptions, report: RetryReport) -> None:
    """Load the records by the road of every file, those that are read alike together; restore what is refused again."""
    kind = pl.col("kind") if options.kind == "auto" else pl.lit(options.kind)
    zone = pl.col("timezone") if options.timezone is None else pl.lit(options.timezone)
    alike = tried.with_columns(kind=kind, timezone=zone).partition_by(
        "kind", "timezone", as_dict=True, maintain_order=True
    )
    for (kind_name, zone_name), rows in alike.items():
        reading = ReadingOptions(
            parse_zone(str(zone_name)), str(zone_name), options.sources, options.strict, options.loaded_at
        )
        load_id = store.frame("load/next_id").item()
        done = load_lines(store, _lines(rows), file, KINDS[str(kind_name)], reading)
        places = rows.select("number", "reject_id", "load_id", "path", "file_sha256", "record_no", "root_organization")
        store.append("rejects/restore", places, {"load_id": load_id, "mark": _MARK})
        _add(report, done)


def _lines(rows: pl.DataFrame) -> Iterator[Lines]:
    """Records on the road of every file, with the request that was around them."""
    prefixes = pl.lit(_MARK) + pl.col("pointer").str.extract(_IN_REQUEST).fill_null("")
    columns = rows.select("number", "text", prefixes.alias("prefix"), "root_organization")
    for part in columns.iter_slices(_SLICE):
        texts = [part[name].to_arrow().cast(pa.string()) for name in ("text", "prefix", "root_organization")]
        yield Lines(part["number"].to_arrow(), *texts)


def _add(report: RetryReport, done: FileReport) -> None:
    for name in ("inserted", "updated", "unchanged", "quarantined", "forgotten", "not_submittable"):
        report.counts[name] += done.counts[name]
    report.reject_reasons.update(done.reject_reasons)
    report.unfit_fields.update(done.unfit_fields)


def _check(report: RetryReport, came_back: int) -> None:
    """That every record that was read is counted once, and that none vanished from the quarantine."""
    if came_back != report.counts["quarantined"]:
        raise AssertionError(f"{came_back} records came back to the quarantine: {report.counts}")
    if report.counts["records"] != sum(report.counts[name] for name in COUNTS[1:]):
        raise AssertionError(f"records tried again do not add up: {report.counts}")
