"""Stores for tests: one that holds the example exports and is only read, and empty ones."""

import shutil
from pathlib import Path

import pytest

from tests.e2e.commands import CAMPAIGNS, EXPORTS, Shell
from tests.e2e.exports import OLDEST_FIRST


@pytest.fixture(scope="session")
def example_db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A store with every example export and the six example campaigns; nobody may write to it."""
    shell = Shell(tmp_path_factory.mktemp("example") / "example.duckdb")
    shell.ok("load", *OLDEST_FIRST, EXPORTS / "seed_detailed.json", EXPORTS / "seed_minimal.json")
    assert shell("load", EXPORTS / "broken.ndjson").status == 3
    shell.ok("campaigns", "import", CAMPAIGNS / "recovery.yaml")
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
