"""Calls of `submit` against a server of the tests, and what they come to."""

from pathlib import Path

from recovery_batch.outreach.sending.waiting import Pace
from recovery_batch.store import Store
from tests.e2e.commands import Outcome, Shell, call
from tests.e2e.runs import OPEN, RUN_ID, declined_body, flow_body, moment
from tests.e2e.servers import Server

FAST = Pace(first_wait=0.0, longest_wait=0.01, jitter=0.0, longest_retry_after=0.05, store_patience=0.3)
"""Waits that a test can wait for."""
PUBLIC, PRIVATE = "public-key-0123", "private-key-4567"


def submit(shell: Shell, folder: Path, server: Server | None, *options: object) -> Outcome:
    settings = shell.db.with_name("s.toml")
    urls = ("--declined-url", server.url, "--abandoned-url", server.url) if server else ()
    return call("--config", settings, "--db", shell.db, "submit", folder, "--unknown-run", *urls, *options)


def send(shell: Shell, folder: Path, server: Server | None, *options: object) -> Outcome:
    return submit(shell, folder, server, "--yes", "--json", *options)


def states(outcome: Outcome) -> list[str]:
    return [each["state"] for each in outcome.document["requests"]]


def record_run(shell: Shell, folder: Path) -> None:
    """Let the store know the run of a folder that was made by hand."""
    row = {
        "run_id": RUN_ID, "inputs_sha256": "", "as_of": moment(OPEN[0]), "recorded_at": moment(OPEN[0]),
        "folder": str(folder), "staged": None, "manifest": (folder / "manifest.json").read_text(),
    }  # fmt: skip
    with Store.open(shell.db, write=True) as store:
        store.run("runs/insert", row)


BODIES = [declined_body("p1", "p2"), flow_body("s1"), flow_body("s2"), flow_body("s3")]
"""Those of the fixture `folder`."""
