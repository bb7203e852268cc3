"""What is sent, cut into files: each exactly one request body of one organization, campaign and send window."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any, Final

import polars as pl

from recovery_batch.outreach.bodies import element
from recovery_batch.simulation import SEND

ENDPOINTS: Final = MappingProxyType(
    {"declined": "/declined-payments/external", "abandoned": "/smart-support/external/payments"}
)
"""Where the requests of each kind go, under a base URL (SPEC 7)."""
_GROUP: Final = ("campaign_id", "channel", "organization_code", "planned_at", "window_closes_at")
_SEPARATOR: Final = len(b",\n")


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """How large a file may get: records, and bytes."""

    records: int
    size: int


@dataclass(frozen=True, slots=True)
class BatchFile:
    """Requests to submit, and what a manifest says of them.

    Attributes:
        path: Its path in the folder of the run.
        content: The bytes: one request body; of abandoned flows one a line.
        records: How many payments, or flows.
        campaign_id: The campaign that targets them; None for abandoned flows, which no campaign targets.
        channel: WHATSAPP_MESSAGE or PHONE_CALL; of abandoned flows call, whatsapp or auto.
        organization_code: Theirs; None for abandoned flows, whose requests name none.
        not_before: The first instant at which the customers may be contacted.
        not_after: The first instant at which they no longer may.
        amounts: What was declined, or left in carts, by currency, exact.
        kind: declined or abandoned.
        payment_ids: The payments, in the order of the file; empty for abandoned flows.
    """

    path: str
    content: bytes
    records: int
    campaign_id: str | None
    channel: str
    organization_code: str | None
    not_before: datetime
    not_after: datetime
    amounts: Mapping[str, Decimal]
    kind: str = "declined"
    payment_ids: tuple[str, ...] = ()

    @property
    def endpoint(self) -> str:
        """The path that it is submitted to."""
        return ENDPOINTS[self.kind]


def cut_batches(
    decisions: pl.DataFrame, records: pl.DataFrame, transaction_times: pl.DataFrame, limits: BatchLimits
) -> list[BatchFile]:
    """Cut everything that is sent into files, in an order that depends on nothing but the decisions.

    Args:
        decisions: As `simulate` gives them.
        records: The original record, created_at and created_at_origin of every payment that is sent.
        transaction_times: The time of every transaction of these payments, in order.
        limits: How large a file may get.
    """
    elements = _elements(records, transaction_times)
    sent = decisions.filter(pl.col("decision") == SEND).sort(*_GROUP, "payment_created_at", "payment_id")
    files: list[BatchFile] = []
    for group, rows in sent.group_by(_GROUP, maintain_order=True):
        campaign_id, channel, organization, not_before, not_after = group
        keys = [(organization, payment_id) for payment_id in rows["payment_id"]]
        sizes = [len(elements[key]) + _SEPARATOR for key in keys]
        for first, last in fill_files(sizes, limits, _frame(str(organization))):
            number = 1 + sum(file.campaign_id == campaign_id for file in files)
            amounts = rows[first:last].group_by("currency_code").agg(pl.col("amount_value").sum()).sort("currency_code")
            files.append(
                BatchFile(
                    path=f"declined-payments/{campaign_id}/{number:04d}.json",
                    content=request_body(str(organization), [elements[key] for key in keys[first:last]]),
                    records=last - first,
                    campaign_id=str(campaign_id),
                    channel=str(channel),
                    organization_code=str(organization),
                    not_before=_instant(not_before),
                    not_after=_instant(not_after),
                    amounts=dict(amounts.iter_rows()),
                    payment_ids=tuple(payment_id for _, payment_id in keys[first:last]),
                )
            )
    return files


def _instant(value: Any) -> datetime:
    assert isinstance(value, datetime)
    return value


def _elements(records: pl.DataFrame, transaction_times: pl.DataFrame) -> dict[tuple[str, str], bytes]:
    """The element of each payment, made once however many campaigns send it."""
    times: dict[tuple[str, str], list[datetime | None]] = {}
    for organization, payment_id, _, moment in transaction_times.iter_rows():
        times.setdefault((organization, payment_id), []).append(moment)
    return {
        (row["organization_code"], row["payment_id"]): element(
            row["record"],
            row["created_at"] if row["created_at_origin"] == "payment" else None,
            times.get((row["organization_code"], row["payment_id"]), []),
        )
        for row in records.iter_rows(named=True)
    }


def _frame(organization: str) -> int:
    # a separator is counted with each record, and the first has none
    return len(request_body(organization, [])) - _SEPARATOR


def fill_files(sizes: Sequence[int], limits: BatchLimits, frame: int = 0) -> Iterator[tuple[int, int]]:
    """Where each file begins and ends. A record that is larger than a file may be gets a file of its own.

    Args:
        sizes: The bytes of each record, those between records included.
        limits: How large a file may get.
        frame: The bytes of a file without records.
    """
    first, size = 0, frame
    for place, each in enumerate(sizes):
        grown = size + each
        if place > first and (place - first == limits.records or grown > limits.size):
            yield first, place
            first, grown = place, frame + each
        size = grown
    if sizes:
        yield first, len(sizes)


def request_body(organization: str, elements: Sequence[bytes]) -> bytes:
    """A request body of declined payments, of its elements as JSON: one a line."""
    head = json.dumps({"organization_code": organization}, ensure_ascii=False)[:-1].encode()
    return head + b', "external_data": [\n' + b",\n".join(elements) + b"\n]}\n"
