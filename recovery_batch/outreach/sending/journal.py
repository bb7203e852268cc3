"""What became of each request: the store's table `submissions`, which decides what is sent.

The store is opened for each look and each change, some milliseconds, and never held while anything is waited for: so
others can work with it while requests are sent. Where others hold it, the journal waits for them, about a minute.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

import polars as pl

from recovery_batch.errors import Refused
from recovery_batch.locks import beside_submissions, exclusive
from recovery_batch.outreach.sending.sealed import PaymentKey
from recovery_batch.outreach.sending.states import State
from recovery_batch.outreach.sending.waiting import DEFAULT_PACE, Pace, open_when_free
from recovery_batch.schema import SUBMISSIONS, frame_schema
from recovery_batch.store import Store

RequestKey = tuple[str, int]
"""The path of a file, and the line."""
_LEFT: Final = "the process that sent it ended before an answer was recorded"


class Overtaken(Refused):
    """Somebody else has sent a request meanwhile, or is sending it."""

    slug = "overtaken"


class RunWithdrawn(Refused):
    """A run was taken back: nothing of it is sent."""

    slug = "run_withdrawn"

    def __init__(self, run_id: str) -> None:
        """Name the run."""
        super().__init__(
            f"run {run_id}: was taken back, and is not sent any more",
            hint="What it held is emitted again by the next run.",
        )


@dataclass(frozen=True, slots=True)
class Entry:
    """One request, as far as it is known what became of it: a row of `submissions`.

    Attributes:
        run_id: The run.
        path: The file, in the folder of the run.
        line: Its line, from 1; 0: the file is one request.
        state: One of the five that are stored.
        attempts: How often it was tried.
        status_code: Of the last answer; None: none came.
        message: What went wrong, in our words; None: nothing did.
        changed_at: When it came to this state.
    """

    run_id: str
    path: str
    line: int
    state: State
    attempts: int
    status_code: int | None
    message: str | None
    changed_at: datetime

    @property
    def key(self) -> RequestKey:
        """What tells it from the other requests of its run."""
        return self.path, self.line


@dataclass(frozen=True, slots=True)
class Journal:
    """The submissions of a store.

    Attributes:
        db: The store.
        pace: How long is waited for it.
    """

    db: Path
    pace: Pace = DEFAULT_PACE

    @contextmanager
    def held(self, run_id: str, now: datetime) -> Iterator[frozenset[RequestKey]]:
        """Be the only one who sends or settles requests of this store.

        What is found of the run as `sending` then was left by a process that was killed, and becomes `unknown`: those
        requests are given.

        Raises:
            Locked: another process sends; says which.
        """
        with self.opened():  # there must be a store before there is a lock beside it
            pass
        with exclusive(beside_submissions(self.db), "submit"):
            left = frozenset(each.key for each in self.entries(run_id) if each.state is State.SENDING)
            if left:
                with self.opened(write=True) as store:
                    store.run("submissions/abandon", {"run_id": run_id, "message": _LEFT, "changed_at": now})
            yield left

    def entries(self, run_id: str | None) -> list[Entry]:
        """What is known of the requests of a run, or of every run.

        Raises:
            StoreMissing: there is no store.
            StoreLocked: another process held it too long.
        """
        with self.opened() as store:
            rows = store.frame("submissions/listed", {"run_id": run_id})
        return [Entry(**{**row, "state": State(row["state"])}) for row in rows.iter_rows(named=True)]

    def begin(self, entry: Entry, *, is_known: bool) -> None:
        """Write down that a request is sent now, where nothing stands against it; both in one transaction.

        The lock of `held` should have kept everybody else away. This holds where it could not: on a file system without
        locks, or after somebody removed its file.

        Args:
            entry: The request, as `sending`.
            is_known: Whether the store knew its run when the submission began.

        Raises:
            Overtaken: it was sent, or may have been, since it was looked at.
            RunWithdrawn: its run was taken back.
            StoreLocked: another process held the store too long; nothing was written.
        """
        key = {"run_id": entry.run_id, "path": entry.path, "line": entry.line}
        with self.opened(write=True) as store, store.transaction():
            state, is_recorded, is_withdrawn = store.frame("submissions/standing", key).row(0)
            if is_withdrawn or (is_known and not is_recorded):
                raise RunWithdrawn(entry.run_id)
            if state not in (None, State.UNSENT):
                raise Overtaken(
                    f"{entry.path} of run {entry.run_id} is {state} by now: another process submits this run",
                    hint="Nothing of it was sent here. Wait until the other has ended, and submit again.",
                )
            store.append("submissions/record", _as_row(entry))

    def record(self, entry: Entry) -> None:
        """Write down where a request stands; it is on the disk when this returns.

        Raises:
            StoreLocked: another process held the store too long; nothing was written.
        """
        with self.opened(write=True) as store:
            store.append("submissions/record", _as_row(entry))

    def taken(self, run_id: str, payments: Iterable[PaymentKey]) -> Mapping[PaymentKey, str]:
        """Which payments a request of another run has sent, or may have, and the run and file of the last of them."""
        keys = pl.DataFrame(
            sorted(set(payments)), schema={"organization_code": pl.String, "payment_id": pl.String}, orient="row"
        )
        with self.opened() as store:
            rows = store.lookup("submissions/taken", keys, {"run_id": run_id})
        return {
            (organization, payment): f"{path} of run {run}" for organization, payment, run, path in rows.iter_rows()
        }

    def manifest(self, run_id: str) -> str | None:
        """The manifest of a run as the store has it; None: the store does not know the run.

        Raises:
            RunWithdrawn: it was taken back.
        """
        with self.opened() as store:
            found: list[str] = store.frame("submissions/manifest", {"run_id": run_id})["manifest"].to_list()
            standing = store.frame("submissions/standing", {"run_id": run_id, "path": "", "line": 0})
        if standing["is_withdrawn"].item():
            raise RunWithdrawn(run_id)
        return found[0] if found else None

    @contextmanager
    def opened(self, *, write: bool = False) -> Iterator[Store]:
        """The store, as soon as nobody else holds it."""
        with open_when_free(self.db, write=write, pace=self.pace) as store:
            yield store


def _as_row(entry: Entry) -> pl.DataFrame:
    row = {**dataclasses.asdict(entry), "state": entry.state.value}
    return pl.DataFrame([row], schema=frame_schema(SUBMISSIONS))
