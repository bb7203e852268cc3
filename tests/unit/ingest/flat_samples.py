"""Tables to read, and the records that reading gives."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
from pydantic import BaseModel

from recovery_batch.contract.declined import Element
from recovery_batch.ingest.flat.tables import Records, open_csv, open_parquet, read_records
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.mapping import Mapping, parse_mapping

_EXACT = msgspec.json.Decoder(float_hook=Decimal)


class Dripping:
    """A text of which a read gives but a few bytes, as pipes and decompressors do."""

    def __init__(self, content: bytes, size: int) -> None:
        self._file = io.BytesIO(content)
        self._size = size

    def read(self, size: int, /) -> bytes:
        """At most so many bytes."""
        return self._file.read(min(size, self._size))


@dataclass
class Read:
    """What came of a table.

    Attributes:
        texts: The text of each record, by number.
        unread: Reason, expected, found and text of each row without a record, by number.
        columns: Column by path.
    """

    texts: dict[int, str]
    unread: dict[int, tuple[str, str, str | None, str]]
    columns: dict[str, str]

    @property
    def values(self) -> list[Any]:
        """The records; numbers with a fraction as Decimal."""
        return [_EXACT.decode(text) for text in self.texts.values()]

    @property
    def one(self) -> Any:
        """The only record."""
        (value,) = self.values
        return value


def mapping_of(text: str) -> Mapping:
    """A mapping of a TOML text, which need not say the version."""
    return parse_mapping("version = 1\n" + text, "mapping.toml")


def gathered(lines: Iterable[Lines]) -> tuple[dict[int, str], dict[int, tuple[str, str, str | None, str]]]:
    """The texts, and what has none, by number; every text is JSON, and no number stands twice."""
    texts: dict[int, str] = {}
    unread: dict[int, tuple[str, str, str | None, str]] = {}
    for some in lines:
        assert some.texts.type == pa.string()
        assert some.numbers.type == pa.int64()
        for number, text in zip(some.numbers.to_pylist(), some.texts.to_pylist(), strict=True):
            assert number not in texts
            assert text == text.strip()
            _EXACT.decode(text)
            texts[number] = text
        for number, fault, text in some.unread:
            assert number not in unread
            unread[number] = (fault.reason, fault.expected, fault.found, text)
    assert not texts.keys() & unread.keys()
    return texts, unread


def read_text(
    content: bytes | str,
    mapping: str | None = None,
    model: type[BaseModel] = Element,
    drip: int = 0,
    folders: dict[str, str] | None = None,
) -> Read:
    """Read a CSV text."""
    raw = content.encode() if isinstance(content, str) else content
    used = mapping_of(mapping) if mapping is not None else None
    source = Dripping(raw, drip) if drip else io.BytesIO(raw)
    table = open_csv(source, "table.csv", used.file if used else None, folders or {})
    return _read(read_records(table, used, model))


def read_parquet(
    table: pa.Table, folder: Path, mapping: str | None = None, folders: dict[str, str] | None = None
) -> Read:
    """Write a Parquet file and read it."""
    path = folder / "table.parquet"
    pq.write_table(table, path, row_group_size=2)
    used = mapping_of(mapping) if mapping is not None else None
    return _read(read_records(open_parquet(path, folders or {}), used, Element))


def _read(records: Records) -> Read:
    return Read(*gathered(records.lines), records.columns)
