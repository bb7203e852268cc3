"""The root of the command line, and what every command has in common: settings, errors, exit statuses."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import rich_click as click
from click.exceptions import Exit

from recovery_batch import __version__
from recovery_batch.cli.backtesting import backtest_command
from recovery_batch.cli.campaigns import campaigns_group
from recovery_batch.cli.explaining import explain_command
from recovery_batch.cli.forgetting import forget_command, purge_command
from recovery_batch.cli.loading import load_command
from recovery_batch.cli.logs import FORMS, INTERRUPTED, event_logger
from recovery_batch.cli.options import FILE, Context
from recovery_batch.cli.outreach import outreach_group
from recovery_batch.cli.rejects import rejects_group
from recovery_batch.cli.rules import rules_group
from recovery_batch.cli.running import demo_command, run_command
from recovery_batch.cli.screen import print_error
from recovery_batch.cli.submitting import submissions_group, submit_command
from recovery_batch.cli.suppressions import suppressions_group
from recovery_batch.errors import AppError, SystemFailed, UsageError
from recovery_batch.settings import read_settings

_FAILED = 1

EXIT_STATUSES = """\
\b
Exit status: 0 done, also when there was nothing to do; 1 the system failed
(disk, lock) or a bug; 2 wrong usage; 3 input refused, or partly refused;
4 not found."""


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80},
    epilog=EXIT_STATUSES,
)
@click.version_option(__version__, prog_name="recovery-batch")
@click.option(
    "--db",
    type=FILE,
    default=Path("recovery.duckdb"),
    show_default=True,
    envvar="RECOVERY_BATCH_DB",
    show_envvar=True,
    help="The store: one DuckDB file.",
)
@click.option(
    "--config",
    type=FILE,
    envvar="RECOVERY_BATCH_CONFIG",
    show_envvar=True,
    help="Settings: a TOML file.",
)
@click.option(
    "--log",
    type=click.Choice(FORMS),
    default="auto",
    show_default=True,
    envvar="RECOVERY_BATCH_LOG",
    show_envvar=True,
    help="Log of the nightly commands, on standard error; auto: none on a terminal, else json.",
)
@click.pass_context
def cli(context: click.Context, db: Path, config: Path | None, log: str) -> None:
    """Backtest recovery campaigns on declined payments, and emit outreach batches.

    \b
    Example, the whole road on the example data:
      recovery-batch demo --out demo
    """
    context.obj = Context(db, read_settings(config), event_logger(log))


_COMMANDS = (
    load_command,
    rejects_group,
    campaigns_group,
    rules_group,
    backtest_command,
    explain_command,
    run_command,
    outreach_group,
    suppressions_group,
    submit_command,
    submissions_group,
    forget_command,
    purge_command,
    demo_command,
)
for _command in _COMMANDS:
    cli.add_command(_command)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line, and give its exit status."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    as_json = "--json" in given
    try:
        _check_text(given)
        status = cli.main(given, prog_name="recovery-batch", standalone_mode=False)
    except AppError as error:
        print_error(error, as_json=as_json)
        return error.exit_status
    except (Exit, SystemExit) as done:  # rich-click leaves by itself after the help of a group without a command
        return done.exit_code if isinstance(done, Exit) else int(done.code or 0)
    except click.ClickException as error:
        if as_json:
            print_error(UsageError(error.format_message()), as_json=True)
        else:
            error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("interrupted; nothing half-done is kept", err=True)
        return INTERRUPTED
    except Exception as error:
        # one without a number is not the system's: libraries raise it for faults of their own
        if not isinstance(error, OSError) or error.errno is None:
            status = _bug(error, as_json=as_json)
        else:
            status = _system_failed(error, as_json)
    return status if isinstance(status, int) else 0


def _check_text(arguments: Sequence[str]) -> None:
    """Refuse what neither the store could keep nor JSON show: bytes that are not UTF-8."""
    for argument in arguments:
        try:
            argument.encode()
        except UnicodeEncodeError as error:
            raise UsageError(f"the argument {argument!a} is not UTF-8", hint="Rename the file.") from error


def _system_failed(error: OSError, as_json: bool) -> int:
    place = error.filename
    if place is None and _is_of_output(error):
        place, as_json = "standard output", False
        with suppress(OSError):  # it shall not fail again when the interpreter ends
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    told = error.strerror if place is None else f"{place}: {error.strerror}"
    print_error(SystemFailed(str(told)), as_json=as_json)
    return _FAILED


def _is_of_output(error: OSError) -> bool:
    """Whether printing failed: the error comes out of a library that prints."""
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    return bool(frames) and frames[-1].f_globals["__name__"].partition(".")[0] in ("click", "rich")


def _bug(error: Exception, *, as_json: bool) -> int:
    """Say that we are at fault, and where, without the values: they could be personal data."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else "unknown place"
    failure = SystemFailed(
        f"a bug: {type(error).__name__} at {place}",
        hint="Please report it with the command; RECOVERY_BATCH_TRACEBACK=1 shows the whole traceback.",
    )
    print_error(failure, as_json=as_json)
    if "RECOVERY_BATCH_TRACEBACK" in os.environ:
        traceback.print_exception(error)
    return _FAILED
