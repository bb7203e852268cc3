"""Exports into the store: one reader a form of file, records checked against the contract, typed rows and rejects."""

from recovery_batch.ingest.finding import Found, find_exports
from recovery_batch.ingest.loading import FileReport, LoadOptions, load_files, totals
from recovery_batch.ingest.mapping import read_mapping
from recovery_batch.ingest.sources import suggestion_for

__all__ = [
    "FileReport",
    "Found",
    "LoadOptions",
    "find_exports",
    "load_files",
    "read_mapping",
    "suggestion_for",
    "totals",
]
