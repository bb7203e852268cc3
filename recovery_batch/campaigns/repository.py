"""Campaigns in the store: import, get, list, history. A campaign is written whole, with its rules."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl

from recovery_batch.campaigns.models import FINAL_STATUSES, Campaign, Holdout
from recovery_batch.campaigns.validating import derived_id, require_uuid
from recovery_batch.clock import iso
from recovery_batch.errors import BadRequest, NotFound, Problem, ProblemsFound
from recovery_batch.rules import Rule
from recovery_batch.schema import TEXTS, UTC_TIME
from recovery_batch.store import Store

_CAMPAIGN_ROW: Final = pl.Schema(
    {
        **dict.fromkeys(("id", "name", "account_id", "organization_code", "country", "channel", "focus"), pl.String()),
        **dict.fromkeys(("daily_start_time", "daily_end_time", "time_zone"), pl.String()),
        **dict.fromkeys(("start_at", "end_at"), UTC_TIME),
        "status": pl.String(),
        **dict.fromkeys(("created_at", "updated_at"), UTC_TIME),
        **dict.fromkeys(("holdout_share", "holdout_seed"), pl.String()),
    }
)
_RULE_ROW: Final = pl.Schema(
    {
        "id": pl.String(),
        "campaign_id": pl.String(),
        "position": pl.Int32(),
        "rule_type": pl.String(),
        "conditional": pl.String(),
        "values": TEXTS,
        "metadata_key": pl.String(),
        "status": pl.String(),
        **dict.fromkeys(("created_at", "updated_at"), UTC_TIME),
    }
)

_HISTORY_ROW: Final = pl.Schema(
    {"campaign_id": pl.String(), "changed_at": UTC_TIME, "change": pl.String(), "campaign": pl.String()}
)

_LARGEST_PAGE: Final = 100

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class ImportedCampaign:
    """A campaign as an import stores it, what that does to it, and what it was; None: it was not there."""

    campaign: Campaign
    change: Change
    before: Campaign | None = None


@dataclass(frozen=True, slots=True)
class Version:
    """How a campaign was from a time on, and what was done to it then."""

    changed_at: datetime
    change: str
    campaign: Campaign


def all_campaigns(store: Store) -> tuple[Campaign, ...]:
    """Every stored campaign with its rules, oldest first."""
    rules: dict[str, list[dict[str, Any]]] = {}
    for row in store.frame("campaigns/rules").iter_rows(named=True):
        del row["position"]
        rules.setdefault(row["campaign_id"], []).append(row)
    return tuple(_from_row(row, rules.get(row["id"], [])) for row in store.frame("campaigns/all").iter_rows(named=True))


def get_campaign(store: Store, campaign_id: str) -> Campaign:
    """One stored campaign with its rules.

    Raises:
        ProblemsFound: the id is no UUID (400).
        NotFound: no such campaign is stored.
    """
    wanted = require_uuid(campaign_id, "campaign_id")
    for campaign in all_campaigns(store):
        if campaign.identity.lower() == wanted:
            return campaign
    raise NotFound(
        f"no campaign {campaign_id}",
        hint="recovery-batch campaigns list shows those that are stored.",
        details={"campaign_id": campaign_id},
    )


def list_campaigns(
    store: Store, *, limit: int, offset: int, start: datetime | None = None, end: datetime | None = None
) -> tuple[Sequence[Campaign], int]:
    """A page of the stored campaigns, and how many there are in all.

    Args:
        store: Where they are.
        limit: At most so many, 1 to 100.
        offset: Leave out so many before.
        start: Only those created at or after it.
        end: Only those created before it.

    Raises:
        BadRequest: limit is not from 1 to 100, or offset is below 0.
    """
    if not 1 <= limit <= _LARGEST_PAGE:
        raise BadRequest(f"limit is {limit}; allowed: 1 to {_LARGEST_PAGE}", details={"field": "limit"})
    if offset < 0:
        raise BadRequest(f"offset is {offset}; allowed: 0 or more", details={"field": "offset"})
    found = [
        campaign
        for campaign in all_campaigns(store)
        if campaign.created_at is not None
        and (start is None or campaign.created_at >= start)
        and (end is None or campaign.created_at < end)
    ]
    return found[offset : offset + limit], len(found)


def import_campaigns(
    store: Store, campaigns: Sequence[Campaign], now: datetime, *, dry_run: bool = False
) -> list[ImportedCampaign]:
    """Store campaigns: all of them, or none; with `dry_run` only say what would change.

    A campaign is the stored one with its id; one whose file gave no id is the stored one with its name in its
    organization. created_at stays what it was; updated_at is `now` where anything but the times changed.

    Raises:
        ProblemsFound: a campaign that is COMPLETED or CANCELLED would change its status, or two would become one.
    """
    stored = all_campaigns(store)
    named = {campaign.identity.lower() for campaign in campaigns}
    by_id = {campaign.identity.lower(): campaign for campaign in stored}
    by_name = {(each.organization_code, each.name): each for each in stored if each.identity.lower() not in named}
    results: list[ImportedCampaign] = []
    problems: list[Problem] = []
    replaced: set[str] = set()
    for campaign in campaigns:
        before = by_id.get(campaign.identity.lower())
        if before is None and campaign.identity == derived_id(campaign.organization_code, campaign.name):
            before = by_name.get((campaign.organization_code, campaign.name))
        if before and before.identity in replaced:
            message = f"the campaign {campaign.name[:40]!r} stands twice"
            problems.append(Problem("/name", message, f'"{campaign.id}"', f"once, as {before.id}"))
        replaced |= {before.identity} if before else set()
        results.append(_merged(campaign, before, now))
        if before and before.status in FINAL_STATUSES and campaign.status != before.status:
            message = f"status of {campaign.name[:40]!r}: invalid status transition"
            problems.append(Problem("/status", message, f'"{campaign.status}"', f"{before.status}, which is final"))
    if problems:
        raise ProblemsFound(problems, hint="Nothing was imported.")
    if not dry_run:
        store_campaigns(store, [each.campaign for each in results if each.change != "unchanged"], "imported", now)
    return results


def store_campaigns(store: Store, campaigns: Sequence[Campaign], change: str, now: datetime) -> None:
    """Put campaigns in the place of what is stored of them, and keep in the history how they are from now on.

    Args:
        store: Where they are.
        campaigns: Whole, with their rules.
        change: What was done to them, in words.
        now: When.
    """
    ids = [campaign.identity for campaign in campaigns]
    history = [
        {"campaign_id": each.identity, "changed_at": now, "change": change, "campaign": json.dumps(each.as_json())}
        for each in campaigns
    ]
    with store.transaction():
        store.run("campaigns/delete_campaigns", {"ids": ids})
        store.run("campaigns/delete_rules", {"ids": ids})
        store.append("campaigns/append_campaigns", pl.DataFrame([_to_row(each) for each in campaigns], _CAMPAIGN_ROW))
        store.append("campaigns/append_rules", pl.DataFrame(_rule_rows(campaigns), _RULE_ROW))
        store.append("campaigns/append_history", pl.DataFrame(history, _HISTORY_ROW))


def campaign_history(store: Store, campaign_id: str) -> tuple[Version, ...]:
    """How a campaign was, from each of its changes on, the oldest first.

    Raises:
        ProblemsFound: the id is no UUID (400).
    """
    rows = store.frame("campaigns/history", {"campaign_id": require_uuid(campaign_id, "campaign_id")})
    return tuple(
        Version(row["changed_at"], row["change"], Campaign.model_validate_json(row["campaign"]))
        for row in rows.iter_rows(named=True)
    )


def campaign_at(store: Store, campaign_id: str, at: datetime) -> Campaign:
    """A campaign as it was at a time.

    Raises:
        ProblemsFound: the id is no UUID (400).
        NotFound: no such campaign is stored, or it was not yet then.
    """
    current = get_campaign(store, campaign_id)
    before = [version.campaign for version in campaign_history(store, campaign_id) if version.changed_at <= at]
    if before:
        return before[-1]
    if current.updated_at is not None and current.updated_at <= at:  # stored before histories were kept
        return current
    raise NotFound(
        f"no campaign {campaign_id} at {iso(at)}",
        hint="recovery-batch campaigns get ID --history shows since when it is known.",
        details={"campaign_id": campaign_id, "at": iso(at)},
    )


def _merged(campaign: Campaign, before: Campaign | None, now: datetime) -> ImportedCampaign:
    if before is None:
        return ImportedCampaign(_stamped(campaign, now), "created")
    kept = {rule.id: rule for rule in before.rules}
    given = campaign.model_copy(
        update={
            "id": before.id,
            "created_at": before.created_at,
            "updated_at": now,
            "rules": tuple(_merged_rule(rule, kept.get(rule.id), before.identity, now) for rule in campaign.rules),
        }
    )
    if given.undated() == before.undated():
        return ImportedCampaign(before, "unchanged", before)
    return ImportedCampaign(given, "updated", before)


def _merged_rule(rule: Rule, before: Rule | None, campaign_id: str, now: datetime) -> Rule:
    """The rule as it is stored: with the times it had, but updated now where it changed."""
    owned = rule.model_copy(update={"campaign_id": campaign_id})
    if before is not None and owned.undated() == before.undated():
        return before
    created = before.created_at if before is not None else rule.created_at or now
    return owned.model_copy(update={"created_at": created, "updated_at": now})


def _stamped(campaign: Campaign, now: datetime) -> Campaign:
    created = campaign.created_at or now
    rules = tuple(
        rule.model_copy(
            update={
                "created_at": rule.created_at or created,
                "updated_at": rule.updated_at or now,
            }
        )
        for rule in campaign.rules
    )
    return campaign.model_copy(update={"created_at": created, "updated_at": campaign.updated_at or now, "rules": rules})


def _from_row(row: dict[str, Any], rules: list[dict[str, Any]]) -> Campaign:
    schedule = {name: row.pop(name) for name in ("daily_start_time", "daily_end_time", "time_zone")}
    duration = {name: row.pop(name) for name in ("start_at", "end_at")}
    share, seed = row.pop("holdout_share"), row.pop("holdout_seed")
    holdout = None if share is None else {"share": share, "seed": seed}
    parts = {"schedule": schedule, "duration": duration, "holdout": holdout, "rules": rules}
    return Campaign.model_validate({**row, **parts})


def _to_row(campaign: Campaign) -> dict[str, Any]:
    row = campaign.model_dump(mode="python", exclude={"rules", "holdout"})
    drawn = {} if campaign.holdout is None else campaign.holdout.model_dump(mode="json")
    holdout = {f"holdout_{name}": drawn.get(name) for name in Holdout.model_fields}
    return {**row, **row.pop("schedule"), **row.pop("duration"), **holdout}


def _rule_rows(campaigns: Sequence[Campaign]) -> list[dict[str, Any]]:
    return [
        {**rule.model_dump(mode="python"), "position": position, "values": rule.values and list(rule.values)}
        for campaign in campaigns
        for position, rule in enumerate(campaign.rules)
    ]
