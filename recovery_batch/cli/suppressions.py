"""`suppressions`: the list of those who are not to be contacted."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import rich_click as click

from recovery_batch.cli.bodies import read_input
from recovery_batch.cli.options import FILE, Context, json_option
from recovery_batch.cli.screen import note, print_json, print_table, say
from recovery_batch.clock import iso
from recovery_batch.errors import Refused, UsageError
from recovery_batch.outreach.opt_out_files import COUNTS, import_opt_outs
from recovery_batch.outreach.opt_outs import (
    add_opt_out,
    list_opt_outs,
    remove_opt_out,
    remove_same,
    unknown_organizations,
)
from recovery_batch.outreach.sending.waiting import DEFAULT_PACE, open_when_free
from recovery_batch.privacy import mask_contact, mask_phone, mask_value
from recovery_batch.reporting.formats import count, plural
from recovery_batch.store import Store

_OPTIONS = {
    "phone": "--phone",
    "user_id": "--user-id",
    "organization_code": "--organization",
    "campaign_id": "--campaign",
    "country": "--country",
    "source": "--source",
}
"""The option of each field of an entry."""
_HEADERS = ("id", "phone or user", "applies to", "source", "since")


@click.group("suppressions")
def suppressions_group() -> None:
    """Keep the list of those who are not to be contacted.

    \b
    Example:
      recovery-batch suppressions add --phone "+57 310 123 4567" --source hotline
      recovery-batch suppressions import opt_outs.csv
      recovery-batch suppressions list
    """


@contextmanager
def _changing(db: Path) -> Iterator[Store]:
    """The store, to be changed as soon as nobody else holds it: somebody's wish must not wait for the night to end."""
    with open_when_free(db, write=True, pace=DEFAULT_PACE) as store:
        yield store


def _fields(command: Callable[..., Any]) -> Callable[..., Any]:
    """Whom an entry is about, and in what scope."""
    for name, metavar, about in (
        ("country", "CC", "Whose notation the number is in: CO, MX."),
        ("campaign_id", "UUID", "Only this campaign."),
        ("organization_code", "CODE", "Only customers of this one."),
        ("user_id", "ID", "A user, as metadata names them."),
        ("phone", "PHONE", "A phone number, in any notation."),
    ):
        command = click.option(_OPTIONS[name], name, metavar=metavar, help=about)(command)
    return command


def _checked(fields: dict[str, str | None]) -> dict[str, str | None]:
    """The fields as they were given, where they name one customer and one scope."""
    for name, value in fields.items():
        if value is not None and not value.strip():  # a variable of a script that was not set
            raise UsageError(f"{_OPTIONS[name]} is blank", hint="Give a value, or leave the option out.")
    if (fields["phone"] is None) == (fields["user_id"] is None):
        raise UsageError("give --phone or --user-id: one of the two")
    if fields["organization_code"] is not None and fields["campaign_id"] is not None:
        raise UsageError("give --organization or --campaign, not both", hint="A campaign is of one organization.")
    return fields


@suppressions_group.command("add")
@_fields
@click.option(_OPTIONS["source"], metavar="TEXT", help="Where the wish came from.")
@json_option
@click.pass_obj
def add_command(context: Context, /, as_json: bool, **fields: str | None) -> None:
    """Put somebody on the list, by phone number or by user id.

    Without --organization and --campaign it holds for the customers of every organization. The same entry twice is one.
    A number without its country code is compared with everybody's, with and without theirs.

    \b
    Example:
      recovery-batch suppressions add --phone "+57 310 123 4567" --source hotline
      recovery-batch suppressions add --user-id u-77 --organization ORGANIZATION
    """
    wanted = _checked(fields)
    with _changing(context.db) as store:
        change, row = add_opt_out(store, wanted, datetime.now(UTC))
        code = row["organization_code"]
        unknown = unknown_organizations(store, [] if code is None else [code])
    _show_one(change, row, as_json)
    _warn(unknown)


