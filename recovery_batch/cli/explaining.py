"""`explain`: why a payment was targeted or left out; whom a reason hit."""

from __future__ import annotations

from dataclasses import asdict, replace
from pathlib import Path

import rich_click as click

from recovery_batch.api import BacktestRequest, ExplainRequest, Explanation, backtest, explain
from recovery_batch.api.explaining import CampaignOutcome, ConditionOutcome
from recovery_batch.api.hits import hits
from recovery_batch.cli.options import Context, campaign_options, json_option
from recovery_batch.cli.screen import Branch, note, print_json, print_table, print_tree, say
from recovery_batch.errors import UsageError
from recovery_batch.privacy import mask_value
from recovery_batch.reporting.formats import count, plural
from recovery_batch.simulation import REASONS


@click.command("explain")
@click.argument("payment_id", required=False)
@campaign_options
@click.option("--reason", type=click.Choice(sorted(REASONS)), help="List whom this reason left out, instead.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="With --reason: at most so many."
)
@click.option("--show", is_flag=True, help="Show user ids plainly.")
@json_option
@click.pass_obj
def explain_command(
    context: Context,
    payment_id: str | None,
    campaign_files: tuple[Path, ...],
    campaign_ids: tuple[str, ...],
    reason: str | None,
    limit: int,
    show: bool,
    as_json: bool,
) -> None:
    """Say for each campaign why a payment was targeted or left out, condition by condition.

    User ids are masked unless --show is given.

    \b
    Examples:
      recovery-batch explain 553000764
      recovery-batch explain --reason user_comms_per_day
    """
    if (payment_id is None) == (reason is None):
        raise UsageError("explain takes a PAYMENT_ID, or --reason", hint="recovery-batch explain --help shows both.")
    if reason is not None:
        request = BacktestRequest(context.db, campaign_files, campaign_ids, settings=context.settings)
        _list_hits(request, reason, limit, show=show, as_json=as_json)
        return
    asked = ExplainRequest(context.db, str(payment_id), campaign_files, campaign_ids, context.settings)
    explanations = explain(asked)
    if not show:
        explanations = tuple(_masked(each) for each in explanations)
    if as_json:
        print_json({"data": [asdict(each) for each in explanations]})
        return
    for each in explanations:
        _print_explanation(each)


def _masked(explanation: Explanation) -> Explanation:
    """An explanation that does not say whose payment it is; its history tells no user ids."""
    return replace(explanation, facts=explanation.facts | {"user_id": _user(explanation.facts["user_id"])})


def _user(user_id: str | None) -> str | None:
    return None if user_id is None else mask_value(user_id, "user_id")


def _list_hits(request: BacktestRequest, reason: str, limit: int, *, show: bool, as_json: bool) -> None:
    found = hits(backtest(request).decisions, reason)
    shown = found[:limit]
    if not show:
        shown = [replace(each, user_id=_user(each.user_id)) for each in shown]
    if as_json:
        meta = {"reason": reason, "means": REASONS[reason], "total": len(found), "limit": limit}
        print_json({"data": [asdict(each) for each in shown], "meta": meta})
        return
    say(f"{reason}: {REASONS[reason]}")
    rows = [(hit.campaign_name, hit.payment_id, hit.user_id or "–", hit.planned_at, hit.amount) for hit in shown]
    print_table(("campaign", "payment", "user", "planned", "amount"), rows)
    note(f"{count(len(shown))} of {plural(len(found), 'match', 'matches')} that it left out")


def _print_explanation(explanation: Explanation) -> None:
    facts = [Branch(f"{name}: {'–' if value is None else value}") for name, value in explanation.facts.items()]
    for change in explanation.history:
        what = "; ".join(f"{c['field']}: {c['before'] or '–'} -> {c['after'] or '–'}" for c in change.changes)
        title = f"changed at {change.loaded_at} by {change.path}, record {change.record_no}"
        facts.append(Branch(title, [Branch(what or "other parts of the record")]))
    title = f"payment {explanation.payment_id} of organization {explanation.organization_code}"
    print_tree(Branch(title, facts + [_campaign(each) for each in explanation.campaigns]))
    say()


def _campaign(campaign: CampaignOutcome) -> Branch:
    lines = [_condition(each) for each in campaign.conditions]
    lines.append(Branch(f"window: {campaign.window}"))
    lines += [Branch(f"limit: {limit}") for limit in campaign.limits]
    if campaign.planned_at is not None:
        lines.append(Branch(f"planned: {campaign.planned_at} ({campaign.planned_local} on the clock there)"))
    lines += [Branch(f"counted: {earlier}") for earlier in campaign.counted]
    reason = f" ({campaign.reason})" if campaign.reason else ""
    lines.append(Branch(f"=> {campaign.outcome}{reason}: {campaign.story}"))
    if campaign.ledger is not None:
        lines.append(Branch(f"ledger: {campaign.ledger}"))
    return Branch(f"{campaign.name} ({campaign.campaign_id})", lines)


def _condition(condition: ConditionOutcome) -> Branch:
    below = [Branch(f"saw: {condition.saw}")]
    if condition.near_miss:
        below.append(Branch(f"near miss: {condition.near_miss}"))
    return Branch(f"{'yes' if condition.holds else 'NO '} {condition.wanted}", below)
