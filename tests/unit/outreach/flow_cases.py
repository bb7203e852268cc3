"""A store with abandoned flows, payments and a ledger, and what a run decides about the flows."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import polars as pl

from recovery_batch.clock import iso, parse_instant
from recovery_batch.outreach.flows import FlowBatches, decide_flows, flow_batches
from recovery_batch.schema import FLOW_COMMUNICATIONS, frame_schema
from recovery_batch.settings import Settings
from recovery_batch.store import Store
from tests.unit.ingest.flow_samples import ENCODE, changed
from tests.unit.ingest.samples import Loads, Record, as_lines, record

AS_OF = datetime(2026, 9, 20, 18, tzinfo=UTC)
"""13:00 in Bogotá, where the usual number is."""
PHONE = "+573005550101"


def flow(
    name: str = "1", left: str = "2026-09-20 15:00", phone: object = PHONE, *changes: tuple[str, object]
) -> Record:
    """A flow with a session_id, left at a time in UTC."""
    return changed(
        ("session.session_id", name),
        ("session.abandonment_timestamp", iso(parse_instant(left))),
        ("customer.phone_number", phone),
        *changes,
    )


def payment(created: str, number: object = "3005550101", code: object = "57", **changes: Any) -> Record:
    """A successful payment of a customer, created at a time in UTC."""
    made = record(f"p{created}{number}", **{"status": "SUCCEEDED", "created_at": f"{created}:00", **changes})
    payer = {"name": "Lucía Prado", "phone_number": number, "phone_country_code": code}
    return {**made, "customer_payer": {key: value for key, value in payer.items() if value is not None}}


def settings(**flows: Any) -> Settings:
    """The usual settings, with other ones of flows."""
    return Settings.model_validate({"flows": flows})


@dataclass
class Night:
    """A run's look at a store.

    Attributes:
        folder: Where the store is.
        as_of: The instant of the run.
        settings: The installation's settings.
        opted_out: The phone numbers that are on the suppression list.
        asked: The phone numbers that were looked for on it.
    """

    folder: Path
    as_of: datetime = AS_OF
    settings: Settings = field(default_factory=Settings)
    opted_out: Collection[str] = ()
    asked: list[str] = field(default_factory=list)

    def load(self, *records: Record) -> None:
        """Load flows, or payments."""
        kind = "payments" if "payment" in records[0] else "flows"
        content = as_lines(each if kind == "payments" else ENCODE(each) for each in records)
        report = Loads(self.folder).load(content, f"{kind}.ndjson")
        assert report.error is None
        assert report.counts["quarantined"] == 0

    def contact(self, name: str, planned: str) -> None:
        """Record that a run has sent a flow."""
        row = (f"s:{name}", None, "call", parse_instant(planned), "run", "abandoned-flows/0001.ndjson", 1)
        rows = pl.DataFrame([row], schema=frame_schema(FLOW_COMMUNICATIONS), orient="row").drop("run_id")
        with self.open(write=True) as store:
            store.append("ledger/append_flow_communications", rows, {"run_id": "run"})

    @contextmanager
    def open(self, *, write: bool = False) -> Iterator[Store]:
        """The store."""
        with Store.open(Loads(self.folder).db, write=write) as store:
            yield store

    def decide(self) -> pl.DataFrame:
        """What is decided."""
        with self.open() as store:
            return decide_flows(store, self.as_of, self.settings, self.known)

    def known(self, phones: pl.Series) -> pl.Series:
        """Which numbers are on the suppression list."""
        self.asked += phones.to_list()
        return phones.is_in(list(self.opted_out))

    def outcomes(self) -> dict[str, str]:
        """SEND, or the reason, by session."""
        return {
            row["flow_id"].removeprefix("s:"): row["reason"] or row["decision"]
            for row in self.decide().iter_rows(named=True)
        }

    def outcome(self) -> str:
        """SEND, or the reason, of the only flow."""
        (found,) = self.outcomes().values()
        return found

    def planned(self) -> str:
        """From when to when the only flow goes out, in UTC."""
        row = self.decide().row(0, named=True)
        assert row["decision"] == "SEND"
        return f"{row['planned_at']:%d %H:%M} to {row['window_closes_at']:%d %H:%M}"

    def emit(self) -> FlowBatches:
        """What goes out."""
        decisions = self.decide()
        with self.open() as store:
            return flow_batches(store, decisions, self.settings)

    def bodies(self) -> list[Any]:
        """The bodies that go out."""
        return [
            json.loads(line, parse_float=Decimal) for each in self.emit().files for line in each.content.splitlines()
        ]
