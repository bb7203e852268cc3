"""Exports into the store: one reader a format, records checked against the contract, typed rows and rejects."""

from recovery_batch.ingest.loading import FileReport, LoadOptions, load_files, totals

__all__ = ["FileReport", "LoadOptions", "load_files", "totals"]
