"""Records to typed rows, gathered into the frames that one write to the store takes."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Final

import msgspec
import polars as pl

from recovery_batch.ingest.cards import mask_text, scan
from recovery_batch.ingest.checking import CheckedRecord, check_record
from recovery_batch.ingest.enriching import decisive, first_present, metadata_of
from recovery_batch.ingest.faults import Fault, found
from recovery_batch.ingest.reading import ReadRecord
from recovery_batch.schema import PAYERS, PAYMENTS, RECORDS, REJECTS, TRANSACTIONS, frame_schema
from recovery_batch.settings import Sources

_AS_READ: Final = msgspec.json.Encoder(decimal_format="number")
_CANONICAL: Final = msgspec.json.Encoder(decimal_format="number", order="sorted")
_BY_STORE: Final = {"load_id", "path", "file_sha256"}
"""Columns that are the same for every row of a load: the store fills them in."""

_SEQ: Final = {"seq": pl.Int64}
STAGED: Final = {
    "payments": pl.Schema({**_SEQ, **{n: t for n, t in frame_schema(PAYMENTS).items() if n not in _BY_STORE}}),
    "transactions": pl.Schema({**_SEQ, **frame_schema(TRANSACTIONS)}),
    "payers": pl.Schema({**_SEQ, **frame_schema(PAYERS)}),
    "records": pl.Schema({**_SEQ, **frame_schema(RECORDS)}),
    "rejects": pl.Schema({n: t for n, t in frame_schema(REJECTS).items() if n not in _BY_STORE}),
}
"""What a batch holds for each table: its columns, and `seq`, the order of the records in the file."""


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
        if read.fault is not None:
            self._reject(read, [read.fault], read.raw)
            return
        scanned = scan(read.value)
        self.codes_removed += scanned.codes_removed
        checked = check_record(scanned.record, self.options.zone, read.root_organization)
        faults = scanned.faults + [f for f in checked.faults if f.pointer not in {s.pointer for s in scanned.faults}]
        if self.options.strict and not faults:
            faults = [Fault("not_submittable", _pointer(p), "what a request needs", None) for p in checked.unfit]
        if faults:
            self._reject(read, faults, _text(scanned.record))
        else:
            self._accept(scanned.record, checked, read.number, seq)

    def frames(self) -> dict[str, pl.DataFrame]:
        """The rows as frames, by table."""
        return {name: pl.DataFrame(self.rows[name], schema, orient="row") for name, schema in STAGED.items()}

    def _accept(self, record: dict[str, Any], checked: CheckedRecord, number: int, seq: int) -> None:
        payment, options = checked.payment, self.options
        key = (seq, payment["organization_code"], payment["id"])
        place = decisive(checked.transactions)
        latest = {} if place is None else checked.transactions[place]
        created, origin = _created(payment, latest, options.loaded_at)
        metadata = metadata_of(record, place, options.sources.metadata)
        canonical = _CANONICAL.encode(record)
        self.rows["payments"].append(
            (
                *key,
                payment.get("order_id"),
                payment["country"],
                payment["status"],
                payment.get("sub_status"),
                payment.get("code"),
                payment.get("description"),
                payment["amount_value"],
                payment["currency_code"],
                payment.get("reject_reason"),
                created,
                origin,
                metadata.get("user_id") or None,
                latest.get("payment_method_type"),
                latest.get("provider"),
                latest.get("card", {}).get("card_iin"),
                latest.get("category"),
                first_present(record, place, options.sources.response_code),
                first_present(record, place, options.sources.iso_response_code),
                [{"key": name, "value": metadata[name]} for name in sorted(metadata)],
                checked.unfit,
                hashlib.sha256(self.salt + canonical).hexdigest(),
                number,
            )
        )
        self.rows["transactions"] += [
            _transaction_row(key, n, n == place, transaction) for n, transaction in enumerate(checked.transactions)
        ]
        payer = checked.payer
        self.rows["payers"].append(
            (*key, payer.get("name"), payer.get("phone_number"), payer.get("phone_country_code"))
        )
        self.rows["records"].append((*key, _AS_READ.encode(record).decode()))

    def _reject(self, read: ReadRecord, faults: list[Fault], raw: str) -> None:
        first = faults[0]
        self.rows["rejects"].append(
            (
                read.number,
                first.reason,
                read.prefix + first.pointer,
                first.expected,
                first.found,
                [
                    {
                        "reason": f.reason,
                        "pointer": read.prefix + f.pointer,
                        "expected": f.expected,
                        "found": f.found,
                    }
                    for f in faults
                ],
                raw,
                hashlib.sha256(raw.encode()).hexdigest(),
            )
        )


def _pointer(dotted: str) -> str:
    return "/" + dotted.replace(".", "/")


def _text(record: Any) -> str:
    try:
        return _AS_READ.encode(record).decode()
    except (TypeError, ValueError):
        return mask_text(found(record, ""))


def _created(payment: dict[str, Any], latest: dict[str, Any], loaded_at: datetime) -> tuple[datetime, str]:
    if "created_at" in payment:
        return payment["created_at"], "payment"
    if "created_at" in latest:
        return latest["created_at"], "transaction"
    return loaded_at, "load"


def _transaction_row(
    key: tuple[int, str, str], place: int, is_decisive: bool, transaction: dict[str, Any]
) -> tuple[Any, ...]:
    card = transaction.get("card", {})
    own = ("status", "type", "code", "amount", "payment_method_type", "provider", "category", "description",
           "reject_reason", "created_at")  # fmt: skip
    on_card = (
        "card_iin",
        "card_lfd",
        "card_type",
        "issuer_name",
        "card_expiration_year",
        "card_expiration_month",
    )
    return (
        *key, place, is_decisive, transaction.get("id"),
        *(transaction.get(name) for name in own),
        *(card.get(name) for name in on_card),
    )  # fmt: skip
