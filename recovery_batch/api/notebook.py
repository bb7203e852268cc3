"""A store as an analyst in a notebook uses it: everything that the command line does, and the frames in between."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import polars as pl

from recovery_batch.api.backtesting import Backtest, BacktestRequest, backtest
from recovery_batch.api.checking import Lint, LintRequest, lint
from recovery_batch.api.explaining import ExplainRequest, Explanation, explain
from recovery_batch.api.frames import Period, read_payments
from recovery_batch.campaigns import (
    Campaign,
    ImportedCampaign,
    Version,
    all_campaigns,
    campaign_at,
    campaign_history,
    create_campaign,
    create_rules,
    get_campaign,
    get_rule,
    import_campaigns,
    list_campaigns,
    read_campaigns,
    update_campaign_status,
    update_rule,
    update_rule_status,
)
from recovery_batch.campaigns.validating import merged_rule
from recovery_batch.errors import NotFound, Problem, ProblemsFound
from recovery_batch.ingest import FileReport, LoadOptions, load_files
from recovery_batch.rules import Rule
from recovery_batch.settings import Settings, read_settings
from recovery_batch.store import Store


class Workspace:
    """A store and its settings. The file is open only while a method runs.

    >>> workspace = Workspace("recovery.duckdb")
    >>> workspace.load("exports/september.ndjson")
    >>> result = workspace.backtest(read_campaigns([Path("campaigns.yaml")]))
    >>> result.decisions.group_by("campaign_name", "decision").len()
    """

    def __init__(self, db: str | Path, *, settings: Settings | None = None, config: str | Path | None = None) -> None:
        """Name the store; `config` is a settings file, instead of settings.

        Raises:
            SettingsInvalid: the settings file is not in order.
        """
        self.db = Path(db)
        self.settings = settings or read_settings(None if config is None else Path(config))

    def load(self, *files: str | Path, **options: Any) -> list[FileReport]:
        """Load exports, each in a transaction of its own; a file that fails has a report that says why.

        Args:
            files: The exports.
            options: Those of `LoadOptions`, such as timezone="America/Bogota", strict=True or mappings=(…,).

        Raises:
            UsageError: there is no such time zone.
        """
        given = {"loaded_at": datetime.now(UTC), "sources": self.settings.sources, **options}
        given.setdefault("unpacked_bytes", self.settings.load.unpacked_bytes)
        with Store.open(self.db, write=True) as store:
            return list(load_files(store, [Path(file) for file in files], LoadOptions(**given)))

    def payments(
        self,
        campaigns: Sequence[Campaign] = (),
        *,
        since: datetime | None = None,
        until: datetime | None = None,
    ) -> pl.DataFrame:
        """The payments as campaigns see them, one row a payment, created from `since` on and before `until`.

        Columns are those of `schema.EVALUATION`; a key of the metadata that a rule of `campaigns` reads is a column
        `metadata.KEY`, null where the payment lacks it.

        Raises:
            StoreMissing: there is no store.
        """
        with Store.open(self.db) as store:
            return read_payments(store, campaigns, Period(since, until))

    def query(self, name: str, **parameters: Any) -> pl.DataFrame:
        """The rows of a statement of `queries/`, such as `read/payment_changes`, by its name.

        Raises:
            StoreMissing: there is no store.
        """
        with Store.open(self.db) as store:
            return store.frame(name, parameters)

    def campaigns(self) -> tuple[Campaign, ...]:
        """The stored campaigns with their rules, oldest first.

        Raises:
            StoreMissing: there is no store.
        """
        with Store.open(self.db) as store:
            return all_campaigns(store)

    def backtest(self, campaigns: Iterable[Campaign] | None = None, **options: Any) -> Backtest:
        """What campaigns would have targeted, and what windows and limits would have let through. Writes nothing.

        Args:
            campaigns: Those to evaluate; the stored ones that are ACTIVE without them.
            options: Those of `BacktestRequest`, such as period=Period(since, until) or outside_window="drop".
        """
        given = None if campaigns is None else tuple(campaigns)
        return backtest(BacktestRequest(self.db, settings=self.settings, campaigns=given, **options))

    def explain(self, payment_id: str, **options: Any) -> tuple[Explanation, ...]:
        """Why a payment was targeted or left out; the options are those of `ExplainRequest`.

        Raises:
            NotFound: no payment has this id.
        """
        return explain(ExplainRequest(self.db, payment_id, settings=self.settings, **options))

    def lint(self, campaigns: Iterable[Campaign] | None = None) -> Lint:
        """What is wrong, or odd, about campaigns; about the stored ones without them."""
        given = None if campaigns is None else tuple(campaigns)
        return lint(LintRequest(self.db, settings=self.settings, campaigns=given))

    def import_campaigns(self, *files: str | Path, dry_run: bool = False) -> list[ImportedCampaign]:
        """Store the campaigns of files: all of them, or none.

        Raises:
            ProblemsFound: with every problem of every file.
        """
        campaigns = read_campaigns([Path(file) for file in files])
        with Store.open(self.db, write=True) as store:
            return import_campaigns(store, campaigns, datetime.now(UTC), dry_run=dry_run)

    def create_campaign(self, body: Any) -> Campaign:
        """Store a new campaign; see `campaigns.create_campaign`."""
        with Store.open(self.db, write=True) as store:
            return create_campaign(store, body, datetime.now(UTC))

    def get_campaign(self, campaign_id: str) -> Campaign:
        """One stored campaign; see `campaigns.get_campaign`."""
        with Store.open(self.db) as store:
            return get_campaign(store, campaign_id)

    def campaign_at(self, campaign_id: str, at: datetime) -> Campaign:
        """A campaign as it was at a time; see `campaigns.campaign_at`."""
        with Store.open(self.db) as store:
            return campaign_at(store, campaign_id, at)

    def campaign_history(self, campaign_id: str) -> tuple[Version, ...]:
        """How a campaign was, from each of its changes on; see `campaigns.campaign_history`."""
        with Store.open(self.db) as store:
            return campaign_history(store, campaign_id)

    def list_campaigns(
        self, limit: int = 20, offset: int = 0, *, start: datetime | None = None, end: datetime | None = None
    ) -> tuple[Sequence[Campaign], int]:
        """A page of the stored campaigns created from start on and before end, and how many there are in all.

        Raises:
            BadRequest: limit is not from 1 to 100, or offset is below 0.
        """
        with Store.open(self.db) as store:
            return list_campaigns(store, limit=limit, offset=offset, start=start, end=end)

    def update_campaign_status(self, campaign_id: str, status: str) -> Campaign:
        """Give a campaign another status; see `campaigns.update_campaign_status`."""
        with Store.open(self.db, write=True, make=False) as store:
            return update_campaign_status(store, campaign_id, status, datetime.now(UTC))

    def create_rules(self, campaign_id: str, body: Any) -> tuple[Rule, ...]:
        """Add rules to a campaign, all or none; see `campaigns.create_rules`."""
        with Store.open(self.db, write=True, make=False) as store:
            return create_rules(store, campaign_id, body, datetime.now(UTC))

    def get_rule(self, campaign_id: str, rule_id: str) -> Rule:
        """One rule; see `campaigns.get_rule`."""
        with Store.open(self.db) as store:
            return get_rule(store, campaign_id, rule_id)

    def update_rule(self, campaign_id: str, rule_id: str, body: Any) -> Rule:
        """Change some fields of a rule; see `campaigns.update_rule`."""
        with Store.open(self.db, write=True, make=False) as store:
            return update_rule(store, campaign_id, rule_id, body, datetime.now(UTC))

    def update_rule_status(self, campaign_id: str, rule_id: str, status: str) -> Rule:
        """Make a rule ACTIVE or INACTIVE; see `campaigns.update_rule_status`."""
        with Store.open(self.db, write=True, make=False) as store:
            return update_rule_status(store, campaign_id, rule_id, status, datetime.now(UTC))


def with_values(campaign: Campaign, rule_type: str, *values: str) -> Campaign:
    """A campaign whose rules of a type have other values: what changes if this threshold moves?

    Raises:
        NotFound: it has no such rule.
        ProblemsFound: the values do not fit it.
    """
    if not any(rule.rule_type == rule_type for rule in campaign.rules):
        raise NotFound(f"{campaign.name} has no rule {rule_type}", details={"rule_type": rule_type})
    problems: list[Problem] = []
    rules = [
        merged_rule(rule, {"values": list(values)}, problems) if rule.rule_type == rule_type else rule
        for rule in campaign.rules
    ]
    if problems:
        raise ProblemsFound(problems)
    return campaign.model_copy(update={"rules": tuple(rules)})
