"""What a command line names to files: folders, patterns, standard input, partitions that folders are named after."""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final
from urllib.parse import unquote

STANDARD_INPUT: Final = Path("-")
_PARTITION: Final = re.compile(r"([^=/]+)=([^/]*)")
_BLOCK_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Found:
    """A file to load.

    Attributes:
        path: What reports call it.
        location: Where it is.
        partitions: Columns with one value, of the folders that it is in (`country=CO/`).
    """

    path: Path
    location: Path
    partitions: dict[str, str] = field(default_factory=dict)


@contextmanager
def find_exports(names: Iterable[Path], standard_input: BinaryIO) -> Iterator[list[Found]]:
    """The files that names stand for, in the order of the names.

    A name that is a file is that file, whatever characters it has. A folder is all files in it and below it, sorted by
    path, but for those whose own name, or a folder's, begins with a dot or an underscore; links to folders are not
    followed. What is nothing of the kind may be a pattern (`exports/**/*.json`), else stays as it is. `-` is standard
    input, which is kept in a private file until the end.
    """
    with tempfile.TemporaryDirectory(prefix="recovery-batch-") as folder:
        found: list[Found] = []
        for name in names:
            if name == STANDARD_INPUT:
                spooled = Path(folder) / str(len(found))
                with os.fdopen(os.open(spooled, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                    shutil.copyfileobj(standard_input, file, _BLOCK_BYTES)
                found.append(Found(name, spooled))
            else:
                found += _named(name) or [Found(name, name)]
        yield found


def _named(name: Path) -> list[Found]:
    """What a name stands for; nothing where there is no such thing, of which opening it says why."""
    if os.path.isdir(name):
        return _in_folder(name)
    if os.path.lexists(name):
        return [Found(name, name)]
    return [Found(match, match) for match in _matching(name)]


def _matching(pattern: Path) -> list[Path]:
    """Files that a pattern fits, sorted. `**` follows no links to folders: two of them can make paths without end."""
    parts = list(pattern.relative_to(pattern.anchor).parts)
    parts = [part if part == "**" else part.replace("**", "*") for part in parts]
    if parts[-1:] == ["**"]:
        parts.append("*")
    if not any(map(glob.has_magic, parts)):
        return []
    try:
        matches = {match for match in Path(pattern.anchor or ".").glob("/".join(parts)) if match.is_file()}
    except (OSError, RecursionError):  # too long for any name of a file
        return []
    shows_hidden = any(part.startswith(".") for part in parts)
    return sorted(each for each in matches if shows_hidden or not any(part.startswith(".") for part in each.parts))


def _in_folder(folder: Path) -> list[Found]:
    paths = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith((".", "_"))]
        paths += [Path(parent) / name for name in files if not name.startswith((".", "_"))]
    return [Found(path, path, _partitions(path.relative_to(folder))) for path in sorted(paths)]


def _partitions(path: Path) -> dict[str, str]:
    """What the folders of a path say, as Hive writes it: `country=CO/day=2026-09-01/part-0.parquet`."""
    matches = (_PARTITION.fullmatch(part) for part in path.parts[:-1])
    return {unquote(match[1]): unquote(match[2]) for match in matches if match}
