"""One process at a time: a lock that ends with its process, and says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from recovery_batch.errors import Locked, SystemFailed


def beside(store: Path) -> Path:
    """The file of the lock on a store's ledger, one for all names that the store has."""
    real = store.resolve()
    return real.with_name(f"{real.name}.lock")


def beside_submissions(store: Path) -> Path:
    """The file of the lock on a store's submissions, likewise."""
    real = store.resolve()
    return real.with_name(f"{real.name}.submit.lock")


@dataclass(frozen=True, slots=True)
class Holding:
    """A lock that is held.

    Attributes:
        path: Its file.
        left: What the holder before noted, where that was killed or failed; empty where it ended well.
        noted: What this holder has noted.
    """

    path: Path
    left: dict[str, Any]
    noted: dict[str, Any] = field(default_factory=dict)

    def note(self, **facts: str) -> None:
        """Note something for who comes after, should this process be killed or fail.

        Raises:
            SystemFailed: the disk refuses.
        """
        self.noted.update(facts)
        try:
            self.path.write_text(json.dumps(self.noted), "utf-8")
        except OSError as error:
            raise _refused(self.path, error) from error


@contextmanager
def exclusive(path: Path, work: str) -> Iterator[Holding]:
    """Hold a lock while something is done that nobody else may do meanwhile.

    The lock is the operating system's (flock): a process that is killed lets it go. Its file stays.

    Args:
        path: The file of the lock.
        work: What is done, in a word or two: what others are told.

    Raises:
        Locked: somebody else holds it; names process, machine, work and since when.
        SystemFailed: the file cannot be made or written.
    """
    lock = FileLock(path, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise Locked(f"{path}: {_holder(path)}", hint="Wait until it has ended, and run this again.") from error
    except OSError as error:
        raise _refused(path, error) from error
    try:
        holding = Holding(path, _noted(path))
        since = datetime.now(UTC).isoformat(timespec="seconds")
        holding.note(pid=str(os.getpid()), host=socket.gethostname(), work=work, since=since)
        yield holding
        with suppress(OSError):  # what is noted there is for after a failure
            path.write_text("", "utf-8")
    finally:
        lock.release()


def _refused(path: Path, error: OSError) -> SystemFailed:
    return SystemFailed(
        f"{path}: {error.strerror or error}", hint="Check the folder of the store, its permissions and the free space."
    )


def _noted(path: Path) -> dict[str, Any]:
    try:
        noted = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return noted if isinstance(noted, dict) else {}


def _holder(path: Path) -> str:
    """Who holds a lock, as its file tells; it may just be writing that."""
    held = _noted(path)
    if {"work", "pid", "host", "since"} <= held.keys():
        return f"{held['work']} by process {held['pid']} on {held['host']} since {held['since']} holds the lock"
    return "another process holds the lock"
