"""`backtest` and `explain`: what campaigns would do, and why."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from typing import Literal

import rich_click as click

from recovery_batch.api import Backtest, BacktestRequest, Period, backtest
from recovery_batch.cli.options import FILE, INSTANT, Context, campaign_options, json_option
from recovery_batch.cli.screen import note, print_json, print_table, remark, say
from recovery_batch.errors import UsageError
from recovery_batch.reporting.formats import count, grouped_amount, plural
from recovery_batch.reporting.report import CurrencyFigures
from recovery_batch.reporting.summary import as_json as summary_json
from recovery_batch.simulation import REASONS


@click.command("backtest")
@campaign_options
@click.option("--from", "since", type=INSTANT, metavar="ISO", help="Only payments created at or after it.")
@click.option("--to", "until", type=INSTANT, metavar="ISO", help="Only payments created before it.")
@click.option(
    "--outside-window",
    type=click.Choice(["defer", "drop"]),
    default="defer",
    show_default=True,
    help="A match outside the daily window waits for the next opening, or is dropped.",
)
@click.option(
    "--history",
    type=click.Choice(["none", "ledger"]),
    default="none",
    show_default=True,
    help="What limits count besides: nothing, or what nightly runs have emitted.",
)
@click.option(
    "--already-paid",
    type=click.Choice(["ignore", "exclude"]),
    default="ignore",
    show_default=True,
    help="Whether orders that were paid before the planned time are left out.",
)
@click.option("--decisions", type=FILE, metavar="FILE", help="Write one row a match: .csv or .parquet.")
@click.option("--report", type=FILE, metavar="FILE.html", help="Write the report as one HTML file.")
@json_option
@click.pass_obj
def backtest_command(
    context: Context,
    campaign_files: tuple[Path, ...],
    campaign_ids: tuple[str, ...],
    since: datetime | None,
    until: datetime | None,
    outside_window: Literal["defer", "drop"],
    history: Literal["none", "ledger"],
    already_paid: Literal["ignore", "exclude"],
    decisions: Path | None,
    report: Path | None,
    as_json: bool,
) -> None:
    """Say which payments campaigns would have targeted, and what windows and limits would have let through.

    Nothing is written to the store.

    \b
    Example:
      recovery-batch backtest --from 2026-09-04 --to 2026-11-03 --report report.html
    """
    if decisions is not None and decisions.suffix.lower() not in (".csv", ".parquet"):
        raise UsageError(f"--decisions {decisions}: the name must end in .csv or .parquet")
    context.keep_store(decisions, report)
    if since is not None and until is not None and until <= since:
        raise UsageError("--to is not after --from", hint="--to is the first instant that is left out.")
    period = Period(since, until)
    request = BacktestRequest(
        context.db, campaign_files, campaign_ids, period, outside_window, already_paid, context.settings, history
    )
    result = backtest(request)
    if decisions is not None:
        result.write_decisions(decisions)
    if report is not None:
        result.write_report(report)
    if as_json:
        print_json({**summary_json(result.figures), "not_evaluated": list(result.not_evaluated)})
    else:
        print_backtest(result)
        for path in (decisions, report):
            if path is not None:
                note(f"written: {path}")


def print_backtest(result: Backtest) -> None:
    """Print a backtest as a table and its reasons."""
    figures = result.figures
    numbers = ("matched", "sent", "suppressed")
    rows = [
        (
            each.name,
            count(each.tally.matched),
            count(each.tally.sent),
            count(each.tally.suppressed),
            _sent(each.amounts),
        )
        for each in figures.campaigns
    ]
    totals = figures.totals
    say(f"{plural(totals.payments, 'payment')}, {plural(len(figures.campaigns), 'campaign')}")
    say()
    print_table(("campaign", *numbers, "amounts sent"), rows, numbers=numbers)
    say()
    tally = totals.tally
    say(f"matched {count(tally.matched)}: sent {count(tally.sent)}, suppressed {count(tally.suppressed)}")
    for reason in figures.reasons:
        remark(f"{reason.slug} {count(reason.suppressed)}: {REASONS[reason.slug]}")
    for each in figures.campaigns:
        for warning in each.warnings:
            note(f"warning: {each.name}: {warning}")
    if result.not_evaluated:
        note(f"not ACTIVE, so not evaluated: {', '.join(result.not_evaluated)}")
    if not result.campaigns:
        note("no campaign is ACTIVE; import some (campaigns import FILE), or name a file with --campaigns")


def _sent(amounts: tuple[CurrencyFigures, ...]) -> str:
    # a no-break blank, so that a narrow table breaks between amounts and not inside one
    return "\n".join(f"{each.currency_code}\u00a0{grouped_amount(each.sent, each.currency_code)}" for each in amounts)
