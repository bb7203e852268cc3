"""Candidates to decisions: windows, the order of candidates, who is left out and why (SPEC 3 and 4). Pure."""

from recovery_batch.simulation.decisions import (
    DECISION_COLUMNS,
    FINAL_REASONS,
    REASONS,
    SEND,
    SUPPRESS,
    Policy,
    simulate,
)
from recovery_batch.simulation.history import HISTORY
from recovery_batch.simulation.holdouts import held_out

__all__ = [
    "DECISION_COLUMNS",
    "FINAL_REASONS",
    "HISTORY",
    "REASONS",
    "SEND",
    "SUPPRESS",
    "Policy",
    "held_out",
    "simulate",
]
