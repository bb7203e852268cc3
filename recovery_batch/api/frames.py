"""The frames that evaluation and simulation take, read from the store."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import polars as pl

from recovery_batch.campaigns import Campaign
from recovery_batch.evaluation import metadata_keys
from recovery_batch.phones import impossible_phones
from recovery_batch.privacy import mask_name, mask_phone
from recovery_batch.reporting.report import TOO_OLD
from recovery_batch.rules import metadata_column
from recovery_batch.schema import UTC_TIME
from recovery_batch.simulation import SEND
from recovery_batch.store import Store

KEY: Final = ("organization_code", "payment_id")
_MOST_TARGETS: Final = 300
_FEWEST_A_CAMPAIGN: Final = 3


@dataclass(frozen=True, slots=True)
class Period:
    """Payments created from `since` on and before `until`; a bound of None is open."""

    since: datetime | None = None
    until: datetime | None = None

    def as_parameters(self) -> dict[str, datetime | None]:
        """The bounds as the queries name them."""
        return {"since": self.since, "until": self.until}


def read_payments(store: Store, campaigns: Sequence[Campaign], period: Period) -> pl.DataFrame:
    """The payments of a period as `evaluate` takes them, with `not_submittable`."""
    keys = metadata_keys(campaigns)
    return spread_metadata(store.frame("read/payments", {"keys": list(keys), **period.as_parameters()}), keys)


def spread_metadata(payments: pl.DataFrame, keys: Sequence[str]) -> pl.DataFrame:
    """The list of metadata values as one column a key."""
    values = pl.col("metadata_values")
    columns = [values.list.get(place).alias(metadata_column(key)) for place, key in enumerate(keys)]
    return payments.with_columns(columns).drop("metadata_values")


def with_paid_at(store: Store, payments: pl.DataFrame, statuses: Sequence[str], until: datetime | None) -> pl.DataFrame:
    """Add `paid_at`: when the payment's order was first paid, by a payment created before `until`; null: not known."""
    paid = store.frame("read/paid_orders", {"statuses": list(statuses), "until": until})
    paid = paid.with_columns(pl.col("paid_at").cast(UTC_TIME))
    return payments.join(paid, on=["organization_code", "order_id"], how="left", maintain_order="left")


def with_phone_check(
    store: Store, payments: pl.DataFrame, candidates: pl.DataFrame, not_before: datetime
) -> pl.DataFrame:
    """Add `invalid_phone`, looked at only for candidates created at or after `not_before`."""
    asked = candidates["payment_no"].unique().sort()
    numbered = payments.select(*KEY, "created_at").with_row_index("payment_no")[asked]
    keys = numbered.filter(pl.col("created_at") >= not_before)
    payers = store.lookup("read/payers", keys.select(KEY))
    flagged = keys.join(impossible_phones(payers), on=KEY, how="inner")
    return payments.with_columns(pl.int_range(pl.len()).is_in(flagged["payment_no"].implode()).alias("invalid_phone"))


def masked_targets(
    store: Store, decisions: pl.DataFrame, payments: pl.DataFrame, campaigns: int, *, in_run: bool = False
) -> pl.DataFrame:
    """What a report shows one by one, with the customer masked: at most a few hundred matches.

    Of a backtest the first matches of each campaign by planned time. Of a nightly run what is sent, then what is
    suppressed, what is too old last: each time the newest payment first.
    """
    first = _newest_sent(decisions) if in_run else _first_of_each(decisions, campaigns)
    described = first.with_columns(payments["description"].gather(first["payment_no"]))
    payers = store.lookup("read/payers", described.select(KEY).unique())
    masks = {
        "payer_name": [None if name is None else mask_name(name) for name in payers["name"]],
        "payer_phone": [None if phone is None else mask_phone(phone) for phone in payers["phone_number"]],
    }
    masked = payers.select(KEY).with_columns(pl.Series(n, v, dtype=pl.String) for n, v in masks.items())
    return described.join(masked, on=KEY, how="left", maintain_order="left")


def _first_of_each(decisions: pl.DataFrame, campaigns: int) -> pl.DataFrame:
    each = max(_FEWEST_A_CAMPAIGN, _MOST_TARGETS // max(campaigns, 1))
    return (
        decisions.sort("campaign_no", "planned_at", "payment_id")
        .group_by("campaign_no", maintain_order=True)
        .head(each)
        .head(_MOST_TARGETS)
    )


def _newest_sent(decisions: pl.DataFrame) -> pl.DataFrame:
    is_suppressed, is_too_old = pl.col("decision") != SEND, (pl.col("reason") == TOO_OLD).fill_null(value=False)
    order = [is_suppressed, is_too_old, pl.col("payment_created_at"), pl.col("campaign_no"), pl.col("payment_id")]
    return decisions.sort(order, descending=[False, False, True, False, False]).head(_MOST_TARGETS)


def fingerprint_data(store: Store, period: Period) -> str:
    """SHA-256 of the content of all payments of a period."""
    return str(store.frame("read/fingerprint", period.as_parameters()).item())


def fingerprint_all_data(store: Store, period: Period) -> str:
    """SHA-256 of the content of all payments and abandoned flows before the end of a period."""
    flows = store.frame("read/fingerprint_flows", {"until": period.until}).item()
    return hashlib.sha256(f"{fingerprint_data(store, period)} {flows}".encode()).hexdigest()


def fingerprint_rules(campaigns: Sequence[Campaign]) -> str:
    """SHA-256 of campaigns with their rules, as canonical JSON, in the order in which limits take them (SPEC 4).

    Of the times at which they were stored only that order counts, so that a file has the same hash in every store.
    """
    ordered = sorted(campaigns, key=lambda campaign: campaign.seniority)
    text = json.dumps([each.undated() for each in ordered], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
