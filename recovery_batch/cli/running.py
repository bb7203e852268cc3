"""`run` and `demo`: the nightly job, and the whole road on the example data."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import rich_click as click

from recovery_batch.api import RunRequest, run
from recovery_batch.api.demo import Demo, demo
from recovery_batch.api.nightly import Run
from recovery_batch.cli.backtesting import print_backtest
from recovery_batch.cli.loading import print_reports
from recovery_batch.cli.logs import failures_logged
from recovery_batch.cli.options import FILE, INSTANT, Context, json_option
from recovery_batch.cli.screen import note, print_json, print_table, say
from recovery_batch.clock import parse_bound
from recovery_batch.errors import AppError
from recovery_batch.outreach.metrics import require_textfile, write_failure, write_metrics
from recovery_batch.reporting.formats import channel, count, grouped_amount, plural, utc_clock
from recovery_batch.reporting.summary import as_json as summary_json


@click.command("run")
@click.option("--out", required=True, type=FILE, metavar="DIR", help="The folder that gets a folder for the run.")
@click.option(
    "--as-of", type=INSTANT, metavar="ISO", help="The instant of the run; payments created later do not exist. [now]"
)
@click.option("--one-per-order", is_flag=True, help="Make several failed attempts at one order one contact.")
@click.option(
    "--max-contacts", type=click.IntRange(min=0), metavar="N", help="Emit nothing rather than more than this."
)
@click.option("--metrics", type=FILE, metavar="FILE.prom", help="Write figures for Prometheus's textfile collector.")
@json_option
@click.pass_obj
def run_command(
    context: Context,
    out: Path,
    as_of: datetime | None,
    one_per_order: bool,
    max_contacts: int | None,
    metrics: Path | None,
    as_json: bool,
) -> None:
    """Make tonight's outreach batches: request bodies, a manifest and a report.

    What a run emits stands in the store's ledger, and is never emitted again: by a repeated run, a later one, or one
    with another as-of. The folder DIR/RUN_ID and the ledger change together, or not at all; after a crash, run it
    again.

    \b
    Example:
      recovery-batch run --out outreach --as-of 2026-10-30T15:00:00Z
    """
    moment = as_of or datetime.now(UTC).replace(microsecond=0)
    if metrics is not None:
        require_textfile(metrics)
    request = RunRequest(context.db, out, moment, context.settings, one_per_order, max_contacts, context.log)
    with failures_logged(context.log):
        done = _measured(request, metrics)
    _print_notes(done)
    if as_json:
        print_json(done.manifest)
    else:
        _print_run(done)


def _measured(request: RunRequest, metrics: Path | None) -> Run:
    """Run, and write figures of it whether it succeeds or fails."""
    began = time.monotonic()
    try:
        done = run(request)
    except AppError as error:
        if metrics is not None:
            write_failure(metrics, error.slug, seconds=time.monotonic() - began, finished_at=datetime.now(UTC))
        raise
    seconds = time.monotonic() - began
    totals = done.manifest["totals"]
    request.log(
        "run_finished",
        run_id=done.manifest["run_id"],
        repeated=done.repeated,
        folder=str(done.folder),
        matched=totals["matched"],
        suppressed=done.manifest["suppressed"],
        files=totals["files"],
        records=totals["records"],
        settled_before=totals["settled_before"],
        warnings=len(done.manifest["warnings"]),
        seconds=round(seconds, 3),
    )
    if metrics is not None:
        write_metrics(metrics, done.manifest, seconds=seconds, finished_at=datetime.now(UTC))
    return done


@click.command("demo")
@click.option("--out", type=FILE, default=Path("demo"), show_default=True, metavar="DIR", help="Where to write.")
@json_option
@click.pass_obj
def demo_command(context: Context, out: Path, as_json: bool) -> None:
    """The whole road on the example data: a store, a report and outreach batches.

    \b
    Example:
      recovery-batch demo --out demo
    """
    done = demo(out, context.settings, note)
    if as_json:
        print_json(_demo_json(done, out))
        return
    say()
    print_reports(list(done.loads))
    say()
    print_backtest(done.backtest)
    say()
    _print_run(done.run)
    say()
    say(f"Open {out / 'report.html'} in a browser.")
    say(f"Look around: recovery-batch --db {done.db} campaigns list")


def _demo_json(done: Demo, out: Path) -> dict[str, Any]:
    return {
        "db": str(done.db),
        "report": str(out / "report.html"),
        "decisions": str(out / "decisions.csv"),
        "loads": [report.as_json() for report in done.loads],
        "backtest": summary_json(done.backtest.figures),
        "run": {"folder": str(done.run.folder), "manifest": done.run.manifest},
    }


def _print_notes(done: Run) -> None:
    """Say on standard error what a person has to know of the ledger and the folders beside it."""
    for folder in done.finished:
        note(f"completed what an interrupted run had begun: {folder}")
    if done.strangers:
        names = ", ".join(done.strangers[:3])
        more = f" and {len(done.strangers) - 3} more" if len(done.strangers) > 3 else ""
        note(f"warning: the ledger does not know {names}{more}, beside this run: was the store restored from a copy?")
        note("What they hold may have been emitted once more: look before you submit.")
    if done.repeated and done.is_missing:
        note("warning: its folder is no longer there; restore it, or: recovery-batch outreach withdraw RUN_ID")


def _print_run(done: Run) -> None:
    totals = done.manifest["totals"]
    say(f"run {done.manifest['run_id']}{' (made before, unchanged)' if done.repeated else ''}")
    _print_files(done.manifest)
    amounts = ", ".join(
        f"{currency} {grouped_amount(Decimal(amount), currency)}" for currency, amount in totals["amounts"].items()
    )
    say(
        f"{plural(totals['records'], 'record')} in {plural(totals['files'], 'file')}{f': {amounts}' if amounts else ''}"
    )
    reasons = ", ".join(f"{reason} {count(number)}" for reason, number in done.manifest["suppressed"].items())
    if reasons:
        say(f"left out: {reasons}")
    if totals["settled_before"]:
        say(f"decided for good by earlier runs: {count(totals['settled_before'])}")
    if totals["repeated_orders"]:
        attempts = plural(totals["repeated_orders"], "further attempt")
        note(f"{attempts} at orders that are contacted anyway; --one-per-order leaves them out")
    if totals["repeated_records"]:
        note(f"{plural(totals['repeated_records'], 'record')} stand in the files of more than one campaign")
    for warning in done.manifest["warnings"]:
        note(f"warning: {warning}")
    say(f"folder: {done.folder}")


def _print_files(manifest: Mapping[str, Any]) -> None:
    """Print what is in each file, and its path on a line of its own, where nothing can break it."""
    files = manifest["files"]
    if not files:
        return
    names = {each["campaign"]["id"]: each["campaign"]["name"] for each in manifest["campaigns"]}
    rows = [
        (
            place,
            names.get(each["campaign_id"], "abandoned flows"),
            count(each["records"]),
            f"{utc_clock(parse_bound(each['not_before']))}\nto {utc_clock(parse_bound(each['not_after']))}",
            channel(each["channel"]),
        )
        for place, each in enumerate(files, 1)
    ]
    headers = ("file", "campaign", "records", "window (UTC)", "channel")
    print_table(headers, rows, numbers=("file", "records"))
    for place, each in enumerate(files, 1):
        say(f"{place}: {each['path']}")
