"""Rows taken out of every table, and users of the ledger hashed: what an erasure and a purge have in common."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from recovery_batch.ingest.kinds import ABANDONED, DECLINED
from recovery_batch.keys import Hasher, users_hashed
from recovery_batch.store import Store

UNLINKED = ("p:", "a:")
"""How flow_id begins where it is a hash of personal data, which anybody could work out again."""


def delete_rows(store: Store, payments: pl.DataFrame, flows: pl.DataFrame, rejects: pl.DataFrame) -> None:
    """Take payments, flows and quarantined records out of every table, by their keys."""
    for kind, keys, changes in ((DECLINED, payments, "payment_changes"), (ABANDONED, flows, "flow_changes")):
        if keys.height:
            for name in kind.tables:
                store.append(f"load/delete_{name}", keys)
            store.append(f"forget/delete_{changes}", keys)
    if rejects.height:
        store.append("rejects/delete", rejects)


def hash_ledger(store: Store, hasher: Hasher, ledger: pl.DataFrame, flows: pl.DataFrame) -> None:
    """Put keyed hashes in the place of users, and of flows that are named by a hash of personal data.

    Args:
        store: The store, in a transaction.
        hasher: Its hasher.
        ledger: Rows of a query such as forget/ledger_of_users: organization_code, payment_id, user_id.
        flows: Column flow_id.
    """
    if ledger.height:
        users = ledger.select("organization_code", "user_id").unique()
        hashed = ledger.select("organization_code", "payment_id", "user_id").join(
            users_hashed(store, hasher, users), on=["organization_code", "user_id"]
        )
        for name in ("communications", "final_suppressions"):
            store.append(f"forget/hash_{name}", hashed)
    linked = flows.filter(pl.col("flow_id").str.slice(0, 2).is_in(UNLINKED))
    if linked.height:
        values = linked.select("flow_id", kind=pl.lit("flow"), organization_code=pl.lit(""), value=pl.col("flow_id"))
        store.append("forget/hash_flow_communications", hasher.hashes(store, values).select("flow_id", "hash"))


def put_hashes(store: Store, hashes: pl.DataFrame, moment: datetime) -> None:
    """Put hashes (kind, hash) into `forgotten`; those that are there already count from now on."""
    store.append("forget/delete_forgotten", hashes)
    store.append("forget/append_forgotten", hashes, {"forgotten_at": moment})
