"""`campaigns`: the operations on campaigns, and files of them."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import groupby
from pathlib import Path
from typing import Any

import rich_click as click

from recovery_batch.api.checking import Lint, LintRequest, lint
from recovery_batch.api.files import write_text
from recovery_batch.campaigns import (
    Campaign,
    ImportedCampaign,
    Version,
    all_campaigns,
    campaign_at,
    campaign_file_schema,
    campaign_history,
    create_campaign,
    get_campaign,
    import_campaigns,
    is_yaml,
    list_campaigns,
    read_campaigns,
    update_campaign_status,
    write_campaigns,
)
from recovery_batch.campaigns.differences import Difference, differences
from recovery_batch.campaigns.findings import Severity
from recovery_batch.cli.bodies import read_body
from recovery_batch.cli.options import FILE, INSTANT, Context, json_option
from recovery_batch.cli.screen import NARROW, Branch, note, print_json, print_table, print_tree, remark, say
from recovery_batch.clock import iso
from recovery_batch.errors import Refused
from recovery_batch.reporting.formats import plural, visible
from recovery_batch.rules import sentence, summary
from recovery_batch.store import Store


@click.group("campaigns")
def campaigns_group() -> None:
    """Import, show and export campaigns with their rules.

    \b
    Example:
      recovery-batch campaigns import fixtures/campaigns/recovery.yaml
    """


@campaigns_group.command("create")
@click.argument("file", type=FILE, metavar="FILE|-")
@json_option
@click.pass_obj
def create_command(context: Context, file: Path, as_json: bool) -> None:
    """Store a new campaign, with the rules that it has.

    \b
    Example:
      recovery-batch campaigns create campaign.json
    """
    body = read_body(file)
    with Store.open(context.db, write=True) as store:
        campaign = create_campaign(store, body, datetime.now(UTC))
    _show(campaign, as_json)
    _warn(campaign)


@campaigns_group.command("status")
@click.argument("campaign_id", metavar="ID")
@click.argument("status", metavar="STATUS")
@json_option
@click.pass_obj
def status_command(context: Context, campaign_id: str, status: str, as_json: bool) -> None:
    """Give a campaign another status: ACTIVE, PAUSED, COMPLETED or CANCELLED.

    COMPLETED and CANCELLED are final: a campaign keeps them.

    \b
    Example:
      recovery-batch campaigns status 0f5b6c1a-1d7e-4a55-9a10-000000000001 PAUSED
    """
    with Store.open(context.db, write=True, make=False) as store:
        campaign = update_campaign_status(store, campaign_id, status, datetime.now(UTC))
    _show(campaign, as_json)


@campaigns_group.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@click.option("--dry-run", is_flag=True, help="Only show what would change, rule by rule.")
@json_option
@click.pass_obj
def import_command(context: Context, files: tuple[Path, ...], dry_run: bool, as_json: bool) -> None:
    """Store the campaigns of JSON or YAML files: all of them, or none.

    A campaign replaces the stored one with its id, else the one with its name in its organization. Files are
    checked whole: every problem is listed at once.

    \b
    Example:
      recovery-batch campaigns import fixtures/campaigns/recovery.yaml --dry-run
    """
    campaigns = read_campaigns(files)
    now = datetime.now(UTC)
    if dry_run and not context.db.exists():  # a look at it makes no store
        results = [ImportedCampaign(each, "created") for each in campaigns]
    else:
        with Store.open(context.db, write=not dry_run) as store:
            results = import_campaigns(store, campaigns, now, dry_run=dry_run)
    changes = {change: sum(each.change == change for each in results) for change in ("created", "updated", "unchanged")}
    if as_json:
        meta = {"total": len(results), **changes, **({"dry_run": True} if dry_run else {})}
        more = [{"differences": _differences(each)} if dry_run else {} for each in results]
        data = [each.campaign.as_json() | extra for each, extra in zip(results, more, strict=True)]
        print_json({"data": data, "meta": meta})
        return
    print_table(("change", "id", "name"), [(e.change, e.campaign.identity, e.campaign.name) for e in results])
    for each in results:
        if dry_run and each.change == "updated":
            _print_differences(each.campaign.name, differences(each.before, each.campaign))
        _warn(each.campaign)
    if dry_run:
        note("nothing was stored: a dry run")


@campaigns_group.command("get")
@click.argument("campaign_id", metavar="ID")
@click.option("--at", type=INSTANT, metavar="ISO", help="As it was then.")
@click.option("--history", is_flag=True, help="Every change of it, and when.")
@json_option
@click.pass_obj
def get_command(context: Context, campaign_id: str, at: datetime | None, history: bool, as_json: bool) -> None:
    """Show one campaign with its rules, in plain words.

    \b
    Examples:
      recovery-batch campaigns get 0f5b6c1a-1d7e-4a55-9a10-000000000001
      recovery-batch campaigns get 0f5b6c1a-1d7e-4a55-9a10-000000000001 --at 2026-09-01
    """
    with Store.open(context.db) as store:
        campaign = get_campaign(store, campaign_id) if at is None else campaign_at(store, campaign_id, at)
        versions = campaign_history(store, campaign_id) if history else ()
    versions = tuple(each for each in versions if at is None or each.changed_at <= at)
    if history:
        _show_history(campaign, versions, as_json)
    else:
        _show(campaign, as_json)


@campaigns_group.command("lint")
@click.argument("files", nargs=-1, type=FILE, metavar="[FILE...]")
@json_option
@click.pass_obj
def lint_command(context: Context, files: tuple[Path, ...], as_json: bool) -> int:
    """Look for what is wrong with campaigns before a customer does.

    Looks at the campaigns of files, else at the stored ones that are not COMPLETED or CANCELLED; by themselves, and
    on the loaded payments where there is a store. Exit status 3 where a campaign cannot do what it says.

    \b
    Examples:
      recovery-batch campaigns lint
      recovery-batch campaigns lint fixtures/campaigns/recovery.yaml
    """
    result = lint(LintRequest(context.db, files, settings=context.settings))
    if as_json:
        counts = {each.value: sum(f.severity is each for f in result.findings) for each in Severity}
        meta = {"campaigns": result.campaigns, "looked_at_data": result.looked_at_data, **counts}
        print_json({"data": [finding.as_json() for finding in result.findings], "meta": meta})
    else:
        _print_lint(result)
    return Refused.exit_status if result.has_errors else 0


@campaigns_group.command("schema")
@click.option("--out", type=FILE, metavar="FILE", help="Write to FILE.")
@json_option
@click.pass_obj
def schema_command(context: Context, out: Path | None, as_json: bool) -> None:
    """Print the JSON Schema of campaign files, for editors.

    \b
    Example:
      recovery-batch campaigns schema --out campaigns.schema.json
    """
    context.keep_store(out)
    document = campaign_file_schema()
    if out is None:
        print_json(document)
        return
    text = json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    write_text(out, text)
    if as_json:
        print_json({"path": str(out)})
    else:
        note(f"schema written to {out}")


@campaigns_group.command("list")
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, 1 to 100.")
@click.option("--offset", type=int, default=0, show_default=True, help="Leave out so many before.")
@click.option("--start-date", type=INSTANT, metavar="ISO", help="Only those created at or after it.")
@click.option("--end-date", type=INSTANT, metavar="ISO", help="Only those created before it.")
@json_option
@click.pass_obj
def list_command(
    context: Context, limit: int, offset: int, start_date: datetime | None, end_date: datetime | None, as_json: bool
) -> None:
    """List the stored campaigns, oldest first.

    \b
    Example:
      recovery-batch campaigns list --limit 50
    """
    with Store.open(context.db) as store:
        page, total = list_campaigns(store, limit=limit, offset=offset, start=start_date, end=end_date)
    if as_json:
        meta = {"total": total, "limit": limit, "offset": offset}
        print_json({"data": [campaign.as_json() for campaign in page], "meta": meta})
        return
    rows = [(each.identity, each.status, each.country, each.name) for each in page]
    print_table(("id", "status", "country", "name"), rows)
    note(f"{len(page)} of {plural(total, 'campaign')}")


@campaigns_group.command("export")
@click.option("--out", type=FILE, metavar="FILE", help="Write to FILE: YAML where its name ends in .yaml, else JSON.")
@json_option
@click.pass_obj
def export_command(context: Context, out: Path | None, as_json: bool) -> None:
    """Write every stored campaign as a file that import takes unchanged.

    \b
    Example:
      recovery-batch campaigns export --out campaigns.yaml
    """
    context.keep_store(out)
    with Store.open(context.db) as store:
        campaigns = all_campaigns(store)
    if out is None:
        click.echo(write_campaigns(campaigns, as_yaml=False), nl=False)
        return
    text = write_campaigns(campaigns, as_yaml=is_yaml(out))
    write_text(out, text)
    if as_json:
        print_json({"path": str(out), "campaigns": len(campaigns)})
    else:
        note(f"{plural(len(campaigns), 'campaign')} written to {out}")


def _print_lint(result: Lint) -> None:
    """Findings as a tree: campaign, finding, what to do."""
    for _, group in groupby(result.findings, key=lambda each: each.campaign_id):
        findings = list(group)
        lines = [
            Branch(f"{each.severity.value}: {each.reason} [{each.slug}]", [Branch(each.advice)]) for each in findings
        ]
        print_tree(Branch(f"{findings[0].campaign_name} ({findings[0].campaign_id})", lines))
        say()
    say(f"{plural(len(result.findings), 'finding')} in {plural(result.campaigns, 'campaign')}")
    if not result.looked_at_data:
        note("there is no store, so no payments were looked at")


def _show(campaign: Campaign, as_json: bool) -> None:
    if as_json:
        print_json({"data": campaign.as_json()})
    else:
        _print_campaign(campaign)


def _warn(campaign: Campaign) -> None:
    if not campaign.active_rules:
        note(f"warning: {campaign.name} has no active rule and will target nobody")


def _differences(result: ImportedCampaign) -> list[dict[str, Any]]:
    if result.change == "unchanged":
        return []
    return [each._asdict() for each in differences(result.before, result.campaign)]


def _show_history(campaign: Campaign, versions: Sequence[Version], as_json: bool) -> None:
    """Each change of a campaign, and what it changed."""
    before = [None, *(version.campaign for version in versions[:-1])]
    steps = [(version, differences(old, version.campaign)) for old, version in zip(before, versions, strict=True)]
    if as_json:
        changes = [
            {"at": iso(version.changed_at), "change": version.change, "differences": [e._asdict() for e in found]}
            for version, found in steps
        ]
        print_json({"data": campaign.as_json(), "history": changes})
        return
    say(campaign.name)
    for number, (version, found) in enumerate(steps):
        _print_differences(f"{iso(version.changed_at)}  {version.change}", found if number else [])


def _print_differences(title: str, found: Sequence[Difference]) -> None:
    say(title)
    for each in found:
        if each.before is None:
            remark(f"{each.field} added: {_value(each.after)}")
        elif each.after is None:
            remark(f"{each.field} removed: {_value(each.before)}")
        else:
            remark(f"{each.field}: {_value(each.before)} → {_value(each.after)}")


def _value(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _print_campaign(campaign: Campaign) -> None:
    schedule, duration = campaign.schedule, campaign.duration
    say(campaign.name)
    print_table(
        ("", ""),
        [
            ("id", campaign.identity),
            ("organization", campaign.organization_code),
            ("country", campaign.country),
            ("channel", campaign.channel),
            ("focus", campaign.focus or "–"),
            ("status", campaign.status),
            ("window", f"{schedule.daily_start_time} to {schedule.daily_end_time}, {schedule.time_zone}"),
            ("payments from", iso(duration.start_at)),
            ("payments before", iso(duration.end_at)),
        ],
    )
    say()
    for line in textwrap.wrap(visible(f"It targets {summary(campaign.country, campaign.rules)}."), NARROW):
        say(line)
    say()
    say("Its rules, all of which have to hold:" if campaign.rules else "It has no rules.")
    for rule in campaign.rules:
        say(f"  - {sentence(rule)}{'' if rule.is_active else '  (INACTIVE: not used)'}")
