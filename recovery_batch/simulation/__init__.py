"""Candidates to decisions: windows, the order of candidates, who is left out and why (SPEC 3 and 4). Pure."""

from recovery_batch.simulation.decisions import DECISION_COLUMNS, REASONS, SEND, SUPPRESS, Policy, simulate
from recovery_batch.simulation.history import HISTORY

__all__ = ["DECISION_COLUMNS", "HISTORY", "REASONS", "SEND", "SUPPRESS", "Policy", "simulate"]
