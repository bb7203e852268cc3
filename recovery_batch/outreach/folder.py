"""The folder of a run: written whole beside its place, then moved there; so it is there complete, or not at all."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from recovery_batch.disk import owner_only, sync
from recovery_batch.errors import SystemFailed

MANIFEST: Final = "manifest.json"
_PRIVATE_FILE: Final = 0o600
_PARTIAL: Final = ".partial"


def read_manifest(folder: Path) -> dict[str, Any] | None:
    """The manifest of a run that is complete; None where there is no such run."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError):
        return None
    except (OSError, ValueError) as error:
        raise SystemFailed(
            f"{folder / MANIFEST}: cannot be read ({error})", hint="Move the folder away and run this again."
        ) from error
    return manifest


def staging_place(folder: Path, store: Path) -> Path:
    """Where the folder of a run of a store is written before it is moved to its place."""
    return folder.with_name(f".{folder.name}{_suffix(store)}")


def stage_folder(folder: Path, files: Mapping[str, bytes], store: Path) -> Path:
    """Write a folder with its files beside its place, safe on the disk, readable by its owner only.

    Args:
        folder: Its place, where nothing stands yet.
        files: Content by path in the folder.
        store: The store whose run it is; the caller holds the lock on its runs.

    Returns:
        Where it is.

    Raises:
        SystemFailed: the disk refuses, or something stands in its place; nothing is left.
    """
    staged = staging_place(folder, store)
    with _refused_by_the_disk(folder, "nothing was emitted"):
        if folder.exists():
            raise SystemFailed(
                f"{folder}: stands there, and the ledger of this store does not know that run",
                hint="Was the store restored from a copy? Move the folder away once you are sure of what was sent.",
            )
        try:
            folder.parent.mkdir(parents=True, exist_ok=True)
            for path, content in files.items():
                _write(staged / path, content)
            for made in (staged, *(each for each in staged.rglob("*") if each.is_dir())):
                sync(made)
            sync(staged.parent)
        except BaseException:
            discard(staged)
            raise
    return staged


def publish(staged: Path, folder: Path) -> bool:
    """Move a staged folder to its place.

    Returns:
        Whether this call did it; False where it is there already.

    Raises:
        SystemFailed: it is neither here nor there, or the disk refuses; it stays where it is.
    """
    with _refused_by_the_disk(folder, f"this run has happened, and waits as {staged.name}"):
        if not staged.exists():
            if read_manifest(folder) is not None:
                return False
            raise SystemFailed(
                f"{folder}: this run has happened, but its folder is gone (it was written as {staged.name})",
                hint="Restore it from a copy, or take the run back: recovery-batch outreach withdraw RUN_ID",
            )
        staged.rename(folder)
        sync(folder.parent)
    return True


def discard(folder: Path) -> None:
    """Take the folder of a run away that does not come about, or is taken back."""
    shutil.rmtree(folder, ignore_errors=True)


def discard_left_over(path: str) -> None:
    """Take a staged folder away that a killed process noted; what does not look like one is left alone."""
    if Path(path).name.startswith(".") and path.endswith(_PARTIAL):
        discard(Path(path))


def run_folders(parent: Path) -> list[str]:
    """The ids of the runs whose folders stand in a folder."""
    return sorted(manifest.parent.name for manifest in parent.glob(f"[!.]*/{MANIFEST}"))


def remove_left_overs(parent: Path, store: Path) -> None:
    """Take away what killed processes left of runs of a store that did not happen: it holds personal data.

    Args:
        parent: The folder that the folders of runs are in.
        store: The store; the caller holds the lock on its runs, and has published those that happened.
    """
    for left in parent.glob(f".*{_suffix(store)}"):
        discard(left)


def _suffix(store: Path) -> str:
    """What staged folders of a store end in: several stores may write to one folder."""
    return f".{hashlib.sha256(str(store.resolve()).encode()).hexdigest()[:8]}{_PARTIAL}"


@contextmanager
def _refused_by_the_disk(folder: Path, state: str) -> Iterator[None]:
    try:
        with owner_only():
            yield
    except OSError as error:
        raise SystemFailed(
            f"{folder}: {error.strerror or error}; {state}",
            hint="Check the permissions and the free space, and run this again.",
        ) from error


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
