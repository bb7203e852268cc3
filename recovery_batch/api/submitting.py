"""Submission: the batches of a run to where they go, and where each request of it stands."""

from __future__ import annotations

import dataclasses
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from recovery_batch.api.events import Log, silent
from recovery_batch.api.second_look import held_since
from recovery_batch.clock import iso
from recovery_batch.errors import AppError, Refused, UsageError
from recovery_batch.outreach.folder import MANIFEST
from recovery_batch.outreach.sending.access import check_ready, destinations, read_keys
from recovery_batch.outreach.sending.delivering import Sender
from recovery_batch.outreach.sending.journal import Journal, RequestKey
from recovery_batch.outreach.sending.planning import Choices, Held, Planned, Turns, turns
from recovery_batch.outreach.sending.sealed import RESTORE_IT, FolderChanged, SealedRun, open_run
from recovery_batch.outreach.sending.states import NEEDS_A_PERSON, State
from recovery_batch.outreach.sending.waiting import DEFAULT_PACE, Pace
from recovery_batch.settings import Payments, Submit


class UnknownRun(Refused):
    """The store does not know a run: what was sent of it may stand in another store."""

    slug = "unknown_run"


def _now() -> datetime:
    return datetime.now(UTC)


def _silent(_: str) -> None:
    pass


def _unseen(_done: int, _all: int) -> None:
    pass


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """What to submit, and how.

    Attributes:
        db: The store of the run.
        folder: The folder of the run.
        settings: The installation's settings of submission.
        declined_url: Base URL for declined payments; None: that of the settings.
        abandoned_url: Base URL for abandoned flows; None: that of the settings.
        secrets: A folder with the keys; None: they are in the environment.
        send: Whether to send; otherwise it is only said what would be sent.
        choices: What may be sent that else would not.
        unknown_run: Whether a run may be sent that the store does not know.
        quiet: Whether only what this call changes is of interest: in the outcome, its exit status, and the log.
        environment: Where the keys are looked for without a folder.
        statuses: Statuses of payments that were paid.
        now: Tells the time.
        pace: How long is waited between tries, and for the store.
        log: Is told what is sent, and what came of it.
    """

    db: Path
    folder: Path
    settings: Submit = field(default_factory=Submit)
    declined_url: str | None = None
    abandoned_url: str | None = None
    secrets: Path | None = None
    send: bool = False
    choices: Choices = field(default_factory=Choices)
    unknown_run: bool = False
    quiet: bool = False
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    statuses: Sequence[str] = Payments().successful_statuses
    now: Callable[[], datetime] = _now
    pace: Pace = DEFAULT_PACE
    log: Log = silent


@dataclass(frozen=True, slots=True)
class Submission:
    """Where every request of a run stands; of a quiet submission those that it changed.

    Attributes:
        run_id: The run.
        folder: Its folder.
        dry_run: Whether nothing was to be sent.
        urls: Where requests go, by kind; a kind without an address is not there.
        requests: The requests, in the order of the manifest.
        is_known: Whether the store knows the run; where not, it may be another's.
        stopped: Why it ended before its end; None: it did not.
        interrupted: Whether Ctrl-C ended it.
    """

    run_id: str
    folder: Path
    dry_run: bool
    urls: Mapping[str, str]
    requests: Sequence[Planned]
    is_known: bool
    stopped: AppError | None = None
    interrupted: bool = False

    @property
    def totals(self) -> dict[str, int]:
        """Requests by state; only states that occur."""
        counts = Counter(each.state for each in self.requests)
        return {state.value: counts[state] for state in State if state in counts}

    @property
    def exit_status(self) -> int:
        """0 where all is well; that of what stopped it; 3 where a person has to look."""
        if self.interrupted:
            return 130
        if self.stopped is not None:
            return self.stopped.exit_status
        needy = any(each.state in NEEDS_A_PERSON for each in self.requests)
        return Refused.exit_status if needy and not self.dry_run else 0

    def as_json(self) -> dict[str, Any]:
        """The submission as a plain document."""
        return {
            "run_id": self.run_id,
            "folder": str(self.folder),
            "dry_run": self.dry_run,
            "requests": [_as_json(each, self.urls) for each in self.requests],
            "totals": {"requests": len(self.requests), **self.totals},
            "known_run": self.is_known,
            "interrupted": self.interrupted,
            "stopped": None if self.stopped is None else self.stopped.as_json(),
        }


