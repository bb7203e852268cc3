"""An erasure that is killed, or finds no room: the store is the old one or the new one, and no copy stays."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Shell, clean_environment
from tests.e2e.erasing import build, content, traces

pytestmark = pytest.mark.fault

PHONE = "+57 310 123 4567"
# Tells each step of an erasure that changes something, in order; ends the process without any clean-up before one.
STEPS = """
import json, os, shutil, signal, sys
from recovery_batch.store import Store

steps = []
def step(name):
    steps.append(name if name not in steps else f"{name} {sum(each.split(' ')[0] == name for each in steps) + 1}")
    if steps[-1] == sys.argv[1]:
        os.kill(os.getpid(), signal.SIGKILL)

def told(owner, name, label):
    original = getattr(owner, name)
    def call(*arguments, **options):
        step(label(arguments))
        return original(*arguments, **options)
    setattr(owner, name, call)

told(Store, "run", lambda arguments: arguments[1])
for name in ("fsync", "rename", "mkdir"):
    told(os, name, lambda _, name=name: name)
told(shutil, "rmtree", lambda _: "rmtree")
told(shutil, "copyfileobj", lambda _: "copyfileobj")
from recovery_batch.cli import main
status = main(sys.argv[2:])
step("end")
print(json.dumps(steps), file=sys.stderr)
sys.exit(status)
"""
# Lets no file grow beyond a number of bytes: what a full disk looks like to a program.
NO_ROOM = """
import resource, sys
from recovery_batch.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""
EXPECTED = [
    *("fsync", "rename", "fsync 2"),  # the key: its file, its place, its folder
    *("store/checkpoint", "mkdir", "copyfileobj"),
    *("forget/delete_forgotten", "forget/append_forgotten"),
    *("forget/hash_communications", "forget/hash_final_suppressions", "forget/hash_flow_communications"),
    *("load/delete_payments", "load/delete_transactions", "load/delete_payers", "load/delete_records"),
    "forget/delete_payment_changes",
    *("load/delete_flows", "load/delete_flow_items", "load/delete_flow_customers", "load/delete_flow_records"),
    *("forget/delete_flow_changes", "rejects/delete", "forget/delete_opt_outs"),
    *("store/attach_changed", "store/attach_fresh", "store/copy_fresh", "store/checkpoint_fresh"),
    *("store/detach_fresh", "fsync 3", "rmtree", "rename 2", "fsync 4", "rmtree 2", "end"),
]
"""Every step, in order; from `fsync 4` on the store is the new one."""


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in which Ana stands everywhere."""
    folder = tmp_path_factory.mktemp("erasing")
    build(Shell(folder / "store.duckdb"))
    return folder / "store.duckdb"


@pytest.fixture
def store(built: Path, tmp_path: Path) -> Shell:
    """A copy of the store."""
    return Shell(Path(shutil.copy(built, tmp_path / "store.duckdb")))


def erase(store: Shell, script: str, argument: str) -> subprocess.CompletedProcess[str]:
    words = [sys.executable, "-c", script, argument, "--db", str(store.db), "forget", "--phone", PHONE, "--json"]
    return subprocess.run(
        words, cwd=store.db.parent, env=clean_environment(), capture_output=True, text=True, check=False, timeout=120
    )


def rows(store: Shell) -> dict[str, list[Any]]:
    """What the store holds, hashes and the time of the erasure aside."""
    held = content(store.db)
    return {name: sorted(str(row[:1] if name == "forgotten" else row) for row in held[name]) for name in held}


def left_overs(store: Shell) -> list[str]:
    kept = {"store.duckdb", "store.duckdb.key"}
    return sorted(path.name for path in store.db.parent.iterdir() if path.name not in kept)


def test_the_steps_are_all_there_are(store: Shell) -> None:
    done = erase(store, STEPS, "none")
    assert done.returncode == 0
    assert json.loads(done.stderr.splitlines()[-1]) == EXPECTED


@pytest.mark.slow
@pytest.mark.parametrize("step", EXPECTED)
def test_a_killed_erasure_leaves_the_old_store_or_the_new_one(store: Shell, step: str) -> None:
    before = rows(store)
    assert erase(store, STEPS, step).returncode == -signal.SIGKILL
    after = rows(store)
    if EXPECTED.index(step) <= EXPECTED.index("rename 2"):
        assert after == before
    else:
        assert traces(store.db) == set()
        assert after["forgotten"]
    outcome = store.ok("forget", "--phone", PHONE, "--json")
    assert outcome.document["payments"] == (6 if after == before else 0)
    assert traces(store.db) == set()
    assert left_overs(store) == []


def test_a_purge_removes_what_a_killed_erasure_left_too(store: Shell) -> None:
    erase(store, STEPS, "fsync 3")
    assert [name.startswith(".store.duckdb.") for name in left_overs(store)] == [True]
    store.ok("purge", "--older-than", "2026-10-02")
    assert left_overs(store) == []


def test_a_full_disk_leaves_the_store_as_it_was(store: Shell) -> None:
    before, size = store.db.read_bytes(), store.db.stat().st_size
    for room in (size // 2, size):  # not for a copy; for a copy, but not for its changes
        done = erase(store, NO_ROOM, str(room))
        assert done.returncode == 1, done
        assert json.loads(done.stdout)["code"] == 500
        assert store.db.read_bytes() == before
        assert left_overs(store) == []
    assert store.ok("forget", "--phone", PHONE, "--json").document["payments"] == 6


def test_a_key_that_cannot_be_written_erases_nothing(store: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOVERY_BATCH_KEY_FILE", str(store.db.parent / "nowhere" / "key"))
    before = store.db.read_bytes()
    outcome = store("forget", "--phone", PHONE, "--json")
    assert outcome.status == 1
    assert "the key cannot be written" in outcome.error["message"]
    assert store.db.read_bytes() == before
    assert left_overs(store) == []
