"""Database files that are not ours, or that somebody else holds."""

import contextlib
import hashlib
import os
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from tests.e2e.commands import AS_OF, CAMPAIGNS, Shell
from tests.e2e.exports import element, write_export

WRITING: list[tuple[object, ...]] = [("load", "EXPORT"), ("campaigns", "import", CAMPAIGNS / "recovery.yaml")]
READING: list[tuple[object, ...]] = [
    ("campaigns", "list"),
    ("campaigns", "export"),
    ("backtest",),
    ("explain", "p"),
    ("run", "--out", "OUT", "--as-of", AS_OF),
]


def other_duckdb(path: Path) -> None:
    with duckdb.connect(str(path)) as connection:
        connection.execute("CREATE TABLE somebody (id INTEGER)")


def sqlite_file(path: Path) -> None:
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE somebody (id INTEGER)")
        connection.commit()


FOREIGN = {
    "other.duckdb": (other_duckdb, "a database of another program (its tables: somebody)"),
    "sqlite.db": (sqlite_file, "not a DuckDB database"),
    "letter.txt": (lambda path: path.write_text("Dear Sir or Madam\n" * 500), "not a DuckDB database"),
    "short.txt": (lambda path: path.write_text("hi"), "not a DuckDB database"),
    "folder": (lambda path: path.mkdir(), "not a DuckDB database"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_refused_and_left_as_it_was(tmp_path: Path, name: str) -> None:
    make, message = FOREIGN[name]
    path = tmp_path / name
    make(path)
    path.chmod(0o755)
    export = write_export(tmp_path / "e.ndjson", element())
    content = path.read_bytes() if path.is_file() else b""
    for arguments in WRITING + READING:
        words = [{"EXPORT": export, "OUT": tmp_path / "out"}.get(str(each), each) for each in arguments]
        outcome = Shell(path)(*words)
        assert (outcome.status, outcome.out) == (2, ""), (arguments, outcome)
        assert outcome.err.startswith(f"error: {path}: {message}\nhint: Name another file with --db")
    if path.is_file():
        assert hashlib.sha256(path.read_bytes()).digest() == hashlib.sha256(content).digest()
    assert path.stat().st_mode & 0o777 == 0o755
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted([name, "e.ndjson"])


@contextlib.contextmanager
def held(path: Path) -> Iterator[int]:
    """Another process that holds a database open for writing; gives its number."""
    script = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('held', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", script, str(path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdin
        assert process.stdout.readline() == "held\n"
        yield process.pid
        process.stdin.close()


def test_a_store_that_another_process_holds_names_it(shell: Shell, tmp_path: Path) -> None:
    export = write_export(tmp_path / "e.ndjson", element("p"))
    shell.ok("load", export)
    before = shell.db.read_bytes()
    with held(shell.db) as process:
        assert process != os.getpid()
        for arguments in WRITING + READING:
            words = [{"EXPORT": export, "OUT": tmp_path / "out"}.get(str(each), each) for each in arguments]
            outcome = shell(*words, "--json")
            assert outcome.status == 1
            assert outcome.error["code"] == 500
            assert outcome.error["message"] == f"{shell.db}: process {process} holds the database"
            assert outcome.error["details"]["slug"] == "store_locked"
            assert outcome.err == ""
    assert shell.db.read_bytes() == before
    assert not (tmp_path / "out").exists()
    shell.ok("load", export)


def test_a_store_in_a_folder_that_is_not_there_is_no_bug(tmp_path: Path) -> None:
    outcome = Shell(tmp_path / "nowhere" / "s.duckdb")("load", write_export(tmp_path / "e.ndjson", element()))
    assert (outcome.status, outcome.out) == (1, "")
    assert "No such file or directory" in outcome.err
    assert "bug" not in outcome.err


def test_the_store_is_for_its_owner_only(shell: Shell, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        shell.ok("load", write_export(tmp_path / "e.ndjson", element()))
    finally:
        os.umask(before)
    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("store.duckdb*")}
    assert set(modes.values()) == {0o600}


def test_a_store_of_a_newer_version_is_refused(shell: Shell, tmp_path: Path) -> None:
    export = write_export(tmp_path / "e.ndjson", element())
    shell.ok("load", export)
    with duckdb.connect(str(shell.db)) as connection:
        connection.execute("UPDATE recovery_batch_store SET schema_version = 999")
    for arguments in (("load", export), ("backtest",)):
        outcome = shell(*arguments)
        assert outcome.status == 2
        assert "written by a newer version (schema 999" in outcome.err
