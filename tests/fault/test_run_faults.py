"""A run that is killed, finds no room on the disk, or is not alone: its folder is there complete, or not at all."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Shell, clean_environment, command_line
from tests.e2e.exports import campaign, element, write_campaigns, write_export

pytestmark = pytest.mark.fault

AS_OF = "2026-10-01T15:00:00Z"
# Ends the process without any clean-up at one call of a function of the operating system, before or after the call.
KILLED_AT = """
import os, signal, sys
name, number, when = sys.argv[1], int(sys.argv[2]), sys.argv[3]
calls, original = 0, getattr(os, name)
def counted(*arguments, **options):
    global calls
    calls += 1
    if calls == number and when == "before":
        os.kill(os.getpid(), signal.SIGKILL)
    result = original(*arguments, **options)
    if calls == number:
        os.kill(os.getpid(), signal.SIGKILL)
    return result
setattr(os, name, counted)
from recovery_batch.cli import main
sys.exit(main(sys.argv[4:]))
"""
# Lets no file grow beyond a number of bytes: what a full disk looks like to a program.
NO_ROOM = """
import resource, sys
from recovery_batch.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]),) * 2)
sys.exit(main(sys.argv[2:]))
"""


@pytest.fixture
def store(tmp_path: Path) -> Shell:
    """A store for which a run makes five files and more: two campaigns, cut small by a settings file beside it."""
    shell = Shell(tmp_path / "store.duckdb")
    elements = [element(f"p{n:02d}", created_at="2026-10-01 12:00:00") for n in range(9)]
    shell.ok("load", write_export(tmp_path / "e.ndjson", *elements))
    another = campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", name="calls", channel="PHONE_CALL")
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(), another))
    (tmp_path / "s.toml").write_text("[run]\nfile_records = 4\n")
    return shell


def run_words(store: Shell) -> list[str]:
    folder = store.db.parent
    settings = ["--config", str(folder / "s.toml"), "--db", str(store.db)]
    return [*settings, "run", "--out", str(folder / "out"), "--as-of", AS_OF, "--json"]


def start(store: Shell, *prefix: str) -> subprocess.Popen[str]:
    words = [sys.executable, *prefix, *run_words(store)] if prefix else command_line(*run_words(store))
    return subprocess.Popen(
        words,
        cwd=store.db.parent,
        env=clean_environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def check_complete(out: Path) -> dict[str, Any]:
    """That there is one folder, complete, and nothing else."""
    (folder,) = out.iterdir()
    manifest: dict[str, Any] = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
    assert folder.name == manifest["run_id"]
    for each in manifest["files"] + manifest["other_files"]:
        content = (folder / each["path"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == each["sha256"]
    return manifest


@pytest.mark.slow
@pytest.mark.parametrize(
    ("call", "number", "when", "is_there"),
    [
        ("fsync", 1, "before", False),  # the first file is written, and not yet safe
        ("fsync", 4, "after", False),
        ("fsync", 9, "after", False),  # every file is written, the manifest too
        ("rename", 1, "before", False),  # the folders are safe, the whole not yet in its place
        ("rename", 1, "after", True),
    ],
)
def test_a_killed_run_leaves_no_half_folder(store: Shell, call: str, number: int, when: str, is_there: bool) -> None:
    out = store.db.parent / "out"
    assert finish(start(store, "-c", KILLED_AT, call, str(number), when))[0] == -signal.SIGKILL
    left = sorted(path.name for path in out.iterdir())
    assert len(left) == 1
    assert left[0].endswith(".partial") != is_there
    if is_there:
        check_complete(out)
    status, printed, err = finish(start(store))
    assert (status, err) == (0, "")
    assert json.loads(printed) == check_complete(out)


def test_every_moment_that_is_killed_at_is_reached(store: Shell) -> None:
    """The counts above: nine files, then four folders and the one around them."""
    counted = "import os, sys; original = os.fsync; n = []\n"
    counted += "os.fsync = lambda fd: (n.append(fd), original(fd))[1]\n"
    counted += "from recovery_batch.cli import main; main(sys.argv[1:]); print(len(n), file=sys.stderr)"
    status, _, err = finish(start(store, "-c", counted))
    assert (status, int(err)) == (0, 9 + 4 + 1)


def test_what_a_killed_run_of_another_night_left_is_removed_too(store: Shell) -> None:
    out = store.db.parent / "out"
    # the highest number that a process can have, and one that lives
    dead = out / f".20260930T150000Z-0123456789ab.{int(Path('/proc/sys/kernel/pid_max').read_text())}.partial"
    alive = out / f".20260930T150000Z-0123456789ab.{os.getpid()}.partial"
    others = out / ".notes.partial"
    for folder in (dead, alive, others):
        (folder / "declined-payments").mkdir(parents=True)
        (folder / "declined-payments" / "0001.json").write_text("ANA NOGAL")
    assert finish(start(store))[0] == 0
    assert not dead.exists()
    assert alive.exists()
    assert others.exists()


def test_a_full_disk_leaves_no_folder_and_says_so(store: Shell) -> None:
    status, printed, err = finish(start(store, "-c", NO_ROOM, "20000"))
    assert (status, err) == (1, "")
    error = json.loads(printed)
    assert error["code"] == 500
    out = store.db.parent / "out"
    assert error["message"].startswith(f"{out}/20261001T150000Z-")
    assert error["message"].endswith(": File too large; no folder was left")
    assert "free space" in error["details"]["hint"]
    assert list(out.iterdir()) == []
    assert finish(start(store))[0] == 0
    check_complete(out)


@pytest.mark.parametrize(
    ("option", "name"), [("--report", "r.html"), ("--decisions", "d.csv"), ("--decisions", "d.parquet")]
)
def test_a_full_disk_leaves_the_older_file_of_a_backtest(store: Shell, option: str, name: str) -> None:
    path = store.db.parent / name
    path.write_text("here before")
    done = subprocess.run(
        [sys.executable, "-c", NO_ROOM, "100", "--db", str(store.db), "backtest", option, str(path)],
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith(f"error: {path}: ")
    assert "bug" not in done.stderr
    assert path.read_text() == "here before"
    assert not list(store.db.parent.glob("*.partial"))
    assert not list(store.db.parent.glob(".*.partial"))


@pytest.mark.slow
def test_runs_at_once_all_succeed_with_one_folder(store: Shell) -> None:
    for _ in range(2):
        outcomes = [finish(process) for process in [start(store) for _ in range(3)]]
        assert {(status, err) for status, _, err in outcomes} == {(0, "")}
        assert len({printed for _, printed, _ in outcomes}) == 1
        assert json.loads(outcomes[0][1]) == check_complete(store.db.parent / "out")
        # once more, with the folder there from the beginning


def test_an_interrupted_run_leaves_nothing(store: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    calls = []

    def interrupted(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == 5:
            raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupted)
    outcome = store("run", "--out", store.db.parent / "out", "--as-of", AS_OF)
    assert (outcome.status, outcome.out) == (130, "")
    assert "interrupted; nothing half-done is kept" in outcome.err
    assert list((store.db.parent / "out").iterdir()) == []
