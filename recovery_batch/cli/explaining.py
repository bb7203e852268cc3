"""`explain`: why a payment was targeted or left out; whom a reason hit."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import rich_click as click

from recovery_batch.api import BacktestRequest, ExplainRequest, Explanation, backtest, explain
from recovery_batch.api.explaining import CampaignOutcome, ConditionOutcome
from recovery_batch.api.hits import hits
from recovery_batch.cli.options import Context, campaign_options, json_option
from recovery_batch.cli.screen import Branch, note, print_json, print_table, print_tree, say
from recovery_batch.errors import UsageError
from recovery_batch.reporting.formats import count, plural
from recovery_batch.simulation import REASONS


@click.command("explain")
@click.argument("payment_id", required=False)
@campaign_options
@click.option("--reason", type=click.Choice(sorted(REASONS)), help="List whom this reason left out, instead.")
@click.option(
    "--limit", type=click.IntRange(min=1), default=100, show_default=True, help="With --reason: at most so many."
)
@json_option
@click.pass_obj
def explain_command(
    context: Context,
    payment_id: str | None,
    campaign_files: tuple[Path, ...],
    campaign_ids: tuple[str, ...],
    reason: str | None,
    limit: int,
    as_json: bool,
) -> None:
    """Say for each campaign why a payment was targeted or left out, condition by condition.

    \b
    Examples:
      recovery-batch explain 553000764
      recovery-batch explain --reason user_comms_per_day
    """
    if (payment_id is None) == (reason is None):
        raise UsageError("explain takes a PAYMENT_ID, or --reason", hint="recovery-batch explain --help shows both.")
    if reason is not None:
        _list_hits(context, reason, limit, campaign_files, campaign_ids, as_json)
        return
    request = ExplainRequest(context.db, str(payment_id), campaign_files, campaign_ids, context.settings)
    explanations = explain(request)
    if as_json:
        print_json({"data": [asdict(each) for each in explanations]})
        return
    for each in explanations:
        _print_explanation(each)


def _list_hits(
    context: Context,
    reason: str,
    limit: int,
    campaign_files: tuple[Path, ...],
    campaign_ids: tuple[str, ...],
    as_json: bool,
) -> None:
    result = backtest(BacktestRequest(context.db, campaign_files, campaign_ids, settings=context.settings))
    found = hits(result.decisions, reason)
    shown = found[:limit]
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
