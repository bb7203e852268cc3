"""Who is kept out for comparison: users drawn by a seeded hash, the same for ever (SPEC 4, reason 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from decimal import Decimal
from typing import Final

import polars as pl

from recovery_batch.campaigns.models import Campaign

_BUCKETS: Final = 2**64
"""The first eight bytes of a SHA-256 as a number; a share of it is in the holdout."""


def held_out(payments: pl.DataFrame, candidates: pl.DataFrame, campaigns: Sequence[Campaign]) -> pl.Series:
    """Which candidates belong to users that their campaign keeps out.

    A user is drawn, not a payment: all that a user does has the same answer, in every run, on every machine. A payment
    without a user_id is drawn by itself.

    Args:
        payments: The frame that was evaluated: `organization_code`, `payment_id`, `user_id`.
        candidates: What `evaluate` gave for it: `campaign_no`, `payment_no`.
        campaigns: The sequence that was evaluated.

    Returns:
        `holdout`: a Boolean for each row of candidates.
    """
    shares = {number: each.holdout for number, each in enumerate(campaigns) if each.holdout is not None}
    if not shares:
        return pl.repeat(False, candidates.height, dtype=pl.Boolean, eager=True).alias("holdout")
    drawn = candidates.select("campaign_no").hstack(
        payments.select(
            "organization_code",
            pl.col("user_id").is_null().alias("is_nobody"),
            pl.coalesce("user_id", "payment_id").alias("who"),
        )[candidates["payment_no"]]
    )
    asked = drawn.filter(pl.col("campaign_no").is_in(list(shares))).unique(maintain_order=True)
    answers = [
        _is_drawn(shares[number].seed or campaigns[number].identity, shares[number].share, *who)
        for number, *who in asked.iter_rows()
    ]
    known = asked.with_columns(pl.Series("holdout", answers, dtype=pl.Boolean))
    joined = drawn.join(known, on=drawn.columns, how="left", maintain_order="left")
    return joined["holdout"].fill_null(False)


def _is_drawn(seed: str, share: Decimal, organization: str, is_nobody: bool, who: str) -> bool:
    text = "\n".join((seed, organization, "payment" if is_nobody else "user", who))
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") < share * _BUCKETS
