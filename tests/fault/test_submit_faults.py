"""A submission that is killed, interrupted, not alone, or kept from the store: no body is ever received twice by it."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import socket
from time import monotonic, sleep

import pytest

from recovery_batch.store import Store
from tests.e2e import servers
from tests.e2e.commands import Shell, call, clean_environment, command_line
from tests.e2e.runs import RUN_ID, declined, declined_body, empty_store, make_run
from tests.e2e.servers import Server, answer, serving

pytestmark = pytest.mark.fault

# Ends the process without any clean-up at a moment: before or after a write of the journal, or at an event of HTTP.
KILLED_AT = """
import os, signal, sys
kind, number = sys.argv[1], int(sys.argv[2])
moments = 0
def moment(_):
    global moments
    if _ == kind:
        moments += 1
        if moments == number:
            os.kill(os.getpid(), signal.SIGKILL)
from recovery_batch.outreach.sending import delivering, journal, transport
trace = transport._Exchange.trace
def watched(write):
    def written(*arguments, **options):
        moment("journal")
        write(*arguments, **options)
        moment("journal")
    return written
def traced(self, event, info):
    trace(self, event, info)
    moment("http")
journal.Journal.begin, journal.Journal.record = watched(journal.Journal.begin), watched(journal.Journal.record)
transport._Exchange.trace = traced
from recovery_batch.cli import main
status = main(sys.argv[3:])
print(f"moments {moments}", file=sys.stderr)
sys.exit(status)
"""
REQUESTS = 2
JOURNAL_MOMENTS = 4 * REQUESTS  # before and after: that it is sent, and what came of it
HTTP_MOMENTS = 12 * REQUESTS
PATHS = [declined(number).path for number in range(1, REQUESTS + 1)]
BODIES = [declined_body(f"p{number}") for number in range(1, REQUESTS + 1)]


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    """An empty store, and a run of two requests beside it."""
    make_run(tmp_path / "run", *(declined(number) for number in range(1, REQUESTS + 1)))
    return empty_store(tmp_path / "store.duckdb")


@pytest.fixture
def server() -> Iterator[Server]:
    """A server that accepts everything until it is told otherwise."""
    with serving() as started:
        yield started


def words(shell: Shell, server: Server) -> list[str]:
    folder = shell.db.parent
    given = ["--db", shell.db, "submit", folder / "run", "--yes", "--json", "--unknown-run",
             "--declined-url", server.url]  # fmt: skip
    return [str(each) for each in given]


def start(shell: Shell, server: Server, *prefix: str) -> subprocess.Popen[str]:
    given = words(shell, server)
    return subprocess.Popen(
        [sys.executable, *prefix, *given] if prefix else command_line(*given),
        cwd=shell.db.parent,
        env=clean_environment() | {"PYTHONPATH": str(Path(__file__).parents[2])},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def finish(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err


def states(shell: Shell) -> dict[str, str]:
    return {each["path"]: each["state"] for each in shell.ok("submissions", "list", "--json").document["data"]}


def check_resumes(shell: Shell, server: Server) -> None:
    """That going on sends nothing twice; and that with a person's word every body arrives exactly once."""
    assert max(server.counts.values(), default=0) <= 1
    before = server.counts
    outcome = call(*words(shell, server))
    assert outcome.status in (0, 3), outcome
    for path, body in zip(PATHS, BODIES, strict=True):
        state = states(shell)[path]
        assert state in ("accepted", "unknown")
        assert server.counts[body] <= 1
        if state == "accepted":
            assert server.counts[body] == 1
        else:
            assert server.counts[body] == before[body]  # not sent again
            shell.ok("submissions", "resolve", RUN_ID, path, "accepted" if server.counts[body] else "unsent")
    assert call(*words(shell, server)).status == 0
    assert server.counts == dict.fromkeys(BODIES, 1)
    assert set(states(shell).values()) == {"accepted"}


def test_the_moments_are_as_many_as_the_kills(shell: Shell, server: Server) -> None:
    for kind, number in (("journal", JOURNAL_MOMENTS), ("http", HTTP_MOMENTS)):
        shell.db.unlink()
        empty_store(shell.db)
        status, _, err = finish(start(shell, server, "-c", KILLED_AT, kind, "0"))
        assert status == 0
        seen = int(err.split("moments ")[1])
        assert seen == number if kind == "journal" else seen >= number


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, JOURNAL_MOMENTS + 1))
def test_killed_at_a_write_of_the_journal(shell: Shell, server: Server, number: int) -> None:
    assert finish(start(shell, server, "-c", KILLED_AT, "journal", str(number)))[0] == -signal.SIGKILL
    check_resumes(shell, server)


@pytest.mark.slow
@pytest.mark.parametrize("number", range(1, HTTP_MOMENTS + 1))
def test_killed_in_the_middle_of_a_request(shell: Shell, server: Server, number: int) -> None:
    assert finish(start(shell, server, "-c", KILLED_AT, "http", str(number)))[0] == -signal.SIGKILL
    assert "sending" in states(shell).values()
    check_resumes(shell, server)


@pytest.mark.slow
def test_killed_while_it_waits_to_try_again_nothing_is_unknown(shell: Shell, server: Server) -> None:
    server.script = [answer(429, "Retry-After: 200")]
    process = start(shell, server)
    wait_for(lambda: bool(server.bodies))
    wait_for(lambda: states(shell).get(PATHS[0]) == "unsent")
    process.kill()
    assert finish(process)[0] == -signal.SIGKILL
    assert call(*words(shell, server)).status == 0
    assert server.counts == {BODIES[0]: 2, BODIES[1]: 1}


