"""The store: made once, private, refused when it is not ours, and clear about who holds it."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pyarrow as pa
import pytest

from recovery_batch.errors import AppError, StoreForeign, StoreLocked, StoreMissing, SystemFailed
from recovery_batch.ingest import LoadOptions, load_files
from recovery_batch.store import SCHEMA_VERSION, Store, query_text

NOW = datetime(2026, 11, 3, 12, tzinfo=UTC)


@pytest.fixture
def db(tmp_path: Path) -> Path:
    """Where a store may be made."""
    return tmp_path / "recovery.duckdb"


def make(db: Path) -> None:
    with Store.open(db, write=True):
        pass


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def refusal(db: Path, *, write: bool) -> AppError:
    """The error of opening a store; what it is opened on stays as it was."""
    before = db.read_bytes() if db.is_file() else None
    with pytest.raises(AppError) as caught, Store.open(db, write=write):
        pass
    assert (db.read_bytes() if db.is_file() else None) == before
    return caught.value


@pytest.mark.parametrize("write", [True, False])
def test_a_store_opens_again(db: Path, write: bool) -> None:
    make(db)
    with Store.open(db, write=write) as store:
        assert store.frame("store/version").to_dicts() == [{"schema_version": SCHEMA_VERSION}]
        assert store.path == db


def test_reading_makes_no_store(db: Path) -> None:
    with pytest.raises(StoreMissing, match="no store at") as caught, Store.open(db):
        pass
    assert caught.value.exit_status == 4
    assert "load" in caught.value.hint
    assert not db.exists()


def test_reading_changes_nothing(db: Path) -> None:
    make(db)
    with Store.open(db) as store, pytest.raises(duckdb.InvalidInputException, match="read-only"):
        store.run("store/mark", {"schema_version": 2})


@pytest.mark.parametrize("content", [b"", b"\0" * 8 + b"DUCK" + b"\0" * 500])
def test_what_is_left_where_making_a_store_was_interrupted(db: Path, content: bytes) -> None:
    db.write_bytes(content)
    assert isinstance(refusal(db, write=False), StoreMissing)
    make(db)
    with Store.open(db) as store:
        assert store.frame("load/next_id").item() == 1


def test_an_empty_database_becomes_a_store(db: Path) -> None:
    duckdb.connect(str(db)).close()
    assert isinstance(refusal(db, write=False), StoreMissing)
    make(db)
    with Store.open(db) as store:
        assert store.frame("load/next_id").item() == 1


@pytest.mark.parametrize("write", [True, False])
def test_the_database_of_another_program_is_left_alone(db: Path, write: bool) -> None:
    with duckdb.connect(str(db)) as other:
        other.execute("CREATE TABLE orders (id INTEGER)")
        other.execute("CREATE SCHEMA more")
        other.execute("CREATE TABLE more.customers (id INTEGER)")
    db.chmod(0o644)
    error = refusal(db, write=write)
    assert isinstance(error, StoreForeign)
    assert "customers, orders" in error.message
    assert error.exit_status == 2
    assert mode(db) == 0o644


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize("kind", ["sqlite", "text", "short", "gzip", "folder"])
def test_what_is_no_duckdb_is_left_alone(tmp_path: Path, kind: str, write: bool) -> None:
    path = tmp_path / "blocked" / "locked.db"  # a name that could be taken for the reason
    path.parent.mkdir()
    if kind == "sqlite":
        with sqlite3.connect(path) as other:
            other.execute("CREATE TABLE orders (id INTEGER)")
        other.close()
    elif kind == "folder":
        path.mkdir()
    else:
        path.write_bytes({"text": b"no database\n" * 2000, "short": b"x", "gzip": b"\x1f\x8b" + bytes(50_000)}[kind])
    error = refusal(path, write=write)
    assert isinstance(error, StoreForeign)
    assert error.message == f"{path}: not a DuckDB database"


@pytest.mark.parametrize("write", [True, False])
@pytest.mark.parametrize(
    ("statement", "found"),
    [
        ("UPDATE recovery_batch_store SET schema_version = 99", "schema 99"),
        ("DELETE FROM recovery_batch_store", "unknown"),
    ],
)
def test_a_store_of_a_newer_version_is_left_alone(db: Path, statement: str, found: str, write: bool) -> None:
    make(db)
    with duckdb.connect(str(db)) as newer:
        newer.execute(statement)
    error = refusal(db, write=write)
    assert isinstance(error, StoreForeign)
    assert "newer version" in error.message
    assert found in error.message


def test_a_damaged_store_is_not_taken_for_a_locked_one(db: Path) -> None:
    make(db)
    content = bytearray(db.read_bytes())
    for place in range(3 * 4096, len(content), 64):
        content[place] ^= 0xFF
    db.write_bytes(content)
    for write in (True, False):
        error = refusal(db, write=write)
        assert type(error) is SystemFailed
        assert "checksum" in error.message


def test_a_store_that_lacks_its_end_is_told(db: Path) -> None:
    make(db)
    db.write_bytes(db.read_bytes()[: db.stat().st_size // 2])
    assert type(refusal(db, write=True)) is SystemFailed


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    error = refusal(tmp_path / "none" / "x.duckdb", write=True)
    assert isinstance(error, SystemFailed)
    assert "No such file" in error.message


@contextmanager
def held(db: Path, *, read_only: bool = False) -> Iterator[int]:
    """Another process that holds the database; gives its PID."""
    program = f"import duckdb, sys; c = duckdb.connect({str(db)!r}, read_only={read_only}); print(flush=True); input()"
    with subprocess.Popen([sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        holder.stdout.readline()
        yield holder.pid
        holder.communicate(b"\n")


@pytest.mark.parametrize("write", [True, False])
def test_a_store_that_another_process_holds(db: Path, write: bool) -> None:
    make(db)
    with held(db) as pid:
        error = refusal(db, write=write)
    assert isinstance(error, StoreLocked)
    assert error.message == f"{db}: process {pid} holds the database"
    assert error.exit_status == 1
    make(db)


def test_a_writer_waits_for_readers_and_readers_do_not_for_each_other(db: Path) -> None:
    make(db)
    with held(db, read_only=True) as pid:
        assert str(pid) in refusal(db, write=True).message
        with Store.open(db) as store:
            assert store.frame("load/next_id").item() == 1


def test_an_empty_file_that_another_process_holds_is_not_taken_away(db: Path) -> None:
    with held(db):
        os.truncate(db, 0)
        assert isinstance(refusal(db, write=True), StoreLocked)
        assert db.exists()


@pytest.mark.parametrize("mask", [0o000, 0o022, 0o077])
def test_a_store_and_its_log_are_private(db: Path, mask: int) -> None:
    before = os.umask(mask)
    try:
        with Store.open(db, write=True) as store:
            export = db.with_name("x.json")
            export.write_text("[]")
            list(load_files(store, [export], LoadOptions(NOW)))
            files = sorted(db.parent.glob("recovery.duckdb*"))
            assert [path.name for path in files] == ["recovery.duckdb", "recovery.duckdb.wal"]
            assert {mode(path) for path in files} == {0o600}
            report = db.with_name("report.html")
            report.touch()
            assert mode(report) == 0o666 & ~mask  # what others write meanwhile is their affair
        assert mode(db) == 0o600
        assert os.umask(mask) == mask
    finally:
        os.umask(before)


def test_what_memory_has_no_room_for_is_private(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(db)
    with Store.open(db) as store:
        monkeypatch.setattr("recovery_batch.store.query_text", str)
        before = os.umask(0o022)
        try:
            store.run("SET memory_limit = '20MB'")
            store.run("CREATE TEMP TABLE big AS SELECT repeat('x', 1000) || i AS t FROM range(60000) AS r(i)")
        finally:
            os.umask(before)
        spilled = [path for path in db.parent.glob("recovery.duckdb.tmp/**/*") if path.is_file()]
        assert spilled
        assert {mode(path) for path in spilled} == {0o600}
        assert mode(db.parent / "recovery.duckdb.tmp") == 0o700
    assert not list(db.parent.glob("recovery.duckdb.tmp/**/*"))


def test_a_store_that_was_opened_to_others_is_private_again_after_writing(db: Path) -> None:
    make(db)
    db.chmod(0o644)
    with Store.open(db):
        pass
    assert mode(db) == 0o644
    make(db)
    assert mode(db) == 0o600


def test_a_transaction_is_all_or_nothing(db: Path) -> None:
    def interrupted(store: Store) -> None:
        with store.transaction():
            store.run("store/mark", {"schema_version": 7})
            raise KeyboardInterrupt

    with Store.open(db, write=True) as store:
        with pytest.raises(KeyboardInterrupt):
            interrupted(store)
        assert store.frame("store/version").height == 1
        with store.transaction():
            store.run("store/mark", {"schema_version": 7})
        assert store.frame("store/version").height == 2


def test_what_ended_a_transaction_is_raised_not_that_it_has_ended(db: Path) -> None:
    def ended(store: Store) -> None:
        with store.transaction():
            store._connection.rollback()
            raise ValueError("the reason")

    with Store.open(db, write=True) as store, pytest.raises(ValueError, match="the reason"):
        ended(store)


def test_an_error_of_the_database_is_one_that_a_user_can_read(db: Path) -> None:
    with duckdb.connect(str(db)) as connection:
        connection.execute("CREATE TABLE recovery_batch_store AS SELECT 2 AS schema_version")
    with pytest.raises(SystemFailed, match="loads does not exist") as caught, Store.open(db, write=True) as store:
        store.frame("load/next_id")
    assert "\n" not in caught.value.message
    assert caught.value.exit_status == 1


def test_a_file_that_takes_the_place_of_another_while_it_is_opened_is_the_one(
    db: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.duckdb"
    for path, load in ((db, 1), (other, 2)):
        with Store.open(path, write=True) as store:
            store._connection.execute("INSERT INTO forgotten VALUES ('check', ?, now())", [str(load)])
    connect = duckdb.connect

    def replaced(path: str, **options: Any) -> duckdb.DuckDBPyConnection:
        connection = connect(path, **options)
        if other.exists():
            other.rename(db)
        return connection

    monkeypatch.setattr(duckdb, "connect", replaced)
    with Store.open(db, write=True) as store:
        assert store._connection.sql("SELECT hash FROM forgotten").fetchall() == [("2",)]


def test_an_export_that_is_named_as_the_store_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "export.ndjson"
    path.write_text('{"payment": {}}\n')
    path.chmod(0o644)
    for write in (False, True):
        with pytest.raises(StoreForeign, match="not a DuckDB database"), Store.open(path, write=write):
            pass
    assert (path.read_text(), stat.S_IMODE(path.stat().st_mode)) == ('{"payment": {}}\n', 0o644)


DOWNGRADE = """
    DROP TABLE flows; DROP TABLE flow_items; DROP TABLE flow_customers; DROP TABLE flow_records;
    DROP TABLE payment_changes; DROP TABLE flow_changes; DROP TABLE campaign_history;
    DROP TABLE runs; DROP TABLE communications; DROP TABLE final_suppressions; DROP TABLE flow_communications;
    DROP TABLE opt_outs; DROP TABLE forgotten; DROP TABLE submissions;
    ALTER TABLE campaigns DROP COLUMN holdout_share; ALTER TABLE campaigns DROP COLUMN holdout_seed;
    CREATE TABLE old_loads AS SELECT * EXCLUDE (forgotten) FROM loads; DROP TABLE loads;
    ALTER TABLE old_loads RENAME TO loads;
    INSERT INTO loads BY NAME SELECT 1 AS load_id, 'a.json' AS path, '' AS file_sha256, 3 AS bytes,
        'declined' AS kind, 'UTC' AS timezone, now() AS loaded_at, 1 AS records, 0 AS inserted, 0 AS updated,
        0 AS unchanged, 1 AS quarantined, 0 AS not_submittable, 0 AS security_codes_removed;
    ALTER TABLE payments ALTER content_hash TYPE VARCHAR;
    ALTER TABLE rejects DROP COLUMN root_organization; ALTER TABLE rejects DROP COLUMN reject_id;
    INSERT INTO rejects BY NAME SELECT 1 AS load_id, 'a.json' AS path, '' AS file_sha256, 3 AS record_no,
        'not_json' AS reason, '' AS pointer, 'JSON' AS expected, [] AS faults, '{' AS raw, 'abc' AS raw_sha256;
    UPDATE recovery_batch_store SET schema_version = 1;
