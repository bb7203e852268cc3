"""`forget` and `purge`: a person, or old data, out of the store and the bytes of its file."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, Final

import rich_click as click

from recovery_batch.api.forgetting import Asked, Erasure, Purge, forget, purge
from recovery_batch.cli.options import Context, json_option
from recovery_batch.cli.screen import note, print_json, remark, say
from recovery_batch.clock import iso, parse_bound
from recovery_batch.errors import UsageError
from recovery_batch.phones import WrittenPhone, calling_code, read_phone
from recovery_batch.reporting.formats import plural
from recovery_batch.store import Store

_SHOWN: Final = 10
_AGE: Final = re.compile(r"([0-9]{1,6})([dh])")
_EARLIEST: Final = datetime(1, 1, 1, tzinfo=UTC)


class AgeType(click.ParamType[datetime]):
    """An age (90d, 26h) or a time: the instant that it begins at."""

    name = "AGE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the age."""
        now = datetime.now(UTC).replace(microsecond=0)
        if match := _AGE.fullmatch(str(value)):
            number, unit = int(match[1]), match[2]
            try:
                return now - (timedelta(days=number) if unit == "d" else timedelta(hours=number))
            except OverflowError:  # older than the calendar
                return _EARLIEST
        try:
            before = parse_bound(str(value))
        except ValueError:
            self.fail(f"{value!r} is not an age; give 90d, 26h, 2026-09-01 or 2026-09-01T08:00:00Z", param, ctx)
        if before > now:
            self.fail(f"{value!r} is yet to come; everything would be purged", param, ctx)
        return before


