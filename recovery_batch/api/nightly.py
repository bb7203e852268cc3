"""The nightly run: outreach batches, a manifest and a report, in a folder that appears whole or not at all."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final

import polars as pl

from recovery_batch import __version__
from recovery_batch.api.backtesting import choose, figures_of
from recovery_batch.api.frames import (
    KEY,
    Period,
    fingerprint_data,
    fingerprint_rules,
    read_payments,
    with_paid_at,
    with_phone_check,
)
from recovery_batch.campaigns import Campaign, all_campaigns
from recovery_batch.clock import iso
from recovery_batch.errors import UsageError
from recovery_batch.evaluation import Evaluation, evaluate
from recovery_batch.outreach.batches import BatchFile, BatchLimits, cut_batches
from recovery_batch.outreach.folder import MANIFEST, read_manifest, write_folder
from recovery_batch.outreach.manifest import RunInputs, make_manifest
from recovery_batch.reporting.figures import Provenance
from recovery_batch.reporting.html import render
from recovery_batch.settings import Settings
from recovery_batch.simulation import SEND, Policy, simulate
from recovery_batch.store import Store

REPORT: Final = "report.html"
LEFT_OUT: Final = "left_out.csv"
_TICK: Final = timedelta(microseconds=1)
_YEARS: Final = range(1970, 9999)


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run.

    Attributes:
        db: The store.
        out: The folder that gets a folder for the run.
        as_of: The instant of the run: payments created later do not exist yet.
        settings: The installation's settings.
    """

    db: Path
    out: Path
    as_of: datetime
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that is on disk.

    Attributes:
        folder: Where it is.
        manifest: Its manifest.
        repeated: Whether it was there already.
    """

    folder: Path
    manifest: dict[str, Any]
    repeated: bool


def run(request: RunRequest) -> Run:
    """Make the outreach batches of the stored ACTIVE campaigns, as of an instant.

    Raises:
        UsageError: no run can be as of that instant.
        StoreMissing: there is no store.
        SystemFailed: the disk refuses; no folder is left.
    """
    if request.as_of.year not in _YEARS:
        raise UsageError(f"as-of is {iso(request.as_of)}; allowed: the years {_YEARS[0]} to {_YEARS[-1]}")
    policy = Policy(
        as_of=request.as_of,
        too_old_after=timedelta(hours=request.settings.run.too_old_hours),
        exclude_paid=True,
    )
    period = Period(until=request.as_of + _TICK)
    with Store.open(request.db) as store:
        campaigns = choose(all_campaigns(store), ())
        inputs = RunInputs(
            as_of=request.as_of,
            rules_sha256=fingerprint_rules(campaigns),
            data_sha256=fingerprint_data(store, period),
            settings={**policy.as_settings(), **_in_words(request.settings)},
            tool_version=__version__,
        )
        folder = request.out / inputs.run_id
        known = read_manifest(folder)
        if known is not None:
            return Run(folder, known, repeated=True)
        payments, evaluation, decisions = _decide(store, campaigns, period, policy, request.settings)
        batches = _batches(store, decisions, request.settings)
        figures = figures_of(store, campaigns, payments, decisions, evaluation.funnels, _origin(inputs))
        others = {REPORT: render(figures).encode(), LEFT_OUT: _left_out(store, decisions)}
    warnings = [f"{each.name}: {warning}" for each in figures.campaigns for warning in each.warnings]
    manifest = make_manifest(inputs, campaigns, decisions, batches, others, warnings)
    files = {batch.path: batch.content for batch in batches} | others
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    made = write_folder(folder, files | {MANIFEST: text.encode()})
    return Run(folder, manifest, repeated=not made)


def _in_words(settings: Settings) -> dict[str, str]:
    return {
        "file-records": str(settings.run.file_records),
        "file-bytes": str(settings.run.file_bytes),
        "successful-statuses": ", ".join(settings.payments.successful_statuses),
    }


def _decide(
    store: Store, campaigns: Sequence[Campaign], period: Period, policy: Policy, settings: Settings
) -> tuple[pl.DataFrame, Evaluation, pl.DataFrame]:
    assert policy.as_of is not None
    assert policy.too_old_after is not None
    statuses = settings.payments.successful_statuses
    payments = with_paid_at(store, read_payments(store, campaigns, period), statuses, period.until)
    evaluation = evaluate(payments, campaigns, successful_statuses=statuses, with_funnels=True)
    oldest = policy.as_of - policy.too_old_after
    payments = with_phone_check(store, payments, evaluation.candidates, oldest)
    return payments, evaluation, simulate(payments, evaluation.candidates, campaigns, policy)


def _batches(store: Store, decisions: pl.DataFrame, settings: Settings) -> list[BatchFile]:
    keys = decisions.filter(pl.col("decision") == SEND).select(KEY).unique()
    return cut_batches(
        decisions,
        store.lookup("read/records", keys),
        store.lookup("read/transaction_times", keys),
        BatchLimits(settings.run.file_records, settings.run.file_bytes),
    )


def _left_out(store: Store, decisions: pl.DataFrame) -> bytes:
    """Every match that is not sent, with its reason, and the fields that a request would miss."""
    suppressed = decisions.filter(pl.col("decision") != SEND)
    unfit = store.lookup("read/unfit_fields", suppressed.select(KEY).unique())
    fields = pl.when(pl.col("reason") == "not_submittable").then(pl.col("unfit_fields")).alias("fields")
    rows = suppressed.join(unfit, on=KEY, how="left", maintain_order="left").select(
        "campaign_id", "campaign_name", *KEY, "order_id", "reason", fields
    )
    buffer = io.BytesIO()
    rows.write_csv(buffer)
    return buffer.getvalue()


def _origin(inputs: RunInputs) -> Provenance:
    return Provenance(
        title="Nightly run",
        period_from=None,
        period_to=None,
        as_of=inputs.as_of,
        rules_sha256=inputs.rules_sha256,
        data_sha256=inputs.data_sha256,
        tool_version=inputs.tool_version,
        run_id=inputs.run_id,
        settings=inputs.settings,
    )
