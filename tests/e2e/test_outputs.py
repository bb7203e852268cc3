"""What a command writes never takes the place of the store."""

from pathlib import Path

import pytest

from recovery_batch.cli import main

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    "arguments",
    [
        ("backtest", "--report"),
        ("backtest", "--decisions"),
        ("campaigns", "export", "--out"),
    ],
)
def test_an_output_over_the_store_is_refused(
    arguments: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store.csv"
    assert main(["--db", str(store), "load", str(ROOT / "fixtures/exports/seed_minimal.json")]) == 0
    before = store.read_bytes()
    assert main(["--db", str(store), *arguments, str(tmp_path / "." / "store.csv")]) == 2
    assert "this is the store" in capsys.readouterr().err
    assert store.read_bytes() == before
