"""Whose turn it is: send windows, and payments that another request sends, too."""

import json
import shutil
from pathlib import Path

import polars as pl
import pytest

from recovery_batch.api.submitting import SubmitRequest
from recovery_batch.api.submitting import submit as submit_directly
from recovery_batch.schema import COMMUNICATIONS, frame_schema
from recovery_batch.store import Store
from tests.e2e.commands import Shell
from tests.e2e.exports import ORGANIZATION
from tests.e2e.runs import (
    NOT_YET,
    OVER,
    RunFile,
    declined,
    declined_body,
    make_run,
    moment,
)
from tests.e2e.servers import Behaviour, Server, answer
from tests.e2e.submit.sending import FAST, send, states, submit


def test_only_what_its_window_allows_is_sent_unless_told_otherwise(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    folder = make_run(tmp_path / "run", declined(1, window=NOT_YET), declined(2), declined(3, window=OVER))
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (0, ["not_due", "accepted", "expired"])
    assert server.bodies == [declined_body("p2")]
    assert send(shell, folder, server, "--any-time").status == 0
    assert server.counts == dict.fromkeys([declined_body(f"p{n}") for n in (1, 2, 3)], 1)


def test_the_bounds_of_a_window(shell: Shell, tmp_path: Path) -> None:
    window = ("2026-10-01T15:00:00Z", "2026-10-01T16:00:00Z")
    folder = make_run(tmp_path / "run", declined(1, window=window))

    def state(now: str) -> str:
        return submit_directly(SubmitRequest(shell.db, folder, now=lambda: moment(now))).requests[0].state.value

    assert state("2026-10-01T14:59:59.999999Z") == "not_due"
    assert state("2026-10-01T15:00:00Z") == "due"
    assert state("2026-10-01T15:59:59.999999Z") == "due"
    assert state("2026-10-01T16:00:00Z") == "expired"


def test_a_window_that_ends_while_a_server_is_busy_ends_the_tries(shell: Shell, tmp_path: Path, server: Server) -> None:
    folder = make_run(tmp_path / "run", declined(1, window=("2026-10-01T15:00:00Z", "2026-10-01T16:00:00Z")))
    server.script = [answer(429)] * 3
    clock = {0: moment("2026-10-01T15:59:00Z"), 1: moment("2026-10-01T16:00:00Z")}
    done = submit_directly(
        SubmitRequest(
            shell.db,
            folder,
            declined_url=server.url,
            send=True,
            unknown_run=True,
            pace=FAST,
            now=lambda: clock[min(1, len(server.bodies))],
        )
    )
    assert [each.state for each in done.requests] == ["expired"]
    assert (done.exit_status, len(server.bodies)) == (0, 1)


def record_communications(shell: Shell, run_id: str, path: str, *payments: str) -> None:
    rows = [
        {
            "campaign_id": "c", "organization_code": ORGANIZATION, "payment_id": payment, "channel": "PHONE_CALL",
            "planned_at": moment("2026-10-01T15:00:00Z"), "path": path,
        }
        for payment in payments
    ]  # fmt: skip
    with Store.open(shell.db, write=True) as store:
        frame = pl.DataFrame(rows, schema=frame_schema(COMMUNICATIONS)).drop("run_id")
        store.append("ledger/append_communications", frame, {"run_id": run_id})


def sent(server: Server) -> list[list[str]]:
    """The payments of each body that came whole."""
    return [[one["payment"]["id"] for one in json.loads(body)["external_data"]] for body in server.bodies]


def test_of_a_payment_in_two_files_the_second_record_is_left_out_unless_told_otherwise(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    second = RunFile("declined-payments/b/0001.json", declined_body("p3", "p2"), 2)
    folder = make_run(tmp_path / "run", declined(1, "p1", "p2"), second, declined(3, "p4"))
    copy = Shell(Path(shutil.copy(shell.db, tmp_path / "copy.duckdb")))
    dry = submit(shell, folder, server, "--json")
    assert (dry.status, states(dry)) == (0, ["due", "due", "due"])
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (0, ["accepted"] * 3)
    message = outcome.document["requests"][1]["message"]
    assert message == "1 of 2 records left out: in another request, too 1 (declined-payments/a/0001.json)"
    assert sent(server) == [["p1", "p2"], ["p3"], ["p4"]]
    server.bodies.clear()
    assert send(copy, folder, server, "--repeat").status == 0
    assert sent(server) == [["p1", "p2"], ["p3", "p2"], ["p4"]]


def test_a_second_file_with_the_same_payments_is_refused_unless_told_otherwise(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    second = RunFile("declined-payments/b/0001.json", declined_body("p2"), 1)
    folder = make_run(tmp_path / "run", declined(1, "p1", "p2"), second, declined(3, "p4"))
    dry = submit(shell, folder, server, "--json")
    assert (dry.status, states(dry)) == (0, ["due", "repeated", "due"])
    outcome = send(shell, folder, server)
    assert (outcome.status, states(outcome)) == (3, ["accepted", "repeated", "accepted"])
    message = outcome.document["requests"][1]["message"]
    assert message == "1 of 1 records left out: in another request, too 1 (declined-payments/a/0001.json)"
    assert "--repeat" in submit(shell, folder, server, "--yes").err
    assert len(server.bodies) == 2
    assert send(shell, folder, server, "--repeat").status == 0
    assert server.counts == {declined_body("p1", "p2"): 1, declined_body("p2"): 1, declined_body("p4"): 1}


def test_a_file_that_was_refused_or_is_over_holds_no_payment_back(shell: Shell, tmp_path: Path, server: Server) -> None:
    other = RunFile("declined-payments/b/0001.json", declined_body("p1", "p9"), 2)
    third = RunFile("declined-payments/c/0001.json", declined_body("p2", "p8"), 2)
    folder = make_run(tmp_path / "run", declined(1, window=OVER), declined(2), other, third)
    server.script = [answer(400)]
    assert states(send(shell, folder, server)) == ["expired", "refused", "accepted", "accepted"]
    assert sent(server) == [["p2"], ["p1", "p9"], ["p2", "p8"]]


def test_a_file_whose_payments_another_request_was_refused_with_goes_out_at_once(
    shell: Shell, tmp_path: Path, server: Server
) -> None:
    second = RunFile("declined-payments/b/0001.json", declined_body("p1"), 1)
    folder = make_run(tmp_path / "run", declined(1), second)
    assert states(submit(shell, folder, server, "--json")) == ["due", "repeated"]
    server.script = [answer(400)]
    assert states(send(shell, folder, server)) == ["refused", "accepted"]
    assert sent(server) == [["p1"], ["p1"]]


@pytest.mark.parametrize(
    ("first", "then"),
    [(answer(200), "repeated"), (answer(500), "repeated"), (answer(400), "accepted")],
    ids=["accepted", "unknown", "refused"],
)
def test_a_payment_that_another_run_sent_holds_a_file_back(
    shell: Shell, tmp_path: Path, server: Server, first: Behaviour, then: str
) -> None:
    earlier = make_run(tmp_path / "earlier", declined(1), run_id="earlier")
    record_communications(shell, "earlier", declined(1).path, "p1")
    later = make_run(tmp_path / "later", RunFile("declined-payments/b/0001.json", declined_body("p1"), 1))
    assert states(submit(shell, later, server, "--json")) == ["due"]  # emitted, and not sent
    server.script = [first]
    send(shell, earlier, server)
    outcome = send(shell, later, server)
    assert states(outcome) == [then]
    if then == "repeated":
        assert outcome.document["requests"][0]["message"].endswith("(declined-payments/a/0001.json of run earlier)")
        assert states(send(shell, later, server, "--repeat")) == ["accepted"]
