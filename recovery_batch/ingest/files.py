"""A file on disk: what it is called, how large it is, its hash."""

from __future__ import annotations

import hashlib
import os
from dataclasses import dataclass
from pathlib import Path

from recovery_batch.errors import ExportUnreadable


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that can be read: its path as named, SHA-256, size on disk, and where it is."""

    path: Path
    sha256: str
    size: int
    location: Path


def describe(path: Path, location: Path | None = None) -> ExportFile:
    """Hash a file; path is what reports call it, location where it is, if that differs.

    Raises:
        ExportUnreadable: there is no such file, it is a directory or a pipe, empty, may not be read, or its name is no
            text that could be stored.
    """
    name = os.fsencode(path).decode("utf-8", "backslashreplace")
    if name != str(path):
        raise ExportUnreadable(f"{name}: the name of the file is not UTF-8", hint="Rename the file.")
    try:
        place = path if location is None else location
        if place.is_dir():
            raise ExportUnreadable(f"{path}: a folder with no file to load", hint="Name the files, or another folder.")
        if place.exists() and not place.is_file():
            raise ExportUnreadable(f"{path}: a pipe or a device, not a file", hint="Write it to a file first.")
        with place.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
            size = file.tell()
    except OSError as error:
        raise ExportUnreadable(f"{path}: {error.strerror or error}", hint="Check the path.") from error
    if not size:
        raise ExportUnreadable(f"{path}: the file is empty (0 bytes)", hint="Export it again; [] is an empty export.")
    return ExportFile(path, digest, size, place)
