"""The whole road as a user walks it: the program itself, from exports to batch files."""

import json
import subprocess
from pathlib import Path

import polars as pl
import pytest

from tests.e2e.commands import AS_OF, CAMPAIGNS, EXPORTS, clean_environment, command_line, program
from tests.e2e.exports import campaign, element, write_campaigns, write_export


def test_from_an_export_to_a_batch_file(tmp_path: Path) -> None:
    def run(*arguments: object) -> str:
        outcome = program(*arguments, cwd=tmp_path, RECOVERY_BATCH_DB="mine.duckdb")
        assert outcome.status == 0, outcome
        return outcome.out

    write_export(tmp_path / "export.ndjson", element("p1"), element("p2", country="MX", currency_code="MXN"))
    write_campaigns(tmp_path / "campaigns.json", campaign())

    loaded = json.loads(run("load", "export.ndjson", "--json"))
    assert loaded["totals"]["inserted"] == 2
    assert (tmp_path / "mine.duckdb").is_file()
    assert json.loads(run("campaigns", "import", "campaigns.json", "--json"))["meta"]["created"] == 1
    document = json.loads(run("backtest", "--decisions", "d.parquet", "--report", "r.html", "--json"))
    assert (document["payments"], document["matched"], document["sent"]) == (2, 1, 1)
    assert pl.read_parquet(tmp_path / "d.parquet")["payment_id"].to_list() == ["p1"]
    assert "SEND: sent at once" in run("explain", "p1")
    assert "NO MATCH: 1 of 7 conditions failed" in run("explain", "p2")
    manifest = json.loads(run("run", "--out", "outreach", "--as-of", "2026-10-02", "--json"))
    (file,) = manifest["files"]
    body = json.loads((tmp_path / "outreach" / manifest["run_id"] / file["path"]).read_text())
    assert [each["payment"]["id"] for each in body["external_data"]] == ["p1"]


def test_errors_of_the_program_go_to_standard_error_and_into_the_exit_status(tmp_path: Path) -> None:
    outcome = program("backtest", cwd=tmp_path)
    assert (outcome.status, outcome.out) == (4, "")
    assert outcome.err == (
        "error: no store at recovery.duckdb\n"
        "hint: Load an export first (recovery-batch load FILE), or name a store with --db.\n"
    )
    refused = program("campaigns", "import", CAMPAIGNS / "five_faults.yaml", cwd=tmp_path)
    assert (refused.status, refused.out) == (3, "")
    assert program("load", cwd=tmp_path).status == 2
    assert program("load", EXPORTS / "seed_minimal.json", "--db", "x", cwd=tmp_path).status == 2


@pytest.mark.slow
def test_demo_makes_the_same_bytes_wherever_it_runs(tmp_path: Path) -> None:
    for name in ("one", "two"):
        outcome = program("demo", "--out", name, "--json", cwd=tmp_path)
        # the example exports hold records that are quarantined on purpose: the demo itself is a success
        assert outcome.status == 0, outcome
    one, two = (
        {
            path.relative_to(tmp_path / name): path.read_bytes()
            for path in sorted((tmp_path / name).rglob("*"))
            if path.is_file() and path.suffix != ".duckdb"
        }
        for name in ("one", "two")
    )
    assert one == two
    assert {"report.html", "decisions.csv"} <= {str(path) for path in one}
    assert any(path.parts[0] == "outreach" and path.name == "manifest.json" for path in one)
    again = program("demo", "--out", "one", "--json", cwd=tmp_path).document
    assert {load["inserted"] + load["updated"] for load in again["loads"]} == {0}
    assert again["run"]["manifest"]["as_of"] == AS_OF


def test_output_that_cannot_be_written_is_no_bug(tmp_path: Path) -> None:
    write_export(tmp_path / "export.ndjson", element("p1"))
    assert program("load", "export.ndjson", cwd=tmp_path).status == 0
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            command_line("backtest", "--json"),
            cwd=tmp_path,
            env=clean_environment(),
            stdout=full,
            stderr=subprocess.PIPE,
            check=False,
        )
    assert (done.returncode, done.stderr) == (1, b"error: standard output: No space left on device\n")
