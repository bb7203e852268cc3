"""Files that appear whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from recovery_batch.errors import SystemFailed


def write_whole(path: Path, write: Callable[[Path], object]) -> None:
    """Have a file written beside its place and moved there when it is complete.

    Raises:
        SystemFailed: the disk refuses; what stood there before still stands there.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write(partial)
        partial.replace(path)
    except OSError as error:
        raise SystemFailed(
            f"{path}: {error.strerror or error}", hint="Check the folder, its permissions and the free space."
        ) from error
    finally:
        partial.unlink(missing_ok=True)
