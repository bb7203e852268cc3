"""Loading is all or nothing a file, whatever ends it: a process that is killed, a disk that is full."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recovery_batch.errors import StoreMissing, SystemFailed
from recovery_batch.store import Store
from tests.unit.ingest.samples import Loads, as_lines, record

pytestmark = pytest.mark.fault

ROOT = Path(__file__).parents[2]
RECORDS = 1_500
TABLES = "payments", "transactions", "payers", "records"

# Loads files as the command does, and says when it begins, which files are done, and what stopped it.
PROGRAM = """
import json, resource, sys
from datetime import UTC, datetime
from pathlib import Path
from recovery_batch.errors import AppError
from recovery_batch.ingest import LoadOptions, load_files
from recovery_batch.store import Store

db, limit, *paths = sys.argv[1:]
print("begins", flush=True)
if int(limit):
    resource.setrlimit(resource.RLIMIT_FSIZE, (int(limit), int(limit)))
try:
    with Store.open(Path(db), write=True) as store:
        for report in load_files(store, [Path(path) for path in paths], LoadOptions(datetime(2026, 11, 3, tzinfo=UTC))):
            print("done", report.path, report.counts["inserted"], flush=True)
except AppError as error:
    print(json.dumps({"error": type(error).__name__, "message": error.message, "exit": error.exit_status}))
"""


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Three files with payments of their own."""
    folder = tmp_path_factory.mktemp("exports")
    paths = [folder / f"{name}.ndjson" for name in "abc"]
    for path in paths:
        path.write_bytes(as_lines(record(f"{path.stem}{number}", code="x" * 500) for number in range(RECORDS)))
    return paths


def begin(db: Path, paths: list[Path], limit: int = 0) -> subprocess.Popen[str]:
    """A process that is about to load."""
    command = [sys.executable, "-c", PROGRAM, str(db), str(limit), *map(str, paths)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    assert process.stdout.readline() == "begins\n"
    return process


def stored(db: Path) -> dict[str, int]:
    """How many payments of each file the store has; nothing of a file is there in part, in any table."""
    with duckdb.connect(str(db), read_only=True) as connection:
        counts = {
            table: dict(connection.table(table).aggregate("payment_id[1], count(*)").fetchall()) for table in TABLES
        }
        loads = connection.sql("SELECT path, inserted FROM loads").fetchall()
    assert all(counts[table] == counts["payments"] for table in TABLES)
    assert set(counts["payments"].values()) <= {RECORDS}
    assert {Path(path).stem for path, _ in loads} == set(counts["payments"])
    return counts["payments"]


def load_all(db: Path, paths: list[Path]) -> list[str]:
    """Load files in a process of its own that is left alone; gives what it printed."""
    process = begin(db, paths)
    printed, told = process.communicate(timeout=120)
    assert (process.returncode, told) == (0, "")
    return printed.splitlines()


def killings(count: int) -> Iterator[float]:
    """Moments between the beginning and the end of a load, as parts of it; the first few where a store is made."""
    moments = random.Random(20261103)
    yield from (0.0, 0.05)
    for number in range(count - 2):
        yield (number + moments.random()) / (count - 2)


def is_store(db: Path) -> bool:
    """Whether the tables were made before the process was killed."""
    try:
        with Store.open(db):
            return True
    except StoreMissing:
        return False


@pytest.mark.slow
def test_a_load_that_is_killed_leaves_whole_files(tmp_path: Path, exports: list[Path]) -> None:
    process = begin(tmp_path / "measured.duckdb", exports)
    began = time.monotonic()
    process.communicate(timeout=120)
    whole = time.monotonic() - began
    seen = set()
    for number, part in enumerate(killings(10)):
        db = tmp_path / f"{number}.duckdb"
        process = begin(db, exports)
        time.sleep(part * whole)
        process.kill()
        printed, _ = process.communicate(timeout=120)
        before = stored(db) if db.exists() and is_store(db) else {}
        done = [Path(line.split()[1]).stem for line in printed.splitlines() if line.startswith("done")]
        assert set(done) <= set(before)
        assert sorted(before) == list("abc")[: len(before)]
        seen.add(len(before))
        printed_then = load_all(db, exports)
        assert [int(line.split()[2]) for line in printed_then] == [
            0 if path.stem in before else RECORDS for path in exports
        ]
        assert stored(db) == dict.fromkeys("abc", RECORDS)
    assert len(seen) > 1, "every kill met the load in the same state"


def full_disk(db: Path, paths: list[Path], limit: int) -> dict[str, Any]:
    """Load with no file allowed to grow beyond a limit; gives what the command would print of the failure."""
    process = begin(db, paths, limit)
    printed, told = process.communicate(timeout=120)
    assert process.returncode == 0, told
    assert "Traceback" not in told
    *_, last = printed.splitlines()
    return dict(json.loads(last))


@pytest.mark.parametrize("limit", [300_000, 700_000, 1_000_000])
def test_a_full_disk_leaves_the_store_as_it_was(tmp_path: Path, exports: list[Path], limit: int) -> None:
    db = tmp_path / "store.duckdb"
    load_all(db, [])
    failure = full_disk(db, exports[:1], limit)
    assert failure["error"] == SystemFailed.__name__
    assert failure["exit"] == 1
    assert "File too large" in failure["message"]
    assert "\n" not in failure["message"]
    assert stored(db) == {}
    load_all(db, exports[:1])
    assert stored(db) == {"a": RECORDS}


def test_a_full_disk_keeps_the_files_before(tmp_path: Path, exports: list[Path]) -> None:
    db = tmp_path / "store.duckdb"
    load_all(db, exports[:1])
    failure = full_disk(db, exports[1:], db.stat().st_size + 200_000)
    assert failure["error"] == SystemFailed.__name__
    assert stored(db) == {"a": RECORDS}
    load_all(db, exports)
    assert stored(db) == dict.fromkeys("abc", RECORDS)


@pytest.mark.parametrize("limit", [100, 4096, 9000, 20_000])
def test_a_disk_that_is_full_before_there_is_a_store(tmp_path: Path, exports: list[Path], limit: int) -> None:
    db = tmp_path / "store.duckdb"
    failure = full_disk(db, exports[:1], limit)
    assert failure["error"] == SystemFailed.__name__
    assert "File too large" in failure["message"]
    load_all(db, exports[:1])
    assert stored(db) == {"a": RECORDS}


def test_an_interrupt_leaves_the_store_as_it_was(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    loads = Loads(tmp_path)
    loads.load(as_lines([record("a1")]), "a.ndjson")

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    for step in ("loading.Facts.as_json", "writing.Writer.write", "interpreting.Interpreter._interpreted"):
        with monkeypatch.context() as patched:
            patched.setattr(f"recovery_batch.ingest.{step}", interrupted)
            with pytest.raises(KeyboardInterrupt):
                loads.load(as_lines([record("a1", status="CHANGED"), record("a2")]), "b.ndjson")
    assert loads.query("SELECT payment_id, status FROM payments") == [("a1", "DECLINED")]
    assert loads.load(as_lines([record("a2")]), "b.ndjson").counts["inserted"] == 1
