"""`campaigns`: what is stored, and files of it."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import rich_click as click

from recovery_batch.api.files import write_whole
from recovery_batch.campaigns import (
    Campaign,
    all_campaigns,
    get_campaign,
    import_campaigns,
    list_campaigns,
    read_campaigns,
    write_campaigns,
)
from recovery_batch.cli.options import FILE, INSTANT, Context, json_option
from recovery_batch.cli.screen import note, print_json, print_table, say
from recovery_batch.clock import iso
from recovery_batch.errors import BadRequest
from recovery_batch.reporting.formats import plural
from recovery_batch.rules import sentence
from recovery_batch.store import Store

_LARGEST_PAGE = 100


@click.group("campaigns")
def campaigns_group() -> None:
    """Import, show and export campaigns with their rules.

    \b
    Example:
      recovery-batch campaigns import fixtures/campaigns/recovery.yaml
    """


@campaigns_group.command("import")
@click.argument("files", nargs=-1, required=True, type=FILE, metavar="FILE...")
@json_option
@click.pass_obj
def import_command(context: Context, files: tuple[Path, ...], as_json: bool) -> None:
    """Store the campaigns of JSON or YAML files: all of them, or none.

    A campaign replaces the stored one with its id, else the one with its name in its organization. Files are
    checked whole: every problem is listed at once.

    \b
    Example:
      recovery-batch campaigns import fixtures/campaigns/recovery.yaml
    """
    campaigns = read_campaigns(files)
    with Store.open(context.db, write=True) as store:
        results = import_campaigns(store, campaigns, datetime.now(UTC))
    changes = {change: sum(each.change == change for each in results) for change in ("created", "updated", "unchanged")}
    if as_json:
        print_json({"data": [each.campaign.as_json() for each in results], "meta": {"total": len(results), **changes}})
        return
    print_table(("change", "id", "name"), [(e.change, e.campaign.identity, e.campaign.name) for e in results])
    for each in results:
        if not each.campaign.active_rules:
            note(f"warning: {each.campaign.name} has no active rule and will target nobody")


@campaigns_group.command("get")
@click.argument("campaign_id", metavar="ID")
@json_option
@click.pass_obj
def get_command(context: Context, campaign_id: str, as_json: bool) -> None:
    """Show one campaign with its rules, in plain words.

    \b
    Example:
      recovery-batch campaigns get 0f5b6c1a-1d7e-4a55-9a10-000000000001
    """
    with Store.open(context.db) as store:
        campaign = get_campaign(store, campaign_id)
    if as_json:
        print_json({"data": campaign.as_json()})
    else:
        _print_campaign(campaign)


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
    if not 1 <= limit <= _LARGEST_PAGE:
        raise BadRequest(f"limit is {limit}; allowed: 1 to {_LARGEST_PAGE}", details={"field": "limit"})
    if offset < 0:
        raise BadRequest(f"offset is {offset}; allowed: 0 or more", details={"field": "offset"})
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
    text = write_campaigns(campaigns, as_yaml=out.suffix.lower() in (".yaml", ".yml"))
    write_whole(out, lambda file: file.write_text(text, encoding="utf-8"))
    if as_json:
        print_json({"path": str(out), "campaigns": len(campaigns)})
    else:
        note(f"{plural(len(campaigns), 'campaign')} written to {out}")


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
    say("It targets payments for which all of this holds:" if campaign.active_rules else "It has no active rule.")
    for rule in campaign.rules:
        say(f"  - {sentence(rule)}{'' if rule.is_active else '  (INACTIVE: not used)'}")