"""


def test_a_store_of_the_first_version_is_brought_up_to_date(db: Path) -> None:
    described = "SELECT table_name, column_name, data_type FROM duckdb_columns() WHERE NOT internal ORDER BY ALL"
    with Store.open(db, write=True) as store:
        wanted = store._connection.sql(described).fetchall()
    with duckdb.connect(str(db)) as connection:
        connection.execute(DOWNGRADE)
    with pytest.raises(StoreForeign, match="older version") as caught, Store.open(db):
        pass
    assert "load" in caught.value.hint
    for _ in range(2):
        with Store.open(db, write=True) as store:
            assert store._connection.sql(described).fetchall() == wanted
            assert store.frame("store/version").rows() == [(SCHEMA_VERSION,)]
            assert [len(row[0]) for row in store._connection.sql("SELECT reject_id FROM rejects").fetchall()] == [16]
            assert store._connection.sql("SELECT records, forgotten FROM loads").fetchall() == [(1, 0)]


def test_times_are_those_of_utc_whatever_the_machine_says(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "America/Bogota")
    with Store.open(db, write=True) as store:
        assert store._connection.sql("SELECT current_setting('TimeZone') AS zone").pl().item() == "UTC"


def test_frames_are_written_and_looked_up(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = pl.DataFrame({"schema_version": [7, 8]})
    with Store.open(db, write=True) as store:
        monkeypatch.setattr("recovery_batch.store.query_text", str)
        for frame in (rows, rows.to_arrow(), rows.clear()):
            store.append("INSERT INTO recovery_batch_store FROM incoming", frame)
        query = "SELECT a.* FROM incoming AS a, recovery_batch_store AS b WHERE a.schema_version = 7"
        assert store.lookup(query, rows).height == 5
        assert (
            store.frame("SELECT sum(schema_version) AS s FROM recovery_batch_store").item() == 2 * 15 + SCHEMA_VERSION
        )


def test_rows_are_let_go_before_the_transaction_ends(db: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Store.open(db, write=True) as store, store.transaction():
        monkeypatch.setattr("recovery_batch.store.query_text", str)
        store.run("CREATE TEMP TABLE texts (t VARCHAR)")
        before = pa.total_allocated_bytes()
        for _ in range(3):
            store.append("INSERT INTO texts FROM incoming", pa.table({"t": pa.array(["x" * 10_000] * 1_000)}))
        assert pa.total_allocated_bytes() - before < 1_000_000


@pytest.mark.parametrize(
    "text",
    [
        "SELECT $x",
        "-- parameters: none\nSELECT $x",
        "-- parameters: x, y\nSELECT $x",
        "-- parameters: x\n-- $x\nSELECT 1",
    ],
)
def test_a_query_whose_header_does_not_fit_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    (tmp_path / "wrong.sql").write_text(text)
    monkeypatch.setattr("recovery_batch.assets.path", lambda _, name: tmp_path / name)
    query_text.cache_clear()
    with pytest.raises(ValueError, match="its header says"):
        query_text("wrong")
    query_text.cache_clear()
