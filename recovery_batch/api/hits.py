"""Whom a reason left out."""

from __future__ import annotations

from dataclasses import dataclass

import polars as pl

from recovery_batch.clock import iso
from recovery_batch.money import plain


@dataclass(frozen=True, slots=True)
class Hit:
    """A match that a reason left out.

    Attributes:
        campaign_id: The campaign that matched.
        campaign_name: Its name.
        organization_code: Of the payment.
        payment_id: The payment.
        order_id: Its order; None: the export had none.
        user_id: Its user; None: the export had none.
        planned_at: When it would have gone out, RFC 3339 UTC.
        amount: Exact, with the currency.
    """

    campaign_id: str
    campaign_name: str
    organization_code: str
    payment_id: str
    order_id: str | None
    user_id: str | None
    planned_at: str
    amount: str


def hits(decisions: pl.DataFrame, reason: str) -> list[Hit]:
    """The matches that a reason left out, by campaign, time and payment.

    Args:
        decisions: One row a match, as `simulate` gives them.
        reason: The slug.
    """
    rows = decisions.filter(pl.col("reason") == reason).sort("campaign_name", "campaign_id", "planned_at", "payment_id")
    return [
        Hit(
            campaign_id=row["campaign_id"],
            campaign_name=row["campaign_name"],
            organization_code=row["organization_code"],
            payment_id=row["payment_id"],
            order_id=row["order_id"],
            user_id=row["user_id"],
            planned_at=iso(row["planned_at"]),
            amount=f"{plain(row['amount_value'])} {row['currency_code']}",
        )
        for row in rows.iter_rows(named=True)
    ]
