"""The abandoned flows that are sent, cut into files: one request body a line, one channel and send window a file."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import polars as pl

from recovery_batch.outreach.batches import BatchFile, BatchLimits, fill_files
from recovery_batch.outreach.flows.bodies import FlowBody, flow_body
from recovery_batch.outreach.flows.numbers import to_e164
from recovery_batch.schema import FLOW_COMMUNICATIONS, frame_schema
from recovery_batch.settings import Settings
from recovery_batch.simulation import SEND
from recovery_batch.store import Store

_GROUP: Final = ["channel", "planned_at", "window_closes_at"]
_LINE_END: Final = b"\n"
_LATER: Final = ("run_id", "phone_hash")
"""Columns of the ledger that are filled when the run is recorded, and when the flow is erased."""
_EMITTED: Final = pl.Schema({n: t for n, t in frame_schema(FLOW_COMMUNICATIONS).items() if n not in _LATER})


@dataclass(frozen=True, slots=True)
class FlowBatches:
    """What a run emits of abandoned flows.

    Attributes:
        files: The files, in their order.
        emitted: One row a flow, in the order of the files and of their lines: the columns of flow_communications but
            run_id and phone_hash.
        emails_left_out: How many bodies go out without the e-mail address of their record, since it is none.
    """

    files: list[BatchFile]
    emitted: pl.DataFrame
    emails_left_out: int


def flow_batches(store: Store, decisions: pl.DataFrame, settings: Settings) -> FlowBatches:
    """Cut the flows that are sent into files, in an order that depends on nothing but the decisions.

    Args:
        store: The store that was decided about.
        decisions: As `decide_flows` gives them.
        settings: The installation's settings, as they were decided with.

    Raises:
        ValueError: the contract would refuse a body; a bug, since such flows are left out before.
    """
    sent = decisions.filter(pl.col("decision") == SEND).sort(*_GROUP, "abandoned_at", "flow_id")
    bodies = _bodies(store, sent)
    limits = BatchLimits(settings.run.file_records, settings.run.file_bytes)
    files: list[BatchFile] = []
    emitted = [pl.DataFrame(schema=_EMITTED)]
    for _, rows in sent.group_by(_GROUP, maintain_order=True):
        lines = [bodies[flow_id].line + _LINE_END for flow_id in rows["flow_id"]]
        for first, last in fill_files([len(line) for line in lines], limits):
            files.append(_file(len(files) + 1, rows[first:last], b"".join(lines[first:last])))
            emitted.append(_emitted(files[-1].path, rows[first:last]))
    return FlowBatches(files, pl.concat(emitted), sum(each.email_left_out for each in bodies.values()))


def _bodies(store: Store, sent: pl.DataFrame) -> dict[str, FlowBody]:
    """The body of each flow."""
    records = sent.join(store.lookup("flows/records", sent.select("flow_id")), on="flow_id", validate="1:1")
    bodies = {}
    for flow_id, moment, channel, phone, record in records.select(
        "flow_id", "abandoned_at", "channel", "phone_number", "record"
    ).iter_rows():
        e164 = to_e164(phone)
        assert e164 is not None
        bodies[flow_id] = flow_body(record, f"flow {flow_id}", moment, e164, channel)
    return bodies


def _file(number: int, rows: pl.DataFrame, content: bytes) -> BatchFile:
    channel, not_before, not_after = rows.select(_GROUP).row(0)
    priced = rows.drop_nulls(["cart_total", "cart_currency"])
    amounts = priced.group_by("cart_currency").agg(pl.col("cart_total").sum()).sort("cart_currency")
    return BatchFile(
        path=f"abandoned-flows/{number:04d}.ndjson",
        content=content,
        records=len(rows),
        campaign_id=None,
        channel=channel,
        organization_code=None,
        not_before=not_before,
        not_after=not_after,
        amounts=dict(amounts.iter_rows()),
        kind="abandoned",
    )


def _emitted(path: str, rows: pl.DataFrame) -> pl.DataFrame:
    lines = pl.int_range(1, len(rows) + 1, dtype=pl.Int64, eager=True)
    return rows.with_columns(pl.lit(path).alias("path"), lines.alias("line")).select(_EMITTED.names())
