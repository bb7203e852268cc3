"""The ledger: what runs have emitted and left out for good; never a campaign and a payment twice (SPEC 4 and 5).

A run happens in three steps: its folder is written, complete and safe, beside its place; one transaction records the
run with all that it emits; the folder is moved to its place. The transaction is the moment at which the run happens:
killed before it, nothing has happened but a folder that the next run removes; killed after it, the next run moves it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import polars as pl

from recovery_batch.errors import NotFound, Refused, StoreForeign
from recovery_batch.locks import Holding, beside, beside_submissions, exclusive
from recovery_batch.outreach.batches import BatchFile
from recovery_batch.outreach.folder import (
    discard,
    discard_left_over,
    publish,
    remove_left_overs,
    run_folders,
    stage_folder,
    staging_place,
)
from recovery_batch.reporting.formats import plural
from recovery_batch.schema import COMMUNICATIONS, FINAL_SUPPRESSIONS, FLOW_COMMUNICATIONS, Column, frame_schema
from recovery_batch.simulation import FINAL_REASONS, SEND
from recovery_batch.store import Store, require

_PAIR: Final = ("campaign_id", "organization_code", "payment_id")
_ORDER: Final = ("campaign_id", "organization_code", "order_id")
_TOUCHED: Final = (*_PAIR, "order_id", "user_id", "channel", "planned_at")


@dataclass(frozen=True, slots=True)
class RecordedRun:
    """A run that happened: its id, its folder, its manifest."""

    run_id: str
    folder: Path
    manifest: dict[str, Any]


@dataclass(frozen=True, slots=True)
class NewRun:
    """A run that is about to happen.

    Attributes:
        run_id: Its id.
        inputs_sha256: What a repeated run is known by.
        as_of: Its instant.
        folder: Where its folder will be.
        manifest: Its manifest.
        decisions: As `simulate` gives them.
        batches: Its files.
        flows: One row an abandoned flow that it emits: the columns of flow_communications but run_id.
    """

    run_id: str
    inputs_sha256: str
    as_of: datetime
    folder: Path
    manifest: Mapping[str, Any]
    decisions: pl.DataFrame
    batches: Sequence[BatchFile]
    flows: pl.DataFrame


@dataclass(frozen=True, slots=True)
class OpenLedger:
    """A store whose ledger nobody else changes meanwhile, and the lock that sees to it."""

    store: Store
    lock: Holding


@contextmanager
def open_ledger(db: Path, work: str) -> Iterator[OpenLedger]:
    """Open a store to change its ledger, which one process may do at a time.

    Args:
        db: The store.
        work: What is done, in a word or two: what others are told meanwhile.

    Raises:
        Locked: another process changes the ledger; says which.
        StoreLocked: another process holds the store.
        StoreMissing: there is none.
        StoreForeign: the file is another program's; nothing is left beside it.
    """
    require(db)
    lock = beside(db)
    was_there = lock.exists()
    try:
        with exclusive(lock, work) as holding, Store.open(db, write=True, make=False) as store:
            yield OpenLedger(store, holding)
    except StoreForeign:
        if not was_there:
            lock.unlink(missing_ok=True)
        raise


def settled(store: Store, asked: pl.DataFrame) -> pl.DataFrame:
    """Which campaigns and payments have been decided for good: emitted, or suppressed for a final reason.

    Args:
        store: Where the ledger is.
        asked: One row a campaign and payment: campaign_id, organization_code, payment_id.

    Returns:
        Those rows of it.
    """
    return store.lookup("ledger/settled", asked.select(_PAIR))


def history_of(store: Store, users: pl.DataFrame) -> pl.DataFrame:
    """What some users were sent before, with the columns of `simulation.HISTORY`.

    Args:
        store: Where the ledger is.
        users: One row a user: organization_code, user_id, and user_hash (null where nobody was forgotten).
    """
    return store.lookup("ledger/history", users)


def contacted_orders(store: Store, asked: pl.DataFrame) -> pl.DataFrame:
    """About which orders campaigns have contacted somebody; asked has campaign_id, organization_code and order_id."""
    return store.lookup("ledger/contacted_orders", asked.select(_ORDER).drop_nulls().unique())


def recorded_run(store: Store, inputs_sha256: str) -> RecordedRun | None:
    """The run that was made from the same inputs; None: there is none."""
    for run_id, folder, manifest in store.frame("runs/recorded", {"inputs_sha256": inputs_sha256}).iter_rows():
        return RecordedRun(run_id, Path(folder), json.loads(manifest))
    return None


def runs_before(store: Store, as_of: datetime, most: int) -> list[dict[str, Any]]:
    """The manifests of the last runs before an instant, oldest first."""
    rows = store.frame("runs/before", {"as_of": as_of, "most": most})
    return [json.loads(manifest) for manifest in reversed(rows["manifest"].to_list())]


def ledger_fingerprint(store: Store) -> str:
    """SHA-256 of what happened before: the recorded runs, from which the ledger follows, and the suppression list."""
    return str(store.frame("runs/fingerprint").item())


def record(ledger: OpenLedger, run: NewRun, files: Mapping[str, bytes], now: datetime) -> None:
    """Make a run happen: write its folder, record it with all that it emits, move the folder to its place.

    Raises:
        SystemFailed: the disk refuses; the run has not happened, or waits for the next one to move its folder.
    """
    store = ledger.store
    remove_left_overs(run.folder.parent, store.path)
    staged = staging_place(run.folder, store.path)
    ledger.lock.note(staged=str(staged))
    stage_folder(run.folder, files, store.path)
    is_written = False
    try:
        with store.transaction():
            _write(store, run, staged, now)
            is_written = True
    except BaseException:
        # a commit that fails may have happened all the same: then the next run finds out, and completes it or cleans up
        if not is_written:
            discard(staged)
        raise
    publish(staged, run.folder)
    store.run("runs/publish", {"run_id": run.run_id})


def finish_runs(ledger: OpenLedger) -> list[Path]:
    """Complete what a killed process left of runs: folders of those that have happened are moved to their places.

    Returns:
        The folders that were moved.

    Raises:
        SystemFailed: one of them is neither in its place nor beside it, and nothing of it was submitted.
    """
    store = ledger.store
    moved = []
    for run_id, folder, staged, was_submitted in store.frame("runs/unpublished").iter_rows():
        is_gone = not Path(staged).exists() and not Path(folder).exists()
        if not (is_gone and was_submitted) and publish(Path(staged), Path(folder)):  # it was there, and is archived
            moved.append(Path(folder))
        store.run("runs/publish", {"run_id": run_id})
    discard_left_over(str(ledger.lock.left.get("staged", "")))  # what has happened is in its place by now
    return moved


def unknown_runs(store: Store, parent: Path) -> list[str]:
    """The ids of runs whose folders stand in a folder, and which the ledger does not know."""
    found = run_folders(parent)
    known = store.frame("runs/known", {"run_ids": found})["run_id"]
    return sorted(set(found) - set(known))


def withdraw(ledger: OpenLedger, run_id: str, now: datetime) -> Path:
    """Take a run back of which nothing was submitted: its folder is removed, and its payments can be emitted again.

    Copies of its folder cannot be submitted any more.

    Returns:
        Where its folder was.

    Raises:
        NotFound: no such run has happened.
        Refused: something of it was submitted, or may have been.
        Locked: somebody submits.
    """
    with exclusive(beside_submissions(ledger.store.path), "a withdrawal"):
        return _withdraw(ledger.store, run_id, now)


def _withdraw(store: Store, run_id: str, now: datetime) -> Path:
    known = store.frame("runs/one", {"run_id": run_id})
    if known.is_empty():
        raise NotFound(f"no run {run_id}", hint="recovery-batch outreach list shows those that happened.")
    submitted = store.frame("runs/submitted", {"run_id": run_id}).item()
    if submitted:
        raise Refused(
            f"run {run_id}: {plural(submitted, 'request')} sent, or perhaps sent; allowed: none",
            hint="What was submitted cannot be taken back; recovery-batch submissions list shows it.",
        )
    folder, staged = known.row(0)
    for left in (folder, staged):
        if left is not None:
            discard(Path(left))
    with store.transaction():
        for table in ("communications", "final_suppressions", "flow_communications", "submissions", "runs"):
            store.run(f"runs/withdraw_{table}", {"run_id": run_id})
        store.run("runs/mark_withdrawn", {"run_id": run_id, "changed_at": now})
    return Path(folder)


def _write(store: Store, run: NewRun, staged: Path, now: datetime) -> None:
    store.run("runs/withdraw_submissions", {"run_id": run.run_id})  # that it was taken back once counts no more
    store.run(
        "runs/insert",
        {
            "run_id": run.run_id,
            "inputs_sha256": run.inputs_sha256,
            "as_of": run.as_of,
            "recorded_at": now,
            "folder": str(run.folder),
            "staged": str(staged),
            "manifest": json.dumps(run.manifest, ensure_ascii=False),
        },
    )
    final = run.decisions.filter(pl.col("reason").is_in(FINAL_REASONS)).select(*_TOUCHED, "reason")
    for table, columns, rows in (
        ("communications", COMMUNICATIONS, _sent(run.decisions, run.batches)),
        ("final_suppressions", FINAL_SUPPRESSIONS, final),
        ("flow_communications", FLOW_COMMUNICATIONS, run.flows),
    ):
        store.append(f"ledger/append_{table}", _in_columns(rows, columns), {"run_id": run.run_id})


def _sent(decisions: pl.DataFrame, batches: Sequence[BatchFile]) -> pl.DataFrame:
    """What is emitted, each with the file that it stands in."""
    declined = [batch for batch in batches if batch.payment_ids]
    places = pl.DataFrame(
        {
            "campaign_id": [batch.campaign_id for batch in declined],
            "organization_code": [batch.organization_code for batch in declined],
            "payment_id": [list(batch.payment_ids) for batch in declined],
            "path": [batch.path for batch in declined],
        },
        schema={**dict.fromkeys(_PAIR, pl.String), "payment_id": pl.List(pl.String), "path": pl.String},
    ).explode("payment_id")
    sent = decisions.filter(pl.col("decision") == SEND).select(_TOUCHED)
    placed = sent.join(places, on=_PAIR, how="inner", validate="1:1")
    if placed.height != sent.height or placed.height != places.height:
        raise AssertionError("the files do not hold exactly what is sent")
    return placed


def _in_columns(rows: pl.DataFrame, columns: Sequence[Column]) -> pl.DataFrame:
    """Rows with every column of a table but run_id, which they have in common; what is missing is null."""
    schema = frame_schema(tuple(column for column in columns if column.name != "run_id"))
    missing = [pl.lit(None, dtype=dtype).alias(name) for name, dtype in schema.items() if name not in rows.columns]
    return rows.with_columns(missing).select(schema.names())
