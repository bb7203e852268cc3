"""A run that is killed, finds no room, or is not alone: folder and ledger change together, or not at all."""

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recovery_batch.locks import beside, exclusive
from tests.e2e.commands import Shell, call, clean_environment, command_line
from tests.e2e.exports import campaign, element, write_campaigns, write_export

pytestmark = pytest.mark.fault

AS_OF = "2026-10-01T15:00:00Z"
FIRST, SECOND = "0f5b6c1a-1d7e-4a55-9a10-0000000000a1", "0f5b6c1a-1d7e-4a55-9a10-0000000000a2"
KILLS = 60
# Ends the process without any clean-up before one of the lines that make a run happen; with 0 it counts them.
KILLED_AT = """
import os, signal, sys
number, seen = int(sys.argv[1]), 0
files = ("outreach/folder.py", "outreach/ledger.py", "recovery_batch/store.py", "api/nightly.py")
def traced(frame, event, argument):
    global seen
    if not frame.f_code.co_filename.endswith(files):
        return None
    if event == "line":
        seen += 1
        if seen == number:
            os.kill(os.getpid(), signal.SIGKILL)
    return traced
import recovery_batch.api
from recovery_batch.cli import main
sys.settrace(traced)
status = main(sys.argv[2:])
sys.settrace(None)
print(seen, file=sys.stderr)
sys.exit(status)
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
    """As `prepare` makes one."""
    return prepare(tmp_path)


def prepare(tmp_path: Path) -> Shell:
    """A store for which a run makes five files and more: two campaigns, cut small by a settings file beside it."""
    shell = Shell(tmp_path / "store.duckdb")
    elements = [element(f"p{n:02d}", created_at="2026-10-01 12:00:00") for n in range(9)]
    shell.ok("load", write_export(tmp_path / "e.ndjson", *elements))
    another = campaign(id=SECOND, name="calls", channel="PHONE_CALL")
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


def emitted(out: Path) -> Counter[tuple[str, str]]:
    """How often each campaign and payment stands in the files of all runs that are in their places."""
    found: Counter[tuple[str, str]] = Counter()
    for manifest in out.glob("[!.]*/manifest.json"):
        for each in json.loads(manifest.read_text(encoding="utf-8"))["files"]:
            body = json.loads((manifest.parent / each["path"]).read_text(encoding="utf-8"))
            found.update((each["campaign_id"], one["payment"]["id"]) for one in body["external_data"])
    return found


def ledger(db: Path) -> Counter[tuple[str, str]]:
    """How often each campaign and payment stands in the ledger."""
    with duckdb.connect(str(db), read_only=True) as connection:
        return Counter(connection.sql("SELECT campaign_id, payment_id FROM communications").fetchall())


EVERYTHING = Counter((campaign, f"p{n:02d}") for campaign in (FIRST, SECOND) for n in range(9))


@pytest.fixture(scope="module")
def lines(tmp_path_factory: pytest.TempPathFactory) -> int:
    """How many lines a run that is not killed goes through."""
    status, _, err = finish(start(prepare(tmp_path_factory.mktemp("lines")), "-c", KILLED_AT, "0"))
    assert status == 0
    return int(err)


@pytest.mark.slow
@pytest.mark.parametrize("part", range(KILLS))
def test_a_run_that_is_killed_anywhere_is_completed_by_the_next(store: Shell, lines: int, part: int) -> None:
    """Killed at one of its lines, in some cases the run that completes it too; then another as-of: nothing twice."""
    out = store.db.parent / "out"
    # most kills are close to the end, where folder and ledger change; what comes before decides, and writes nothing
    number = lines - round((lines - 1) * (part / KILLS) ** 2)
    assert finish(start(store, "-c", KILLED_AT, str(number)))[0] == -signal.SIGKILL
    folders = [path for path in out.glob("*") if not path.name.startswith(".")]
    known = ledger(store.db)
    assert known in (Counter(), EVERYTHING)  # all of it, or nothing
    assert not folders or known == EVERYTHING  # no folder that the ledger does not know
    if folders:
        check_complete(out)
    if part % 3 == 0:
        assert finish(start(store, "-c", KILLED_AT, str(lines // 3 + part)))[0] in (0, -signal.SIGKILL)
    assert call(*run_words(store)).document == check_complete(out)
    assert emitted(out) == ledger(store.db) == EVERYTHING
    store.ok("run", "--out", out, "--as-of", "2026-10-01T16:00:00Z")
    assert emitted(out) == ledger(store.db) == EVERYTHING


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_is_completed_by_the_next(store: Shell) -> None:
    out, began = store.db.parent / "out", time.monotonic()
    assert finish(start(Shell(Path(shutil.copy(store.db, store.db.with_name("timed.duckdb"))))))[0] == 0
    lasts = time.monotonic() - began
    shutil.rmtree(out)
    for part in range(8):
        process = start(store)
        time.sleep(lasts * (0.6 + 0.05 * part))
        process.kill()
        finish(process)
        assert ledger(store.db) in (Counter(), EVERYTHING)
    assert finish(start(store))[0] == 0
    check_complete(out)
    assert emitted(out) == ledger(store.db) == EVERYTHING


def test_a_run_that_happened_and_lost_its_folder_stops_the_next(store: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = store.db.parent / "out"
    monkeypatch.setattr("recovery_batch.outreach.ledger.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert store("run", "--out", out, "--as-of", AS_OF).status == 130
    monkeypatch.undo()
    shutil.rmtree(out)
    for as_of in (AS_OF, "2026-10-01T16:00:00Z"):
        stopped = store("run", "--out", out, "--as-of", as_of)
        assert stopped.status == 1
        assert "this run has happened, but its folder is gone" in stopped.err


def test_what_a_killed_run_left_elsewhere_is_removed_too(store: Shell) -> None:
    """The folder of the next run is another one: the lock's file says where the killed one wrote."""
    words = run_words(store)
    words[words.index("--out") + 1] = str(store.db.parent / "elsewhere")
    killed = "from recovery_batch.outreach import ledger\nimport os, signal, sys\n"
    killed += "ledger._write = lambda *_: os.kill(os.getpid(), signal.SIGKILL)\n"
    killed += "from recovery_batch.cli import main; main(sys.argv[1:])"
    done = subprocess.run([sys.executable, "-c", killed, *words], env=clean_environment(), check=False)
    assert done.returncode == -signal.SIGKILL
    assert [path.suffix for path in (store.db.parent / "elsewhere").iterdir()] == [".partial"]
    assert call(*run_words(store)).status == 0
    assert list((store.db.parent / "elsewhere").iterdir()) == []
    assert emitted(store.db.parent / "out") == ledger(store.db) == EVERYTHING


