"""From matches to candidates of a simulation: who is settled, who asked to be left alone, who is held out."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import polars as pl

from recovery_batch.api.frames import KEY
from recovery_batch.api.leaving_out import opted_out
from recovery_batch.campaigns import Campaign
from recovery_batch.evaluation import Evaluation, Funnel, without_settled
from recovery_batch.keys import hash_users
from recovery_batch.outreach.ledger import contacted_orders, history_of, settled
from recovery_batch.simulation import held_out
from recovery_batch.store import Store


@dataclass(frozen=True, slots=True)
class Targets:
    """The matches that are left for a simulation.

    Attributes:
        candidates: One row a match, as `simulate` takes them, with the flags that depend on the campaign.
        funnels: How each campaign narrows the payments down to its candidates.
        settled: By campaign_no, how many matches earlier runs had decided for good.
    """

    candidates: pl.DataFrame
    funnels: tuple[Funnel, ...]
    settled: dict[int, int]


def with_flags(
    store: Store, payments: pl.DataFrame, candidates: pl.DataFrame, campaigns: Sequence[Campaign]
) -> pl.DataFrame:
    """Candidates with `opted_out` and `holdout`, which a backtest and a nightly run have in common."""
    return candidates.with_columns(
        opted_out(store, payments, candidates, campaigns).alias("opted_out"),
        held_out(payments, candidates, campaigns),
    )


def unsettled(store: Store, payments: pl.DataFrame, evaluation: Evaluation, campaigns: Sequence[Campaign]) -> Targets:
    """The matches of a nightly run: those that no earlier run has emitted, or left out for good.

    They have the flags of `with_flags`, and `order_contacted`.
    """
    keys = evaluation.candidates.with_columns(_campaign_ids(evaluation.candidates, campaigns)).hstack(
        payments.select(*KEY, "order_id")[evaluation.candidates["payment_no"]]
    )
    is_settled = _is_among(keys, settled(store, keys), ["campaign_id", *KEY])
    order_contacted = _is_among(keys, contacted_orders(store, keys), ["campaign_id", "organization_code", "order_id"])
    counts = dict(
        evaluation.candidates.filter(is_settled)["campaign_no"].value_counts().sort("campaign_no").iter_rows()
    )
    left = without_settled(evaluation, is_settled)
    flagged = with_flags(store, payments, left.candidates, campaigns)
    return Targets(
        flagged.with_columns(order_contacted.filter(~is_settled).alias("order_contacted")), left.funnels, counts
    )


def history_for(store: Store, payments: pl.DataFrame, candidates: pl.DataFrame) -> pl.DataFrame:
    """What the users of some candidates were sent before, with the columns of `simulation.HISTORY`."""
    users = payments.select("organization_code", "user_id")[candidates["payment_no"].unique().sort()]
    return history_of(store, hash_users(store, users.drop_nulls().unique(maintain_order=True)))


def _campaign_ids(candidates: pl.DataFrame, campaigns: Sequence[Campaign]) -> pl.Series:
    ids = pl.Series("campaign_id", [each.identity for each in campaigns], dtype=pl.String)
    return ids[candidates["campaign_no"]]


def _is_among(rows: pl.DataFrame, found: pl.DataFrame, on: list[str]) -> pl.Series:
    marked = found.select(on).unique().with_columns(pl.lit(True).alias("is_among"))
    return rows.select(on).join(marked, on=on, how="left", maintain_order="left")["is_among"].fill_null(False)
