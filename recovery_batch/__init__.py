"""Backtest payment recovery campaigns on exports, explain every decision, and emit outreach batches.

In a notebook: `from recovery_batch import Workspace, read_campaigns`. What is named here stays; docs/notebook.py is an
example. Nothing is imported before it is asked for.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from recovery_batch.api.backtesting import Backtest
    from recovery_batch.api.frames import Period
    from recovery_batch.api.notebook import Workspace, with_values
    from recovery_batch.campaigns import Campaign, read_campaigns, write_campaigns
    from recovery_batch.campaigns.findings import Finding
    from recovery_batch.errors import AppError
    from recovery_batch.evaluation import evaluate
    from recovery_batch.ingest import read_mapping
    from recovery_batch.rules import Rule, compile_rule, sentence
    from recovery_batch.settings import Settings
    from recovery_batch.simulation import simulate

__version__ = "0.1.0"

_HOMES = {
    "AppError": "errors",
    "Backtest": "api.backtesting",
    "Campaign": "campaigns",
    "Finding": "campaigns.findings",
    "Period": "api.frames",
    "Rule": "rules",
    "Settings": "settings",
    "Workspace": "api.notebook",
    "compile_rule": "rules",
    "evaluate": "evaluation",
    "read_campaigns": "campaigns",
    "read_mapping": "ingest",
    "sentence": "rules",
    "simulate": "simulation",
    "with_values": "api.notebook",
    "write_campaigns": "campaigns",
}

__all__ = [
    "AppError",
    "Backtest",
    "Campaign",
    "Finding",
    "Period",
    "Rule",
    "Settings",
    "Workspace",
    "__version__",
    "compile_rule",
    "evaluate",
    "read_campaigns",
    "read_mapping",
    "sentence",
    "simulate",
    "with_values",
    "write_campaigns",
]


def __getattr__(name: str) -> Any:
    """What is named above, from where it is at home."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
