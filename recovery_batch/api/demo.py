"""The whole road on the example data, in a folder of its own: the same bytes at every run."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from recovery_batch import assets
from recovery_batch.api.backtesting import Backtest, BacktestRequest, backtest
from recovery_batch.api.nightly import Run, RunRequest, run
from recovery_batch.campaigns import import_campaigns, read_campaigns
from recovery_batch.clock import parse_bound
from recovery_batch.ingest import FileReport, LoadOptions, load_files
from recovery_batch.settings import Settings
from recovery_batch.store import Store

AS_OF: Final = parse_bound("2026-10-30T15:00:00Z")
"""A Friday morning in the Americas, near the end of the example exports."""


@dataclass(frozen=True, slots=True)
class Demo:
    """What the demo made: the store, the loads, the backtest and the nightly run."""

    db: Path
    loads: tuple[FileReport, ...]
    backtest: Backtest
    run: Run


def demo(out: Path, settings: Settings, tell: Callable[[str], None]) -> Demo:
    """Load the example exports, import the example campaigns, backtest, and make the outreach batches of one night.

    Args:
        out: The folder: gets `demo.duckdb`, `report.html`, `decisions.csv` and `outreach/`.
        settings: The installation's settings.
        tell: Called with a line before each step.
    """
    out.mkdir(parents=True, exist_ok=True)
    db = out / "demo.duckdb"
    exports = sorted(assets.path("fixtures", "exports").iterdir())
    with Store.open(db, write=True) as store:
        tell(f"loading {len(exports)} example exports into {db}")
        options = LoadOptions(loaded_at=AS_OF, sources=settings.sources)
        loads = tuple(load_files(store, exports, options))
        tell("importing the example campaigns")
        import_campaigns(store, read_campaigns([assets.path("fixtures", "campaigns", "recovery.yaml")]), AS_OF)
    tell("backtesting them on everything that was loaded")
    tested = backtest(BacktestRequest(db, settings=settings))
    tested.write_report(out / "report.html")
    tested.write_decisions(out / "decisions.csv")
    tell(f"making the outreach batches of one night, as of {AS_OF:%Y-%m-%d %H:%M} UTC")
    return Demo(db, loads, tested, run(RunRequest(db, out / "outreach", AS_OF, settings)))
