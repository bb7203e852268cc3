"""Compressed files, told apart by their first bytes: gzip, zstandard, or neither."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Any, BinaryIO, Final, Protocol, cast

import zstandard

_GZIP: Final = b"\x1f\x8b"
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_ZSTD_SKIPPABLE: Final = b"\x2a\x4d\x18"
"""What follows the first byte of a frame that holds no data (RFC 8878, 3.1.2); parallel compressors begin with one."""

_READ_BYTES: Final = 8192
"""Compressed bytes taken at a time: even the densest data then unfolds to no more than some hundred megabytes."""

DAMAGED: Final = (EOFError, gzip.BadGzipFile, zlib.error, zstandard.ZstdError)
"""What reading raises when compressed data is damaged or cut off."""


class Source(Protocol):
    """What plain files and both decompressors can do."""

    def readline(self) -> bytes:
        """The next line with its end; empty at the end of the text."""
        ...

    def read(self) -> bytes:
        """Everything that is left."""
        ...


def unpacked(disk: BinaryIO) -> Source:
    """The text of a file that is open at its start, whatever it is compressed with."""
    mark = disk.read(4)
    disk.seek(0)
    if mark.startswith(_GZIP):
        return cast(Source, gzip.GzipFile(fileobj=disk))
    if mark == _ZSTD or (mark[1:] == _ZSTD_SKIPPABLE and mark[0] >> 4 == 5):
        return io.BufferedReader(_ZstandardFrames(disk), 1 << 20)
    return disk


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
