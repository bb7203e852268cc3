"""Campaigns in the store: import, get, list. A campaign is written whole, with its rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import polars as pl

from recovery_batch.campaigns.files import derived_id, require_uuid
from recovery_batch.campaigns.models import FINAL_STATUSES, Campaign
from recovery_batch.errors import NotFound, Problem, ProblemsFound
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

Change = Literal["created", "updated", "unchanged"]


@dataclass(frozen=True, slots=True)
class ImportedCampaign:
    """A campaign as it is stored after an import, and what the import did to it."""

    campaign: Campaign
    change: Change


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
    """
    found = [
        campaign
        for campaign in all_campaigns(store)
        if campaign.created_at is not None
        and (start is None or campaign.created_at >= start)
        and (end is None or campaign.created_at < end)
    ]
    return found[offset : offset + limit], len(found)


def import_campaigns(store: Store, campaigns: Sequence[Campaign], now: datetime) -> list[ImportedCampaign]:
    """Store campaigns: all of them, or none.

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
    changed = [result.campaign for result in results if result.change != "unchanged"]
    with store.transaction():
        ids = [campaign.identity for campaign in changed]
        store.run("campaigns/delete_campaigns", {"ids": ids})
        store.run("campaigns/delete_rules", {"ids": ids})
        store.append("campaigns/append_campaigns", pl.DataFrame([_to_row(each) for each in changed], _CAMPAIGN_ROW))
        store.append("campaigns/append_rules", pl.DataFrame(_rule_rows(changed), _RULE_ROW))
    return results


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
        return ImportedCampaign(before, "unchanged")
    return ImportedCampaign(given, "updated")


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
    return Campaign.model_validate({**row, "schedule": schedule, "duration": duration, "rules": rules})


def _to_row(campaign: Campaign) -> dict[str, Any]:
    row = campaign.model_dump(mode="python", exclude={"rules"})
    return {**row, **row.pop("schedule"), **row.pop("duration")}


def _rule_rows(campaigns: Sequence[Campaign]) -> list[dict[str, Any]]:
    return [
        {**rule.model_dump(mode="python"), "position": position, "values": rule.values and list(rule.values)}
        for campaign in campaigns
        for position, rule in enumerate(campaign.rules)
    ]
