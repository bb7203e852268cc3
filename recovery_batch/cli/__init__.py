"""The command line: parse, call the API, print, exit status. One module a group of commands."""

from recovery_batch.cli.main import main

__all__ = ["main"]
