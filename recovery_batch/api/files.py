"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from polars.exceptions import ComputeError

from recovery_batch.errors import SystemFailed, UsageError


def write_text(path: Path, text: str) -> None:
    """Write a text file, whole or not at all; see `write_whole`."""
    write_whole(path, lambda file: file.write_text(text, encoding="utf-8"))


def write_whole(path: Path, write: Callable[[Path], object], *, private: bool = False) -> None:
    """Have a file written beside its place and moved there when it is complete.

    Args:
        path: Its place.
        write: Writes the file that it is called with.
        private: Whether only its owner may read it.

    Raises:
        UsageError: a folder stands there.
        SystemFailed: the disk refuses; what stood there before still stands there.
    """
    if path.name in ("", "..") or os.path.isdir(path):
        raise UsageError(f"{path}: a folder, not a file", hint="Give the name of a file.")
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        if private:
            partial.touch(mode=0o600)
        write(partial)
        partial.replace(path)
    except (OSError, ComputeError) as error:  # the latter from Polars, for Parquet
        raise SystemFailed(
            f"{path}: {getattr(error, 'strerror', None) or error}",
            hint="Check the folder, its permissions and the free space.",
        ) from error
    finally:
        with suppress(OSError):
            partial.unlink(missing_ok=True)
