"""The store: one DuckDB file. The only module that opens DuckDB; every statement stands in `queries/`.

A query file begins with a header that names its parameters (`-- parameters: since, until`, or `none`); a file whose text
and header disagree is refused when it is read. Reading commands open the file read-only; a writer holds it alone.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl

from recovery_batch import assets
from recovery_batch.errors import AppError, StoreForeign, StoreLocked, StoreMissing, SystemFailed

SCHEMA_VERSION: Final = 1
_MARKER: Final = "recovery_batch_store"
_PARAMETERS: Final = re.compile(r"^-- parameters: (.+)$", re.MULTILINE)
_NAMED: Final = re.compile(r"\$([a-z_0-9]+)")
_COMMENT: Final = re.compile(r"--.*$", re.MULTILINE)
_HOLDER: Final = re.compile(r"\(PID (\d+)\)")
_PRIVATE: Final = 0o600


@cache
def query_text(name: str) -> str:
    """The statement of `queries/NAME.sql`.

    Raises:
        ValueError: its header declares other parameters than its text uses.
    """
    text = assets.path("queries", f"{name}.sql").read_text(encoding="utf-8")
    declared = _PARAMETERS.search(text)
    wanted = set() if declared is None or declared[1] == "none" else set(declared[1].split(", "))
    used = set(_NAMED.findall(_COMMENT.sub("", text)))
    if declared is None or wanted != used:
        raise ValueError(f"queries/{name}.sql uses the parameters {sorted(used)}, its header says {sorted(wanted)}")
    return text


def _schema_queries() -> list[str]:
    return sorted(f"schema/{file.stem}" for file in assets.path("queries", "schema").glob("*.sql"))


class Store:
    """An open store. Use `Store.open`; a context manager that closes the file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path) -> None:
        """Wrap an open connection."""
        self._connection = connection
        self.path = path

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, write: bool = False) -> Iterator[Store]:
        """Open a store; with `write`, make it where there is none.

        Raises:
            StoreMissing: there is no file, and the caller only reads.
            StoreForeign: the file is another program's, or a newer version of this one wrote it.
            StoreLocked: another process holds it.
            SystemFailed: the file cannot be opened.
        """
        if not write and not path.exists():
            raise StoreMissing(
                f"no store at {path}",
                hint="Load an export first (recovery-batch load FILE), or name a store with --db.",
            )
        umask = os.umask(0o077) if write else None
        try:
            connection = _connect(path, write=write)
            try:
                store = cls(connection, path)
                store._prepare(write=write)
                yield store
            except duckdb.Error as error:
                raise SystemFailed(f"{path}: {_first_line(error)}", hint="Nothing half-done is kept.") from error
            finally:
                connection.close()
        finally:
            if umask is not None:
                os.umask(umask)

    def frame(self, query: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query, typed."""
        return self._connection.sql(query_text(query), params=dict(parameters or {})).pl()

    def run(self, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives no rows."""
        self._connection.execute(query_text(query), dict(parameters or {}))

    def append(self, query: str, rows: pl.DataFrame) -> None:
        """Run a statement that writes the rows of a frame, which it names `incoming`."""
        with self._incoming(rows):
            self.run(query)

    def lookup(self, query: str, rows: pl.DataFrame) -> pl.DataFrame:
        """The rows of a query that reads a frame, which it names `incoming`."""
        with self._incoming(rows):
            return self.frame(query)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside, or none of it."""
        self._connection.begin()
        try:
            yield
        except BaseException:
            self._connection.rollback()
            raise
        self._connection.commit()

    @contextmanager
    def _incoming(self, rows: pl.DataFrame) -> Iterator[None]:
        self._connection.register("incoming", rows.to_arrow())
        try:
            yield
        finally:
            self._connection.unregister("incoming")

    def _prepare(self, *, write: bool) -> None:
        tables = set(self.frame("store/tables")["name"])
        if _MARKER in tables:
            version = self.frame("store/version")["schema_version"].item()
            if version > SCHEMA_VERSION:
                raise StoreForeign(
                    f"{self.path}: written by a newer version (schema {version}, this one knows {SCHEMA_VERSION})",
                    hint="Update recovery-batch.",
                )
            return
        if tables:
            raise StoreForeign(
                f"{self.path}: a database of another program (its tables: {', '.join(sorted(tables)[:5])})",
                hint="Name another file with --db; this one was left as it is.",
            )
        if not write:
            raise StoreMissing(f"{self.path}: an empty database", hint="Load an export first: recovery-batch load FILE")
        with self.transaction():
            for query in _schema_queries():
                self.run(query)
            self.run("store/mark", {"schema_version": SCHEMA_VERSION})


def _connect(path: Path, *, write: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {
        "autoinstall_known_extensions": False,
        "autoload_known_extensions": False,
        "temp_directory": f"{path}.tmp",
    }
    try:
        connection = duckdb.connect(str(path), read_only=not write, config=config)
    except duckdb.Error as error:
        raise _connection_error(path, error) from error
    if write:
        path.chmod(_PRIVATE)
    connection.execute(query_text("store/session"))
    return connection


def _connection_error(path: Path, error: duckdb.Error) -> AppError:
    text = _first_line(error)
    if "lock" in text.lower():
        holder = _HOLDER.search(text)
        who = f"process {holder[1]}" if holder else "another process"
        return StoreLocked(f"{path}: {who} holds the database", hint="Wait until it has ended, and run this again.")
    if "not a valid DuckDB database" in text or "Is a directory" in text or path.is_dir():
        return StoreForeign(f"{path}: not a DuckDB database", hint="Name another file with --db; it was left as it is.")
    return SystemFailed(f"{path}: {text}", hint="Check the path, its permissions and the free space.")


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
