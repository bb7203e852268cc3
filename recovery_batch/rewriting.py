"""The file of a store written anew, without the bytes of what was deleted.

What is deleted in a DuckDB file stays in its free blocks until they are written over. So a copy is changed, what the
copy then holds is written into a new file, and that takes the place of the old one: by one rename, all or nothing.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from recovery_batch.disk import owner_only, sync
from recovery_batch.errors import SystemFailed
from recovery_batch.store import Store


@contextmanager
def rewritten(store: Store) -> Iterator[Store]:
    """A copy of a store to change; when the context ends it takes the store's place, unless it ends with an error.

    The copy is in a transaction. The store keeps its lock meanwhile, and is not to be used any more afterwards: its
    file is no longer there. Copies stand in a folder beside the store, for its user alone; what a killed process left
    of its own is removed first.

    Args:
        store: The store, open for writing and in no transaction.

    Raises:
        SystemFailed: the disk refuses; the store is as it was, and no copy is left.
    """
    path = store.path.resolve()
    folder = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with owner_only():
            _remove_left_overs(path)
            store.run("store/checkpoint")
            folder.mkdir()
            # Not to be closed before the rename: closing a file gives up every lock of this process on it, DuckDB's.
            with path.open("rb") as source:
                changed, fresh = folder / "changed.duckdb", folder / "fresh.duckdb"
                with changed.open("xb") as target:
                    shutil.copyfileobj(source, target, 1 << 20)
                with Store.open(changed, write=True) as copy, copy.transaction():
                    yield copy
                _write_fresh(changed, fresh)
                shutil.rmtree(f"{path}.tmp", ignore_errors=True)  # what spilled from memory, of a killed process too
                fresh.rename(path)
                sync(path.parent)
    except OSError as error:
        raise SystemFailed(
            f"{path}: {error.strerror or error}; the store is as it was",
            hint="Check the permissions and the free space: for a moment there are three copies of the store.",
        ) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _write_fresh(changed: Path, fresh: Path) -> None:
    """Write what a database holds into a new file, safe on the disk."""
    with Store.scratch() as scratch:
        scratch.run("store/attach_changed", {"path": str(changed)})
        scratch.run("store/attach_fresh", {"path": str(fresh)})
        scratch.run("store/copy_fresh")
        scratch.run("store/checkpoint_fresh")
        scratch.run("store/detach_fresh")
    sync(fresh)


def _remove_left_overs(path: Path) -> None:
    """Take away what killed processes left. Whoever holds the lock is alone: nobody needs it any more."""
    for left in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        if left.is_dir():
            shutil.rmtree(left, ignore_errors=True)
        else:
            left.unlink(missing_ok=True)
