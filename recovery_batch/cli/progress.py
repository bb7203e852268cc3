"""How far a load is, in bytes, on standard error, for anything that takes longer than two seconds."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from rich.console import Console
from rich.filesize import decimal
from rich.progress import BarColumn, DownloadColumn, Progress, TaskID, TextColumn, TimeRemainingColumn

from recovery_batch.cli.screen import note
from recovery_batch.reporting.formats import visible

_PATIENCE_SECONDS: Final = 2.0
_LINE_EVERY_SECONDS: Final = 10.0

Show = Callable[[Path, int, int], None]


@contextmanager
def progress_of_bytes() -> Iterator[Show]:
    """Takes a file, how many bytes of it have been read, and its size: a bar on a terminal, else lines."""
    console = Console(file=sys.stderr)
    if not console.is_terminal:
        yield _Lines()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, auto_refresh=False) as progress:
        began = time.monotonic()
        tasks: dict[Path, TaskID] = {}

        def show(path: Path, done: int, size: int) -> None:
            if time.monotonic() - began < _PATIENCE_SECONDS:
                return
            if path not in tasks:
                tasks[path] = progress.add_task(visible(path.name), total=size)
            progress.update(tasks[path], completed=done, refresh=True)

        yield show


class _Lines:
    """Progress where there is no terminal: in the log of a nightly job, say."""

    def __init__(self) -> None:
        self._due = time.monotonic() + _PATIENCE_SECONDS

    def __call__(self, path: Path, done: int, size: int) -> None:
        if size and time.monotonic() >= self._due:
            self._due = time.monotonic() + _LINE_EVERY_SECONDS
            note(f"{path.name}: {decimal(done)} of {decimal(size)} read ({100 * done // size} %)")
