"""A backtest: what campaigns would have targeted, and what windows and limits would have let through."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import polars as pl

from recovery_batch import __version__
from recovery_batch.api.files import write_text, write_whole
from recovery_batch.api.frames import (
    Period,
    fingerprint_data,
    fingerprint_rules,
    masked_targets,
    read_payments,
    with_paid_at,
)
from recovery_batch.api.targets import history_for, with_flags
from recovery_batch.campaigns import Campaign, all_campaigns, read_campaigns
from recovery_batch.campaigns.validating import require_uuid
from recovery_batch.errors import NotFound
from recovery_batch.evaluation import Funnel, evaluate
from recovery_batch.reporting.figures import Provenance, ReportFigures, summarise
from recovery_batch.reporting.html import render
from recovery_batch.rules.fields import ACTIVE
from recovery_batch.settings import Settings
from recovery_batch.simulation import DECISION_COLUMNS, Policy, simulate
from recovery_batch.store import Store

_CSV_TIME = "%Y-%m-%dT%H:%M:%S%.6fZ"


@dataclass(frozen=True, slots=True)
class BacktestRequest:
    """What to backtest.

    Attributes:
        db: The store.
        campaign_files: Campaign files to evaluate instead of the stored campaigns.
        campaign_ids: Only these campaigns, whatever their status.
        period: Only payments created in it.
        outside_window: What happens to a match outside its daily window.
        already_paid: Whether orders that were paid before the planned time are left out.
        settings: The installation's settings.
        history: Whether limits count what nightly runs have emitted.
        campaigns: Campaigns to evaluate instead of those of the store or of files.
    """

    db: Path
    campaign_files: tuple[Path, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    period: Period = field(default_factory=Period)
    outside_window: Literal["defer", "drop"] = "defer"
    already_paid: Literal["ignore", "exclude"] = "ignore"
    settings: Settings = field(default_factory=Settings)
    history: Literal["none", "ledger"] = "none"
    campaigns: tuple[Campaign, ...] | None = None


@dataclass(frozen=True, slots=True)
class Backtest:
    """What came out of a backtest.

    Attributes:
        campaigns: Those that were evaluated; `campaign_no` in the frames is a place in it.
        payments: One row a payment that was looked at (`schema.EVALUATION`).
        decisions: One row a match, as `simulate` gives them.
        figures: Everything counted and added up.
        not_evaluated: Names of campaigns that are not ACTIVE and were left out.
    """

    campaigns: tuple[Campaign, ...]
    payments: pl.DataFrame
    decisions: pl.DataFrame
    figures: ReportFigures
    not_evaluated: tuple[str, ...]

    def write_report(self, path: Path) -> None:
        """Write the report as one HTML file."""
        write_text(path, render(self.figures))

    def write_decisions(self, path: Path) -> None:
        """Write one row a match, as Parquet where the name says so, else as CSV (DESIGN 4); it names users, so 0600."""
        rows = self.decisions.select(DECISION_COLUMNS)
        if path.suffix.lower() == ".parquet":
            write_whole(path, rows.write_parquet, private=True)
        else:
            write_whole(path, lambda file: rows.write_csv(file, datetime_format=_CSV_TIME), private=True)


def backtest(request: BacktestRequest) -> Backtest:
    """Evaluate campaigns on the payments of a store, and simulate their windows and limits. Writes nothing.

    Raises:
        ProblemsFound: a campaign file is not in order, or an id is no UUID.
        NotFound: there is no campaign of an id, or no store.
    """
    given = read_campaigns(request.campaign_files) if request.campaign_files else request.campaigns
    with Store.open(request.db) as store:
        known = all_campaigns(store) if given is None else given
        campaigns = choose(known, request.campaign_ids)
        payments = read_payments(store, campaigns, request.period).drop("not_submittable")
        statuses = request.settings.payments.successful_statuses
        evaluation = evaluate(payments, campaigns, successful_statuses=statuses, with_funnels=True)
        policy = Policy(request.outside_window, exclude_paid=request.already_paid == "exclude")
        if policy.exclude_paid:
            payments = with_paid_at(store, payments, statuses, None)
        candidates = with_flags(store, payments, evaluation.candidates, campaigns)
        history = history_for(store, payments, candidates) if request.history == "ledger" else None
        decisions = simulate(payments, candidates, campaigns, policy, history)
        figures = figures_of(
            store, campaigns, payments, decisions, evaluation.funnels, provenance(store, request, campaigns, policy)
        )
    chosen = {campaign.identity for campaign in campaigns}
    left_out = () if request.campaign_ids else tuple(each.name for each in known if each.identity not in chosen)
    return Backtest(campaigns, payments, decisions, figures, left_out)


def figures_of(
    store: Store,
    campaigns: Sequence[Campaign],
    payments: pl.DataFrame,
    decisions: pl.DataFrame,
    funnels: Sequence[Funnel],
    origin: Provenance,
) -> ReportFigures:
    """Everything that a report shows."""
    targets = masked_targets(store, decisions, payments, len(campaigns), in_run=origin.run_id is not None)
    return summarise(campaigns, payments, decisions, funnels, targets, origin)


def provenance(store: Store, request: BacktestRequest, campaigns: Sequence[Campaign], policy: Policy) -> Provenance:
    """Enough to make the figures of a backtest again."""
    return Provenance(
        title="Backtest of recovery campaigns",
        period_from=request.period.since,
        period_to=request.period.until,
        as_of=None,
        rules_sha256=fingerprint_rules(campaigns),
        data_sha256=fingerprint_data(store, request.period),
        tool_version=__version__,
        run_id=None,
        settings={
            **policy.as_settings(),
            "history": request.history,
            "successful-statuses": ", ".join(request.settings.payments.successful_statuses),
        },
    )


def choose(known: Sequence[Campaign], wanted: Sequence[str]) -> tuple[Campaign, ...]:
    """The campaigns that are named, whatever their status; without names, those that are ACTIVE.

    Raises:
        NotFound: a named one is not there.
    """
    if not wanted:
        return tuple(campaign for campaign in known if campaign.status == ACTIVE)
    by_id = {campaign.identity.lower(): campaign for campaign in known}
    ids = list(dict.fromkeys(require_uuid(each, "campaign") for each in wanted))
    missing = [each for each in ids if each not in by_id]
    if missing:
        raise NotFound(
            f"no campaign {', '.join(missing)}",
            hint="recovery-batch campaigns list shows those that are stored.",
            details={"campaign_ids": missing},
        )
    return tuple(by_id[each] for each in ids)
