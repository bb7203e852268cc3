"""The operations of SPEC 2.1 that change one campaign or rule; `repository` has those that read.

Each takes plain values as JSON gives them, validates the whole before it changes anything, and gives what is stored
afterwards. `updated_at` of a campaign changes with its rules.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from recovery_batch.campaigns.models import FINAL_STATUSES, STATUSES, Campaign
from recovery_batch.campaigns.repository import all_campaigns, get_campaign, store_campaigns
from recovery_batch.campaigns.validating import campaign_of, merged_rule, require_uuid, rules_of, shown
from recovery_batch.errors import NotFound, Problem, ProblemsFound
from recovery_batch.rules import Rule
from recovery_batch.rules.model import RULE_STATUSES
from recovery_batch.store import Store

_HINT = "Nothing was changed."


def create_campaign(store: Store, body: Any, now: datetime) -> Campaign:
    """Store a new campaign, with the rules that its body has.

    Without an id it gets the UUIDv5 of its organization and name, as a campaign of a file does.

    Raises:
        ProblemsFound: the body is no campaign (400: missing, 422: wrong), or it is stored already.
    """
    problems: list[Problem] = []
    campaign = campaign_of(body, "", problems)
    if campaign is not None and campaign.identity.lower() in {each.identity.lower() for each in all_campaigns(store)}:
        allowed = "an id that is not taken; import changes a campaign that is stored"
        problems.append(Problem("/id", "the campaign is stored already", shown(campaign.identity), allowed))
    if problems or campaign is None:
        raise ProblemsFound(problems, hint=_HINT)
    stamps = {"created_at": now, "updated_at": now}
    rules = tuple(rule.model_copy(update=stamps) for rule in campaign.rules)
    return _written(store, campaign.model_copy(update={**stamps, "rules": rules}), "created", now)


def update_campaign_status(store: Store, campaign_id: str, status: str, now: datetime) -> Campaign:
    """Give a campaign another status; COMPLETED and CANCELLED are final.

    Raises:
        ProblemsFound: a malformed id (400), an unknown status, or a change from a final one (422).
        NotFound: no such campaign is stored.
    """
    campaign = get_campaign(store, campaign_id)
    _known(status, STATUSES)
    if status == campaign.status:
        return campaign
    if campaign.status in FINAL_STATUSES:
        message = f"status: invalid status transition from {campaign.status}"
        raise ProblemsFound(
            [Problem("/status", message, shown(status), f"{campaign.status}, which is final")], hint=_HINT
        )
    change = f"status {campaign.status} to {status}"
    return _written(store, campaign.model_copy(update={"status": status, "updated_at": now}), change, now)


def create_rules(store: Store, campaign_id: str, body: Any, now: datetime) -> tuple[Rule, ...]:
    """Add rules to a campaign, all of them or none: `{"rules": […]}`, an array, or one rule.

    Raises:
        ProblemsFound: with every problem of every rule.
        NotFound: no such campaign is stored.
    """
    campaign = get_campaign(store, campaign_id)
    problems: list[Problem] = []
    rules = rules_of(_rule_items(body, problems), campaign, problems)
    if problems:
        raise ProblemsFound(problems, hint=_HINT)
    rules = tuple(rule.model_copy(update={"created_at": now, "updated_at": now}) for rule in rules)
    words = "rule created" if len(rules) == 1 else f"{len(rules)} rules created"
    _written(store, campaign.model_copy(update={"rules": campaign.rules + rules, "updated_at": now}), words, now)
    return rules


def get_rule(store: Store, campaign_id: str, rule_id: str) -> Rule:
    """One rule of a campaign.

    Raises:
        ProblemsFound: a malformed id (400).
        NotFound: no such campaign, or it has no such rule.
    """
    return _rule(get_campaign(store, campaign_id), rule_id)


def update_rule(store: Store, campaign_id: str, rule_id: str, body: Any, now: datetime) -> Rule:
    """Change some fields of a rule: merged with what it has, then validated as a whole.

    Raises:
        ProblemsFound: a malformed id (400), or the rule would not be one.
        NotFound: no such campaign, or it has no such rule.
    """
    campaign = get_campaign(store, campaign_id)
    rule = _rule(campaign, rule_id)
    problems: list[Problem] = []
    merged = merged_rule(rule, body, problems)
    if problems or merged is None:
        raise ProblemsFound(problems, hint=_HINT)
    return _rule_written(store, campaign, rule, merged, "rule updated", now)


def update_rule_status(store: Store, campaign_id: str, rule_id: str, status: str, now: datetime) -> Rule:
    """Make a rule ACTIVE or INACTIVE.

    Raises:
        ProblemsFound: a malformed id (400), or an unknown status (422).
        NotFound: no such campaign, or it has no such rule.
    """
    campaign = get_campaign(store, campaign_id)
    rule = _rule(campaign, rule_id)
    _known(status, RULE_STATUSES)
    changed = rule.model_copy(update={"status": status})
    return _rule_written(store, campaign, rule, changed, f"rule status {rule.status} to {status}", now)


def _rule(campaign: Campaign, rule_id: str) -> Rule:
    wanted = require_uuid(rule_id, "rule_id")
    for rule in campaign.rules:
        if (rule.id or "").lower() == wanted:
            return rule
    raise NotFound(
        f"no rule {rule_id} in campaign {campaign.identity}",
        hint=f"recovery-batch campaigns get {campaign.identity} --json shows its rules.",
        details={"campaign_id": campaign.identity, "rule_id": rule_id},
    )


def _rule_items(body: Any, problems: list[Problem]) -> Sequence[Any]:
    """The rules of a body; those of an array stand at /rules/0 and so on, whatever is around it."""
    if isinstance(body, dict) and "rules" in body:
        unknown = sorted(body.keys() - {"rules"})
        problems += [Problem(f"/{key}", f"unknown field {key[:40]}", None, "only rules") for key in unknown]
        body = body["rules"]
    elif isinstance(body, dict):
        return [body]
    if not isinstance(body, list) or not body:
        allowed = '{"rules": […]}, an array of rules, or one rule'
        problems.append(Problem("/rules", "not rules", shown(body), allowed, code=400))
        return []
    return body


def _known(status: str, allowed: Sequence[str]) -> None:
    if status not in allowed:
        raise ProblemsFound([Problem("/status", "unknown status", shown(status), ", ".join(allowed))], hint=_HINT)


def _rule_written(store: Store, campaign: Campaign, before: Rule, after: Rule, change: str, now: datetime) -> Rule:
    if after.undated() == before.undated():
        return before
    stamped = after.model_copy(update={"created_at": before.created_at, "updated_at": now})
    rules = tuple(stamped if rule.id == before.id else rule for rule in campaign.rules)
    _written(store, campaign.model_copy(update={"rules": rules, "updated_at": now}), change, now)
    return stamped


def _written(store: Store, campaign: Campaign, change: str, now: datetime) -> Campaign:
    store_campaigns(store, [campaign], change, now)
    return campaign
