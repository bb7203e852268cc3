"""Stores for tests: one that holds the example exports and is only read, and empty ones."""

import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

from recovery_batch.outreach.sending.journal import Entry, Journal
from recovery_batch.outreach.sending.states import State
from tests.e2e.commands import CAMPAIGNS, EXPORTS, Shell
from tests.e2e.exports import OLDEST_FIRST

UNKNOWN_REQUEST = Entry(
    run_id="20261029T150000Z-0123456789ab",
    path="declined-payments/0f5b6c1a-1d7e-4a55-9a10-000000000001/0001.json",
    line=0,
    state=State.UNKNOWN,
    attempts=1,
    status_code=500,
    message="the server answered 500, which does not say whether it has the request",
    changed_at=datetime(2026, 10, 29, 15, 1, tzinfo=UTC),
)
"""A request of an earlier night, of which nobody knows whether it arrived."""


@pytest.fixture(scope="session")
def example_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every example export and the six example campaigns; nobody may write to it."""
    shell = Shell(tmp_path_factory.mktemp("example") / "example.duckdb")
    shell.ok("load", *OLDEST_FIRST, EXPORTS / "seed_detailed.json", EXPORTS / "seed_minimal.json")
    assert shell("load", EXPORTS / "broken.ndjson").status == 3
    shell.ok("campaigns", "import", CAMPAIGNS / "recovery.yaml")
    Journal(shell.db).record(UNKNOWN_REQUEST)
    shell.ok("suppressions", "add", "--user-id", "u-1")
    return shell.db


@pytest.fixture
def example(example_db: Path) -> Shell:
    """Commands that read the example store."""
    return Shell(example_db)


@pytest.fixture
def example_copy(example_db: Path, tmp_path: Path) -> Shell:
    """Commands on a copy of the example store, which they may change."""
    return Shell(Path(shutil.copy(example_db, tmp_path / "copy.duckdb")))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Commands on a store that does not exist yet."""
    return Shell(tmp_path / "store.duckdb")
