"""Abandoned flows to check, and the rows that they become."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import msgspec
import polars as pl

from recovery_batch.ingest.decoding import encoded
from recovery_batch.ingest.faults import exact_number
from recovery_batch.ingest.flows import FlowBatch, check_flow
from recovery_batch.ingest.rows import Read, ReadingOptions
from recovery_batch.settings import Sources
from tests.unit.ingest.samples import NOW, Record

DECODE = msgspec.json.Decoder(float_hook=exact_number).decode
ENCODE = msgspec.json.Encoder(decimal_format="number").encode
BOGOTA = timezone(timedelta(hours=-5))
ABSENT = object()
MOMENT = datetime(2026, 9, 20, 15, tzinfo=UTC)

SOUND: Record = {
    "customer": {
        "full_name": "Lucía Prado",
        "phone_number": "+57 300 555-0101",
        "email": "lucia.prado@example.com",
        "country_code": "CO",
        "language": "es",
    },
    "session": {
        "abandonment_timestamp": "2026-09-20T15:00:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": "sess-1",
    },
    "cart": {
        "total_value": Decimal("249.90"),
        "currency": "COP",
        "items": [
            {"name": "Lamp", "sku": "L-1", "quantity": 2, "price": Decimal("99.95")},
            {"name": "Bulb", "sku": "B-1", "quantity": 1, "price": 50},
        ],
    },
    "engagement": {"preferred_channel": "whatsapp", "reason": "left", "metadata": {"utm": [1, {"a": None}]}},
}
LOADABLE = ["session.abandonment_timestamp", "session.flow_stage", "session.platform"]
SUBMITTABLE = ["customer.full_name", "customer.phone_number", "customer.country_code"]
OPTIONAL = [
    "customer.email",
    "customer.language",
    "session.session_id",
    "cart",
    "cart.total_value",
    "cart.currency",
    "cart.items",
    "cart.items.0.name",
    "cart.items.0.sku",
    "cart.items.0.quantity",
    "cart.items.0.price",
    "engagement",
    "engagement.preferred_channel",
    "engagement.reason",
    "engagement.metadata",
]


def changed(*changes: tuple[str, object]) -> Record:
    """The sound flow with fields changed, or taken away."""
    made = deepcopy(SOUND)
    for path, value in changes:
        *way, last = path.split(".")
        holder: Any = made
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        if value is ABSENT:
            del holder[last]
        else:
            holder[int(last) if isinstance(holder, list) else last] = value
    return made


def verdict(*changes: tuple[str, object]) -> tuple[list[tuple[str, str]], list[str]]:
    """Reason and pointer of the faults, and the fields that keep the flow from being submitted."""
    checked = check_flow(changed(*changes), UTC)
    return [(fault.reason, fault.pointer) for fault in checked.faults], checked.unfit


def pointer(path: str) -> str:
    return "/" + path.replace(".", "/")


def batch_of(*values: Any, **options: Any) -> FlowBatch:
    """A batch of records, which are values or texts; their numbers begin with 11."""
    reading = {"zone": UTC, "zone_name": "UTC", "sources": Sources(), "strict": False, "loaded_at": NOW, **options}
    batch = FlowBatch(ReadingOptions(**reading))
    for seq, value in enumerate(values):
        batch.add(Read(seq + 11, value if isinstance(value, str) else encoded(value).decode(), seq))
    return batch


def tables(*values: Any, **options: Any) -> dict[str, pl.DataFrame]:
    """The rows of records as the loader stages them."""
    return {name: pl.DataFrame(table) for name, table in batch_of(*values, **options).tables().items()}


def rejected(*changes: tuple[str, object], **options: Any) -> list[tuple[str, str, str | None]]:
    """Reason, pointer and what was found of each fault of a flow that does not load."""
    made = tables(changed(*changes), **options)["rejects"].row(0, named=True)
    return [(fault["reason"], fault["pointer"], fault["found"]) for fault in made["faults"]]


def row(*changes: tuple[str, object]) -> Record:
    """The row of `flows` of a flow that loads."""
    return dict(tables(changed(*changes))["flows"].row(0, named=True))


def known_by(value: Any) -> str:
    """The identity of a flow that loads."""
    return str(tables(value)["flows"]["flow_id"].item())
