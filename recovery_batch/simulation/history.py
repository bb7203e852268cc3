"""What was sent before (the ledger's rows), counted for the candidates it matters to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
import polars as pl

from recovery_batch.campaigns.models import Campaign
from recovery_batch.clock import DAY_US, parse_zone, wall_clock
from recovery_batch.simulation.limits import Flags, Ints

HISTORY: Final = pl.Schema(
    {
        "organization_code": pl.String(),
        "user_id": pl.String(),
        "campaign_id": pl.String(),
        "planned_at": pl.Datetime("us", "UTC"),
    }
)
"""One row a communication that was sent to a user. No column is null."""


def sent_by_campaign(chained: pl.DataFrame, history: pl.DataFrame) -> Flags:
    """For each candidate, whether its campaign has sent to its user before."""
    if history.is_empty():
        return np.zeros(chained.height, dtype=np.bool_)
    keys = ["organization_code", "user_id", "campaign_id"]
    known = history.select(keys).unique().with_columns(pl.lit(True).alias("known"))
    joined = chained.select(keys).join(known, on=keys, how="left", maintain_order="left")
    return joined["known"].fill_null(False).to_numpy()


def sent_that_day(chained: pl.DataFrame, history: pl.DataFrame, campaigns: Sequence[Campaign]) -> Ints:
    """For each candidate, how much its user was sent on its calendar day in its campaign's zone, later hours too."""
    counts = np.zeros(chained.height, dtype=np.int64)
    if history.is_empty():
        return counts
    zones = [campaign.schedule.time_zone for campaign in campaigns]
    names = chained["campaign_no"].replace_strict(range(len(zones)), zones, return_dtype=pl.String)
    keys = ["organization_code", "user_id", "day"]
    for zone in names.unique().sort():
        rows = (names == zone).arg_true()
        asked = _with_day(chained[rows], zone).select(keys)
        had = _with_day(history, zone).group_by(keys).len("had")
        joined = asked.join(had, on=keys, how="left", maintain_order="left")
        counts[rows.to_numpy()] = joined["had"].fill_null(0).to_numpy()
    return counts


def _with_day(frame: pl.DataFrame, zone: str) -> pl.DataFrame:
    instants = frame["planned_at"].dt.epoch("us").to_numpy()
    clock = wall_clock(parse_zone(zone), int(instants.min()) - DAY_US, int(instants.max()) + DAY_US)
    return frame.with_columns(pl.Series("day", clock.local(instants) // DAY_US))