@click.command("forget")
@click.option("--phone", metavar="PHONE", help="Who is called at this number, in any notation.")
@click.option("--user-id", metavar="ID", help="Who has this user id.")
@click.option("--organization", metavar="CODE", help="With --user-id: only in this organization.")
@click.option("--country", metavar="CC", help="With --phone: whose notation it is (CO), where it has no country code.")
@click.option("--alone", is_flag=True, help="Only what carries exactly this, and not what it leads on to.")
@click.option("--dry-run", is_flag=True, help="Only count what would be erased.")
@json_option
@click.pass_obj
def forget_command(
    context: Context,
    phone: str | None,
    user_id: str | None,
    organization: str | None,
    country: str | None,
    alone: bool,
    dry_run: bool,
    as_json: bool,
) -> None:
    """Erase a person from the store, and keep them out of later loads.

    From a phone number it goes on to the users who paid with it and to all that
    they paid; from a user to their phone numbers. All of it leaves every table,
    the quarantine too, and the bytes of the file. The ledger keeps a hash, made
    with a key in a file of its own (STORE.key): keep it, and keep it apart.

    Batch files that name the person are listed, for you to delete, and folders
    of runs of which other files may hold ids of theirs. See docs/privacy.md.

    \b
    Examples:
      recovery-batch forget --phone "+57 310 123 4567" --dry-run
      recovery-batch forget --user-id user-77 --organization CODE
    """
    asked = Asked(_phone(phone, country), user_id, organization, alone)
    _check(asked, country)
    with Store.open(context.db, write=not dry_run, make=False) as store:
        # to the microsecond: a purchase of this very second may be the first of the time after
        erasure = forget(store, asked, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        print_json(erasure.as_json())
    else:
        _print_erasure(erasure)


@click.command("purge")
@click.option("--older-than", "before", type=AgeType(), required=True, help="How old: 90d, 26h, or a date or time.")
@click.option("--dry-run", is_flag=True, help="Only count what would be deleted.")
@json_option
@click.pass_obj
def purge_command(context: Context, before: datetime, dry_run: bool, as_json: bool) -> None:
    """Delete old payments, flows and quarantined records from the store.

    They leave every table and the bytes of the file. The ledger stays, so that
    nobody is contacted twice, with a hash in the place of each user; runs,
    submissions and opt-outs stay. Loading an old export again brings its
    records back. See docs/privacy.md.

    \b
    Example:
      recovery-batch purge --older-than 400d --dry-run
    """
    with Store.open(context.db, write=not dry_run, make=False) as store:
        done = purge(store, before, datetime.now(UTC), dry_run=dry_run)
    if as_json:
        print_json(done.as_json())
    else:
        _print_purge(done)


def _phone(text: str | None, country: str | None) -> WrittenPhone | None:
    if country is not None and not calling_code(country):
        raise UsageError("--country is no country; allowed: two letters such as CO (ISO 3166-1 alpha-2)")
    if text is None:
        return None
    try:
        return read_phone(text, country)
    except ValueError as error:
        raise UsageError(
            f"--phone: {error}", hint="Begin it with + and the country code, or name the country with --country."
        ) from error


def _check(asked: Asked, country: str | None) -> None:
    if (asked.phone is None) == (asked.user_id is None):
        raise UsageError("who is to be forgotten is not clear; allowed: one of --phone and --user-id")
    if asked.user_id == "":
        raise UsageError("--user-id is empty; allowed: the id of a user")
    if asked.phone is not None and asked.organization_code is not None:
        raise UsageError("--organization goes with --user-id; a phone number is erased in every organization")
    if asked.phone is None and country is not None:
        raise UsageError("--country goes with --phone")


def _counted(counts: Iterable[tuple[int, str]]) -> None:
    for number, word in counts:
        if number:
            remark(plural(number, word))


def _print_erasure(erasure: Erasure) -> None:
    counts = erasure.counts
    if not any(counts.values()):
        say("Nothing is stored of this person." + ("" if erasure.is_dry_run else " Later loads will leave them out."))
        return
    say("To be erased:" if erasure.is_dry_run else "Erased:")
    _counted(
        [
            (counts["payments"], "payment"),
            (counts["flows"], "abandoned flow"),
            (counts["rejects"], "quarantined record"),
            (counts["opt_outs"], "opt-out"),
        ]
    )
    if counts["ledger"]:
        remark(f"the user in {plural(counts['ledger'], 'row')} of the ledger, which keeps a hash instead")
    if erasure.organizations > 1:
        note(f"the user was known to {erasure.organizations} organizations; --organization names one")
    if erasure.batch_files:
        note("batch files that name the person, to be deleted by you where they still are:")
        for path in erasure.batch_files:
            note(f"  {path}")
    if erasure.run_folders:
        note("runs that may hold ids of the person's elsewhere (left_out.csv, left_out_flows.csv, report, refused/):")
        for folder in erasure.run_folders[:_SHOWN]:
            note(f"  {folder}")
        if len(erasure.run_folders) > _SHOWN:
            note(f"  and {len(erasure.run_folders) - _SHOWN} more, which --json lists")
    if erasure.campaigns:
        shown = ", ".join(erasure.campaigns[:_SHOWN])
        note(f"a rule of {plural(len(erasure.campaigns), 'campaign')} names the person: {shown}; left as it is")
    if not erasure.is_dry_run:
        note(f"keep the key of the hashes, apart from copies of the store: {erasure.key}")


def _print_purge(done: Purge) -> None:
    counts = done.counts
    if not any(counts.values()):
        say(f"Nothing is older than {iso(done.before)}.")
        return
    say(f"{'To be deleted' if done.is_dry_run else 'Deleted'}, older than {iso(done.before)}:")
    _counted(
        [
            (counts["payments"], "payment"),
            (counts["flows"], "abandoned flow"),
            (counts["rejects"], "quarantined record"),
        ]
    )
    if counts["ledger"]:
        remark(f"the user in {plural(counts['ledger'], 'row')} of the ledger, which keeps a hash instead")
    if counts["flow_ledger"]:
        remark(f"what named {plural(counts['flow_ledger'], 'flow')} of the ledger, which keeps a hash instead")
