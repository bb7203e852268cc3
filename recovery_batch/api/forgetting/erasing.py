"""A person taken out of the store: from every table, from the bytes of the file, and from every later load."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl

from recovery_batch.api.forgetting.deleting import delete_rows, hash_flow_ledger, hash_ledger, put_hashes
from recovery_batch.api.forgetting.persons import Asked, Person, find_person
from recovery_batch.keys import HASHED, LEFT_ALONE, key_path, make_hasher
from recovery_batch.rewriting import rewritten
from recovery_batch.store import Store


@dataclass(frozen=True, slots=True)
class Erasure:
    """What was erased of a person; nothing in it is personal.

    Attributes:
        is_dry_run: Whether it was only looked at.
        counts: payments, flows, rejects (quarantined records), opt_outs: erased; ledger: rows that keep a hash instead
            of the user.
        organizations: How many organizations' user ids were erased.
        batch_files: Batch files that went out with the person in them, whether they are still there or not.
        run_folders: Folders of all runs that may have ids of theirs in another file (what was left out, the report,
            refusals): those that had a payment or flow of theirs to decide about, whether they are still there or not.
        campaigns: Ids of campaigns of which a rule, of now or of before, names the person.
        key: The file of the key.
    """

    is_dry_run: bool
    counts: Mapping[str, int]
    organizations: int
    batch_files: tuple[Path, ...] = ()
    run_folders: tuple[Path, ...] = ()
    campaigns: tuple[str, ...] = ()
    key: Path = field(default_factory=Path)

    def as_json(self) -> dict[str, Any]:
        """The erasure in the shape of `forget --json`."""
        return {
            "dry_run": self.is_dry_run,
            **self.counts,
            "organizations": self.organizations,
            "batch_files": list(map(str, self.batch_files)),
            "run_folders": list(map(str, self.run_folders)),
            "campaigns": list(self.campaigns),
            "key_file": str(self.key),
        }


def forget(store: Store, asked: Asked, moment: datetime, *, dry_run: bool = False) -> Erasure:
    """Erase a person.

    Args:
        store: The store, open for writing unless it is a dry run; afterwards it is not to be used any more.
        asked: Who.
        moment: When: what the person does later may come in again.
        dry_run: Whether to look only.

    Raises:
        NotFound: nothing is known of them, and what is asked for does not say enough to know them later.
        Refused: it cannot be one person.
        SystemFailed: the key is not there or another store's, or the disk refuses; the store is as it was.
    """
    person = find_person(store, asked)
    ledger = pl.concat(
        [
            store.lookup("forget/ledger_of_payments", person.payments),
            store.lookup("forget/ledger_of_users", person.users),
        ]
    ).unique(["organization_code", "payment_id", "user_id"])
    erasure = Erasure(
        dry_run,
        {
            "payments": person.payments.height,
            "flows": person.flows.height,
            "rejects": person.rejects.height,
            "opt_outs": person.opt_outs.height,
            "ledger": int(ledger["records"].sum()),
        },
        person.users["organization_code"].n_unique(),
        _batch_files(store, person, ledger),
        _run_folders(store, person, ledger),
        tuple(store.frame("forget/rules_naming", {"texts": sorted(person.texts)})["campaign_id"]),
        key_path(store),
    )
    if not dry_run:
        _erase(store, person, ledger, moment)
    return erasure


def _erase(store: Store, person: Person, ledger: pl.DataFrame, moment: datetime) -> None:
    hasher = make_hasher(store)
    with rewritten(store) as copy:
        names = pl.DataFrame(sorted(person.names), schema=HASHED, orient="row")
        if person.opt_outs.height:  # their wish is kept, as a hash
            contact = names.filter(pl.col("kind").is_in(["phone", "user"]))
            names = pl.concat([names, contact.with_columns(kind=pl.lit(LEFT_ALONE) + pl.col("kind"))])
        put_hashes(
            copy, pl.concat([hasher.hashes(copy, names).select("kind", "hash"), hasher.check_rows(copy)]), moment
        )
        hash_ledger(copy, hasher, ledger)
        hash_flow_ledger(copy, hasher, person.flows, copy.lookup("forget/contacted", person.flows))
        delete_rows(copy, person.payments, person.flows, person.rejects)
        copy.append("forget/delete_opt_outs", person.opt_outs)


def _keys(person: Person, ledger: pl.DataFrame) -> pl.DataFrame:
    """The person's payments, those too of which only the ledger knows."""
    return pl.concat([person.payments, ledger.select("organization_code", "payment_id")]).unique()


def _run_folders(store: Store, person: Person, ledger: pl.DataFrame) -> tuple[Path, ...]:
    found = pl.concat(
        [
            store.lookup("forget/run_folders", _keys(person, ledger)),
            store.lookup("forget/run_folders_of_flows", person.flows),
        ]
    )
    return tuple(sorted({Path(folder) for folder in found["folder"]}))


def _batch_files(store: Store, person: Person, ledger: pl.DataFrame) -> tuple[Path, ...]:
    keys = _keys(person, ledger)
    found = pl.concat(
        [store.lookup("forget/batch_files", keys), store.lookup("forget/batch_files_of_flows", person.flows)]
    )
    return tuple(sorted({Path(folder) / path for folder, path in found.iter_rows()}))
