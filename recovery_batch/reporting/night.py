"""What a nightly run emitted besides what a backtest shows: files, what earlier runs had decided, abandoned flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any


@dataclass(frozen=True, slots=True)
class NightFigures:
    """The figures of a run that its manifest adds to those of its matches.

    Attributes:
        files: Files with requests.
        records: Payments and abandoned flows in them.
        settled_before: Matches that earlier runs had decided for good; they are not among the matches of the report.
        held_out: Matches kept out for comparison; the ledger has them as would have been sent.
        repeated_records: Records of payments that another campaign sends, too.
        repeated_orders: Further attempts at an order about which the same campaign contacts somebody.
        flows: Abandoned flows that were decided about.
        flows_sent: How many of them are sent.
        flow_reasons: The others by reason, in the order in which the reasons are asked.
        carts: What the carts of those that are sent come to, by currency.
    """

    files: int
    records: int
    settled_before: int
    held_out: int
    repeated_records: int
    repeated_orders: int
    flows: int
    flows_sent: int
    flow_reasons: tuple[tuple[str, int], ...]
    carts: tuple[tuple[str, Decimal], ...]


def night_of(manifest: Mapping[str, Any]) -> NightFigures:
    """Read the figures off the manifest of a run."""
    totals, flows = manifest["totals"], manifest["flows"]
    carts: dict[str, Decimal] = {}
    for file in manifest["files"]:
        if file["kind"] == "abandoned":
            for currency, amount in file["amounts"].items():
                carts[currency] = carts.get(currency, Decimal(0)) + Decimal(amount)
    return NightFigures(
        files=totals["files"],
        records=totals["records"],
        settled_before=totals["settled_before"],
        held_out=manifest["suppressed"].get("holdout", 0),
        repeated_records=totals["repeated_records"],
        repeated_orders=totals["repeated_orders"],
        flows=flows["considered"],
        flows_sent=flows["sent"],
        flow_reasons=tuple(flows["suppressed"].items()),
        carts=tuple(sorted(carts.items())),
    )
