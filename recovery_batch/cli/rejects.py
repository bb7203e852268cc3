"""`rejects`: what is quarantined, an export of it to mend, and the way back."""

from __future__ import annotations

import textwrap
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

import rich_click as click

from recovery_batch.api.files import write_whole
from recovery_batch.cli.options import FILE, ZONE, Context, json_option
from recovery_batch.cli.screen import NARROW, counted, note, print_json, print_table, remark, say
from recovery_batch.errors import BadRequest, Refused
from recovery_batch.ingest.quarantine import (
    COUNTS,
    Filter,
    RetryOptions,
    RetryReport,
    count_rejects,
    export_rejects,
    list_rejects,
    retry_rejects,
)
from recovery_batch.reporting.formats import count, plural, visible
from recovery_batch.store import Store

_SHOWN = 10


@click.group("rejects")
def rejects_group() -> None:
    """Show, export and load again what is quarantined.

    \b
    Example:
      recovery-batch rejects list
      recovery-batch rejects export --out rejects.ndjson
      recovery-batch rejects retry rejects.ndjson
    """


def _filter_options(command: Any) -> Any:
    """`--reason` and `--file`."""
    command = click.option(
        "--file",
        metavar="FILE",
        help="Only records of this file: its path or its name, or a pattern with * and ?, in quotes.",
    )(command)
    return click.option("--reason", metavar="REASON", help="Only records whose first fault is this.")(command)


@rejects_group.command("list")
@_filter_options
@click.option("--records", is_flag=True, help="Show single records, not counts.")
@click.option("--limit", type=int, default=100, show_default=True, help="With --records: at most so many, 1 or more.")
@json_option
@click.pass_obj
def list_command(
    context: Context, reason: str | None, file: str | None, records: bool, limit: int, as_json: bool
) -> None:
    """Count what is quarantined by file and reason, or show it record by record.

    A record is shown with its id, its place and its first fault, never with what stood in it: rejects export writes
    that.

    \b
    Example:
      recovery-batch rejects list --records --reason bad_amount
    """
    if limit < 1:
        raise BadRequest(f"limit is {limit}; allowed: 1 or more", details={"field": "limit"})
    wanted = Filter(reason, file)
    with Store.open(context.db) as store:
        counts = [_renamed(row) for row in count_rejects(store, wanted).iter_rows(named=True)]
        rows = (
            [_renamed(row) for row in list_rejects(store, wanted, limit).iter_rows(named=True)] if records else counts
        )
    total = sum(row["records"] for row in counts)
    if as_json:
        print_json({"data": rows, "meta": {"total": total, **({"limit": limit} if records else {})}})
    elif not total:
        say("No quarantined record is of that file and reason." if reason or file else "Nothing is quarantined.")
    elif records:
        _print_records(rows)
        note(f"{len(rows)} of {plural(total, 'quarantined record')}")
    else:
        cells = [(row["file"], row["reason"], count(row["records"])) for row in rows]
        print_table(("file", "reason", "records"), cells, numbers=("records",))
        note(f"{plural(total, 'quarantined record')}; --records shows them one by one")


@rejects_group.command("export")
@_filter_options
@click.option("--out", type=FILE, required=True, metavar="FILE|-", help="The file to write; - is standard output.")
@json_option
@click.pass_obj
def export_command(context: Context, reason: str | None, file: str | None, out: Path, as_json: bool) -> None:
    """Write what is quarantined as NDJSON: an object a line, the record beside its faults.

    Mend what stands under record (or, for a text that is no JSON, under text), and give the file to rejects retry. It
    holds personal data, and only you may read it.

    \b
    Example:
      recovery-batch rejects export --reason bad_amount --out rejects.ndjson
    """
    is_screen = str(out) == "-"
    if not is_screen:
        context.keep_store(out)
    with Store.open(context.db) as store:
        lines = list(export_rejects(store, Filter(reason, file)))
    if not is_screen:
        write_whole(out, lambda path: path.write_text("".join(f"{each}\n" for each in lines), "utf-8"), private=True)
        if as_json:
            print_json({"path": str(out), "records": len(lines)})
        else:
            note(f"{plural(len(lines), 'quarantined record')} written to {out}")
    elif as_json:  # put together as text: numbers keep every digit
        data = ",\n".join(f"    {each}" for each in lines)
        click.echo(f'{{\n  "data": [\n{data}\n  ],\n  "meta": {{"total": {len(lines)}}}\n}}')
    else:
        click.echo("".join(f"{each}\n" for each in lines), nl=False)


