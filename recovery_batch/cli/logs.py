"""The log of the nightly commands, on standard error: JSON lines for programs, or lines that a person can read.

On a terminal none is kept unless it is asked for: what a person must see of a command, its notes, warnings and errors,
is printed anyway. A log that cannot be written stops nothing.
"""

from __future__ import annotations

import os
import re
import sys
import traceback
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final, TextIO, Unpack

from recovery_batch.api.events import Fields, Level, Log, silent
from recovery_batch.errors import AppError, SystemFailed
from recovery_batch.reporting.formats import visible

FORMS: Final = ("none", "auto", "text", "json")
"""How a log can be written; auto: as JSON unless standard error is a terminal, where there is none."""

INTERRUPTED: Final = 130

_FIELDS: Final = tuple(Fields.__annotations__)
_EVENT: Final = re.compile("[a-z][a-z_]*")


def event_logger(form: str, stream: TextIO | None = None) -> Log:
    """The log that was asked for.

    A line says `timestamp` (ISO 8601, UTC), `level` and `event`, then the event's fields in the order of `Fields`.
    A field that is not listed there is a bug of ours: its value is left out, and its name stands in
    `unlisted_fields`.

    Args:
        form: One of `FORMS`.
        stream: Where to; standard error if None.
    """
    target: TextIO | None = sys.stderr if stream is None else stream
    # None is what Python makes of a closed standard error
    if form == "none" or target is None or (form == "auto" and target.isatty()):
        return silent
    logger = _logger(target, as_json=form != "text")

    def log(event: str, /, level: Level = "info", **fields: Unpack[Fields]) -> None:
        with suppress(OSError, ValueError):  # a full disk, a pipe that nobody reads, a closed stream
            logger.log(_SEVERITY[level], event, **fields)

    return log


@contextmanager
def failures_logged(log: Log) -> Iterator[None]:
    """Log how a command fails, and let it fail: the message itself, which is for people, is printed elsewhere."""
    try:
        yield
    except AppError as error:
        log("failed", level="error", slug=error.slug, exit_status=error.exit_status)
        raise
    except KeyboardInterrupt:
        log("interrupted", level="error", exit_status=INTERRUPTED)
        raise
    except OSError:
        log("failed", level="error", slug=SystemFailed.slug, exit_status=SystemFailed.exit_status)
        raise
    except Exception as error:
        frame = traceback.extract_tb(error.__traceback__)[-1]
        log("failed", level="error", slug="bug", exit_status=1, place=f"{Path(frame.filename).name}:{frame.lineno}")
        raise


_SEVERITY: Final[Mapping[Level, int]] = {"info": 20, "warning": 30, "error": 40}


def _logger(stream: TextIO, *, as_json: bool) -> Any:
    import structlog

    colours = stream.isatty() and not os.environ.get("NO_COLOR")
    renderer = (
        structlog.processors.JSONRenderer()
        if as_json
        else structlog.dev.ConsoleRenderer(colors=colours, sort_keys=False, pad_event_to=20)
    )
    return structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            _in_order,
            *(() if as_json else (_visible,)),
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger("info"),
    )


def _in_order(_logger: Any, _method: str, said: MutableMapping[str, Any]) -> dict[str, Any]:
    """Put a line together from what may be said, and nothing else."""
    event = said["event"] if _EVENT.fullmatch(said["event"]) else "unnamed_event"
    line: dict[str, Any] = {"timestamp": said["timestamp"], "level": said["level"], "event": event}
    for name in _FIELDS:
        if name in said:
            value = said[name]
            line[name] = dict(sorted(value.items())) if isinstance(value, Mapping) else value
    unlisted = sorted(said.keys() - line.keys())
    return line | ({"unlisted_fields": unlisted} if unlisted else {})


def _visible(_logger: Any, _method: str, line: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Keep control characters of a path from driving a terminal; JSON escapes them by itself."""
    return {name: visible(value) if isinstance(value, str) else value for name, value in line.items()}
