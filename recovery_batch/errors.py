"""The one tree of errors: each has a stable slug, a code, a message and a hint.

    AppError
    ├── UsageError            wrong options or settings                       exit 2
    │   ├── SettingsInvalid   a configuration file or variable is wrong
    │   └── StoreForeign      the database file belongs to another program
    ├── BadRequest            a malformed UUID, a missing field, a bad query  exit 3
    │   └── ExportUnreadable  a file that no record can be read from
    ├── Refused               a value that fails validation                   exit 3
    │   ├── ProblemsFound     every problem of a campaign file, at once
    │   ├── StaleLoad         the newest export is too old for a nightly run
    │   └── TooManyContacts   a nightly run would contact more people than it may
    ├── NotFound              no such campaign, rule or payment               exit 4
    │   └── StoreMissing      there is no database file yet
    └── SystemFailed          the disk, a lock, the database                  exit 1
        ├── StoreLocked       another process holds the database
        └── Locked            another process is at the same work

The command line prints `message` and `hint`; with `--json` it prints `as_json()`. Whatever is no `AppError` is a bug.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar


class AppError(Exception):
    """What a user can act on: says what is wrong, where, and what to do next."""

    slug: ClassVar[str] = "failed"
    code: ClassVar[int] = 500
    exit_status: ClassVar[int] = 1

    def __init__(self, message: str, *, hint: str = "", details: Mapping[str, Any] | None = None) -> None:
        """Keep the message, the hint and the machine-readable details."""
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details: dict[str, Any] = dict(details or {})

    def as_json(self) -> dict[str, Any]:
        """The error in the API's shape: code, message, details (with the slug, and the hint when there is one)."""
        extra = {"hint": self.hint} if self.hint else {}
        return {
            "code": self.code,
            "message": self.message,
            "details": {"slug": self.slug, **self.details, **extra},
        }


class UsageError(AppError):
    """The command was called with options or settings that cannot work."""

    slug, code, exit_status = "usage", 400, 2


class SettingsInvalid(UsageError):
    """A configuration file or an environment variable holds a value that is not allowed."""

    slug = "settings_invalid"


class StoreForeign(UsageError):
    """The database file is not one of ours, or one that a newer version wrote."""

    slug = "store_foreign"


class BadRequest(AppError):
    """A malformed identifier, a missing required field, or a bad query parameter."""

    slug, code, exit_status = "bad_request", 400, 3


class ExportUnreadable(BadRequest):
    """An export file of which nothing can be loaded."""

    slug = "export_unreadable"


class Refused(AppError):
    """A value that fails validation."""

    slug, code, exit_status = "refused", 422, 3


class StaleLoad(Refused):
    """The newest export was loaded so long ago that a nightly run would not know who has paid since."""

    slug = "stale_load"


class TooManyContacts(Refused):
    """A nightly run would emit more communications than it was allowed to."""

    slug = "too_many_contacts"


class NotFound(AppError):
    """Nothing of that name or identifier is there."""

    slug, code, exit_status = "not_found", 404, 4


class StoreMissing(NotFound):
    """A command that reads was called before anything was loaded."""

    slug = "store_missing"


class SystemFailed(AppError):
    """The disk, a lock or the database failed; nothing half-done is left."""

    slug = "system_failed"


class StoreLocked(SystemFailed):
    """Another process holds the database file."""

    slug = "store_locked"


class Locked(SystemFailed):
    """Another process is at the same work."""

    slug = "locked"


def escape_pointer(key: str) -> str:
    """A key as a part of a JSON pointer (RFC 6901)."""
    return key.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a document.

    Attributes:
        place: JSON pointer of the field, `/rules/2/values/0`; empty for the document.
        message: What is wrong, naming the field.
        found: What stood there, as JSON text cut to a readable length; None where nothing stood there.
        allowed: What may stand there.
        code: 400 for a missing field or a malformed UUID, 422 for a value that fails validation.
        source: The file, where the document came from one.
        line: The line of the file, where the reader knows it.
    """

    place: str
    message: str
    found: str | None
    allowed: str
    code: int = 422
    source: str | None = None
    line: int | None = None

    def as_json(self) -> dict[str, Any]:
        """The problem as a plain mapping."""
        return {
            "file": self.source,
            "line": self.line,
            "place": self.place,
            "message": self.message,
            "found": self.found,
            "allowed": self.allowed,
            "code": self.code,
        }

    def __str__(self) -> str:
        """One line for a terminal."""
        line = f":{self.line}" if self.line else ""
        where = f"{self.source}{line}: " if self.source else ""
        stood = f"; found {self.found}" if self.found is not None else ""
        return f"{where}{self.place or '(whole document)'}: {self.message}{stood}; allowed: {self.allowed}"


class ProblemsFound(Refused):
    """Every problem of a document, listed at once."""

    slug = "problems_found"

    def __init__(self, problems: Sequence[Problem], *, hint: str = "") -> None:
        """Take the code of the gravest: 422 when any value fails validation, else 400."""
        lines = "\n".join(f"  {problem}" for problem in problems)
        count = "1 problem" if len(problems) == 1 else f"{len(problems)} problems"
        super().__init__(
            f"{count} found:\n{lines}",
            hint=hint,
            details={"problems": [problem.as_json() for problem in problems]},
        )
        self.problems = tuple(problems)
        self._code = max(problem.code for problem in problems)

    def as_json(self) -> dict[str, Any]:
        """The error in the API's shape, with the code of its problems."""
        return {**super().as_json(), "code": self._code}
