"""The folder of a run: written whole beside its place, then moved there; so it is there complete, or not at all."""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

from recovery_batch.errors import SystemFailed

MANIFEST: Final = "manifest.json"
_PRIVATE_FILE: Final = 0o600
_PARTIAL: Final = re.compile(r"\..+\.([0-9]{1,9})\.partial")


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


def write_folder(folder: Path, files: Mapping[str, bytes]) -> bool:
    """Write a folder with its files, readable by its owner only.

    Args:
        folder: Its path, which does not exist.
        files: Content by path in the folder.

    Returns:
        Whether this call made it; False where another process was first.

    Raises:
        SystemFailed: the disk refuses; no folder is left.
    """
    partial = folder.with_name(f".{folder.name}.{os.getpid()}.partial")
    umask = os.umask(0o077)
    try:
        folder.parent.mkdir(parents=True, exist_ok=True)
        _remove_left_overs(folder.parent)
        for path, content in files.items():
            _write(partial / path, content)
        for made in (partial, *(each for each in partial.rglob("*") if each.is_dir())):
            _sync(made)
        try:
            partial.rename(folder)
        except OSError as error:
            if read_manifest(folder) is not None:
                return False
            if not folder.exists():
                raise
            raise SystemFailed(
                f"{folder}: stands there without a manifest", hint="Move it away and run this again."
            ) from error
        _sync(folder.parent)
        return True
    except OSError as error:
        raise SystemFailed(
            f"{folder}: {error.strerror or error}; no folder was left",
            hint="Check the permissions and the free space, and run this again.",
        ) from error
    finally:
        os.umask(umask)
        shutil.rmtree(partial, ignore_errors=True)


def _remove_left_overs(parent: Path) -> None:
    """Take away what killed processes left of this run and of others: it holds personal data."""
    for left in parent.glob(".*.partial"):
        match = _PARTIAL.fullmatch(left.name)
        if match and not _is_another_running(int(match[1])):
            shutil.rmtree(left, ignore_errors=True)


def _is_another_running(process: int) -> bool:
    if process == os.getpid():  # in a container every night's process has the same number
        return False
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _PRIVATE_FILE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def _sync(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
