"""`submit` and `submissions`: sending the batches of a run, what became of them, and settling what is unknown."""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final, Literal

import rich_click as click
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from recovery_batch.api.settling import entry_json, list_submissions, resolve
from recovery_batch.api.submitting import Submission, SubmitRequest, submit
from recovery_batch.cli.logs import failures_logged
from recovery_batch.cli.options import FILE, Context, json_option
from recovery_batch.cli.screen import note, print_error, print_json, print_table, remark, say
from recovery_batch.errors import UsageError
from recovery_batch.outreach.sending.planning import Choices, Planned
from recovery_batch.outreach.sending.states import MEANINGS, State
from recovery_batch.reporting.formats import count, plural

_LINE_EVERY_SECONDS: Final = 10.0
_MESSAGES: Final = 10


@click.command("submit")
@click.argument("folder", type=FILE, metavar="RUN_DIR")
@click.option("--yes", "send", is_flag=True, help="Send. Without it nothing is sent: it is said what would be.")
@click.option("--declined-url", metavar="URL", help="Base URL for declined payments.  [default: of the settings]")
@click.option("--abandoned-url", metavar="URL", help="Base URL for abandoned flows.  [default: of the settings]")
@click.option(
    "--secrets",
    type=FILE,
    metavar="DIR",
    envvar="RECOVERY_BATCH_SECRETS",
    show_envvar=True,
    help="A folder with the files public_api_key and private_secret_key.",
)
@click.option("--any-time", is_flag=True, help="Send outside of the send windows, too.")
@click.option("--repeat", is_flag=True, help="Send payments that another request sends, too.")
@click.option("--unknown-run", is_flag=True, help="Send a run that this store does not know.")
@click.option("--quiet", is_flag=True, help="Tell only what this call changes: for a job that calls it all day.")
@json_option
@click.pass_obj
def submit_command(
    context: Context,
    folder: Path,
    send: bool,
    declined_url: str | None,
    abandoned_url: str | None,
    secrets: Path | None,
    any_time: bool,
    repeat: bool,
    unknown_run: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Send the batches of a run that are due, each request once.

    RUN_DIR is the folder of a run, as run made it. What was accepted is never sent again. What may have arrived, or may
    not, is unknown, and is not sent again by itself: submissions resolve settles it.

    Keys come from RECOVERY_BATCH_PUBLIC_API_KEY and RECOVERY_BATCH_PRIVATE_SECRET_KEY, or a folder of secrets. Base
    URLs are HTTPS; there is no default. See docs/submission.md.

    Exit status: 0 all that was due is accepted; 1 it stopped, submit again later; 2 an address or a key is missing; 3
    something is refused, unknown or repeated, or nothing may be sent; 4 no such folder or store; 130 Ctrl-C. With
    --quiet, 3 only where this call brought it.

    \b
    Example:
      recovery-batch submit outreach/RUN_ID
      recovery-batch submit outreach/RUN_ID --yes
    """
    request = SubmitRequest(
        context.db,
        folder,
        context.settings.submit,
        declined_url,
        abandoned_url,
        secrets,
        send,
        Choices(any_time, repeat),
        unknown_run,
        quiet,
        statuses=context.settings.payments.successful_statuses,
        log=context.log,
    )
    with failures_logged(context.log), _progress(quiet=quiet) as show:
        done = submit(request, note, show)
    is_nothing = quiet and not done.requests and done.stopped is None and not done.interrupted
    if not done.is_known and not is_nothing:
        note("warning: this store does not know the run; with another --db it may have been submitted already")
    if as_json:
        print_json(done.as_json())
    elif not is_nothing:
        _print_submission(done)
    return done.exit_status


@click.group("submissions")
def submissions_group() -> None:
    """Show what became of requests, and settle what is unknown.

    \b
    Example:
      recovery-batch submissions list outreach/RUN_ID
      recovery-batch submissions resolve RUN_ID PATH accepted
    """


@submissions_group.command("list")
@click.argument("folder", required=False, type=FILE, metavar="[RUN_DIR]")
@click.option("--run", "run_id", metavar="RUN_ID", help="Only requests of this run.")
@json_option
@click.pass_obj
def list_command(context: Context, folder: Path | None, run_id: str | None, as_json: bool) -> None:
    """List the requests that were tried, and what became of each.

    \b
    Example:
      recovery-batch submissions list outreach/RUN_ID
    """
    if folder is not None and run_id is not None:
        raise UsageError("both RUN_DIR and --run were given; allowed: one of them")
    entries = list_submissions(context.db, run_id, folder)
    states = Counter(each.state for each in entries)
    if as_json:
        totals = {state.value: states[state] for state in State if state in states}
        print_json({"data": [entry_json(each) for each in entries], "meta": {"total": len(entries), "states": totals}})
        return
    if not entries:
        say("No request was tried yet.")
        return
    counts = Counter((each.run_id, each.state) for each in entries)
    print_table(
        ("run", "state", "requests"),
        [(run, state.value, count(number)) for (run, state), number in counts.items()],
        numbers=("requests",),
    )
    for each in entries:
        if each.state is not State.ACCEPTED:
            say(f"{each.run_id} {each.path}")  # on a line of its own: it is what resolve wants to hear
            line = f"line {each.line}: " if each.line else ""
            remark(f"{line}{each.state}{f', {each.message}' if each.message else ''}")


@submissions_group.command("resolve")
@click.argument("run_id", metavar="RUN_ID")
@click.argument("path", metavar="PATH")
@click.argument("state", type=click.Choice(["accepted", "unsent"]))
@click.option("--line", type=click.IntRange(min=0), default=0, help="The line, of a file of abandoned flows.")
@json_option
@click.pass_obj
def resolve_command(
    context: Context, run_id: str, path: str, state: Literal["accepted", "unsent"], line: int, as_json: bool
) -> None:
    """Say what became of an unknown request: accepted, or unsent.

    PATH is the file as submissions list names it. Find out from the other side first: what is unsent goes out with the
    next submit. A request that was refused can be made unsent, too.

    \b
    Example:
      recovery-batch submissions resolve RUN_ID PATH accepted
      recovery-batch submissions resolve RUN_ID PATH unsent --line 12
    """
    settled = resolve(context.db, run_id, path, line, state, now=datetime.now(UTC))
    if as_json:
        print_json({"data": entry_json(settled)})
    else:
        where = f"{settled.path}, line {settled.line}" if settled.line else settled.path
        say(f"{where} of run {settled.run_id} is {settled.state}: {MEANINGS[settled.state]}")


def _print_submission(done: Submission) -> None:
    say(f"run {done.run_id}{', nothing is sent: a dry run' if done.dry_run else ''}")
    groups: dict[tuple[str, State], list[Planned]] = {}
    for each in done.requests:
        groups.setdefault((each.batch.path, each.state), []).append(each)
    for (path, state), requests in groups.items():
        say(path)
        remark(_in_words(state, requests))
        if state is State.DUE:  # on a line of its own, and not wrapped
            kind = requests[0].batch.kind
            say(f"    POST {done.urls.get(kind, f'(no address yet: --{kind}-url)')}")
        for each in [one for one in requests if one.message][:_MESSAGES]:
            remark(f"line {each.line}: {each.message}" if each.line else str(each.message))
        if (more := sum(1 for one in requests if one.message) - _MESSAGES) > 0:
            remark(f"and {count(more)} more; submissions list shows them")
    totals = ", ".join(f"{state} {count(number)}" for state, number in done.totals.items())
    say(f"{plural(len(done.requests), 'request')}{f': {totals}' if totals else ''}")
    for state in State:
        if state in done.totals and state is not State.ACCEPTED:
            note(f"{state}: {MEANINGS[state]}")
    if done.stopped is not None:
        print_error(done.stopped, as_json=False)
    if done.interrupted:
        note("interrupted; what was accepted is not sent again")


def _in_words(state: State, requests: Sequence[Planned]) -> str:
    batch = requests[0].batch
    records = sum(each.records for each in requests)
    what = f"{state}: {plural(len(requests), 'request')}, {plural(records, 'record')}"
    window = f"{batch.not_before:%Y-%m-%d %H:%M} to {batch.not_after:%Y-%m-%d %H:%M} UTC"
    return f"{what}, window {window}" if state in (State.DUE, State.NOT_DUE, State.EXPIRED) else what


@contextmanager
def _progress(*, quiet: bool) -> Iterator[Callable[[int, int], None]]:
    """Takes how many requests are done, and of how many: a bar on a terminal, else a line now and then."""
    console = Console(file=sys.stderr)
    if quiet:
        yield lambda _done, _due: None
        return
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("sending"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("sending", total=None, visible=False)
        yield lambda done, due: progress.update(task, completed=done, total=due, visible=True)


class _Lines:
    """Progress where there is no terminal: in the log of a nightly job, say."""

    def __init__(self) -> None:
        self._next = time.monotonic() + _LINE_EVERY_SECONDS

    def __call__(self, done: int, due: int) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + _LINE_EVERY_SECONDS
            note(f"{count(done)} of {plural(due, 'request')} sent")
