"""Submission: the batches of a run to where they go, what became of each request, and the word of a person on it."""

from __future__ import annotations

import dataclasses
import json
import os
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from recovery_batch.api.second_look import held_since
from recovery_batch.clock import iso
from recovery_batch.errors import AppError, NotFound, Refused
from recovery_batch.outreach.folder import MANIFEST, read_manifest
from recovery_batch.outreach.sending.access import check_ready, destinations, read_keys
from recovery_batch.outreach.sending.delivering import Sender
from recovery_batch.outreach.sending.journal import Entry, Journal
from recovery_batch.outreach.sending.planning import Choices, Held, Planned, plan
from recovery_batch.outreach.sending.sealed import FolderChanged, SealedRun, open_run
from recovery_batch.outreach.sending.states import NEEDS_A_PERSON, State
from recovery_batch.outreach.sending.waiting import DEFAULT_PACE, Pace
from recovery_batch.settings import Payments, Submit

_SETTLED_BY_A_PERSON: Final = "settled by a person: {}"


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
        environment: Where the keys are looked for without a folder.
        statuses: Statuses of payments that were paid.
        now: Tells the time.
        pace: How long is waited between tries, and for the store.
    """

    db: Path
    folder: Path
    settings: Submit = field(default_factory=Submit)
    declined_url: str | None = None
    abandoned_url: str | None = None
    secrets: Path | None = None
    send: bool = False
    choices: Choices = field(default_factory=Choices)
    environment: Mapping[str, str] = field(default_factory=lambda: os.environ, repr=False)
    statuses: Sequence[str] = Payments().successful_statuses
    now: Callable[[], datetime] = _now
    pace: Pace = DEFAULT_PACE


@dataclass(frozen=True, slots=True)
class Submission:
    """Where every request of a run stands.

    Attributes:
        run_id: The run.
        folder: Its folder.
        dry_run: Whether nothing was to be sent.
        urls: Where requests go, by kind; a kind without an address is not there.
        requests: Every request, in the order of the manifest.
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
        StoreMissing: there is no store.
        UsageError: an address or a key is missing, or cannot be one.
        SystemFailed: another process submits, or holds the store for too long.
    """
    run = open_run(request.folder)
    urls = destinations(request.settings, request.declined_url, request.abandoned_url)
    journal = Journal(request.db, request.pace)
    is_known = _check_known(journal, run)
    if not request.send:
        return Submission(run.run_id, run.folder, True, urls, _plan(request, run, journal), is_known)
    keys = read_keys(request.secrets, request.environment)
    with journal.held(request.now()):
        planned = _plan(request, run, journal)
        check_ready({each.batch.kind for each in planned if each.state is State.DUE}, urls, keys)
        sender = Sender(run, journal, request.settings, urls, keys, request.choices, request.now, tell)
        done: dict[tuple[str, int], Planned] = {}
        stopped, interrupted = _send(sender, planned, done, progress)
        try:
            latest = [_as_tried(each) for each in _plan(request, run, journal)]
        except AppError as error:  # the store is held by others: what is known here stands
            latest, stopped = [done.get(each.key, each) for each in planned], stopped or error
    return Submission(run.run_id, run.folder, False, urls, latest, is_known, stopped, interrupted)


def list_submissions(db: Path, run: str | None, folder: Path | None = None) -> list[Entry]:
    """What is known of the requests of a run, or of all.

    Args:
        db: The store.
        run: The id of a run; None: that of the folder, or every run.
        folder: The folder of a run.

    Raises:
        NotFound: there is no such folder, or no store.
    """
    return Journal(db).entries(run if folder is None else _run_of(folder))


def resolve(
    db: Path, run_id: str, path: str, line: int, state: Literal["accepted", "unsent"], *, now: datetime
) -> Entry:
    """Settle a request whose outcome is unknown, or let one that was refused be sent again.

    Args:
        db: The store.
        run_id: The run.
        path: The file, in the folder of the run.
        line: Its line; 0: the file is one request.
        state: accepted: it arrived, and is not sent again. unsent: it did not, and the next submit sends it.
        now: The time.

    Raises:
        NotFound: no such request was ever tried, or there is no store.
        Refused: it is not one that a person may settle so.
        SystemFailed: a process is submitting, or holds the store for too long.
    """
    journal = Journal(db)
    with journal.held(now):
        entries = {each.key: each for each in journal.entries(run_id)}
        entry = entries.get((path, line))
        if entry is None:
            lines = sorted(number for place, number in entries if place == path)
            raise NotFound(
                f"run {run_id} has no request {path}, line {line}, that was tried",
                hint=f"Name the line: --line {lines[0]}, say." if lines else "See: recovery-batch submissions list",
            )
        allowed = {State.UNKNOWN: ("accepted", "unsent"), State.REFUSED: ("unsent",)}.get(entry.state, ())
        if state not in allowed:
            raise Refused(
                f"{path}, line {line}, is {entry.state}; allowed to become {state}: "
                f"{'unknown' if state == 'accepted' else 'unknown, refused'}",
                details={"state": entry.state.value},
            )
        message = _SETTLED_BY_A_PERSON.format(f"was {entry.state}")
        settled = dataclasses.replace(entry, state=State(state), message=message, changed_at=now)
        journal.record(settled)
    return settled


def entry_json(entry: Entry) -> dict[str, Any]:
    """A row of the journal as a plain mapping."""
    return {**dataclasses.asdict(entry), "state": entry.state.value, "changed_at": iso(entry.changed_at)}


def _send(
    sender: Sender, planned: list[Planned], done: dict[tuple[str, int], Planned], progress: Callable[[int, int], None]
) -> tuple[AppError | None, bool]:
    """Send, and give what stopped it and whether that was Ctrl-C; `done` gets each request as it stands."""
    due = sum(each.state is State.DUE for each in planned)
    try:
        for each in sender.send(planned):
            done[each.key] = each
            progress(len(done), due)
    except AppError as error:
        return error, False
    except KeyboardInterrupt:
        return None, True
    return None, False


def _as_tried(each: Planned) -> Planned:
    """After sending, what is still due and was tried is `unsent`."""
    return dataclasses.replace(each, state=State.UNSENT) if each.state is State.DUE and each.attempts else each


def _plan(request: SubmitRequest, run: SealedRun, journal: Journal) -> list[Planned]:
    held: Held = {}
    if journal.manifest(run.run_id) is not None:
        with journal.opened() as store:
            held = held_since(store, run, request.statuses, request.now())
    entries = {each.key: each for each in journal.entries(run.run_id)}
    taken = journal.taken(run.run_id, (key for batch in run.batches for key in batch.payments))
    return plan(run.batches, entries, taken, request.now(), request.choices, held)


def _check_known(journal: Journal, run: SealedRun) -> bool:
    """Whether the store knows the run; refuses a folder whose manifest is not the one that the store has."""
    manifest = journal.manifest(run.run_id)
    if manifest is not None and json.loads(manifest).get("files") != run.manifest["files"]:
        raise FolderChanged(
            f"{run.folder / MANIFEST}: was changed: its files are not those that the store has of run {run.run_id}",
            hint="Nothing was sent. Move the folder away and let `run` write it again.",
        )
    return manifest is not None


def _run_of(folder: Path) -> str:
    manifest = read_manifest(folder)
    if manifest is None or not isinstance(manifest.get("run_id"), str):
        raise NotFound(f"no run at {folder}", hint=f"Name the folder of a run: the one with {MANIFEST}.")
    return str(manifest["run_id"])


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