@suppressions_group.command("remove")
@click.argument("identity", required=False, metavar="[ID]")
@_fields
@json_option
@click.pass_obj
def remove_command(context: Context, /, identity: str | None, as_json: bool, **fields: str | None) -> None:
    """Take an entry off the list: by its id, or by what it was added with.

    Entries of another scope stay.

    \b
    Example:
      recovery-batch suppressions remove 5f1c0a9be2d34478
      recovery-batch suppressions remove --phone "+57 310 123 4567"
    """
    if identity and any(value is not None for value in fields.values()):
        raise UsageError("give ID or the options, not both")
    wanted = fields if identity else _checked(fields)
    with _changing(context.db) as store:
        row = remove_opt_out(store, identity) if identity else remove_same(store, wanted, datetime.now(UTC))
    _show_one("removed", row, as_json)


@suppressions_group.command("import")
@click.argument("file", type=FILE, metavar="FILE|-")
@json_option
@click.pass_obj
def import_command(context: Context, file: Path, as_json: bool) -> int:
    """Put the entries of a file on the list: CSV with a header, or NDJSON.

    Columns: phone, user_id, organization_code, campaign_id, country, source, added_at; at least one of the first two.
    Bad lines are named with their field, never with the number; the others are imported, and the exit status is 3.

    \b
    Example:
      recovery-batch suppressions import opt_outs.csv
    """
    content, source = read_input(file)
    with _changing(context.db) as store:
        report = import_opt_outs(store, content, source, datetime.now(UTC))
    if as_json:
        print_json(report.as_json())
    else:
        print_table(COUNTS, [[count(report.counts[name]) for name in COUNTS]], numbers=COUNTS)
        for problem in report.problems:
            note(f"refused: {problem}")
    _warn(report.unknown_organizations)
    return Refused.exit_status if report.problems else 0


@suppressions_group.command("list")
@click.option("--limit", type=int, default=20, show_default=True, help="At most so many, 1 to 100.")
@click.option("--offset", type=int, default=0, show_default=True, help="Leave out so many before.")
@click.option("--show", is_flag=True, help="Show phone numbers and user ids plainly.")
@json_option
@click.pass_obj
def list_command(context: Context, limit: int, offset: int, show: bool, as_json: bool) -> None:
    """Show the list, the newest first; phone numbers and user ids are masked.

    \b
    Example:
      recovery-batch suppressions list --limit 100 --show
    """
    with Store.open(context.db) as store:
        found, total = list_opt_outs(store, limit=limit, offset=offset)
    rows = [_shown(row, plainly=show) for row in found.iter_rows(named=True)]
    if as_json:
        print_json({"data": rows, "meta": {"total": total, "limit": limit, "offset": offset}})
    elif not total:
        say("Nobody is on the list.")
    else:
        print_table(_HEADERS, [_cells(row) for row in rows])
        note(f"{count(len(rows))} of {plural(total, 'entry', 'entries')}")


def _warn(unknown: list[str]) -> None:
    for code in unknown:
        note(f"warning: organization {code} has no payment and no campaign here; is it spelled like that?")


def _show_one(change: str, row: dict[str, Any], as_json: bool) -> None:
    shown = _shown(row, plainly=False)
    if as_json:
        print_json({"data": {"status": change, **shown}})
    else:
        print_table(("", *_HEADERS), [(change, *_cells(shown))])


def _shown(row: dict[str, Any], *, plainly: bool) -> dict[str, Any]:
    """A row of the list as it may be shown."""
    phone, user, source = row["phone"], row["user_id"], row["source"]
    if phone is not None and not plainly:
        phone = mask_phone(phone)
    elif phone is not None and row["is_international"]:
        phone = f"+{phone}"
    if not plainly:
        user = None if user is None else mask_value(user, "user_id")
        source = None if source is None else mask_contact(source)
    return {
        "id": row["opt_out_id"],
        "phone": phone,
        "user_id": user,
        "organization_code": row["organization_code"],
        "campaign_id": row["campaign_id"],
        "source": source,
        "added_at": iso(row["added_at"]),
    }


def _cells(row: dict[str, Any]) -> tuple[str, ...]:
    if row["campaign_id"]:
        scope = f"campaign {row['campaign_id']}"
    else:
        scope = f"organization {row['organization_code']}" if row["organization_code"] else "everybody"
    return row["id"], row["phone"] or f"user {row['user_id']}", scope, row["source"] or "", row["added_at"][:10]
