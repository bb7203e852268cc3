"""The nightly run: outreach batches, a manifest and a report, in a folder that appears whole or not at all.

Nobody is contacted twice: what a run emits and what it leaves out for good stand in the store's ledger, which changes
together with the folder (`outreach.ledger`).
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

import polars as pl

from recovery_batch import __version__
from recovery_batch.api.backtesting import choose, figures_of
from recovery_batch.api.events import Log, silent
from recovery_batch.api.frames import (
    KEY,
    Period,
    fingerprint_all_data,
    fingerprint_rules,
    read_payments,
    with_paid_at,
    with_phone_check,
)
from recovery_batch.api.leaving_out import opted_out_phones
from recovery_batch.api.left_out import left_out_files
from recovery_batch.api.targets import history_for, unsettled
from recovery_batch.campaigns import Campaign, all_campaigns
from recovery_batch.clock import iso
from recovery_batch.errors import StaleLoad, TooManyContacts, UsageError
from recovery_batch.evaluation import Funnel, evaluate
from recovery_batch.outreach.batches import BatchFile, BatchLimits, cut_batches
from recovery_batch.outreach.flows import decide_flows, flow_batches
from recovery_batch.outreach.folder import MANIFEST
from recovery_batch.outreach.ledger import (
    NewRun,
    OpenLedger,
    finish_runs,
    ledger_fingerprint,
    open_ledger,
    record,
    recorded_run,
    runs_before,
    unknown_runs,
)
from recovery_batch.outreach.manifest import RunInputs, RunOutcome, make_manifest
from recovery_batch.reporting.figures import Provenance, add_night
from recovery_batch.reporting.formats import count, plural
from recovery_batch.reporting.html import render
from recovery_batch.reporting.unusual import RUNS, compare
from recovery_batch.settings import Settings
from recovery_batch.simulation import SEND, Policy, simulate
from recovery_batch.store import Store

REPORT: Final = "report.html"
_TICK: Final = timedelta(microseconds=1)
_YEARS: Final = range(1970, 9999)
_BLIND: Final = (
    "The store holds no successful payment: already_paid is blind. Load exports that hold approved payments too."
)
_NO_CAMPAIGN: Final = "No campaign is ACTIVE: import some with recovery-batch campaigns import FILE."


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to run.

    Attributes:
        db: The store.
        out: The folder that gets a folder for the run.
        as_of: The instant of the run: payments created later do not exist yet.
        settings: The installation's settings.
        one_per_order: Whether several failed attempts at one order are one contact.
        max_contacts: Emit nothing rather than more than this; None: no limit.
        log: Told of what happens.
    """

    db: Path
    out: Path
    as_of: datetime
    settings: Settings = field(default_factory=Settings)
    one_per_order: bool = False
    max_contacts: int | None = None
    log: Log = silent

    @property
    def policy(self) -> Policy:
        """What a nightly run assumes."""
        return Policy(
            as_of=self.as_of,
            too_old_after=timedelta(hours=self.settings.run.too_old_hours),
            exclude_paid=True,
            one_per_order=self.one_per_order,
        )

    @property
    def period(self) -> Period:
        """The payments that exist at the instant of the run."""
        return Period(until=self.as_of + _TICK)


@dataclass(frozen=True, slots=True)
class Run:
    """A run that has happened.

    Attributes:
        folder: Where it is.
        manifest: Its manifest.
        repeated: Whether it had happened before.
        finished: Folders of earlier runs, killed before their end, that were moved to their places.
        strangers: Ids of runs beside it that the ledger does not know, as of a store that was restored from a copy.
    """

    folder: Path
    manifest: dict[str, Any]
    repeated: bool
    finished: tuple[Path, ...] = ()
    strangers: tuple[str, ...] = ()

    @property
    def is_missing(self) -> bool:
        """Whether its folder is no longer where it was written."""
        return not self.folder.exists()


