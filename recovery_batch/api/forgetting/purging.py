"""Old data taken out of the store: from every table, and from the bytes of the file. Retention, not erasure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from recovery_batch.api.forgetting.deleting import delete_rows, hash_flow_ledger, hash_ledger, put_hashes
from recovery_batch.clock import iso
from recovery_batch.keys import make_hasher
from recovery_batch.rewriting import rewritten
from recovery_batch.store import Store


@dataclass(frozen=True, slots=True)
class Purge:
    """What was purged.

    Attributes:
        is_dry_run: Whether it was only looked at.
        before: What is older was purged.
        counts: payments, flows, rejects (quarantined records): deleted; ledger: rows that keep a hash instead of the
            user; flow_ledger: flows of the ledger that keep a hash instead of what named them.
    """

    is_dry_run: bool
    before: datetime
    counts: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The purge in the shape of `purge --json`."""
        return {"dry_run": self.is_dry_run, "before": iso(self.before), **self.counts}


def purge(store: Store, before: datetime, moment: datetime, *, dry_run: bool = False) -> Purge:
    """Delete payments and flows that are older than a time, and what was quarantined before it.

    Ledger and final suppressions of that age stay, without the user. Runs, submissions and opt-outs stay.

    Args:
        store: The store, open for writing unless it is a dry run; afterwards it is not to be used any more.
        before: What was created, abandoned, or (of the quarantine) loaded before is deleted.
        moment: The time of the purge.
        dry_run: Whether to look only.

    Raises:
        SystemFailed: the key is not there or another store's, or the disk refuses; the store is as it was.
    """
    names = ("payments", "flows", "rejects", "ledger", "flow_ledger")
    payments, flows, rejects, ledger, flow_ledger = (store.frame(f"purge/{name}", {"before": before}) for name in names)
    counts = {
        "payments": payments.height,
        "flows": flows.height,
        "rejects": rejects.height,
        "ledger": int(ledger["records"].sum()),
        "flow_ledger": flow_ledger.height,
    }
    if not dry_run and any(counts.values()):
        contacted = store.lookup("forget/contacted", flows)
        hasher = make_hasher(store) if ledger.height or flow_ledger.height or contacted.height else None
        with rewritten(store) as copy:
            if hasher is not None:
                hash_ledger(copy, hasher, ledger)
                hash_flow_ledger(copy, hasher, flow_ledger, contacted)
                put_hashes(copy, hasher.check_rows(copy), moment)
            delete_rows(copy, payments, flows, rejects)
    return Purge(dry_run, before, counts)
