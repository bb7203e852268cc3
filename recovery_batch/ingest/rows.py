"""Records to typed rows, gathered into the tables that one write to the store takes."""

from __future__ import annotations

import hashlib
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, tzinfo
from typing import Any, ClassVar, Final

import polars as pl
import pyarrow as pa

from recovery_batch.ingest.cards import CardScan, clean_text, may_hold_card_data, scan
from recovery_batch.ingest.checking import CheckedRecord, check_record
from recovery_batch.ingest.decoding import decoded, encoded, has_repeated_keys, holds_far_number
from recovery_batch.ingest.enriching import decisive, first_present, metadata_of
from recovery_batch.ingest.faults import Fault
from recovery_batch.schema import PAIRS, PAYERS, PAYMENTS, RECORDS, REJECTS, TRANSACTIONS, Column
from recovery_batch.settings import Sources

_BY_STORE: Final = {"load_id", "path", "file_sha256", "reject_id"}
"""Columns that the store fills in."""


def staged(columns: Sequence[Column], *, numbered: bool = True) -> pa.Schema:
    """The columns of a batch; with `seq`, the order of the records in the file, where the store merges by it."""
    own = {each.name: each.dtype for each in columns if each.name not in _BY_STORE}
    fields = pl.DataFrame(schema={"seq": pl.Int64, **own} if numbered else own).to_arrow().schema
    pairs = pa.map_(pa.string(), pa.string())
    return pa.schema([pa.field(each.name, pairs if own.get(each.name) == PAIRS else each.type) for each in fields])


STAGED: Final = {
    "payments": staged(PAYMENTS),
    "transactions": staged(TRANSACTIONS),
    "payers": staged(PAYERS),
    "records": staged(RECORDS),
}
"""What a batch of payments holds for each table."""

REJECTED: Final = staged(REJECTS, numbered=False)
"""What a batch holds of what it refuses."""

# Fields that columns hold as they are, in the order of the columns.
_PAYMENT: Final = (
    "order_id", "country", "status", "sub_status", "code", "description", "amount_value", "currency_code",
    "reject_reason",
)  # fmt: skip
_TRANSACTION: Final = (
    "id", "status", "type", "code", "amount", "payment_method_type", "provider", "category", "description",
    "reject_reason", "created_at",
)  # fmt: skip
_CARD: Final = (
    "card_iin", "card_lfd", "card_type", "issuer_name", "card_expiration_year", "card_expiration_month",
)  # fmt: skip
_PAYER: Final = ("name", "phone_number", "phone_country_code")


@dataclass(frozen=True, slots=True)
class ReadingOptions:
    """How records are read.

    Attributes:
        zone: How times without a zone are read.
        zone_name: Its name; a part of what counts as content.
        sources: Where codes and metadata come from; a part of what counts as content.
        strict: Whether a record that is not submittable is quarantined.
        loaded_at: The time of the load, for payments without any time.
        mapping: SHA-256 of the mapping that the file was read with, empty without one; a part of content too.
    """

    zone: tzinfo
    zone_name: str
    sources: Sources
    strict: bool
    loaded_at: datetime
    mapping: str = ""

    @property
    def content_salt(self) -> str:
        """What the same record must also share to be the same content."""
        return f"{self.zone_name}\n{self.sources.model_dump_json()}\n{self.mapping}\n"


@dataclass(frozen=True, slots=True)
class Read:
    """A record as it was read: its text, and where it stood.

    Attributes:
        number: Its number in the file.
        text: Its JSON text.
        seq: Its place among the records of the file, from 0.
        prefix: JSON pointer of the record in its line.
        root: The organization_code of the request around it; None where there is none.
    """

    number: int
    text: str
    seq: int = 0
    prefix: str = ""
    root: object = None


