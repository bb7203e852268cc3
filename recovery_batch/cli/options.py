"""Options that several commands share, and how their values are read."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import rich_click as click

from recovery_batch.api.events import Log, silent
from recovery_batch.clock import parse_bound, parse_zone
from recovery_batch.errors import UsageError
from recovery_batch.settings import Settings

_Command = TypeVar("_Command", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Context:
    """What every command is called with: the store, the settings, and the log, which is silent unless asked for."""

    db: Path
    settings: Settings
    log: Log = silent

    def keep_store(self, *outputs: Path | None) -> None:
        """Refuse to write an output over the store.

        Raises:
            UsageError: one of the outputs is the store's file.
        """
        for output in outputs:
            if output is not None and output.resolve() == self.db.resolve():
                raise UsageError(f"{output}: this is the store; it would be lost", hint="Name another file.")


class InstantType(click.ParamType[datetime]):
    """A time in ISO 8601, or a date, which is its midnight UTC."""

    name = "ISO"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        """Read the time."""
        try:
            return value if isinstance(value, datetime) else parse_bound(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time; give 2026-09-01 or 2026-09-01T08:00:00Z", param, ctx)


class ZoneType(click.ParamType[str]):
    """An IANA time zone or an offset."""

    name = "ZONE"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the zone."""
        try:
            parse_zone(str(value))
        except ValueError:
            self.fail(f"{value!r} is not a time zone; give America/Bogota or -05:00", param, ctx)
        return str(value)


class FileType(click.Path):
    """A file or folder. An empty path, of a variable that is not set, would be the current folder."""

    def convert(
        self, value: str | os.PathLike[str], param: click.Parameter | None, ctx: click.Context | None
    ) -> str | bytes | os.PathLike[str]:
        """Read the path."""
        if not os.fspath(value).strip():
            self.fail("the path is empty; is a variable of the script not set?", param, ctx)
        return super().convert(value, param, ctx)


FILE = FileType(path_type=Path)
INSTANT = InstantType()
ZONE = ZoneType()


def json_option(command: _Command) -> _Command:
    """`--json`, which every command takes."""
    return click.option("--json", "as_json", is_flag=True, help="Print one JSON document on standard output.")(command)


def campaign_options(command: _Command) -> _Command:
    """`--campaigns` and `--campaign`."""
    command = click.option(
        "--campaign",
        "campaign_ids",
        multiple=True,
        metavar="ID",
        help="Only this campaign, whatever its status. May be repeated.",
    )(command)
    return click.option(
        "--campaigns",
        "campaign_files",
        multiple=True,
        type=FILE,
        metavar="FILE",
        help="Evaluate the campaigns of this file, not the stored ones. May be repeated.",
    )(command)
