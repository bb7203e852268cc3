"""What tests of loading share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.ingest.samples import Loads


@pytest.fixture(autouse=True)
def the_fast_road_for_few_records_too(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is tested here must hold on both roads: the fast one takes what it can."""
    monkeypatch.setattr("recovery_batch.ingest.interpreting._WORTH_PLANNING", 1)


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """An empty folder to load into."""
    return Loads(tmp_path)