@pytest.mark.slow
def test_interrupted_while_a_request_is_in_flight(shell: Shell, server: Server) -> None:
    server.script = [answer(200), servers.silent]
    process = start(shell, server)
    wait_for(lambda: len(server.bodies) == 2)
    process.send_signal(signal.SIGINT)
    status, out, _ = finish(process)
    assert status == 130
    assert '"interrupted": true' in out
    assert states(shell) == {PATHS[0]: "accepted", PATHS[1]: "unknown"}
    assert call(*words(shell, server)).status == 3
    assert server.counts == dict.fromkeys(BODIES, 1)


@pytest.mark.slow
def test_interrupted_while_it_waits_to_try_again(shell: Shell, server: Server) -> None:
    server.script = [answer(429, "Retry-After: 200")]
    process = start(shell, server)
    wait_for(lambda: bool(server.bodies))
    wait_for(lambda: states(shell).get(PATHS[0]) == "unsent")
    process.send_signal(signal.SIGINT)
    assert finish(process)[0] == 130
    assert states(shell) == {PATHS[0]: "unsent"}


def test_an_interrupt_between_requests_ends_cleanly(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C while the outcome is written down waits until it is."""
    from recovery_batch.outreach.sending.journal import Entry, Journal

    record = Journal.record

    def interrupted(self: Journal, entry: Entry) -> None:
        if entry.state == "accepted":
            os.kill(os.getpid(), signal.SIGINT)
        record(self, entry)

    monkeypatch.setattr(Journal, "record", interrupted)
    outcome = call(*words(shell, server))
    assert outcome.status == 130, outcome
    assert [each["state"] for each in outcome.document["requests"]] == ["accepted", "due"]
    assert server.counts == {BODIES[0]: 1}


@pytest.mark.slow
def test_two_at_once_and_the_store_is_free_meanwhile(shell: Shell, server: Server) -> None:
    server.script = [servers.silent]
    process = start(shell, server)
    wait_for(lambda: len(server.bodies) == 1)
    second = call(*words(shell, server))
    assert (second.status, second.error["details"]["slug"]) == (1, "locked")
    assert f"submit by process {process.pid} on " in second.error["message"]
    resolved = shell("submissions", "resolve", RUN_ID, PATHS[0], "accepted", "--json")
    assert (resolved.status, resolved.error["details"]["slug"]) == (1, "locked")
    assert states(shell) == {PATHS[0]: "sending"}  # read while a request is in flight
    with Store.open(shell.db, write=True):
        pass
    process.kill()
    finish(process)
    check_resumes(shell, server)


@contextmanager
def held(db: Path) -> Iterator[subprocess.Popen[str]]:
    """The store, open for writing in another process."""
    code = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", code, str(db)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
        yield process
        process.kill()


def patience(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    from functools import partial

    from recovery_batch.api.submitting import SubmitRequest
    from recovery_batch.outreach.sending.waiting import Pace

    monkeypatch.setattr(
        "recovery_batch.cli.submitting.SubmitRequest", partial(SubmitRequest, pace=Pace(store_patience=seconds))
    )


def test_a_store_that_others_hold_is_waited_for(shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    patience(monkeypatch, 30)
    with held(shell.db) as process:
        threading.Timer(0.5, process.kill).start()
        assert call(*words(shell, server)).status == 0
    assert server.counts == dict.fromkeys(BODIES, 1)


def test_a_store_that_stays_held_stops_before_anything_is_sent(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(monkeypatch, 0.2)
    with held(shell.db):
        outcome = call(*words(shell, server))
    assert (outcome.status, outcome.error["details"]["slug"]) == (1, "store_locked")
    assert server.connections == 0


def test_an_outcome_that_cannot_be_recorded_is_told_and_nothing_is_sent_twice(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    patience(monkeypatch, 0.2)
    holders = []

    def hold(connection: socket, body: bytes) -> None:
        holder = held(shell.db)
        holder.__enter__()
        holders.append(holder)
        answer(200)(connection, body)

    server.script = [hold]
    outcome = call(*words(shell, server))
    holders[0].__exit__(None, None, None)
    assert outcome.status == 1
    stopped = outcome.document["stopped"]
    assert stopped["details"]["slug"] == "store_locked"
    assert f"{PATHS[0]} is accepted, and that could not be recorded" in stopped["message"]
    assert f"resolve {RUN_ID} {PATHS[0]} accepted" in stopped["details"]["hint"]
    assert states(shell) == {PATHS[0]: "sending"}
    check_resumes(shell, server)


def test_a_disk_that_is_full_after_a_request_went_out(
    shell: Shell, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    from recovery_batch.errors import SystemFailed
    from recovery_batch.outreach.sending.journal import Entry, Journal

    def full(self: Journal, entry: Entry) -> None:
        raise SystemFailed("No space left on device", hint="Nothing half-done is kept.")

    with monkeypatch.context() as patched:
        patched.setattr(Journal, "record", full)
        outcome = call(*words(shell, server))
    assert outcome.status == 1
    stopped = outcome.document["stopped"]
    assert stopped["details"]["slug"] == "system_failed"
    assert f"{PATHS[0]} is accepted, and that could not be recorded" in stopped["message"]
    assert f"resolve {RUN_ID} {PATHS[0]} accepted" in stopped["details"]["hint"]
    assert "half-done" not in outcome.out
    check_resumes(shell, server)


def wait_for(condition: Callable[[], bool], seconds: float = 30) -> None:
    end = monotonic() + seconds
    while not condition():
        assert monotonic() < end
        sleep(0.02)
