"""Small exports to load, and the tables that loading leaves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import duckdb
import msgspec

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest import FileReport, LoadOptions, load_files
from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.faults import Fault
from recovery_batch.ingest.files import ExportFile
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.reading import read_lines
from recovery_batch.store import Store

Record = dict[str, Any]

ORGANIZATION = "3c1d6a52-0c1e-4c9c-8f0a-2f6f5d2b7a10"
NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)
LATER = datetime(2026, 11, 4, 12, tzinfo=UTC)
CARD = "4111111111111111"
"""A published test number: it passes the Luhn check and belongs to nobody."""


def spelled(number: str) -> msgspec.Raw:
    """A JSON number, written exactly so."""
    return msgspec.Raw(number.encode())


def record(payment_id: str = "p1", **changes: Any) -> Record:
    """An element that is loadable and submittable; a change is a field of `payment`, None takes it away."""
    payment = {
        "organization_code": ORGANIZATION,
        "id": payment_id,
        "order_id": f"order-{payment_id}",
        "country": "CO",
        "status": "DECLINED",
        "description": "one thing",
        "amount_value": spelled("89900.00"),
        "currency_code": "COP",
        "reject_reason": "do not honor",
        "created_at": "2026-09-20 15:00:00",
        **changes,
    }
    return {
        "payment": {name: value for name, value in payment.items() if value is not None},
        "transactions": [transaction()],
        "customer_payer": {"name": "Lucía Prado", "phone_number": "3005550101", "phone_country_code": "57"},
    }


def transaction(transaction_id: str = "t1", **changes: Any) -> Record:
    """One element of `transactions`, with every mandatory field and a card."""
    fields = {
        "id": transaction_id,
        "card": {"id": 450_000_001, "card_iin": "411111", "card_lfd": "1111", "card_type": "CREDIT"},
        "amount": spelled("89900.00"),
        "status": "DECLINED",
        "payment_method_type": "CARD",
        "description": "one thing",
        **changes,
    }
    return {name: value for name, value in fields.items() if value is not None}


def with_transactions(*transactions: Record, payment_id: str = "p1", **changes: Any) -> Record:
    """A record with these transactions and no others."""
    return {**record(payment_id, **changes), "transactions": list(transactions)}


def as_json(value: Any) -> bytes:
    """A value as JSON; what `spelled` gave stands as it was spelled."""
    return msgspec.json.encode(value)


def as_lines(values: Iterable[Any]) -> bytes:
    """Values as NDJSON; bytes are a line as they are."""
    return b"".join((value if isinstance(value, bytes) else as_json(value)) + b"\n" for value in values)


def as_request(*records: Record, organization: Any = ORGANIZATION) -> Record:
    """The whole request around records."""
    return {"organization_code": organization, "external_data": list(records)}


class Found(NamedTuple):
    """A record of a file: its number and place, what it holds, or why it holds nothing."""

    number: int
    prefix: str
    value: Any
    fault: Fault | None


def found(path: Path) -> list[Found]:
    """The records of a file of JSON in the order of their numbers, of which those of a document must all be JSON."""
    lines = read_lines(ExportFile(path, 1, path, Future()), 10**9)
    return sorted((each for part in lines for each in _found(part)), key=lambda each: each.number)


def _found(lines: Lines) -> Iterator[Found]:
    prefixes = [""] * len(lines) if lines.prefixes is None else lines.prefixes.to_pylist()
    for number, prefix, text in zip(lines.numbers.to_pylist(), prefixes, lines.texts.to_pylist(), strict=True):
        value, fault = decoded(text.encode())
        if lines.is_document and fault is not None and fault.reason in ("not_json", "not_utf8"):
            raise ExportUnreadable(f"element {number} is not JSON")
        yield Found(number, prefix, value, fault)
    yield from (Found(number, "", None, fault) for number, fault, _ in lines.unread)


@dataclass(frozen=True)
class Loads:
    """A folder with a store, into which files are loaded."""

    folder: Path

    @property
    def db(self) -> Path:
        """The store's file."""
        return self.folder / "store.duckdb"

    def load_all(self, *paths: Path, at: datetime = NOW, **options: Any) -> list[FileReport]:
        """Load files with one command."""
        with Store.open(self.db, write=True) as store:
            return list(load_files(store, paths, LoadOptions(at, **options)))

    def load(self, content: bytes, name: str = "export.json", **options: Any) -> FileReport:
        """Write one file and load it."""
        path = self.folder / name
        path.write_bytes(content)
        (report,) = self.load_all(path, **options)
        return report

    def query(self, sql: str) -> list[tuple[Any, ...]]:
        """The rows of a query."""
        with duckdb.connect(str(self.db), read_only=True) as connection:
            connection.execute("SET TimeZone = 'UTC'")
            rows: list[tuple[Any, ...]] = connection.sql(sql).pl().rows()
            return rows

    def rows(self, table: str, columns: str = "*", order: str = "ALL") -> list[tuple[Any, ...]]:
        """Columns of a table."""
        return self.query(f"SELECT {columns} FROM {table} ORDER BY {order}")  # noqa: S608

    def one(self, column: str, table: str = "payments") -> Any:
        """The value of a column of the only row of a table."""
        ((value,),) = self.rows(table, column)
        return value

    def rejects(self, *columns: str) -> list[tuple[Any, ...]]:
        """Columns of the rejects, in the order of the records."""
        return self.rows("rejects", ", ".join(columns), "load_id, record_no, pointer")

    def bytes_of_the_store(self) -> bytes:
        """Everything that the store keeps on disk, the write-ahead log too."""
        return b"".join(path.read_bytes() for path in sorted(self.folder.glob("store.duckdb*")) if path.is_file())


def counted(report: FileReport) -> Mapping[str, int]:
    """The counts of a report that are not zero."""
    assert report.error is None, report.error
    return {name: number for name, number in report.counts.items() if number}


def refused(report: FileReport) -> str:
    """The message of a file of which nothing was loaded."""
    assert report.error is not None
    assert set(report.counts.values()) == {0}
    return report.error.message
