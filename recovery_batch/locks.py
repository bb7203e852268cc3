"""One process at a time: a lock that ends with its process, and says who holds it."""

from __future__ import annotations

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock, Timeout

from recovery_batch.errors import Locked, SystemFailed


def beside(store: Path) -> Path:
    """The file of the lock on what a store's runs and submissions change."""
    return store.with_name(f"{store.name}.lock")


@contextmanager
def exclusive(path: Path, work: str) -> Iterator[None]:
    """Hold a lock while something is done that nobody else may do meanwhile.

    The lock is the operating system's (flock): a process that is killed lets it go. Its file stays.

    Args:
        path: The file of the lock.
        work: What is done, in a word or two: what others are told.

    Raises:
        Locked: somebody else holds it; names process, machine, work and since when.
        SystemFailed: the file cannot be made.
    """
    lock = FileLock(path, mode=0o600, fallback_to_soft=False)
    try:
        lock.acquire(blocking=False)
    except Timeout as error:
        raise Locked(f"{path}: {_holder(path)}", hint="Wait until it has ended, and run this again.") from error
    except OSError as error:
        raise SystemFailed(
            f"{path}: {error.strerror or error}", hint="Check the folder of the store and its permissions."
        ) from error
    try:
        since = datetime.now(UTC).isoformat(timespec="seconds")
        path.write_text(
            json.dumps({"pid": os.getpid(), "host": socket.gethostname(), "work": work, "since": since}), "utf-8"
        )
        yield
    finally:
        path.write_text("", "utf-8")
        lock.release()


def _holder(path: Path) -> str:
    """Who holds a lock, as its file tells; it may just be writing that."""
    try:
        held = json.loads(path.read_text("utf-8"))
        return f"{held['work']} by process {held['pid']} on {held['host']} since {held['since']} holds the lock"
    except (OSError, ValueError, KeyError, TypeError):
        return "another process holds the lock"
