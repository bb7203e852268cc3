"""A file on disk: what it is called, how large it is, its hash."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import Future
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread

from recovery_batch.errors import ExportUnreadable


@dataclass(frozen=True, slots=True)
class ExportFile:
    """A file that can be read: its path as named, size on disk, where it is, and what works out its SHA-256."""

    path: Path
    size: int
    location: Path
    digest: Future[str] = field(repr=False, compare=False)

    @property
    def sha256(self) -> str:
        """Its SHA-256; waits until it is known.

        Raises:
            ExportUnreadable: the file cannot be read to its end.
        """
        try:
            return self.digest.result()
        except OSError as error:
            raise _unreadable(self.path, error) from error


def describe(path: Path, location: Path | None = None) -> ExportFile:
    """Look at a file, and begin to hash it; path is what reports call it, location where it is, if that differs.

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
            size = file.seek(0, os.SEEK_END)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not size:
        raise ExportUnreadable(f"{path}: the file is empty (0 bytes)", hint="Export it again; [] is an empty export.")
    digest: Future[str] = Future()
    Thread(target=_hash, args=(place, digest), name="sha256", daemon=True).start()
    return ExportFile(path, size, place, digest)


def _hash(place: Path, digest: Future[str]) -> None:
    try:
        with place.open("rb") as file:
            digest.set_result(hashlib.file_digest(file, "sha256").hexdigest())
    except OSError as error:
        digest.set_exception(error)


def _unreadable(path: Path, error: OSError) -> ExportUnreadable:
    return ExportUnreadable(f"{path}: {error.strerror or error}", hint="Check the path.")
