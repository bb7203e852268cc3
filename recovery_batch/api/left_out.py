"""The files of a run that list whom it leaves out, each with the reason."""

from __future__ import annotations

import io
from typing import Final

import polars as pl

from recovery_batch.api.frames import KEY
from recovery_batch.simulation import SEND
from recovery_batch.store import Store

LEFT_OUT: Final = "left_out.csv"
LEFT_OUT_FLOWS: Final = "left_out_flows.csv"


def left_out_files(store: Store, decisions: pl.DataFrame, flows: pl.DataFrame) -> dict[str, bytes]:
    """Every match, and every abandoned flow, that is not sent: the reason, and the fields that a request would miss.

    Args:
        store: The store that was decided about.
        decisions: As `simulate` gives them.
        flows: As `decide_flows` gives them.

    Returns:
        CSV by the name of its file; that of the flows only where there were any to decide about.
    """
    listed = _listed(store, decisions, "read/unfit_fields", list(KEY))
    files = {LEFT_OUT: _csv(listed.select("campaign_id", "campaign_name", *KEY, "order_id", "reason", "fields"))}
    if flows.height:
        listed = _listed(store, flows, "read/unfit_flow_fields", ["flow_id"])
        files[LEFT_OUT_FLOWS] = _csv(listed.select("flow_id", "session_id", "reason", "fields"))
    return files


def _listed(store: Store, decisions: pl.DataFrame, query: str, key: list[str]) -> pl.DataFrame:
    suppressed = decisions.filter(pl.col("decision") != SEND)
    unfit = store.lookup(query, suppressed.select(key).unique())
    fields = pl.when(pl.col("reason") == "not_submittable").then(pl.col("unfit_fields")).alias("fields")
    return suppressed.join(unfit, on=key, how="left", maintain_order="left").with_columns(fields)


def _csv(rows: pl.DataFrame) -> bytes:
    buffer = io.BytesIO()
    rows.write_csv(buffer)
    return buffer.getvalue()
