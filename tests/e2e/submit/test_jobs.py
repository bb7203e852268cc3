"""Submission as a job that is called all day: what it logs, and that it repeats nothing that was told before."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Outcome, Shell, call
from tests.e2e.runs import RUN_ID, RunFile, declined, declined_body, flows, make_run
from tests.e2e.servers import Server, answer
from tests.e2e.submit.sending import send, states, submit


def logged(shell: Shell, folder: Path, server: Server, *options: object) -> tuple[Outcome, list[dict[str, Any]]]:
    """A submission that keeps a log, and the log without its times."""
    outcome = call(
        "--config", shell.db.with_name("s.toml"), "--log", "json", "--db", shell.db, "submit", folder, "--yes",
        "--declined-url", server.url, "--abandoned-url", server.url, *options,
    )  # fmt: skip
    lines = [json.loads(line) for line in outcome.err.splitlines() if line.startswith("{")]
    return outcome, [{name: line[name] for name in line if name not in ("timestamp", "seconds")} for line in lines]


def test_a_submission_is_logged(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(400), answer(200), answer(500)]
    outcome, log = logged(shell, folder, server, "--unknown-run")
    outcomes = {"accepted": 2, "refused": 1, "unknown": 1}
    run = {"run_id": RUN_ID, "folder": str(folder)}
    file = {"level": "info", "event": "file_submitted", "run_id": RUN_ID}
    assert outcome.status == 3
    assert log == [
        {"level": "info", "event": "submit_started", **run, "requests": 4},
        {**file, "path": declined(1).path, "requests": 1, "outcomes": {"refused": 1}},
        {**file, "path": flows(1).path, "requests": 3, "outcomes": {"accepted": 2, "unknown": 1}},
        {"level": "info", "event": "submit_finished", **run, "requests": 4, "outcomes": outcomes, "exit_status": 3},
    ]
    assert "NOGAL" not in outcome.err
    assert "3101234567" not in outcome.err


def test_what_stops_a_submission_is_logged(shell: Shell, folder: Path, server: Server) -> None:
    _, log = logged(shell, folder, server)
    assert log == [{"level": "error", "event": "failed", "slug": "unknown_run", "exit_status": 3}]
    server.script = [answer(401)]
    _, log = logged(shell, folder, server, "--unknown-run")
    assert {"level": "error", "event": "failed", "slug": "access_refused", "exit_status": 3} in log
    assert log[-1]["event"] == "submit_finished"


def test_a_quiet_job_tells_once_what_needs_a_person(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(200), answer(500)]
    first = submit(shell, folder, server, "--yes", "--quiet")
    assert first.status == 3
    assert "4 requests: accepted 3, unknown 1" in first.out
    again, log = logged(shell, folder, server, "--unknown-run", "--quiet")
    assert (again.status, again.out, again.err, log) == (0, "", "", [])
    document = send(shell, folder, server, "--quiet").document
    assert (document["requests"], document["totals"]) == ([], {"requests": 0})
    assert submit(shell, folder, server, "--yes").status == 3  # whoever looks sees it still


def test_a_quiet_job_tells_what_it_changed_and_nothing_else(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(400), answer(200), answer(200), answer(429), answer(429), answer(429)]
    assert send(shell, folder, server, "--quiet").status == 1
    outcome = send(shell, folder, server, "--quiet")
    assert (outcome.status, states(outcome)) == (0, ["accepted"])
    assert (outcome.document["requests"][0]["line"], outcome.document["stopped"]) == (3, None)


def test_a_quiet_job_tells_what_a_killed_one_left(shell: Shell, folder: Path, server: Server) -> None:
    from recovery_batch.outreach.sending.journal import Entry, Journal
    from recovery_batch.outreach.sending.states import State
    from tests.e2e.runs import OPEN, moment

    left = Entry(RUN_ID, declined(1).path, 0, State.SENDING, 1, None, None, moment(OPEN[0]))
    Journal(shell.db).record(left)
    other = make_run(folder.parent / "other", declined(7), run_id="another")
    assert send(shell, other, server, "--quiet").status == 0  # the next run's turn settles nothing of this one
    outcome = send(shell, folder, server, "--quiet")
    assert (outcome.status, states(outcome)) == (3, ["unknown", "accepted", "accepted", "accepted"])
    assert send(shell, folder, server, "--quiet").status == 0


def test_a_quiet_job_tells_once_of_a_file_that_the_first_holds_back(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    second = RunFile("declined-payments/b/0001.json", declined_body("p1"), 1)
    folder = make_run(tmp_path / "run", declined(1), second)
    outcome = send(shell, folder, server, "--quiet")
    assert (outcome.status, states(outcome)) == (3, ["accepted", "repeated"])
    assert send(shell, folder, server, "--quiet").status == 0


@pytest.mark.parametrize("stopped", [answer(401), answer(429)])
def test_a_quiet_job_tells_every_time_what_stops_it(shell: Shell, tmp_path: Path, server: Server, stopped: Any) -> None:
    folder = make_run(tmp_path / "run", declined(1))
    for _ in range(2):
        server.script = [stopped] * 3
        assert "error" in submit(shell, folder, server, "--yes", "--quiet").err


def test_a_dry_run_is_not_quiet(shell: Shell, folder: Path) -> None:
    assert submit(shell, folder, None, "--quiet", "--json").status == 2