@rejects_group.command("retry")
@click.argument("file", required=False, type=FILE, metavar="[FILE]")
@click.option(
    "--kind",
    type=click.Choice(["auto", "declined", "abandoned"]),
    default="auto",
    show_default=True,
    help="What the records are; auto: what their file held.",
)
@click.option(
    "--timezone", type=ZONE, metavar="ZONE", help="How times without a zone are read.  [default: as their file was]"
)
@click.option("--strict", is_flag=True, help="Leave records in quarantine that lack what a request needs.")
@json_option
@click.pass_obj
def retry_command(
    context: Context,
    file: Path | None,
    kind: Literal["auto", "declined", "abandoned"],
    timezone: str | None,
    strict: bool,
    as_json: bool,
) -> int:
    """Load quarantined records again: mended ones from FILE, or all as they are.

    FILE is written by rejects export. Mend its records, and leave out the lines that shall stay as they are. What loads
    leaves the quarantine; what is still bad stays there, with its fault of now. All of FILE is one transaction.

    What is tried again is loaded last: it replaces what was loaded of the same payment or flow meanwhile.

    \b
    Example:
      recovery-batch rejects retry rejects.ndjson
      recovery-batch rejects retry --timezone America/Bogota
    """
    moment = datetime.now(UTC).replace(microsecond=0)
    options = RetryOptions(moment, kind, timezone, strict, context.settings.sources)
    with Store.open(context.db, write=True, make=False) as store:
        report = retry_rejects(store, file, options)
    if as_json:
        print_json(report.as_json())
    else:
        _print_report(report)
    return Refused.exit_status if report.counts["quarantined"] or report.counts["refused"] else 0


def _renamed(row: dict[str, Any]) -> dict[str, Any]:
    """A row in the names of an export."""
    return {{"reject_id": "id", "path": "file"}.get(name, name): value for name, value in row.items()}


def _print_records(rows: list[dict[str, Any]]) -> None:
    for row in rows:
        place = f"{Path(row['file']).name}, record {row['record_no']}: {row['reason']}"
        say(textwrap.fill(visible(f"{row['id']}  {place}"), NARROW, subsequent_indent=" " * 18))
        where = row["pointer"] or "(the record)"
        stood = "nothing" if row["found"] is None else row["found"]
        more = len(row["faults"]) - 1
        others = f"; and {plural(more, 'more fault')}" if more else ""
        remark(f"{where}: expected {row['expected']}; found {stood}{others}")


def _print_report(report: RetryReport) -> None:
    for problem in report.problems[:_SHOWN]:
        note(f"refused: {problem}")
    if (more := len(report.problems) - _SHOWN) > 0:
        note(f"refused: {plural(more, 'more line')}")
    counts = report.counts
    if not counts["records"]:
        say("Nothing to try again.")
        return
    shown = [name for name in COUNTS if name != "forgotten"]
    print_table(shown, [[count(counts[name]) for name in shown]], numbers=shown)
    say()
    if counts["forgotten"]:
        remark(f"of people who were erased, left out: {count(counts['forgotten'])}")
    if counts["quarantined"]:
        remark(f"still quarantined: {counted(report.reject_reasons)}")
    if counts["not_submittable"]:
        number = count(counts["not_submittable"])
        remark(f"{number} not submittable, for want of: {counted(report.unfit_fields)}")
    if report.unknown_ids:
        named = ", ".join(report.unknown_ids[:_SHOWN])
        more = len(report.unknown_ids) - _SHOWN
        others = f" and {count(more)} more" if more > 0 else ""
        remark(f"not in the quarantine (any more): {named}{others}")
    gone = counts["inserted"] + counts["updated"] + counts["unchanged"] + counts["forgotten"]
    say(f"{plural(gone, 'record')} left the quarantine.")
