"""What a nightly run emitted besides what a backtest shows: files, what earlier runs had decided, abandoned flows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from recovery_batch.reporting.tallies import exact_sum


@dataclass(frozen=True, slots=True)
class EmittedAmounts:
    """What the files come to in one currency.

    Attributes:
        currency_code: The currency.
        payments: Of the declined payments, each record counted.
        carts: Of the carts of abandoned flows.
        together: What the manifest's totals say.
    """

    currency_code: str
    payments: Decimal
    carts: Decimal
    together: Decimal


@dataclass(frozen=True, slots=True)
class NightFigures:
    """The figures of a run that its manifest adds to those of its matches.

    Attributes:
        files: Files with requests.
        records: Payments and abandoned flows in them.
        payments: How many of the records are payments.
        settled_before: Matches that earlier runs had decided for good; they are not among the matches of the report.
        held_out: Matches kept out for comparison; the ledger has them as would have been sent.
        repeated_records: Records of payments that another campaign sends, too.
        repeated_orders: Further attempts at an order about which the same campaign contacts somebody.
        flows: Abandoned flows that were decided about.
        flows_sent: How many of them are sent.
        flow_reasons: The others by reason, in the order in which the reasons are asked.
        amounts: What the files come to, sorted by the currency's code; `footing.check_night` checks them.
    """

    files: int
    records: int
    payments: int
    settled_before: int
    held_out: int
    repeated_records: int
    repeated_orders: int
    flows: int
    flows_sent: int
    flow_reasons: tuple[tuple[str, int], ...]
    amounts: tuple[EmittedAmounts, ...]


def night_of(manifest: Mapping[str, Any]) -> NightFigures:
    """Read the figures off the manifest of a run."""
    totals, flows = manifest["totals"], manifest["flows"]
    payments, carts = (_add_up(manifest, kind) for kind in ("declined", "abandoned"))
    together = {currency: Decimal(amount) for currency, amount in totals["amounts"].items()}
    nothing = Decimal(0)
    return NightFigures(
        files=totals["files"],
        records=totals["records"],
        payments=sum(file["records"] for file in manifest["files"] if file["kind"] == "declined"),
        settled_before=totals["settled_before"],
        held_out=manifest["suppressed"].get("holdout", 0),
        repeated_records=totals["repeated_records"],
        repeated_orders=totals["repeated_orders"],
        flows=flows["considered"],
        flows_sent=flows["sent"],
        flow_reasons=tuple(flows["suppressed"].items()),
        amounts=tuple(
            EmittedAmounts(code, *(sums.get(code, nothing) for sums in (payments, carts, together)))
            for code in sorted({*payments, *carts, *together})
        ),
    )


def _add_up(manifest: Mapping[str, Any], kind: str) -> dict[str, Decimal]:
    """The amounts of the files of one kind, by currency."""
    sums: dict[str, Decimal] = {}
    for file in manifest["files"]:
        if file["kind"] == kind:
            for currency, amount in file["amounts"].items():
                sums[currency] = exact_sum([sums.get(currency, Decimal(0)), Decimal(amount)])
    return sums