def run(request: RunRequest) -> Run:
    """Make the outreach batches of the stored ACTIVE campaigns, as of an instant.

    Raises:
        UsageError: no run can be as of that instant.
        StoreMissing: there is no store.
        Locked: another run is at work on this store.
        StaleLoad: the newest export was loaded too long before the instant.
        TooManyContacts: more would be emitted than `max_contacts`.
        SystemFailed: the disk refuses. The run has happened whole, or not at all; running it again completes it.
    """
    if request.as_of.year not in _YEARS:
        raise UsageError(f"as-of is {iso(request.as_of)}; allowed: the years {_YEARS[0]} to {_YEARS[-1]}")
    request.log("run_started", as_of=iso(request.as_of))
    with open_ledger(request.db, "a run") as ledger:
        store = ledger.store
        finished = tuple(finish_runs(ledger))
        campaigns = choose(all_campaigns(store), ())
        inputs = _inputs(store, campaigns, request)
        known = recorded_run(store, inputs.inputs_sha256)
        if known is not None:
            return Run(known.folder, known.manifest, repeated=True, finished=finished)
        _check_freshness(store, request)
        strangers = tuple(unknown_runs(store, request.out.resolve()))
        if strangers:
            request.log("unknown_runs", "warning", rows=len(strangers))
        return replace(_run(ledger, campaigns, inputs, request), finished=finished, strangers=strangers)


def _inputs(store: Store, campaigns: Sequence[Campaign], request: RunRequest) -> RunInputs:
    settings = request.settings
    return RunInputs(
        as_of=request.as_of,
        rules_sha256=fingerprint_rules(campaigns),
        data_sha256=fingerprint_all_data(store, request.period),
        ledger_sha256=ledger_fingerprint(store),
        settings={
            **request.policy.as_settings(),
            "file-records": str(settings.run.file_records),
            "file-bytes": str(settings.run.file_bytes),
            **{f"flows-{name.replace('_', '-')}": str(value) for name, value in settings.flows.model_dump().items()},
            "successful-statuses": ", ".join(settings.payments.successful_statuses),
        },
        tool_version=__version__,
    )


def _check_freshness(store: Store, request: RunRequest) -> None:
    newest = store.frame("runs/newest_load").item()
    hours = request.settings.run.newest_load_hours
    if newest is not None and request.as_of - newest <= timedelta(hours=hours):
        return
    found = "nothing was ever loaded" if newest is None else f"the newest export was loaded at {iso(newest)}"
    raise StaleLoad(
        f"{found}; allowed: at most {hours} hours before the run, which is as of {iso(request.as_of)}",
        hint="Load today's export first: recovery-batch load FILE. run.newest_load_hours in the settings says how old.",
    )


def _run(ledger: OpenLedger, campaigns: Sequence[Campaign], inputs: RunInputs, request: RunRequest) -> Run:
    store = ledger.store
    decided = _decide(store, campaigns, request)
    request.log("run_decided", run_id=inputs.run_id, matched=decided.outcome.matched, sent=decided.outcome.sent)
    _check_contacts(campaigns, decided.outcome, request.max_contacts)
    manifest, files = _written(store, campaigns, inputs, request, decided)
    new = NewRun(
        run_id=inputs.run_id,
        inputs_sha256=inputs.inputs_sha256,
        as_of=inputs.as_of,
        folder=request.out.resolve() / inputs.run_id,
        manifest=manifest,
        decisions=decided.outcome.decisions,
        batches=decided.outcome.batches,
        flows=decided.emitted_flows,
    )
    record(ledger, new, files, datetime.now(UTC).replace(microsecond=0))
    request.log("run_recorded", run_id=inputs.run_id, files=len(files))
    return Run(new.folder, manifest, repeated=False)


@dataclass(frozen=True, slots=True)
class _Decided:
    """What was decided: the payments looked at, how campaigns narrowed them down, what came out, flows that go out."""

    payments: pl.DataFrame
    funnels: Sequence[Funnel]
    outcome: RunOutcome
    emitted_flows: pl.DataFrame