def submit(
    request: SubmitRequest,
    tell: Callable[[str], None] = _silent,
    progress: Callable[[int, int], None] = _unseen,
) -> Submission:
    """Send what is due of a run, or say what would be sent.

    What stops it half-way is in the outcome, and no exception: what was sent before stands.

    Args:
        request: What to submit.
        tell: Is told what takes long or went wrong.
        progress: Is told how many of the requests that are due are done.

    Raises:
        NotFound: there is no such folder.
        FolderChanged: it is not as the run wrote it.
        RunWithdrawn: it was taken back.
        UnknownRun: the store does not know it, and it is to be sent.
        StoreMissing: there is no store.
        UsageError: an address or a key is missing, or cannot be one; or a dry run is to be quiet.
        SystemFailed: another process submits, or holds the store for too long.
    """
    if request.quiet and not request.send:
        raise UsageError("--quiet tells what a submission changes, and a dry run changes nothing", hint="Add --yes.")
    run = open_run(request.folder)
    urls = destinations(request.settings, request.declined_url, request.abandoned_url)
    journal = Journal(request.db, request.pace)
    is_known = _check_known(request, run, journal)
    if not request.send:
        return Submission(run.run_id, run.folder, True, urls, _turns(request, run, journal).plan(), is_known)
    keys = read_keys(request.secrets, request.environment)
    with journal.held(run.run_id, request.now()) as left:
        ahead = _turns(request, run, journal)
        due = [each for each in ahead.plan() if each.state is State.DUE]
        check_ready({each.batch.kind for each in due}, urls, keys)
        before = {each.key: _as_tried(each) for each in ahead.standing()}
        if due or not request.quiet:
            request.log("submit_started", run_id=run.run_id, folder=str(run.folder), requests=len(due))
        began = time.monotonic()
        sender = Sender(run, journal, request.settings, urls, keys, request.choices, request.now, tell, is_known)
        done: dict[RequestKey, Planned] = {}
        stopped, interrupted = _send(sender, ahead, done, lambda number: progress(number, max(number, len(due))))
        try:
            latest = [_as_tried(each) for each in _turns(request, run, journal).standing()]
        except AppError as error:  # the store is held by others: what is known here stands
            latest, stopped = [done.get(*each) for each in before.items()], stopped or error
    changed = [each for each in latest if each.key in left or _differs(each, before[each.key])]
    shown = changed if request.quiet else latest
    submission = Submission(run.run_id, run.folder, False, urls, shown, is_known, stopped, interrupted)
    _tell_outcome(request, submission, changed, time.monotonic() - began)
    return submission


def _send(
    sender: Sender, ahead: Turns, done: dict[RequestKey, Planned], progress: Callable[[int], None]
) -> tuple[AppError | None, bool]:
    """Send, and give what stopped it and whether that was Ctrl-C; `done` gets each request as it stands."""
    try:
        for each in sender.send(ahead):
            done[each.key] = each
            progress(len(done))
    except AppError as error:
        return error, False
    except KeyboardInterrupt:
        return None, True
    return None, False


def _as_tried(each: Planned) -> Planned:
    """After sending, what is still due and was tried is `unsent`."""
    return dataclasses.replace(each, state=State.UNSENT) if each.state is State.DUE and each.attempts else each


def _differs(after: Planned, before: Planned) -> bool:
    return (after.state, after.attempts) != (before.state, before.attempts)


def _tell_outcome(request: SubmitRequest, done: Submission, changed: Sequence[Planned], seconds: float) -> None:
    """Log what became of the requests of each file that were tried, and how it ended."""
    files: dict[str, Counter[str]] = {}
    for each in changed:
        files.setdefault(each.batch.path, Counter())[each.state.value] += 1
    for path, outcomes in files.items():
        request.log("file_submitted", run_id=done.run_id, path=path, requests=outcomes.total(), outcomes=outcomes)
    if done.stopped is not None:
        request.log("failed", "error", slug=done.stopped.slug, exit_status=done.exit_status)
    if done.interrupted:
        request.log("interrupted", "error", exit_status=done.exit_status)
    if changed or not request.quiet:
        request.log(
            "submit_finished",
            run_id=done.run_id,
            folder=str(done.folder),
            requests=len(done.requests),
            outcomes=done.totals,
            exit_status=done.exit_status,
            seconds=round(seconds, 3),
        )


def _turns(request: SubmitRequest, run: SealedRun, journal: Journal) -> Turns:
    held: Held = {}
    if journal.manifest(run.run_id) is not None:
        with journal.opened() as store:
            held = held_since(store, run, request.statuses, request.now())
    entries = {each.key: each for each in journal.entries(run.run_id)}
    taken = journal.taken(run.run_id, (key for batch in run.batches for key in batch.payments))
    return turns(run.batches, entries, taken, request.now(), request.choices, held)


def _check_known(request: SubmitRequest, run: SealedRun, journal: Journal) -> bool:
    """Whether the store knows the run; refuses to send an unknown one, and a manifest that is not the store's."""
    manifest = journal.manifest(run.run_id)
    if manifest is not None and json.loads(manifest).get("files") != run.manifest["files"]:
        raise FolderChanged(
            f"{run.folder / MANIFEST}: was changed: its files are not those that the store has of run {run.run_id}",
            hint=RESTORE_IT,
        )
    if manifest is None and request.send and not request.unknown_run:
        raise UnknownRun(
            f"this store ({request.db}) does not know the run {run.run_id}: it may have been submitted with another",
            hint="Nothing was sent. Name the store of the run: recovery-batch --db STORE submit. "
            "Or send it all the same: --unknown-run.",
        )
    return manifest is not None


def _as_json(each: Planned, urls: Mapping[str, str]) -> dict[str, Any]:
    return {
        "path": each.batch.path,
        "line": each.line,
        "kind": each.batch.kind,
        "records": each.records,
        "state": each.state.value,
        "attempts": each.attempts,
        "status_code": each.status_code,
        "message": each.message,
        "url": urls.get(each.batch.kind),
        "not_before": iso(each.batch.not_before),
        "not_after": iso(each.batch.not_after),
    }
