"""What keeps a run from being sent twice: one lock a store, the store's word before each request, and a known run."""

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from socket import socket

import pytest

from recovery_batch.outreach.sending.journal import Entry, Journal
from recovery_batch.outreach.sending.states import State
from recovery_batch.store import Store
from tests.e2e.commands import Shell, call
from tests.e2e.runs import OPEN, RUN_ID, declined, declined_body, make_run, moment
from tests.e2e.servers import Behaviour, Server, answer
from tests.e2e.submit.sending import record_run, send, states, submit

NOW = moment(OPEN[0])


@pytest.fixture
def no_second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has paid or said no: the runs made by hand have no campaigns to look for them with."""
    monkeypatch.setattr("recovery_batch.api.submitting.held_since", lambda *_: {})


def test_a_store_has_one_lock_whatever_it_is_called(shell: Shell, folder: Path, server: Server, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "other.duckdb"
    link.symlink_to(shell.db)
    with Journal(shell.db).held(RUN_ID, NOW):
        outcome = call(
            "--db", link, "submit", folder, "--yes", "--json", "--unknown-run",
            "--declined-url", server.url, "--abandoned-url", server.url,
        )  # fmt: skip
    assert (outcome.status, outcome.error["details"]["slug"]) == (1, "locked")
    assert server.connections == 0


@pytest.mark.parametrize("state", [State.SENDING, State.ACCEPTED, State.UNKNOWN, State.REFUSED])
def test_a_request_that_somebody_else_sends_meanwhile_is_not_sent(
    shell: Shell, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch, state: State
) -> None:
    """As on a file system that knows no locks."""
    monkeypatch.setattr("recovery_batch.outreach.sending.journal.exclusive", lambda *_: nullcontext())
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    other = Entry(RUN_ID, declined(2).path, 0, state, 1, None, None, NOW)
    server.script = [meanwhile(lambda: Journal(shell.db).record(other), answer(200))]
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (3, ["accepted", state.value])
    assert outcome.document["stopped"]["details"]["slug"] == "overtaken"
    assert server.counts == {declined_body("p1"): 1}
    assert {each.state for each in Journal(shell.db).entries(RUN_ID)} == {State.ACCEPTED, state}


def withdraw(shell: Shell, *queries: str) -> None:
    with Store.open(shell.db, write=True) as store:
        for query in queries:
            marks = {"changed_at": NOW} if query.endswith("mark_withdrawn") else {}
            store.run(query, {"run_id": RUN_ID, **marks})


def meanwhile(happens: Callable[[], None], then: Behaviour) -> Behaviour:
    """A server that takes its time, in which something happens."""

    def behave(connection: socket, body: bytes) -> None:
        happens()
        then(connection, body)

    return behave


@pytest.mark.usefixtures("no_second_look")
def test_a_run_that_is_taken_back_while_its_submission_waits_is_not_sent_any_more(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    record_run(shell, folder)
    server.script = [meanwhile(lambda: withdraw(shell, "runs/withdraw_runs"), answer(429))]
    outcome = send(shell, folder, server)
    assert outcome.status == 3
    assert outcome.document["stopped"]["details"]["slug"] == "run_withdrawn"
    assert server.counts == {declined_body("p1"): 1}


def test_a_copy_of_a_run_that_was_taken_back_is_refused(shell: Shell, folder: Path, server: Server) -> None:
    record_run(shell, folder)
    withdraw(shell, "runs/withdraw_runs", "runs/mark_withdrawn")
    for options in ((), ("--yes",)):
        outcome = submit(shell, folder, server, "--json", *options)
        assert (outcome.status, outcome.error["details"]["slug"]) == (3, "run_withdrawn")
    assert server.connections == 0
    assert shell.ok("submissions", "list", "--json").document["data"] == []


@pytest.mark.usefixtures("no_second_look")
def test_a_run_that_the_store_does_not_know_is_sent_only_on_a_persons_word(
    shell: Shell, folder: Path, server: Server
) -> None:
    urls = ("--declined-url", server.url, "--abandoned-url", server.url)
    dry = shell.ok("submit", folder, *urls)
    assert "does not know the run" in dry.err
    refused = shell("submit", folder, *urls, "--yes", "--json")
    assert (refused.status, refused.error["details"]["slug"]) == (3, "unknown_run")
    assert "--db" in refused.error["details"]["hint"]
    assert server.connections == 0
    record_run(shell, folder)
    shell.ok("submit", folder, *urls, "--yes", "--json")
    assert server.connections == 4