def _decide(store: Store, campaigns: Sequence[Campaign], request: RunRequest) -> _Decided:
    policy, settings = request.policy, request.settings
    assert policy.too_old_after is not None
    statuses = settings.payments.successful_statuses
    payments = with_paid_at(store, read_payments(store, campaigns, request.period), statuses, request.period.until)
    evaluation = evaluate(payments, campaigns, successful_statuses=statuses, with_funnels=True)
    targets = unsettled(store, payments, evaluation, campaigns)
    payments = with_phone_check(store, payments, targets.candidates, request.as_of - policy.too_old_after)
    history = history_for(store, payments, targets.candidates)
    decisions = simulate(payments, targets.candidates, campaigns, policy, history)
    flows = decide_flows(store, request.as_of, settings, partial(opted_out_phones, store))
    carts = flow_batches(store, flows, settings)
    outcome = RunOutcome(
        decisions=decisions,
        flows=flows,
        batches=[*_batches(store, decisions, settings), *carts.files],
        settled=targets.settled,
        emails_left_out=carts.emails_left_out,
    )
    return _Decided(payments, targets.funnels, outcome, carts.emitted)


def _written(
    store: Store, campaigns: Sequence[Campaign], inputs: RunInputs, request: RunRequest, decided: _Decided
) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The manifest, and the files of the folder by path, the manifest last."""
    outcome = decided.outcome
    figures = figures_of(store, campaigns, decided.payments, outcome.decisions, decided.funnels, _origin(inputs))
    warnings = [f"{each.name}: {warning}" for each in figures.campaigns for warning in each.warnings]
    if not decided.payments["status"].is_in(request.settings.payments.successful_statuses).any():
        warnings.insert(0, _BLIND)
    if not campaigns:
        warnings.insert(0, _NO_CAMPAIGN)
    unlisted = make_manifest(inputs, campaigns, outcome, {}, warnings)
    compared = compare(unlisted, runs_before(store, inputs.as_of, RUNS))
    others = {
        REPORT: render(add_night(figures, unlisted, compared)).encode(),
        **left_out_files(store, outcome.decisions, outcome.flows),
    }
    if compared.unusual:
        request.log("run_unusual", "warning", run_id=inputs.run_id, unusual=len(compared.unusual))
        figures_of_it = plural(len(compared.unusual), "unusual figure")
        warnings.append(f"{figures_of_it} against the last {compared.runs} runs; the report says which.")
    manifest = make_manifest(inputs, campaigns, outcome, others, warnings)
    text = json.dumps(manifest, ensure_ascii=False, indent=2) + "\n"
    return manifest, {batch.path: batch.content for batch in outcome.batches} | others | {MANIFEST: text.encode()}


def _check_contacts(campaigns: Sequence[Campaign], outcome: RunOutcome, most: int | None) -> None:
    if most is None or outcome.sent <= most:
        return
    sent = outcome.decisions.filter(pl.col("decision") == SEND)["campaign_no"].value_counts(sort=True)
    counts = {campaigns[number].name: records for number, records in sent.iter_rows()}
    counts["abandoned flows"] = outcome.sent - sum(counts.values())
    of_what = ", ".join(f"{name} {count(records)}" for name, records in counts.items() if records)
    raise TooManyContacts(
        f"this run would contact {plural(outcome.sent, 'customer')} ({of_what}); --max-contacts allows {count(most)}",
        hint="Nothing was emitted. Pause what is wrong (campaigns status ID PAUSED), or raise --max-contacts.",
    )


def _batches(store: Store, decisions: pl.DataFrame, settings: Settings) -> list[BatchFile]:
    keys = decisions.filter(pl.col("decision") == SEND).select(KEY).unique()
    return cut_batches(
        decisions,
        store.lookup("read/records", keys),
        store.lookup("read/transaction_times", keys),
        BatchLimits(settings.run.file_records, settings.run.file_bytes),
    )


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
