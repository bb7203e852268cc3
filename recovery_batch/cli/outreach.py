"""`outreach`: the runs that happened, and whether the folder of one is what it should be."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from recovery_batch.cli.options import FILE, Context, json_option
from recovery_batch.cli.screen import note, print_json, print_table, remark, say
from recovery_batch.errors import Refused
from recovery_batch.outreach.ledger import open_ledger, withdraw
from recovery_batch.outreach.runs import ListedRun, list_runs
from recovery_batch.outreach.validating import validate_folder
from recovery_batch.reporting.formats import count, plural
from recovery_batch.store import Store

_NUMBERS = ("files", "records", "suppressed")


@click.group("outreach")
def outreach_group() -> None:
    """Show what runs have emitted, and check it.

    \b
    Example:
      recovery-batch outreach list
      recovery-batch outreach validate outreach/20261030T150000Z-0123456789ab
    """


@outreach_group.command("list")
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, 1 or more.")
@json_option
@click.pass_obj
def list_command(context: Context, limit: int, as_json: bool) -> None:
    """Show the runs that happened, the newest first, and what was submitted of them.

    The id begins with the instant that the run was as of.

    \b
    Example:
      recovery-batch outreach list --limit 5
    """
    with Store.open(context.db) as store:
        runs, total = list_runs(store, limit=limit)
    if as_json:
        print_json({"data": [each.as_json() for each in runs], "meta": {"total": total, "limit": limit}})
        return
    if not runs:
        say("No run has happened.")
        return
    rows = [
        (e.run_id, f"{e.recorded_at:%Y-%m-%d %H:%M}", *map(count, (e.files, e.records, e.suppressed))) for e in runs
    ]
    print_table(("id", "happened", *_NUMBERS), rows, numbers=_NUMBERS)
    for each in runs:
        _remark(each)
    for parent in sorted({each.folder.parent for each in runs if each.place == "there"}):
        say(f"Folders are in {parent}")
    note(f"{count(len(runs))} of {plural(total, 'run')}")


@outreach_group.command("validate")
@click.argument("folder", type=FILE, metavar="DIR")
@json_option
def validate_command(folder: Path, as_json: bool) -> int:
    """Check the folder of a run against its manifest, and each request against the contract.

    Every file must be there, unchanged, readable by its owner alone and named in the manifest; counts and amounts are
    made again from the requests. Faults are listed with file and place, never with what stood there; with any, the exit
    status is 3.

    \b
    Example:
      recovery-batch outreach validate outreach/20261030T150000Z-0123456789ab
    """
    found = validate_folder(folder)
    if as_json:
        print_json(found.as_json())
    else:
        for problem in found.problems:
            remark(str(problem))
        held = f"{plural(found.files, 'file')} with {plural(found.records, 'record')}"
        say(f"{found.folder}: {held}; {plural(len(found.problems), 'fault')}")
    return Refused.exit_status if found.problems else 0


@outreach_group.command("withdraw")
@click.argument("run_id")
@json_option
@click.pass_obj
def withdraw_command(context: Context, run_id: str, as_json: bool) -> None:
    """Take a run back of which nothing was submitted, such as one whose folder is lost.

    Its folder is removed, and its payments leave the ledger: the next run may emit them again.

    \b
    Example:
      recovery-batch outreach withdraw 20261030T150000Z-0123456789ab
    """
    with open_ledger(context.db, "a withdrawal") as ledger:
        folder = withdraw(ledger, run_id, datetime.now(UTC))
    if as_json:
        print_json({"data": {"run_id": run_id, "folder": str(folder)}})
    else:
        say(f"{run_id} was taken back; its folder was {folder}")


def _remark(run: ListedRun) -> None:
    """What a person should know of a run: where its folder is, if not in its place, and what was submitted."""
    if run.place == "staged":
        remark(f"{run.run_id}: its folder waits beside {run.folder}; the next run moves it there")
    elif run.place == "missing":
        remark(f"{run.run_id}: its folder is missing from {run.folder}")
    if run.submissions:
        states = ", ".join(f"{state} {count(number)}" for state, number in run.submissions.items())
        remark(f"{run.run_id}: requests {states}")
