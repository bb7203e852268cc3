"""What tests of loading share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.unit.ingest.samples import Loads


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    """An empty folder to load into."""
    return Loads(tmp_path)
