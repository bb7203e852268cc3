"""`load`: exports into the store."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import rich_click as click

from recovery_batch.api.events import Fields, Log
from recovery_batch.cli.logs import failures_logged
from recovery_batch.cli.options import FILE, ZONE, Context, json_option
from recovery_batch.cli.progress import progress_of_bytes
from recovery_batch.cli.screen import counted, note, print_json, print_table, remark, say
from recovery_batch.errors import Refused, UsageError
from recovery_batch.ingest import (
    FileReport,
    Found,
    LoadOptions,
    find_exports,
    load_files,
    read_mapping,
    suggestion_for,
    totals,
)
from recovery_batch.reporting.formats import count, plural
from recovery_batch.store import Store


@click.command("load")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option(
    "--kind",
    type=click.Choice(["auto", "declined", "abandoned"]),
    default="auto",
    show_default=True,
    help="What the files hold; auto looks into each.",
)
@click.option(
    "--mapping",
    "mapping_files",
    multiple=True,
    type=FILE,
    metavar="FILE",
    help="What the columns, units and words of a table mean (docs/mappings.md). May be repeated: each table takes the "
    "first that fits it.",
)
@click.option("--suggest-mapping", is_flag=True, help="Load nothing; print a first mapping file for FILE.")
@click.option(
    "--timezone", type=ZONE, default="UTC", show_default=True, metavar="ZONE", help="How times without a zone are read."
)
@click.option("--strict", is_flag=True, help="Quarantine records that lack what a request needs.")
@json_option
@click.pass_obj
def load_command(
    context: Context,
    files: tuple[Path, ...],
    kind: Literal["auto", "declined", "abandoned"],
    mapping_files: tuple[Path, ...],
    suggest_mapping: bool,
    timezone: str,
    strict: bool,
    as_json: bool,
) -> int:
    """Load exports of declined payments or abandoned flows.

    JSON, NDJSON, CSV, Parquet or Excel, told apart by content; plain, .gz or
    .zst. FILE may be a folder, a pattern in quotes, or - for standard input. A
    table of transactions is joined to the table of payments named with it.

    Each file is one transaction. Records that cannot be loaded are quarantined
    with their reason (see: recovery-batch rejects); the rest of the file loads.
    Loading a file twice changes nothing.

    \b
    Examples:
      recovery-batch load fixtures/exports/payments_1_request.json
      recovery-batch load --suggest-mapping pagos.csv > pagos.toml
      recovery-batch load --mapping pagos.toml pagos.csv
    """
    with failures_logged(context.log), find_exports(files, sys.stdin.buffer) as found:
        if suggest_mapping:
            return _suggest(found, kind, as_json)
        # whole seconds, as those of `run`: what was loaded a moment ago exists in a run of this moment
        options = LoadOptions(
            loaded_at=datetime.now(UTC).replace(microsecond=0),
            kind=kind,
            timezone=timezone,
            strict=strict,
            sources=context.settings.sources,
            mappings=tuple(map(read_mapping, mapping_files)),
            unpacked_bytes=context.settings.load.unpacked_bytes,
        )
        reports = _loaded(context, found, options, as_json=as_json)
    if as_json:
        print_json({"files": [report.as_json() for report in reports], "totals": totals(reports)})
    else:
        print_reports(reports)
    return exit_status(reports)


def _loaded(context: Context, found: list[Found], options: LoadOptions, *, as_json: bool) -> list[FileReport]:
    """Load files, and tell of each when it is done."""
    began = time.monotonic()
    context.log("load_started", files=len(found))
    reports: list[FileReport] = []
    with Store.open(context.db, write=True) as store, progress_of_bytes() as progress:
        for report in load_files(store, found, options, progress):
            reports.append(report)
            _log_file(context.log, report)
            if not as_json and report.error is not None:
                note(f"failed: {report.error.message}")
                if report.error.hint:
                    note(f"hint: {report.error.hint}")
    fields = _counts_logged(totals(reports))
    fields["files"], fields["exit_status"] = len(reports), exit_status(reports)
    fields["seconds"] = round(time.monotonic() - began, 3)
    context.log("load_finished", **fields)
    return reports


def _log_file(log: Log, report: FileReport) -> None:
    """Log what became of a file, by its name alone: the folders above it are nobody's business."""
    if report.error is None:
        fields = _counts_logged(report.counts)
        fields["path"], fields["kind"] = report.path.name, report.kind
        log("file_loaded", **fields)
    else:
        log("file_failed", level="error", path=report.path.name, slug=report.error.slug)


