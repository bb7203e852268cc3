"""`rules`: the operations on the rules of a campaign."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from recovery_batch.campaigns import create_rules, get_rule, update_rule, update_rule_status
from recovery_batch.cli.bodies import read_body
from recovery_batch.cli.options import FILE, Context, json_option
from recovery_batch.cli.screen import print_json, print_table
from recovery_batch.rules import Rule, sentence
from recovery_batch.store import Store


@click.group("rules")
def rules_group() -> None:
    """Add, show and change the rules of a stored campaign.

    \b
    Example:
      recovery-batch rules create 0f5b6c1a-1d7e-4a55-9a10-000000000001 rules.json
    """


@rules_group.command("create")
@click.argument("campaign_id", metavar="CAMPAIGN_ID")
@click.argument("file", type=FILE, metavar="FILE|-")
@json_option
@click.pass_obj
def create_command(context: Context, campaign_id: str, file: Path, as_json: bool) -> None:
    """Add rules to a campaign: all of the file, or none.

    The file holds {"rules": [...]}, an array of rules, or one rule.

    \b
    Example:
      echo '{"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["50000"]}' |
        recovery-batch rules create 0f5b6c1a-1d7e-4a55-9a10-000000000001 -
    """
    body = read_body(file)
    with Store.open(context.db, write=True, make=False) as store:
        rules = create_rules(store, campaign_id, body, datetime.now(UTC))
    if as_json:
        print_json({"data": [rule.as_json() for rule in rules]})
    else:
        _print(*rules)


@rules_group.command("get")
@click.argument("campaign_id", metavar="CAMPAIGN_ID")
@click.argument("rule_id", metavar="RULE_ID")
@json_option
@click.pass_obj
def get_command(context: Context, campaign_id: str, rule_id: str, as_json: bool) -> None:
    """Show one rule of a campaign.

    \b
    Example:
      recovery-batch rules get CAMPAIGN_ID RULE_ID --json
    """
    with Store.open(context.db) as store:
        rule = get_rule(store, campaign_id, rule_id)
    _show(rule, as_json)


@rules_group.command("update")
@click.argument("campaign_id", metavar="CAMPAIGN_ID")
@click.argument("rule_id", metavar="RULE_ID")
@click.argument("file", type=FILE, metavar="FILE|-")
@json_option
@click.pass_obj
def update_command(context: Context, campaign_id: str, rule_id: str, file: Path, as_json: bool) -> None:
    """Change some fields of a rule; the others stay, and the whole is checked.

    \b
    Example:
      echo '{"values": ["60000"]}' | recovery-batch rules update CAMPAIGN_ID RULE_ID -
    """
    body = read_body(file)
    with Store.open(context.db, write=True, make=False) as store:
        rule = update_rule(store, campaign_id, rule_id, body, datetime.now(UTC))
    _show(rule, as_json)


@rules_group.command("status")
@click.argument("campaign_id", metavar="CAMPAIGN_ID")
@click.argument("rule_id", metavar="RULE_ID")
@click.argument("status", metavar="STATUS")
@json_option
@click.pass_obj
def status_command(context: Context, campaign_id: str, rule_id: str, status: str, as_json: bool) -> None:
    """Make a rule ACTIVE, or INACTIVE: kept, and not used.

    \b
    Example:
      recovery-batch rules status CAMPAIGN_ID RULE_ID INACTIVE
    """
    with Store.open(context.db, write=True, make=False) as store:
        rule = update_rule_status(store, campaign_id, rule_id, status, datetime.now(UTC))
    _show(rule, as_json)


def _show(rule: Rule, as_json: bool) -> None:
    if as_json:
        print_json({"data": rule.as_json()})
    else:
        _print(rule)


def _print(*rules: Rule) -> None:
    print_table(("id", "status", "rule"), [(rule.id, rule.status, sentence(rule)) for rule in rules])