class Batch(ABC):
    """Typed rows of some records of a file, one record after the other: the slow, plain road.

    Attributes:
        staged: The columns of each table.
        codes_removed: Security codes taken out so far.
        unreadable: Records so far that were no JSON that can be held.
        first_unreadable: Number and fault of the first of them.
        first_broken: Number and fault of the first that was no JSON at all.
    """

    staged: ClassVar[Mapping[str, pa.Schema]]

    def __init__(self, options: ReadingOptions, columns: Mapping[str, str] | None = None) -> None:
        """Begin an empty batch; columns names the column of the file by the JSON pointer of what it fills."""
        self.options = options
        self.columns = columns or {}
        self.rows: dict[str, list[tuple[Any, ...]]] = {name: [] for name in self.schemas()}
        self.codes_removed = 0
        self.unreadable = 0
        self.first_unreadable: tuple[int, str] | None = None
        self.first_broken: tuple[int, Fault] | None = None

    @classmethod
    def schemas(cls) -> dict[str, pa.Schema]:
        """The columns of each table, rejects among them."""
        return {**cls.staged, "rejects": REJECTED}

    @abstractmethod
    def check(self, record: dict[str, Any], read: Read) -> tuple[Any, list[Fault], list[str]]:
        """What a record holds, its faults, and the dotted paths of what it lacks to be submitted."""

    @abstractmethod
    def accept(self, record: dict[str, Any], checked: Any, read: Read, text: str) -> None:
        """Add the rows of a record without faults, of which text is to be kept."""

    def add(self, read: Read) -> None:
        """Check one record and add its rows: to the payments' tables, or to the rejects."""
        value, fault = decoded(read.text.encode())
        if fault is not None:
            self.add_unread(read.number, fault, read.text, read.prefix)
            return
        text = encoded(value)
        is_harmless = not may_hold_card_data(text) and not holds_far_number(value)
        scanned = CardScan(value) if is_harmless else scan(value)
        self.codes_removed += scanned.codes_removed
        record = scanned.record
        checked, faults, unfit = self.check(record, read)
        if scanned.faults:
            seen = {fault.pointer for fault in scanned.faults}
            faults = scanned.faults + [fault for fault in faults if fault.pointer not in seen]
        if self.options.strict and not faults:
            faults = [Fault("not_submittable", _pointer(path), "what a request needs", None) for path in unfit]
        if faults:
            self._reject(read, faults, encoded(record).decode())
            return
        is_as_read = record is value and not has_repeated_keys(read.text.encode(), text)
        self.accept(record, checked, read, read.text if is_as_read else encoded(record).decode())

    def add_unread(self, number: int, fault: Fault, text: str, prefix: str = "") -> None:
        """Add the reject of a record that is none."""
        self.unreadable += 1
        self.first_unreadable = self.first_unreadable or (number, str(fault.found))
        if fault.reason in ("not_json", "not_utf8"):
            self.first_broken = self.first_broken or (number, fault)
        raw, codes = clean_text(text)
        self.codes_removed += codes
        self._reject(Read(number, text, prefix=prefix), [fault], raw)

    def tables(self) -> dict[str, pa.Table]:
        """The rows as Arrow tables, by table."""
        return {name: _table(self.rows[name], schema) for name, schema in self.schemas().items()}

    def _named(self, fault: Fault) -> Fault:
        """A fault that says which column of the file it comes from, where the file has columns."""
        column = self.columns.get(fault.pointer)
        return fault if column is None else replace(fault, expected=f"{fault.expected} (column {column!r})")

    def _reject(self, read: Read, faults: list[Fault], raw: str) -> None:
        faults = [self._named(fault) for fault in faults] if self.columns else faults
        first = faults[0]
        all_of_them = [
            {"reason": f.reason, "pointer": read.prefix + f.pointer, "expected": f.expected, "found": f.found}
            for f in faults
        ]
        self.rows["rejects"].append(
            (
                read.number,
                first.reason,
                read.prefix + first.pointer,
                first.expected,
                first.found,
                all_of_them,
                raw,
                hashlib.sha256(raw.encode()).hexdigest(),
                _kept_root(read.root),
            )
        )


class PaymentBatch(Batch):
    """Declined payments, in the columns of `STAGED`."""

    staged = STAGED

    def check(self, record: Any, read: Read) -> tuple[CheckedRecord, list[Fault], list[str]]:
        """See `check_record`."""
        checked = check_record(record, self.options.zone, read.root)
        return checked, checked.faults, checked.unfit

    def accept(self, record: dict[str, Any], checked: CheckedRecord, read: Read, text: str) -> None:
        """Add a payment with its transactions and its payer."""
        origin = 0, read.number  # whoever has the hashes of all records puts them in
        key = (read.seq, checked.payment["organization_code"], checked.payment["id"])
        place = decisive(checked.transactions)
        self.rows["payments"].append((*key, *_payment(record, checked, place, self.options), *origin))
        self.rows["transactions"] += [
            (*key, n, n == place, *_transaction(each)) for n, each in enumerate(checked.transactions)
        ]
        self.rows["payers"].append((*key, *map(checked.payer.get, _PAYER)))
        self.rows["records"].append((*key, text))


def _kept_root(root: object) -> str | None:
    """The organization_code of a request as it may be kept: whatever stood there, without card data."""
    if root is None:
        return None
    return encoded(scan({"organization_code": root}).record["organization_code"]).decode()


def _pointer(dotted: str) -> str:
    return "/" + dotted.replace(".", "/")


def _table(rows: list[tuple[Any, ...]], schema: pa.Schema) -> pa.Table:
    columns = zip(*rows, strict=True) if rows else [()] * len(schema)
    return pa.table([pa.array(column, each.type) for column, each in zip(columns, schema, strict=True)], schema)


def _payment(
    record: dict[str, Any], checked: CheckedRecord, place: int | None, options: ReadingOptions
) -> tuple[Any, ...]:
    """The columns of a payment between its key and the hash of its content."""
    payment, sources = checked.payment, options.sources
    latest = {} if place is None else checked.transactions[place]
    metadata = metadata_of(record, place, sources.metadata)
    return (
        *map(payment.get, _PAYMENT),
        *_created(payment, latest, options.loaded_at),
        metadata.get("user_id") or None,
        latest.get("payment_method_type"),
        latest.get("provider"),
        latest["card"].get("card_iin") if "card" in latest else None,
        latest.get("category"),
        first_present(record, place, sources.response_code),
        first_present(record, place, sources.iso_response_code),
        sorted(metadata.items()),
        checked.unfit,
    )


def _created(payment: dict[str, Any], latest: dict[str, Any], loaded_at: datetime) -> tuple[datetime, str]:
    if "created_at" in payment:
        return payment["created_at"], "payment"
    if "created_at" in latest:
        return latest["created_at"], "transaction"
    return loaded_at, "load"


def _transaction(transaction: dict[str, Any]) -> tuple[Any, ...]:
    card = transaction.get("card", {})
    return *map(transaction.get, _TRANSACTION), *map(card.get, _CARD)
