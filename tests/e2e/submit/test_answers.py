"""What each answer of a server comes to: the state, how often the body was sent, and what the next submit sends."""

from pathlib import Path

import pytest

from tests.e2e import servers
from tests.e2e.commands import Shell
from tests.e2e.runs import (
    RUN_ID,
    declined,
    declined_body,
    make_run,
)
from tests.e2e.servers import Behaviour, Server, answer, raw
from tests.e2e.submit.sending import BODIES, send, states, submit

REDIRECT = answer(307, "Location: /elsewhere")


ONE_TRY: list[tuple[str, Behaviour, str, int | None, int]] = [
    ("200", answer(200), "accepted", 200, 1),
    ("204", answer(204, body=b""), "accepted", 204, 1),
    ("a long answer", answer(200, body=b"x" * 3_000_000), "accepted", 200, 1),
    ("400", answer(400, body=b'{"message": "phone of ANA NOGAL"}'), "refused", 400, 1),
    ("409", answer(409), "refused", 409, 1),
    ("413", answer(413), "refused", 413, 1),
    ("300", answer(300), "unknown", 300, 1),
    ("307", REDIRECT, "unknown", 307, 1),
    ("500", answer(500), "unknown", 500, 1),
    ("502 with Retry-After", answer(502, "Retry-After: 0"), "unknown", 502, 1),
    ("503", answer(503), "unknown", 503, 1),
    ("503 with nonsense", answer(503, "Retry-After: soon"), "unknown", 503, 1),
    ("late", servers.silent, "unknown", None, 1),
    ("dripping", servers.drip, "unknown", None, 1),
    ("garbage", raw(b"\x00\xff\xfe garbage\r\n\r\n"), "unknown", None, 1),
    ("HTTP/0.9", raw(b"<html>accepted</html>\n"), "unknown", None, 1),
    ("half a head", raw(b"HTTP/1.1 200 OK\r\nContent-Le"), "unknown", None, 1),
    ("half a body", raw(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"), "unknown", 200, 1),
    ("half a refusal", raw(b"HTTP/1.1 400 No\r\nContent-Length: 100\r\n\r\n{"), "unknown", 400, 1),
    ("half a 429", raw(b"HTTP/1.1 429 No\r\nContent-Length: 100\r\n\r\n{"), "unknown", 429, 1),
    ("nothing", servers.nothing, "unknown", None, 1),
    ("101", raw(b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n"), "unknown", None, 1),
]


@pytest.mark.parametrize(
    ("behaviour", "state", "status_code", "received"), [each[1:] for each in ONE_TRY], ids=[each[0] for each in ONE_TRY]
)
def test_an_answer_is_judged_and_never_asked_for_twice(
    shell: Shell, tmp_path: Path, server: Server, behaviour: Behaviour, state: str, status_code: int, received: int
) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    server.script = [behaviour]
    outcome = send(shell, folder, server)
    assert outcome.status == (0 if state == "accepted" else 3), outcome
    assert states(outcome) == [state, "accepted"]
    first = outcome.document["requests"][0]
    assert (first["status_code"], first["attempts"]) == (status_code, 1)
    assert (first["message"] is None) == (state == "accepted")
    expected = {declined_body("p1"): received, declined_body("p2"): 1}
    assert server.counts == expected
    again = send(shell, folder, server)
    assert (again.status, states(again)) == (outcome.status, [state, "accepted"])
    assert server.counts == expected


def test_a_connection_that_is_reset_while_the_body_goes_out_is_unknown(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    folder = make_run(tmp_path / "run", declined(1, *(f"p{n}" for n in range(2_000))))
    server.script = [servers.half_read]
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (3, ["unknown"])
    assert (server.connections, server.bodies) == (1, [])


def test_a_connection_that_is_reset_at_once_is_tried_again_only_where_no_body_went_out(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    folder = make_run(tmp_path / "run", *(declined(n) for n in range(1, 9)))
    server.script = [servers.unread, answer(200)] * 4
    outcome = send(shell, folder, server)
    for each in outcome.document["requests"]:  # which of the two it is depends on when the reset arrives
        assert (each["state"], server.counts[declined_body(f"p{int(each['path'][-6])}")]) in (
            ("accepted", 1),
            ("unknown", 0),
        )


@pytest.mark.parametrize(
    "busy",
    [
        answer(429),
        answer(429, "Retry-After: 0"),
        answer(429, "Retry-After: 3600"),  # longer than is waited
        answer(429, "Retry-After: soon"),
        answer(503, "Retry-After: 1"),
        answer(503, "Retry-After: Wed, 21 Oct 2015 07:28:00 GMT"),
    ],
)
def test_a_busy_server_is_asked_again_then_left_alone(
    shell: Shell, tmp_path: Path, server: Server, busy: Behaviour
) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    server.script = [busy, busy]
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (0, ["accepted", "accepted"])
    assert outcome.document["requests"][0]["attempts"] == 3
    assert server.counts == {declined_body("p1"): 3, declined_body("p2"): 1}
    assert outcome.err.count("trying again in") == 2


def test_a_server_that_stays_busy_stops_the_submission_and_the_next_goes_on(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    server.script = [answer(429)] * 3
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (1, ["unsent", "due"])
    assert outcome.document["stopped"]["details"]["slug"] == "unreachable"
    assert outcome.document["stopped"]["message"].endswith("the server is busy (429), after 3 tries")
    assert server.counts == {declined_body("p1"): 3}
    again = send(shell, folder, server)
    assert (again.status, states(again)) == (0, ["accepted", "accepted"])
    assert again.document["requests"][0]["attempts"] == 4
    assert server.counts == {declined_body("p1"): 4, declined_body("p2"): 1}


def test_the_tries_of_earlier_submissions_are_not_counted_again(shell: Shell, tmp_path: Path, server: Server) -> None:
    folder = make_run(tmp_path / "run", declined(1))
    shell.db.with_name("s.toml").write_text("[submit]\nattempts = 1\n")
    server.script = [answer(429)] * 2
    for _ in range(2):
        assert send(shell, folder, server).document["stopped"]["message"].endswith(", after 1 try")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_connection_that_failed_before_the_body_is_tried_again_then_unsent(
    shell: Shell, tmp_path: Path, server: Server, scheme: str
) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    port = servers.free_port() if scheme == "http" else server.port  # TLS with a server that speaks none
    outcome = send(shell, folder, None, "--declined-url", f"{scheme}://127.0.0.1:{port}")
    assert (outcome.status, states(outcome)) == (1, ["unsent", "due"]), outcome
    assert outcome.document["requests"][0]["attempts"] == 3
    assert "no connection" in outcome.document["requests"][0]["message"]
    assert server.bodies == []
    assert (send(shell, folder, server).status, len(server.bodies)) == (0, 2)


@pytest.mark.parametrize("status", [401, 403, 404])
def test_refused_access_stops_everything_and_nothing_was_taken(
    shell: Shell, folder: Path, server: Server, status: int
) -> None:
    server.script = [answer(200), answer(status)]
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (3, ["accepted", "unsent", "due", "due"])
    assert outcome.document["stopped"]["details"]["slug"] == "access_refused"
    assert len(server.bodies) == 2
    told = submit(shell, folder, server, "--yes")
    assert (told.status, len(server.bodies)) == (0, 5)
    assert server.counts == {BODIES[0]: 1, BODIES[1]: 2, BODIES[2]: 1, BODIES[3]: 1}


def test_what_the_server_said_of_a_refused_request_is_kept_for_its_owner_alone(
    shell: Shell, folder: Path, server: Server
) -> None:
    said = b'{"message": "the phone 3101234567 of ANA NOGAL \x1b[31m"}'
    server.script = [answer(400, body=said), answer(200), answer(422, body=b"two")]
    outcome = submit(shell, folder, server, "--yes")
    assert outcome.status == 3
    kept = folder / "refused" / "declined-payments" / "a" / "0001.json.txt"
    assert kept.read_bytes() == said
    assert (folder / "refused/abandoned-flows/0001.ndjson.line-2.txt").read_bytes() == b"two"
    assert kept.stat().st_mode & 0o777 == 0o600
    assert (folder / "refused").stat().st_mode & 0o777 == 0o700
    assert "NOGAL" not in outcome.out + outcome.err
    assert "refused/" in outcome.err
    listed = shell.ok("submissions", "list", folder)
    assert "NOGAL" not in listed.out
    shell.ok("submissions", "resolve", RUN_ID, declined(1).path, "unsent")
    server.script = [answer(400, body=b"again")]
    assert send(shell, folder, server).status == 3
    assert kept.read_bytes() == b"again"
    assert server.counts == {BODIES[0]: 2, **dict.fromkeys(BODIES[1:], 1)}


def test_cookies_and_redirects_are_not_followed(shell: Shell, tmp_path: Path, server: Server) -> None:
    folder = make_run(tmp_path / "run", declined(1), declined(2))
    server.script = [answer(307, f"Location: {server.url}/declined-payments/external", "Set-Cookie: a=b")]
    assert states(send(shell, folder, server)) == ["unknown", "accepted"]
    assert server.connections == 2
    assert "cookie" not in server.heads[1].lower()
