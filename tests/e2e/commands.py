"""The command line as tests call it: in this process, or as a program of its own."""

import json
import os
import subprocess
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass
from io import StringIO
from pathlib import Path
from typing import Any

from recovery_batch.cli import main

ROOT = Path(__file__).parents[2]
EXPORTS = ROOT / "fixtures" / "exports"
CAMPAIGNS = ROOT / "fixtures" / "campaigns"
AS_OF = "2026-10-30T15:00:00Z"
"""A night near the end of the example exports."""


@dataclass(frozen=True)
class Outcome:
    """What a command did: its exit status, and what it wrote."""

    status: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as the one JSON document that it must be."""
        return json.loads(self.out)

    @property
    def error(self) -> dict[str, Any]:
        """The error that was printed as JSON."""
        document = self.document
        assert set(document) == {"code", "message", "details"}
        assert isinstance(document["code"], int)
        return dict(document)


@dataclass(frozen=True)
class Shell:
    """Calls commands on one store."""

    db: Path

    def __call__(self, *arguments: object) -> Outcome:
        """Call a command in this process."""
        return call("--db", self.db, *arguments)

    def ok(self, *arguments: object) -> Outcome:
        """Call a command that must succeed."""
        outcome = self(*arguments)
        assert outcome.status == 0, outcome
        return outcome


def call(*arguments: object) -> Outcome:
    """Call the command line in this process."""
    out, err = StringIO(), StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        status = main([str(each) for each in arguments])
    return Outcome(status, out.getvalue(), err.getvalue())


def program(*arguments: object, cwd: Path, **environment: str) -> Outcome:
    """Run the command line as a program."""
    done = subprocess.run(
        command_line(*arguments), cwd=cwd, env=clean_environment() | environment, capture_output=True, check=False
    )
    return Outcome(done.returncode, done.stdout.decode(), done.stderr.decode())


def command_line(*arguments: object) -> list[str]:
    """The words that start the program."""
    return [sys.executable, "-m", "recovery_batch", *(str(each) for each in arguments)]


def clean_environment() -> dict[str, str]:
    """An environment that finds the package, and has no settings of whoever runs the tests."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("RECOVERY_BATCH_")}
    return kept | {"PYTHONPATH": str(ROOT), "RECOVERY_BATCH_LOG": "none"}
