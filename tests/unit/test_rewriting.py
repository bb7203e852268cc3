import stat
import subprocess
import sys
from pathlib import Path

import duckdb
import polars as pl
import pytest

from recovery_batch.errors import SystemFailed
from recovery_batch.rewriting import rewritten
from recovery_batch.store import Store

OPEN = "import duckdb, sys; duckdb.connect(sys.argv[1])"
WORD = "Anastasia Nogal"
ROW = pl.DataFrame({"kind": [WORD], "hash": ["h"]})


@pytest.fixture
def path(tmp_path: Path) -> Path:
    path = tmp_path / "store.duckdb"
    with Store.open(path, write=True) as store:
        store.append(
            "forget/append_forgotten", pl.DataFrame({"kind": [WORD], "hash": ["h"]}), {"forgotten_at": "2026-01-01"}
        )
    return path


def delete(store: Store) -> None:
    store.append("forget/delete_forgotten", ROW)


def rewrite(path: Path, error: Exception | None = None) -> None:
    with Store.open(path, write=True) as store, rewritten(store) as copy:
        delete(copy)
        if error is not None:
            raise error


def is_locked(path: Path) -> bool:
    done = subprocess.run([sys.executable, "-c", OPEN, path], capture_output=True, check=False, timeout=60)
    return b"Could not set lock" in done.stderr


def test_deleted_bytes_are_gone_and_the_lock_is_kept_meanwhile(path: Path) -> None:
    assert WORD.encode() in path.read_bytes()
    with Store.open(path, write=True) as store, rewritten(store) as copy:
        delete(copy)
        assert is_locked(path)
    assert WORD.encode() not in path.read_bytes()
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_copies_stand_beside_the_store_for_its_user_alone(path: Path) -> None:
    with Store.open(path, write=True) as store, rewritten(store) as copy:
        (folder,) = (each for each in path.parent.iterdir() if each.is_dir())
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
        assert copy.path.parent == folder
        assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
        temporary = copy._connection.sql("SELECT current_setting('temp_directory')").fetchall()
        assert temporary == [(f"{copy.path}.tmp",)]
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_an_error_leaves_the_store_as_it_was(path: Path) -> None:
    before = path.read_bytes()
    with pytest.raises(ZeroDivisionError):
        rewrite(path, ZeroDivisionError())
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_what_spilled_from_memory_and_what_killed_processes_left_goes_too(path: Path) -> None:
    others = path.with_name(".other.duckdb.1.partial")
    for folder in (path.with_name("store.duckdb.tmp"), path.with_name(".store.duckdb.1.partial"), others):
        folder.mkdir()
        (folder / "left").write_text(WORD)
    path.with_name(".store.duckdb.key.1.partial").write_text("key")
    rewrite(path)
    assert sorted(each.name for each in path.parent.iterdir()) == [others.name, path.name]


def test_a_folder_that_cannot_be_written_is_told(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "mkdir", refuse)
    with pytest.raises(SystemFailed, match="Permission denied; the store is as it was"):
        rewrite(path)


def test_rows_keep_their_order(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    rows = pl.DataFrame({"kind": ["k"] * 5000, "hash": [str(n * 7919 % 5000) for n in range(5000)]})
    with Store.open(path, write=True) as store:
        store.append("forget/append_forgotten", rows, {"forgotten_at": "2026-01-01"})
    rewrite(path)
    with duckdb.connect(str(path), read_only=True) as opened:
        assert opened.sql("SELECT hash FROM forgotten").pl()["hash"].to_list() == rows["hash"].to_list()
