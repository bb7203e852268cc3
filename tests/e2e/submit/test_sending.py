"""`submit`: every request once, with its body and its keys, and a person's word on what is open."""

from collections import Counter
from pathlib import Path
from time import monotonic

from tests.e2e.commands import Shell
from tests.e2e.runs import (
    RUN_ID,
    declined,
    flows,
    make_run,
)
from tests.e2e.servers import Server, answer
from tests.e2e.submit.sending import BODIES, PRIVATE, PUBLIC, send, states, submit


def test_without_yes_nothing_is_sent_and_it_is_said_what_would_be(shell: Shell, folder: Path, server: Server) -> None:
    outcome = submit(shell, folder, server)
    assert outcome.status == 0
    assert "due: 1 request, 2 records, window" in outcome.out
    assert "/declined-payments/external" in outcome.out
    assert "4 requests: due 4" in outcome.out
    assert server.connections == 0
    assert states(submit(shell, folder, None, "--json")) == ["due"] * 4
    assert shell.ok("submissions", "list", "--json").document["data"] == []


def test_every_request_is_sent_once_with_its_body_and_the_keys(shell: Shell, folder: Path, server: Server) -> None:
    outcome = send(shell, folder, server)
    assert outcome.status == 0, outcome
    assert states(outcome) == ["accepted"] * 4
    assert outcome.document["totals"] == {"requests": 4, "accepted": 4}
    assert server.bodies == BODIES
    assert [head.split()[:2] for head in server.heads] == [
        ["POST", "/base/declined-payments/external"],
        *[["POST", "/base/smart-support/external/payments"]] * 3,
    ]
    for head in server.heads:
        lines = head.lower().split("\r\n")
        assert f"public-api-key: {PUBLIC}" in lines
        assert f"private-secret-key: {PRIVATE}" in lines
        assert "content-type: application/json" in lines
        assert "connection: close" in lines
    assert server.connections == 4
    again = send(shell, folder, server)
    assert (again.status, states(again)) == (0, ["accepted"] * 4)
    assert server.connections == 4


def test_the_screen_tells_what_became_of_everything(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(200), answer(500)]
    outcome = submit(shell, folder, server, "--yes")
    assert outcome.status == 3
    assert "line 1: the server answered 500" in outcome.out
    assert "4 requests: accepted 3, unknown 1" in outcome.out
    assert "submissions resolve" in outcome.err
    listed = shell.ok("submissions", "list", folder)
    assert "unknown" in listed.out
    assert max(map(len, (outcome.out + listed.out).splitlines())) <= 80


def test_states_and_counts_agree_for_a_long_file(shell: Shell, tmp_path: Path, server: Server) -> None:
    folder = make_run(tmp_path / "run", flows(1, *(f"s{n}" for n in range(20))))
    server.script = [answer(200), answer(500), answer(400)] * 5
    outcome = send(shell, folder, server)
    assert Counter(states(outcome)) == {"accepted": 10, "unknown": 5, "refused": 5}
    assert outcome.document["totals"] == {"requests": 20, "accepted": 10, "unknown": 5, "refused": 5}
    assert set(server.counts.values()) == {1}


def test_a_run_of_nothing_is_done(shell: Shell, tmp_path: Path) -> None:
    folder = make_run(tmp_path / "run")
    outcome = send(shell, folder, None)
    assert (outcome.status, outcome.document["totals"]) == (0, {"requests": 0})
    assert submit(shell, folder, None).out == f"run {RUN_ID}, nothing is sent: a dry run\n0 requests\n"


def test_no_run_is_not_found(shell: Shell, tmp_path: Path) -> None:
    assert submit(shell, tmp_path / "none", None, "--json").status == 4
    assert shell("submissions", "list", tmp_path / "none").status == 4


def test_requests_keep_to_the_rate(shell: Shell, tmp_path: Path, server: Server) -> None:
    shell.db.with_name("s.toml").write_text("[submit]\nrequests_per_second = 5\n")
    folder = make_run(tmp_path / "run", *(declined(n) for n in range(1, 5)))
    began = monotonic()
    assert send(shell, folder, server).status == 0
    assert 0.6 <= monotonic() - began < 5


def test_a_person_settles_what_is_unknown(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(500), answer(500), answer(500)]
    assert states(send(shell, folder, server)) == ["unknown", "unknown", "unknown", "accepted"]
    listed = shell.ok("submissions", "list", "--run", RUN_ID, "--json").document
    assert listed["meta"] == {"total": 4, "states": {"accepted": 1, "unknown": 3}}
    path = flows(1).path
    shell.ok("submissions", "resolve", RUN_ID, declined(1).path, "accepted")
    settled = shell.ok("submissions", "resolve", RUN_ID, path, "unsent", "--line", 2, "--json").document["data"]
    assert (settled["state"], settled["line"], settled["attempts"]) == ("unsent", 2, 1)
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (3, ["accepted", "unknown", "accepted", "accepted"])
    assert server.counts == {BODIES[0]: 1, BODIES[1]: 1, BODIES[2]: 2, BODIES[3]: 1}


def test_a_person_settles_only_what_is_open(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(200), answer(400)]
    send(shell, folder, server)
    path = flows(1).path
    for words, status in [
        ((RUN_ID, declined(1).path, "unsent"), 3),
        ((RUN_ID, declined(1).path, "accepted"), 3),
        ((RUN_ID, path, "accepted", "--line", 1), 3),  # refused: it cannot have been accepted
        ((RUN_ID, path, "unsent", "--line", 4), 4),
        ((RUN_ID, path, "unsent"), 4),
        (("another", path, "unsent", "--line", 1), 4),
        ((RUN_ID, path, "refused", "--line", 1), 2),
    ]:
        outcome = shell("submissions", "resolve", *words, "--json")
        assert outcome.status == status, outcome
    assert "--line 1" in shell("submissions", "resolve", RUN_ID, path, "unsent").err
    for words in (("nope", path, "unsent"), (RUN_ID, declined(1).path, "unsent")):
        assert "line 0" not in shell("submissions", "resolve", *words, "--json").error["message"]
