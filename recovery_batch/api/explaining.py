"""Why a payment was targeted or left out: every condition of every campaign, then window, limits and outcome."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import polars as pl

from recovery_batch.api.backtesting import choose
from recovery_batch.api.frames import spread_metadata, with_paid_at
from recovery_batch.api.targets import with_flags
from recovery_batch.campaigns import Campaign, all_campaigns, read_campaigns
from recovery_batch.clock import iso, parse_zone
from recovery_batch.errors import NotFound
from recovery_batch.evaluation import evaluate, metadata_keys
from recovery_batch.money import plain
from recovery_batch.privacy import mask_contact, mask_value
from recovery_batch.rules import column_read, compile_rule, sentence
from recovery_batch.rules.fields import ACTIVE
from recovery_batch.rules.nearness import near_miss_of
from recovery_batch.settings import Settings
from recovery_batch.simulation import REASONS, SEND, SUPPRESS, Policy, simulate
from recovery_batch.store import Store

NOTHING = "nothing (missing)"
_LIMITS = ("unique_by_user", "user_comms_per_day")


@dataclass(frozen=True, slots=True)
class ExplainRequest:
    """Which payment to explain, for which campaigns.

    Attributes:
        db: The store.
        payment_id: The payment; every organization that has one of this id is explained.
        campaign_files: Campaign files instead of the stored campaigns.
        campaign_ids: Only these campaigns.
        settings: The installation's settings.
    """

    db: Path
    payment_id: str
    campaign_files: tuple[Path, ...] = ()
    campaign_ids: tuple[str, ...] = ()
    settings: Settings = field(default_factory=Settings)


@dataclass(frozen=True, slots=True)
class ConditionOutcome:
    """One condition of a campaign.

    Attributes:
        wanted: What it wanted.
        saw: What it saw.
        holds: Whether it held.
        rule_id: The rule; None where every campaign has the condition.
        near_miss: For a rule that failed, how little was missing, in plain words; None: it was not near.
    """

    wanted: str
    saw: str
    holds: bool
    rule_id: str | None = None
    near_miss: str | None = None


@dataclass(frozen=True, slots=True)
class CampaignOutcome:
    """One campaign's answer to one payment.

    Attributes:
        campaign_id: The campaign.
        name: Its name.
        conditions: In the order of the funnel.
        outcome: `SEND`, `SUPPRESS`, or `NO MATCH`.
        reason: The slug of a suppression; None otherwise.
        story: The outcome in plain words.
        planned_at: When it would go out, RFC 3339 UTC; None without a match.
        planned_local: The same on the wall clock of the campaign's zone.
        window: The daily window and its zone.
        limits: The rate limits in plain words.
        counted: For a match that a limit stopped, the earlier communications that it counted.
        ledger: What a nightly run has decided for good about the payment and this campaign; None: nothing yet.
    """

    campaign_id: str
    name: str
    conditions: tuple[ConditionOutcome, ...]
    outcome: str
    reason: str | None
    story: str
    planned_at: str | None
    planned_local: str | None
    window: str
    limits: tuple[str, ...]
    counted: tuple[str, ...] = ()
    ledger: str | None = None


@dataclass(frozen=True, slots=True)
class Change:
    """A later record of a payment that changed it.

    Attributes:
        loaded_at: When it was loaded, RFC 3339 UTC.
        path: From which file.
        record_no: Its number in that file.
        changes: What changed: field, before, after; empty where only undocumented parts of the record did.
    """

    loaded_at: str
    path: str
    record_no: int
    changes: tuple[dict[str, str | None], ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """One payment of one organization, how it changed from export to export, and what each campaign says of it."""

    organization_code: str
    payment_id: str
    facts: dict[str, str | None]
    history: tuple[Change, ...]
    campaigns: tuple[CampaignOutcome, ...]


def explain(request: ExplainRequest) -> tuple[Explanation, ...]:
    """Explain a payment, once for each organization that has its id.

    Everything that the users of these payments were involved in is simulated, because limits look at a whole user.

    Raises:
        NotFound: there is no such payment, campaign or store.
        ProblemsFound: a campaign file is not in order.
    """
    from_files = read_campaigns(request.campaign_files) if request.campaign_files else None
    with Store.open(request.db) as store:
        known = all_campaigns(store) if from_files is None else from_files
        named = choose(known, request.campaign_ids) if request.campaign_ids else known
        keys = metadata_keys(named)
        rows = store.frame("read/payments_of_users", {"keys": list(keys), "payment_id": request.payment_id})
        payments = spread_metadata(rows, keys).sort("organization_code", "payment_id")
        statuses = request.settings.payments.successful_statuses
        payments = with_paid_at(store, payments, statuses, None).drop("not_submittable")
        changes = store.frame("read/payment_changes", {"payment_id": request.payment_id})
        settled = store.frame("ledger/of_payment", {"payment_id": request.payment_id})
        evaluated = named if request.campaign_ids else tuple(each for each in named if each.status == ACTIVE)
        evaluation = evaluate(payments, evaluated, successful_statuses=statuses)
        candidates = with_flags(store, payments, evaluation.candidates, evaluated)
    asked = (payments["payment_id"] == request.payment_id).arg_true()
    if asked.is_empty():
        raise NotFound(
            f"no payment {request.payment_id}",
            hint="Ids are compared exactly; was its export loaded, or is it quarantined?",
            details={"payment_id": request.payment_id},
        )
    told = _Told(named, evaluated, simulate(payments, candidates, evaluated, Policy()), changes, settled, request)
    return tuple(_explain(payments[int(n)], int(n), told) for n in asked)


@dataclass(frozen=True, slots=True)
class _Told:
    """What the explanations of several payments have in common."""

    campaigns: Sequence[Campaign]
    evaluated: Sequence[Campaign]
    decisions: pl.DataFrame
    changes: pl.DataFrame
    settled: pl.DataFrame
    request: ExplainRequest


def _explain(payment: pl.DataFrame, payment_no: int, told: _Told) -> Explanation:
    row = payment.row(0, named=True)
    facts = {
        "order_id": row["order_id"],
        "user_id": row["user_id"],
        "country": row["country"],
        "status": row["status"],
        "amount": f"{plain(row['amount_value'])} {row['currency_code']}",
        "created_at": iso(row["created_at"]),
        "order first paid at": iso(row["paid_at"]) if row["paid_at"] else None,
    }
    own = told.decisions.filter(pl.col("payment_no") == payment_no)
    by_campaign = {each["campaign_id"]: each for each in own.iter_rows(named=True)}
    is_own = pl.col("organization_code") == row["organization_code"]
    settled = {each["campaign_id"]: _settled(each) for each in told.settled.filter(is_own).iter_rows(named=True)}
    skip = {each.identity for each in told.campaigns} - {each.identity for each in told.evaluated}
    outcomes = []
    for campaign in told.campaigns:
        decision = by_campaign.get(campaign.identity)
        outcome = _outcome(campaign, payment, decision, campaign.identity in skip, told.request.settings)
        counted = _counted(campaign, decision, told.decisions)
        outcomes.append(replace(outcome, counted=counted, **settled.get(campaign.identity, {})))
    own_changes = told.changes.filter(is_own)
    history = tuple(
        Change(iso(each["loaded_at"]), each["path"], each["record_no"], tuple(each["changes"]))
        for each in own_changes.iter_rows(named=True)
    )
    return Explanation(row["organization_code"], row["payment_id"], facts, history, tuple(outcomes))


def _settled(row: dict[str, Any]) -> dict[str, Any]:
    """What a nightly run has decided, in the place of what a simulation would."""
    if row["reason"] is None:
        said = f"emitted by run {row['run_id']} for {iso(row['planned_at'])}, in {row['path']}"
        return {"outcome": SEND, "reason": None, "story": "a nightly run has emitted it", "ledger": said}
    said = f"left out for good by run {row['run_id']}: {REASONS[row['reason']]}"
    return {"outcome": SUPPRESS, "reason": row["reason"], "story": REASONS[row["reason"]], "ledger": said}


def _outcome(
    campaign: Campaign, payment: pl.DataFrame, decision: dict[str, Any] | None, skipped: bool, settings: Settings
) -> CampaignOutcome:
    conditions = [*_implicit(campaign, payment.row(0, named=True), skipped, settings), *_rules(campaign, payment)]
    schedule = campaign.schedule
    outcome, reason = ("NO MATCH", None) if decision is None else (decision["decision"], decision["reason"])
    if (decision is not None) != all(condition.holds for condition in conditions):
        raise AssertionError(f"the conditions of {campaign.identity} do not explain its decision")
    return CampaignOutcome(
        campaign_id=campaign.identity,
        name=campaign.name,
        conditions=tuple(conditions),
        outcome=outcome,
        reason=reason,
        story=_story(conditions, decision),
        planned_at=None if decision is None else iso(decision["planned_at"]),
        planned_local=None if decision is None else decision["planned_local"].isoformat(" ", "seconds"),
        window=f"{schedule.daily_start_time} to {schedule.daily_end_time}, {schedule.time_zone}",
        limits=tuple(sentence(rule) for rule in campaign.rate_limits),
    )


def _implicit(campaign: Campaign, row: dict[str, Any], skipped: bool, settings: Settings) -> list[ConditionOutcome]:
    """The conditions that every campaign has (SPEC 2.4)."""
    successful = settings.payments.successful_statuses
    duration, created = campaign.duration, row["created_at"]
    active = len(campaign.active_rules)
    return [
        ConditionOutcome("campaign is ACTIVE, or named", campaign.status, not skipped),
        ConditionOutcome(
            f"organization is {campaign.organization_code}",
            row["organization_code"],
            row["organization_code"] == campaign.organization_code,
        ),
        ConditionOutcome(f"country is {campaign.country}", row["country"], row["country"] == campaign.country),
        ConditionOutcome(
            f"created from {iso(duration.start_at)} to before {iso(duration.end_at)}",
            iso(created),
            duration.start_at <= created < duration.end_at,
        ),
        ConditionOutcome(
            f"not a successful payment ({', '.join(successful)})", row["status"], row["status"] not in successful
        ),
        ConditionOutcome("at least one active rule", f"{active} of {len(campaign.rules)}", active > 0),
    ]


def _rules(campaign: Campaign, payment: pl.DataFrame) -> list[ConditionOutcome]:
    found = []
    for rule in campaign.targeting_rules:
        column = column_read(rule)
        assert column is not None
        value = payment[column].item()
        saw = _seen(value, rule.metadata_key)
        if rule.rule_type == "AMOUNT_AND_CURRENCY":
            saw = f"{saw} {payment['currency_code'].item()}"
        holds = bool(payment.select(compile_rule(rule)).item())
        is_near = near_miss_of(rule, value) if not holds and isinstance(value, str) else None
        found.append(ConditionOutcome(sentence(rule), saw, holds, rule.id, is_near))
    return found


def _seen(value: Any, key: str | None) -> str:
    if value is None:
        return NOTHING
    if not isinstance(value, str):
        return plain(value)
    return mask_contact(value) if key is None else mask_value(value, key)


def _counted(campaign: Campaign, decision: dict[str, Any] | None, decisions: pl.DataFrame) -> tuple[str, ...]:
    """What a limit counted: the user's communications of that day, or those of the campaign."""
    if decision is None or decision["reason"] not in _LIMITS:
        return ()
    zone = parse_zone(campaign.schedule.time_zone)
    sent = decisions.filter(
        pl.col("decision") == SEND,
        pl.col("organization_code") == decision["organization_code"],
        pl.col("user_id") == decision["user_id"],
        pl.col("planned_at") <= decision["planned_at"],
    ).sort("planned_at", "payment_id")
    day = decision["planned_at"].astimezone(zone).date()
    return tuple(
        f"{iso(each['planned_at'])} payment {each['payment_id']}, {each['campaign_name']}"
        for each in sent.iter_rows(named=True)
        if (
            each["campaign_id"] == campaign.identity
            if decision["reason"] == "unique_by_user"
            else each["planned_at"].astimezone(zone).date() == day
        )
    )


def _story(conditions: Sequence[ConditionOutcome], decision: dict[str, Any] | None) -> str:
    if decision is None:
        failed = sum(not condition.holds for condition in conditions)
        return f"{failed} of {len(conditions)} conditions failed"
    if decision["decision"] == SEND:
        deferred = decision["planned_at"] > decision["payment_created_at"]
        return "sent when the window opens" if deferred else "sent at once, the window is open"
    return REASONS[decision["reason"]]
