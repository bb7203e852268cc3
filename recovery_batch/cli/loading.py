"""`load`: exports into the store."""

from __future__ import annotations

import glob
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from recovery_batch.cli.options import FILE, ZONE, Context, json_option
from recovery_batch.cli.screen import note, print_json, print_table, remark, say
from recovery_batch.ingest import FileReport, LoadOptions, load_files, totals
from recovery_batch.reporting.formats import count, plural, visible
from recovery_batch.store import Store

_REFUSED = 3


@click.command("load")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option(
    "--kind",
    type=click.Choice(["auto", "declined"]),
    default="auto",
    show_default=True,
    help="What the files hold; auto looks into them.",
)
@click.option(
    "--timezone", type=ZONE, default="UTC", show_default=True, metavar="ZONE", help="How times without a zone are read."
)
@click.option("--strict", is_flag=True, help="Quarantine records that lack what a request needs.")
@json_option
@click.pass_obj
def load_command(
    context: Context, files: tuple[Path, ...], kind: str, timezone: str, strict: bool, as_json: bool
) -> int:
    """Load declined-payment exports: JSON or NDJSON, plain, .gz or .zst.

    Each file is one transaction. Records that cannot be loaded are quarantined with their reason, in the table
    rejects; the rest of the file loads. Loading a file twice changes nothing.

    \b
    Example:
      recovery-batch load fixtures/exports/payments_1_request.json
    """
    # whole seconds, as those of `run`: what was loaded a moment ago exists in a run of this moment
    options = LoadOptions(
        loaded_at=datetime.now(UTC).replace(microsecond=0),
        timezone=timezone,
        strict=strict,
        sources=context.settings.sources,
    )
    reports: list[FileReport] = []
    with Store.open(context.db, write=True) as store, _progress() as progress:
        for report in load_files(store, _expanded(files), options, progress):
            reports.append(report)
            if not as_json and report.error is not None:
                note(f"failed: {report.error.message}")
                if report.error.hint:
                    note(f"hint: {report.error.hint}")
    if as_json:
        print_json({"files": [report.as_json() for report in reports], "totals": totals(reports)})
    else:
        print_reports(reports)
    refused = any(report.error is not None or report.counts["quarantined"] for report in reports)
    return _REFUSED if refused else 0


def _expanded(files: tuple[Path, ...]) -> list[Path]:
    """The files; for a pattern that no shell expanded (`exports/*.json` in quotes) those that it matches, sorted."""
    found: list[Path] = []
    for file in files:
        matches = [] if file.exists() else sorted(glob.glob(str(file), recursive=True))
        found += [Path(match) for match in matches] or [file]
    return found


def print_reports(reports: list[FileReport]) -> None:
    """Print what became of each file, and what to look at."""
    names = ("records", "inserted", "updated", "unchanged", "quarantined")
    loaded = [report for report in reports if report.error is None]
    rows = [(report.path.name, *(count(report.counts[name]) for name in names)) for report in loaded]
    if rows:
        print_table(("file", *names), rows, numbers=names)
        say()
    for report in loaded:
        _print_remarks(report)
    sums = totals(reports)
    failed = f", {plural(sums['failed'], 'file')} failed" if sums["failed"] else ""
    say(f"{plural(len(loaded), 'file')} loaded{failed}: {count(sums['records'])} records.")


def _print_remarks(report: FileReport) -> None:
    remarks = []
    if report.counts["quarantined"]:
        remarks.append("quarantined: " + _counted(report.reject_reasons))
    if report.counts["not_submittable"]:
        number = count(report.counts["not_submittable"])
        remarks.append(f"{number} not submittable, for want of: {_counted(report.unfit_fields)}")
    for name, words in (
        ("time_of_transaction", "without a time of their own, took their transaction's"),
        ("time_of_load", "without any time, took that of the load"),
        ("without_user_id", "without user_id"),
        ("security_codes_removed", "card security codes removed"),
    ):
        if report.facts[name]:
            remarks.append(f"{words}: {count(report.facts[name])}")
    if report.facts["created_at"]:
        span = report.facts["created_at"]
        remarks.append(f"created {span['first']} to {span['last']}, {', '.join(report.facts['currencies'])}")
    say(f"{report.path.name}:")
    for each in remarks:
        remark(each)


def _counted(counts: dict[str, int]) -> str:
    return ", ".join(f"{name} {count(number)}" for name, number in counts.items())


@contextmanager
def _progress() -> Iterator[Callable[[Path, int, int], None]]:
    """A bar of bytes on standard error; nothing where that is no terminal."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield lambda *_: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        tasks: dict[Path, TaskID] = {}

        def show(path: Path, done: int, size: int) -> None:
            if path not in tasks:
                tasks[path] = progress.add_task(visible(path.name), total=size)
            progress.update(tasks[path], completed=done)

        yield show
