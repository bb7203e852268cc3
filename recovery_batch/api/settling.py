"""What became of requests, and the word of a person on those that a submission cannot settle."""

from __future__ import annotations

import dataclasses
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from recovery_batch.clock import iso
from recovery_batch.errors import NotFound, Refused
from recovery_batch.outreach.folder import MANIFEST, read_manifest
from recovery_batch.outreach.sending.journal import Entry, Journal
from recovery_batch.outreach.sending.states import State

_SETTLED_BY_A_PERSON: Final = "settled by a person: {}"


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
    where = f"{path}, line {line}," if line else path
    with journal.held(run_id, now):
        entries = {each.key: each for each in journal.entries(run_id)}
        entry = entries.get((path, line))
        if entry is None:
            lines = sorted(number for place, number in entries if place == path)
            raise NotFound(
                f"run {run_id} has no request {where} that was tried",
                hint=f"Name the line: --line {lines[0]}, say." if lines else "See: recovery-batch submissions list",
            )
        allowed = {State.UNKNOWN: ("accepted", "unsent"), State.REFUSED: ("unsent",)}.get(entry.state, ())
        if state not in allowed:
            raise Refused(
                f"{where} is {entry.state}; allowed to become {state}: "
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


def _run_of(folder: Path) -> str:
    manifest = read_manifest(folder)
    if manifest is None or not isinstance(manifest.get("run_id"), str):
        raise NotFound(f"no run at {folder}", hint=f"Name the folder of a run: the one with {MANIFEST}.")
    return str(manifest["run_id"])
