"""The story, top-down: load, evaluate, simulate, report, emit. What the command line calls, and notebooks too."""

from recovery_batch.api.backtesting import Backtest, BacktestRequest, backtest
from recovery_batch.api.explaining import ExplainRequest, Explanation, explain
from recovery_batch.api.frames import Period
from recovery_batch.api.nightly import Run, RunRequest, run

__all__ = [
    "Backtest",
    "BacktestRequest",
    "ExplainRequest",
    "Explanation",
    "Period",
    "Run",
    "RunRequest",
    "backtest",
    "explain",
    "run",
]