def _counts_logged(counts: Mapping[str, int]) -> Fields:
    return Fields(
        records=counts["records"],
        inserted=counts["inserted"],
        updated=counts["updated"],
        unchanged=counts["unchanged"],
        quarantined=counts["quarantined"],
        forgotten=counts["forgotten"],
        not_submittable=counts["not_submittable"],
    )


def exit_status(reports: list[FileReport]) -> int:
    """That of a load: whether all of the input was taken."""
    refused = any(report.error is not None or report.counts["quarantined"] for report in reports)
    return Refused.exit_status if refused else 0


def _suggest(found: list[Found], kind: str, as_json: bool) -> int:
    if len(found) != 1:
        raise UsageError("--suggest-mapping takes one file", hint="Write a mapping for each kind of file.")
    text = suggestion_for(found[0], kind)
    if as_json:
        print_json({"path": str(found[0].path), "mapping": text})
    else:
        for line in text.splitlines():
            say(line)
    return 0


def print_reports(reports: list[FileReport]) -> None:
    """Print what became of each file, and what to look at in all of them."""
    names = ("records", "inserted", "updated", "unchanged", "quarantined")
    loaded = [report for report in reports if report.error is None]
    rows = [(report.path.name, *(count(report.counts[name]) for name in names)) for report in loaded]
    if rows:
        print_table(("file", *names), rows, numbers=names)
        say()
    sums = totals(reports)
    failed = f", {plural(sums['failed'], 'file')} failed" if sums["failed"] else ""
    outcome = ", ".join(f"{count(sums[name])} {name}" for name in names[1:])
    say(f"{plural(len(loaded), 'file')} loaded{failed}: {plural(sums['records'], 'record')}")
    remark(outcome)
    for each in _remarks(loaded, sums):
        remark(each)
    if sums["quarantined"]:
        note("See what is in the way with: recovery-batch rejects list --records")


def _remarks(loaded: list[FileReport], sums: dict[str, int]) -> Iterator[str]:
    """What is worth knowing of all files together."""
    reasons, fields, facts = Counter[str](), Counter[str](), Counter[str]()
    for report in loaded:
        reasons.update(report.reject_reasons)
        fields.update(report.unfit_fields)
        facts.update({name: number for name, number in report.facts.items() if isinstance(number, int)})
    if sums["forgotten"]:
        yield f"of people who were erased, left out: {count(sums['forgotten'])}"
    if reasons:
        yield "quarantined: " + counted(reasons)
    if fields:
        yield f"{count(sums['not_submittable'])} not submittable, for want of: {counted(fields)}"
    for name, words in _WORTH_KNOWING.items():
        if facts[name]:
            yield f"{words}: {count(facts[name])}"
    spans = [report.facts["created_at"] for report in loaded if report.facts["created_at"]]
    currencies = sorted({currency for report in loaded for currency in report.facts["currencies"]})
    if spans:
        span = f"created {min(each['first'] for each in spans)} to {max(each['last'] for each in spans)}"
        yield ", ".join([span, *currencies])


_WORTH_KNOWING: Final = {
    "time_of_transaction": "without a time of their own, took their transaction's",
    "time_of_load": "without any time, took that of the load",
    "without_user_id": "without user_id",
    "security_codes_removed": "card security codes removed",
    "invalid_email": "with an e-mail address that is none, left out of batches",
}
