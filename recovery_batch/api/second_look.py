"""A second look before a run is submitted: who has paid, asked to be left alone, or was erased since it was made."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

import polars as pl

from recovery_batch.api.frames import KEY, with_paid_at
from recovery_batch.api.leaving_out import opted_out, opted_out_phones
from recovery_batch.campaigns import Campaign
from recovery_batch.outreach.flows import clean_phones, first_paid
from recovery_batch.outreach.sending.planning import Held
from recovery_batch.outreach.sending.sealed import SealedRun
from recovery_batch.store import Store

_ERASED: Final = "no longer in the store"
_PAID: Final = "paid"
_OPTED_OUT: Final = "asked to be left alone"


def held_since(store: Store, run: SealedRun, statuses: Sequence[str], now: datetime) -> Held:
    """Which records of a run are not to be sent any more, and why.

    Args:
        store: The store that made the run.
        run: Its folder.
        statuses: Statuses of payments that were paid.
        now: The time.
    """
    return dict([*_payments(store, run, statuses), *_flows(store, run, statuses, now)])


def _payments(
    store: Store, run: SealedRun, statuses: Sequence[str]
) -> Iterator[tuple[tuple[str, tuple[str, str]], str]]:
    campaigns = [Campaign.model_validate(each["campaign"]) for each in run.manifest["campaigns"]]
    numbers = {campaign.identity: number for number, campaign in enumerate(campaigns)}
    campaign_of: Mapping[str, str] = {each["path"]: each["campaign_id"] for each in run.manifest["files"]}
    sent = pl.DataFrame(
        [(batch.path, numbers[campaign_of[batch.path]], *key) for batch in run.batches for key in batch.payments],
        schema={"path": pl.String, "campaign_no": pl.UInt32, **dict.fromkeys(KEY, pl.String)},
        orient="row",
    )
    payments = store.lookup("submissions/payments", sent.select(KEY).unique())
    payments = with_paid_at(store, payments, statuses, None)
    known = payments.select(KEY).with_row_index("payment_no")
    asked = sent.join(known, on=KEY, how="left", maintain_order="left")
    there = asked.drop_nulls("payment_no")
    is_paid = payments.select(pl.col("paid_at").is_not_null() | pl.col("status").is_in(list(statuses))).to_series()
    flags = there.with_columns(
        is_paid[there["payment_no"]].alias("is_paid"), opted_out(store, payments, there, campaigns)
    )
    for path, *key in asked.filter(pl.col("payment_no").is_null()).select("path", *KEY).iter_rows():
        yield (path, (key[0], key[1])), _ERASED
    for path, organization, payment, paid, said_no in flags.select("path", *KEY, "is_paid", "opted_out").iter_rows():
        if paid or said_no:
            yield (path, (organization, payment)), _PAID if paid else _OPTED_OUT


def _flows(
    store: Store, run: SealedRun, statuses: Sequence[str], now: datetime
) -> Iterator[tuple[tuple[str, int], str]]:
    flows = clean_phones(store.frame("submissions/flows", {"run_id": run.run_id}))
    paid = first_paid(store, flows.drop_nulls("flow_id"), statuses, now).with_columns(pl.lit(True).alias("is_paid"))
    flags = flows.with_columns(opted_out_phones(store, flows["phone"])).join(
        paid, on="flow_id", how="left", maintain_order="left"
    )
    for path, line, flow_id, is_paid, said_no in flags.select(
        "path", "line", "flow_id", "is_paid", "opted_out"
    ).iter_rows():
        if flow_id is None or is_paid or said_no:
            yield (path, line), _ERASED if flow_id is None else _PAID if is_paid else _OPTED_OUT
