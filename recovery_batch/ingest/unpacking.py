"""Compressed files, told apart by their first bytes: gzip, zstandard, or neither."""

from __future__ import annotations

import gzip
import io
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, BinaryIO, Final, Protocol

import zstandard

from recovery_batch.errors import ExportUnreadable

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"
"""What follows the first byte of a frame that holds no data (RFC 8878, 3.1.2); parallel compressors begin with one."""

_READ_BYTES: Final = 8192
"""Compressed bytes taken at a time: even the densest data then unfolds to no more than some hundred megabytes."""

DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What reading raises when compressed data is damaged or cut off."""


class Source(Protocol):
    """A text that is read in blocks."""

    def read(self, size: int, /) -> bytes:
        """So many bytes, fewer at the end of the text, none after it."""
        ...


def unpacked(disk: BinaryIO, path: Path, limit: int, progress: Callable[[int], None] = lambda _: None) -> Source:
    """The text of a file that is open at its start, whatever it is compressed with.

    Args:
        disk: The file.
        path: What errors call it.
        limit: Compressed data that unfolds to more bytes than these is refused when it does.
        progress: Called with the number of bytes on disk that have been read.
    """
    mark = disk.read(4)
    disk.seek(0)
    if mark.startswith(_GZIP):
        return _Watched(gzip.GzipFile(fileobj=disk), disk, progress, path, limit)
    if mark == _ZSTD or (mark[1:] == _ZSTD_SKIPPABLE and mark[0] >> 4 == 5):
        return _Watched(io.BufferedReader(_ZstandardFrames(disk), 1 << 20), disk, progress, path, limit)
    return _Watched(disk, disk, progress, path, None)


class _Watched:
    """A text that tells how much of its file has been read, and stops one that unfolds without end."""

    def __init__(
        self, text: Any, disk: BinaryIO, progress: Callable[[int], None], path: Path, limit: int | None
    ) -> None:
        self._text = text
        self._disk = disk
        self._progress = progress
        self._path = path
        self._limit = limit
        self._read = 0

    def read(self, size: int, /) -> bytes:
        block: bytes = self._text.read(size)
        self._read += len(block)
        if self._limit is not None and self._read > self._limit:
            raise ExportUnreadable(
                f"{self._path}: the compressed data unfolds to more than {self._limit:,} bytes",
                hint="If the export is that large, set unpacked_bytes under [load] in the settings.",
            )
        self._progress(self._disk.tell())
        return block


class _ZstandardFrames(io.RawIOBase):
    """The data of all frames of a file. The library's own reader takes a frame that is cut off for a whole one."""

    def __init__(self, disk: BinaryIO) -> None:
        self._disk = disk
        self._frame: Any = None
        self._packed = b""
        self._data = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        while not self._data:
            packed = self._packed or self._disk.read(_READ_BYTES)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the file ends within a zstandard frame")
                return 0
            self._unpack(packed)
        taken = self._data[: len(buffer)]
        buffer[: len(taken)] = taken
        self._data = self._data[len(taken) :]
        return len(taken)

    def _unpack(self, packed: bytes) -> None:
        frame = self._frame or zstandard.ZstdDecompressor(max_window_size=1 << 31).decompressobj()
        self._data = memoryview(frame.decompress(packed))
        self._frame, self._packed = (None, frame.unused_data) if frame.eof else (frame, b"")
