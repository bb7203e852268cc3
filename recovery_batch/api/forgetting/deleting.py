"""Rows taken out of every table, and users of the ledger hashed: what an erasure and a purge have in common."""

from __future__ import annotations

from datetime import datetime

import polars as pl

from recovery_batch.ingest.kinds import ABANDONED, DECLINED
from recovery_batch.keys import Hasher, flows_hashed, phones_hashed, users_hashed
from recovery_batch.outreach.flows import read_number
from recovery_batch.store import Store


def delete_rows(store: Store, payments: pl.DataFrame, flows: pl.DataFrame, rejects: pl.DataFrame) -> None:
    """Take payments, flows and quarantined records out of every table, by their keys."""
    for kind, keys, changes in ((DECLINED, payments, "payment_changes"), (ABANDONED, flows, "flow_changes")):
        if keys.height:
            for name in kind.tables:
                store.append(f"load/delete_{name}", keys)
            store.append(f"forget/delete_{changes}", keys)
    if rejects.height:
        store.append("rejects/delete", rejects)


def hash_ledger(store: Store, hasher: Hasher, ledger: pl.DataFrame) -> None:
    """Put keyed hashes in the place of users.

    Args:
        store: The store, in a transaction.
        hasher: Its hasher.
        ledger: Rows of a query such as forget/ledger_of_users: organization_code, payment_id, user_id.
    """
    if ledger.height:
        users = ledger.select("organization_code", "user_id").unique()
        hashed = ledger.select("organization_code", "payment_id", "user_id").join(
            users_hashed(store, hasher, users), on=["organization_code", "user_id"]
        )
        for name in ("communications", "final_suppressions"):
            store.append(f"forget/hash_{name}", hashed)


def hash_flow_ledger(store: Store, hasher: Hasher, flows: pl.DataFrame, contacted: pl.DataFrame) -> None:
    """Put keyed hashes in the place of flows that are named by a hash of personal data, and beside contacted numbers.

    Args:
        store: The store, in a transaction.
        hasher: Its hasher.
        flows: Flows that may have such a name: flow_id.
        contacted: Rows of forget/contacted, of flows that are deleted: flow_id, phone_number.
    """
    read = {text: number.key for text in contacted["phone_number"].unique() if (number := read_number(text))}
    key = pl.col("phone_number").replace_strict(read, default=None, return_dtype=pl.String)
    phones = phones_hashed(store, hasher, contacted.select("flow_id", key=key).drop_nulls())
    hashed = flows_hashed(store, hasher, flows).join(
        phones.select("flow_id", "phone_hash"), on="flow_id", how="full", coalesce=True
    )
    if hashed.height:
        store.append("forget/hash_flow_communications", hashed)


def put_hashes(store: Store, hashes: pl.DataFrame, moment: datetime) -> None:
    """Put hashes (kind, hash) into `forgotten`; those that are there already count from now on."""
    store.append("forget/delete_forgotten", hashes)
    store.append("forget/append_forgotten", hashes, {"forgotten_at": moment})