def test_a_run_whose_last_mark_was_lost_and_that_was_archived_stops_nobody(
    store: Shell, monkeypatch: pytest.MonkeyPatch
) -> None:
    out = store.db.parent / "out"
    with monkeypatch.context() as patched:
        patched.setattr("recovery_batch.outreach.ledger.publish", publish_and_stop)
        assert store("run", "--out", out, "--as-of", AS_OF).status == 130
    (folder,) = out.iterdir()
    with duckdb.connect(str(store.db)) as connection:
        row = [folder.name, "p", 0, "accepted", 1, 200, None, "2026-10-01"]
        connection.execute("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    shutil.rmtree(folder)
    assert store("run", "--out", out, "--as-of", "2026-10-01T16:00:00Z").status == 0


def publish_and_stop(staged: Path, folder: Path) -> bool:
    staged.rename(folder)
    raise KeyboardInterrupt


def test_an_interrupted_move_is_completed_by_the_next_run(store: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    out = store.db.parent / "out"
    monkeypatch.setattr("recovery_batch.outreach.ledger.publish", lambda *_: (_ for _ in ()).throw(KeyboardInterrupt))
    assert store("run", "--out", out, "--as-of", AS_OF).status == 130
    monkeypatch.undo()
    assert [path.name[0] for path in out.iterdir()] == ["."]
    elsewhere = store.ok("run", "--out", store.db.parent / "elsewhere", "--as-of", "2026-10-01T16:00:00Z")
    assert "completed what an interrupted run had begun" in elsewhere.err
    assert check_complete(out)["as_of"] == AS_OF


def test_a_full_disk_leaves_no_folder_and_says_so(store: Shell) -> None:
    out = store.db.parent / "out"
    for size in (20_000, 400_000, 600_000):
        status, printed, err = finish(start(store, "-c", NO_ROOM, str(size)))
        assert err == ""
        if status == 0:
            break
        assert status == 1
        error = json.loads(printed)
        assert error["code"] == 500
        assert "File too large" in error["message"]
        assert ledger(store.db) == Counter()
        assert not [path for path in out.glob("*") if not path.name.startswith(".")]
    assert finish(start(store))[0] == 0
    check_complete(out)
    assert emitted(out) == ledger(store.db) == EVERYTHING


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
def test_of_runs_at_once_one_happens_and_the_others_say_who_holds_the_lock(store: Shell) -> None:
    processes = [start(store) for _ in range(3)]
    outcomes = [finish(process) for process in processes]
    assert {status for status, _, _ in outcomes} <= {0, 1}
    assert 0 in {status for status, _, _ in outcomes}
    for status, printed, err in outcomes:
        assert err == ""
        if status == 1:
            error = json.loads(printed)
            assert error["details"]["slug"] == "locked"
            assert "holds the lock" in error["message"]
    (manifest,) = {printed for status, printed, _ in outcomes if status == 0}
    assert json.loads(manifest) == check_complete(store.db.parent / "out")
    assert emitted(store.db.parent / "out") == ledger(store.db) == EVERYTHING


def test_the_lock_says_who_holds_it(store: Shell) -> None:
    with exclusive(beside(store.db), "a run"):
        said = store("run", "--out", store.db.parent / "out", "--as-of", AS_OF).err
    assert f"a run by process {os.getpid()} on " in said
    assert "holds the lock\nhint: Wait until it has ended" in said
    assert not (store.db.parent / "out").exists()
    store.ok("run", "--out", store.db.parent / "out", "--as-of", AS_OF)


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
    assert ledger(store.db) == Counter()
