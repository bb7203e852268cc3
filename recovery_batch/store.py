"""The store: one DuckDB file. The only module that opens DuckDB; every statement stands in `queries/`.

A query file begins with a header that names its parameters (`-- parameters: since, until`, or `none`); a file whose
text and header disagree is refused when it is read. Reading commands open the file read-only; a writer holds it alone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext, suppress
from functools import cache
from pathlib import Path
from typing import Any, Final

import duckdb
import polars as pl
import pyarrow as pa

from recovery_batch import assets
from recovery_batch.disk import owner_only
from recovery_batch.errors import AppError, StoreForeign, StoreLocked, StoreMissing, SystemFailed

SCHEMA_VERSION: Final = 4
_MIGRATIONS: Final = {
    1: (
        "migrate/2_payments",
        "migrate/2_rejects",
        "migrate/2_rejects_id",
        "migrate/2_rejects_ids",
        "schema/16_flows",
        "schema/17_flow_items",
        "schema/18_flow_customers",
        "schema/19_flow_records",
        "schema/22_payment_changes",
        "schema/23_flow_changes",
    ),
    2: ("schema/24_campaign_history",),
    3: (
        "migrate/4_loads_before",
        "schema/15_loads",
        "migrate/4_loads_again",
        "migrate/4_loads_done",
        "migrate/4_campaigns_share",
        "migrate/4_campaigns_seed",
        "schema/25_runs",
        "schema/26_communications",
        "schema/27_final_suppressions",
        "schema/28_flow_communications",
        "schema/29_opt_outs",
        "schema/30_forgotten",
        "schema/31_submissions",
    ),
}
"""What brings a store of a version to the next one."""

_MARKER: Final = "recovery_batch_store"
_PARAMETERS: Final = re.compile(r"^-- parameters: (.+)$", re.MULTILINE)
_NAMED: Final = re.compile(r"\$([a-z_0-9]+)")
_COMMENT: Final = re.compile(r"--.*$", re.MULTILINE)
_HOLDER: Final = re.compile(r"\(PID (\d+)\)")
_INTERRUPTED: Final = "Query interrupted"
_PRIVATE: Final = 0o600
_CLOSED: Final = {"autoinstall_known_extensions": False, "autoload_known_extensions": False}
"""Nothing is fetched from a network."""
_STREAMED_ROWS: Final = 20_480
"""So many rows of a stream are handed on at a time."""

_SHORTEST_BYTES: Final = 3 * 4096
"""What DuckDB writes before anything else: a header, and two that say where the data is."""


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


def require(path: Path) -> None:
    """See that there is a file for a store.

    Raises:
        StoreMissing: there is none.
    """
    if not path.exists():
        raise StoreMissing(
            f"no store at {path}",
            hint="Load an export first (recovery-batch load FILE), or name a store with --db.",
        )


def _schema_queries() -> list[str]:
    return sorted(f"schema/{file.stem}" for file in assets.path("queries", "schema").glob("*.sql"))


class Store:
    """An open store. Use `Store.open`; a context manager that closes the file."""

    def __init__(self, connection: duckdb.DuckDBPyConnection, path: Path, *, on_disk: bool = True) -> None:
        """Wrap an open connection."""
        self._connection = connection
        self.path = path
        self._private: Callable[[], AbstractContextManager[None]] = owner_only if on_disk else nullcontext

    @classmethod
    @contextmanager
    def open(cls, path: Path, *, write: bool = False, make: bool = True) -> Iterator[Store]:
        """Open a store; with `write`, make it where there is none, unless `make` says otherwise.

        Raises:
            StoreMissing: there is no file, and none is to be made.
            StoreForeign: the file is another program's, or a newer version of this one wrote it.
            StoreLocked: another process holds it.
            SystemFailed: the file cannot be opened.
        """
        if not (write and make):
            require(path)
        connection = _connect(path, write=write)
        try:
            store = cls(connection, path)
            store._prepare(write=write)
            if write:
                path.chmod(_PRIVATE)
            yield store
        except (duckdb.Error, RuntimeError) as error:
            if _was_interrupted(error):
                raise KeyboardInterrupt from error
            if not isinstance(error, duckdb.Error):
                raise
            raise SystemFailed(f"{path}: {_first_line(error)}", hint="Nothing half-done is kept.") from error
        finally:
            with owner_only():
                connection.close()

    @classmethod
    @contextmanager
    def scratch(cls, setup: Sequence[str] = ()) -> Iterator[Store]:
        """A database in memory that writes nothing to a disk: DuckDB as a calculator.

        It may be used by a thread of its own, beside an open store.

        Args:
            setup: Statements to run first, such as those that make macros.
        """
        connection = duckdb.connect(":memory:", config={**_CLOSED, "temp_directory": ""})
        try:
            connection.execute(query_text("store/session"))
            connection.execute(query_text("store/scratch"))
            store = cls(connection, Path(":memory:"), on_disk=False)
            for query in setup:
                store.run(query)
            yield store
        finally:
            connection.close()

    def frame(self, query: str, parameters: Mapping[str, Any] | None = None) -> pl.DataFrame:
        """The rows of a query, typed."""
        with self._private():
            rows: pl.DataFrame = self._connection.sql(query_text(query), params=dict(parameters or {})).pl()
            return rows

    def table(self, query: str, rows: pa.Table, parameters: Mapping[str, Any] | None = None) -> pa.Table:
        """The rows of a query that reads a table, which it names `incoming`, as Arrow holds them."""
        with self._incoming(rows), self._private():
            return self._connection.sql(query_text(query), params=dict(parameters or {})).to_arrow_table()

    @contextmanager
    def stream(
        self, query: str, rows: pa.RecordBatchReader, parameters: Mapping[str, Any] | None = None
    ) -> Iterator[pa.RecordBatchReader]:
        """The rows of a query that reads a stream, which it names `incoming`, in order and as they come.

        Other queries may run meanwhile. Whoever gives the stream is asked for more of it from threads of DuckDB's, and
        has to end it before the context ends.
        """
        with closing(self._connection.cursor()) as beside, self._private():
            beside.execute(query_text("store/session"))
            beside.execute(query_text("store/stream"))
            beside.register("incoming", rows)
            found = beside.sql(query_text(query), params=dict(parameters or {})).to_arrow_reader(_STREAMED_ROWS)
            try:
                yield found
            finally:
                for _ in found:  # a query that is still at work keeps its connection from closing
                    pass

    def run(self, query: str, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that gives no rows."""
        with self._private():
            self._connection.execute(query_text(query), dict(parameters or {}))

    def append(self, query: str, rows: pl.DataFrame | pa.Table, parameters: Mapping[str, Any] | None = None) -> None:
        """Run a statement that writes rows, which it names `incoming` and reads once."""
        with self._incoming(_read_once(rows)):
            self.run(query, parameters)

    def lookup(
        self, query: str, rows: pl.DataFrame | pa.Table, parameters: Mapping[str, Any] | None = None
    ) -> pl.DataFrame:
        """The rows of a query that reads a frame, which it names `incoming` and reads once."""
        with self._incoming(_read_once(rows)):
            return self.frame(query, parameters)

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All of what is done inside, or none of it."""
        self._connection.begin()
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # what ended the transaction already is raised, not that it has ended
                self._connection.rollback()
            raise
        with self._private():
            self._connection.commit()

    def _migrate(self, version: int, *, write: bool) -> None:
        """Bring a store of an older version up to this one: all the way, or not at all."""
        if not write:
            raise StoreForeign(
                f"{self.path}: written by an older version (schema {version}, this one knows {SCHEMA_VERSION})",
                hint="Any command that writes brings it up to date, such as: recovery-batch load FILE",
            )
        with self.transaction():
            for step in range(version, SCHEMA_VERSION):
                for query in _MIGRATIONS[step]:
                    self.run(query)
            self.run("store/remark", {"schema_version": SCHEMA_VERSION})

    @contextmanager
    def _incoming(self, rows: pa.Table | pa.RecordBatchReader) -> Iterator[None]:
        self._connection.register("incoming", rows)
        try:
            yield
        except BaseException:
            with suppress(duckdb.Error):  # a transaction that is over; what ended it is raised
                self._connection.unregister("incoming")
            raise
        self._connection.unregister("incoming")

    def _prepare(self, *, write: bool) -> None:
        tables = set(self.frame("store/tables")["name"])
        if _MARKER in tables:
            versions = self.frame("store/version")["schema_version"].to_list()
            if versions == [SCHEMA_VERSION]:
                return
            if len(versions) == 1 and versions[0] in _MIGRATIONS:
                self._migrate(versions[0], write=write)
                return
            found = ", ".join(map(str, versions)) or "unknown"
            raise StoreForeign(
                f"{self.path}: written by a newer version (schema {found}, this one knows {SCHEMA_VERSION})",
                hint="Update recovery-batch.",
            )
        if tables:
            raise StoreForeign(
                f"{self.path}: a database of another program (its tables: {', '.join(sorted(tables)[:5])})",
                hint="Name another file with --db; this one was left as it is.",
            )
        if not write:
            raise _empty(self.path)
        with self.transaction():
            for query in _schema_queries():
                self.run(query)
            self.run("store/mark", {"schema_version": SCHEMA_VERSION})


def _read_once(rows: pl.DataFrame | pa.Table) -> pa.RecordBatchReader:
    """Rows as DuckDB shall see them: it holds on to a table until the transaction ends, but not to what it has read."""
    table = rows.to_arrow() if isinstance(rows, pl.DataFrame) else rows
    return pa.RecordBatchReader.from_batches(table.schema, table.to_batches())


def _connect(path: Path, *, write: bool) -> duckdb.DuckDBPyConnection:
    config: dict[str, Any] = {**_CLOSED, "temp_directory": f"{path}.tmp"}
    if path.is_file() and path.stat().st_size and not _is_duckdb(path):  # DuckDB would read an export in its place
        raise _not_a_database(path)
    was_stump = _is_stump(path)
    identity = _identity(path)
    try:
        with owner_only():
            connection = duckdb.connect(str(path), read_only=not write, config=config)
    except duckdb.Error as error:
        failure = _connection_error(path, error)
        if not was_stump or isinstance(failure, StoreLocked):
            raise failure from error
        if not write:
            raise _empty(path) from error
        path.unlink()
        return _connect(path, write=write)
    if identity is not None and identity != _identity(path):  # another took its place before it was locked
        connection.close()
        return _connect(path, write=write)
    connection.execute(query_text("store/session"))
    return connection


def _identity(path: Path) -> tuple[int, int] | None:
    """What tells a file from another of the same name; None: there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _connection_error(path: Path, error: duckdb.Error) -> AppError:
    text = _first_line(error)
    if "Could not set lock" in text:
        holder = _HOLDER.search(text)
        who = f"process {holder[1]}" if holder else "another process"
        return StoreLocked(f"{path}: {who} holds the database", hint="Wait until it has ended, and run this again.")
    if path.is_dir() or (path.is_file() and not _is_duckdb(path)):
        return _not_a_database(path)
    return SystemFailed(f"{path}: {text}", hint="Check the path, its permissions and the free space.")


def _not_a_database(path: Path) -> StoreForeign:
    return StoreForeign(f"{path}: not a DuckDB database", hint="Name another file with --db; it was left as it is.")


def _is_stump(path: Path) -> bool:
    """Whether a file is too short to hold anything: empty, or what is left where making a store was interrupted."""
    size = path.stat().st_size if path.is_file() else _SHORTEST_BYTES
    return size == 0 or (size < _SHORTEST_BYTES and _is_duckdb(path))


def _is_duckdb(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return file.read(12)[8:] == b"DUCK"
    except OSError:  # then it is not what the file holds that went wrong
        return True


def _empty(path: Path) -> StoreMissing:
    return StoreMissing(f"{path}: an empty database", hint="Load an export first: recovery-batch load FILE")


def _was_interrupted(error: BaseException | None) -> bool:
    """Whether an error is what became of Ctrl-C while DuckDB was at work."""
    while error is not None:
        if isinstance(error, KeyboardInterrupt) or _INTERRUPTED in str(error):
            return True
        error = error.__cause__ or error.__context__
    return False


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]
