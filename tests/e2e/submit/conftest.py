"""Quick waits, both keys, a store with nothing in it, a server, and the folder of a run."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from recovery_batch.api.submitting import SubmitRequest
from tests.e2e.commands import Shell
from tests.e2e.runs import (
    declined,
    empty_store,
    flows,
    make_run,
)
from tests.e2e.servers import Server, serving
from tests.e2e.submit.sending import FAST, PRIVATE, PUBLIC


@pytest.fixture(autouse=True)
def fast(monkeypatch: pytest.MonkeyPatch) -> None:
    """Waits are short, and both keys are in the environment."""
    monkeypatch.setattr("recovery_batch.cli.submitting.SubmitRequest", partial(SubmitRequest, pace=FAST))
    monkeypatch.setenv("RECOVERY_BATCH_PUBLIC_API_KEY", PUBLIC)
    monkeypatch.setenv("RECOVERY_BATCH_PRIVATE_SECRET_KEY", PRIVATE)


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """Commands on an empty store, with settings beside it: quick, three attempts."""
    (tmp_path / "s.toml").write_text("[submit]\nrequests_per_second = 1000\ntimeout_seconds = 0.4\nattempts = 3\n")
    return empty_store(tmp_path / "store.duckdb")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that accepts everything until it is told otherwise."""
    with serving() as started:
        yield started


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A run of one file of each kind: one request, and three."""
    return make_run(tmp_path / "run", declined(1, "p1", "p2"), flows(1, "s1", "s2", "s3"))
