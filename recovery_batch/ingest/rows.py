"""Records to typed rows, gathered into the tables that one write to the store takes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec
import polars as pl
import pyarrow as pa

from recovery_batch.ingest.cards import CardScan, clean_text, may_hold_card_data, scan
from recovery_batch.ingest.checking import CheckedRecord, check_record
from recovery_batch.ingest.enriching import decisive, first_present, metadata_of
from recovery_batch.ingest.faults import FarNumber, Fault
from recovery_batch.ingest.reading import ReadRecord
from recovery_batch.schema import PAIRS, PAYERS, PAYMENTS, RECORDS, REJECTS, TRANSACTIONS, Column
from recovery_batch.settings import Sources


def _spelled(value: object) -> msgspec.Raw:
    assert isinstance(value, FarNumber)
    return msgspec.Raw(value.spelled.encode())


_AS_READ: Final = msgspec.json.Encoder(decimal_format="number", enc_hook=_spelled)
_CANONICAL: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")
_BY_STORE: Final = {"load_id", "path", "file_sha256"}
"""Columns that are the same for every row of a load: the store fills them in."""


def _staged(columns: Sequence[Column], *, numbered: bool = True) -> pa.Schema:
    """The columns of a batch; with `seq`, the order of the records in the file, where the store merges by it."""
    own = {each.name: each.dtype for each in columns if each.name not in _BY_STORE}
    fields = pl.DataFrame(schema={"seq": pl.Int64, **own} if numbered else own).to_arrow().schema
    pairs = pa.map_(pa.string(), pa.string())
    return pa.schema([pa.field(each.name, pairs if own.get(each.name) == PAIRS else each.type) for each in fields])


STAGED: Final = {
    "payments": _staged(PAYMENTS),
    "transactions": _staged(TRANSACTIONS),
    "payers": _staged(PAYERS),
    "records": _staged(RECORDS),
    "rejects": _staged(REJECTS, numbered=False),
}
"""What a batch holds for each table."""

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
    """

    zone: tzinfo
    zone_name: str
    sources: Sources
    strict: bool
    loaded_at: datetime

    @property
    def content_salt(self) -> bytes:
        """What the same record must also share to be the same content."""
        return f"{self.zone_name}\n{self.sources.model_dump_json()}\n".encode()


@dataclass(slots=True)
class Batch:
    """Typed rows of some records of a file, in the order of `STAGED`'s columns."""

    options: ReadingOptions
    salt: bytes = b""
    rows: dict[str, list[tuple[Any, ...]]] = field(default_factory=lambda: {name: [] for name in STAGED})
    records: int = 0
    codes_removed: int = 0

    def __post_init__(self) -> None:
        """Work the salt out once."""
        self.salt = self.options.content_salt

    def add(self, read: ReadRecord, seq: int) -> None:
        """Check one record and add its rows: to the payments' tables, or to the rejects."""
        self.records += 1
        if read.text is not None:
            assert read.fault is not None
            self._reject_text(read, read.fault, read.text)
            return
        text = _canonical(read.value)
        scanned = scan(read.value) if text is None or may_hold_card_data(text) else CardScan(read.value)
        self.codes_removed += scanned.codes_removed
        record = scanned.record
        if not isinstance(record, dict):
            self._reject(read, check_record(record, self.options.zone).faults, _text(record))
        elif read.fault is not None:
            self._reject(read, [read.fault], _text(record))
        else:
            canonical = _CANONICAL.encode(record) if scanned.codes_removed else text
            self._add_record(read, seq, scanned, canonical)

    def tables(self) -> dict[str, pa.Table]:
        """The rows as Arrow tables, by table."""
        return {name: _table(self.rows[name], schema) for name, schema in STAGED.items()}

    def _add_record(self, read: ReadRecord, seq: int, scanned: CardScan, canonical: bytes | None) -> None:
        record = scanned.record
        checked = check_record(record, self.options.zone, read.root_organization)
        faults = checked.faults
        if scanned.faults:
            seen = {fault.pointer for fault in scanned.faults}
            faults = scanned.faults + [fault for fault in faults if fault.pointer not in seen]
        if self.options.strict and not faults:
            faults = [Fault("not_submittable", _pointer(p), "what a request needs", None) for p in checked.unfit]
        if faults:
            self._reject(read, faults, _text(record))
            return
        assert canonical is not None  # what has no canonical form has faults
        content_hash = hashlib.sha256(self.salt + canonical).hexdigest()
        self._accept(record, checked, seq, (content_hash, read.number))

    def _accept(self, record: dict[str, Any], checked: CheckedRecord, seq: int, origin: tuple[str, int]) -> None:
        key = (seq, checked.payment["organization_code"], checked.payment["id"])
        place = decisive(checked.transactions)
        self.rows["payments"].append((*key, *_payment(record, checked, place, self.options), *origin))
        self.rows["transactions"] += [
            (*key, n, n == place, *_transaction(each)) for n, each in enumerate(checked.transactions)
        ]
        self.rows["payers"].append((*key, *map(checked.payer.get, _PAYER)))
        self.rows["records"].append((*key, _text(record)))

    def _reject_text(self, read: ReadRecord, fault: Fault, text: str) -> None:
        raw, codes = clean_text(text)
        self.codes_removed += codes
        self._reject(read, [fault], raw)

    def _reject(self, read: ReadRecord, faults: list[Fault], raw: str) -> None:
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
            )
        )


def _pointer(dotted: str) -> str:
    return "/" + dotted.replace(".", "/")


def _canonical(record: Any) -> bytes | None:
    """A record as JSON with sorted keys; None for one with a number that cannot be held."""
    try:
        return _CANONICAL.encode(record)
    except TypeError:
        return None


def _text(value: Any) -> str:
    return _AS_READ.encode(value).decode()


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
