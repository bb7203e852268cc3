"""`rejects`: what is quarantined is listed, exported, mended and loaded again, all of it or nothing."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.commands import EXPORTS, ROOT, Shell, clean_environment
from tests.e2e.exports import ORGANIZATION, element, encoded, write_export

BROKEN = EXPORTS / "broken.ndjson"
COUNTS = ("records", "inserted", "updated", "unchanged", "quarantined", "unknown", "refused")
# Ends the process without any clean-up when a query is about to be run, or the transaction to be kept.
KILLED_AT = """
import os, signal, sys
from contextlib import contextmanager
from recovery_batch.store import Store

def killing(name):
    original = getattr(Store, name)
    def call(self, query, *rest):
        if query == sys.argv[1]:
            os.kill(os.getpid(), signal.SIGKILL)
        return original(self, query, *rest)
    setattr(Store, name, call)

killing("run")
killing("append")
transaction = Store.transaction
@contextmanager
def ending(self):
    with transaction(self):
        yield
        if sys.argv[1] == "commit":
            os.kill(os.getpid(), signal.SIGKILL)
Store.transaction = ending
from recovery_batch.cli import main
sys.exit(main(sys.argv[2:]))
"""


def stored(shell: Shell) -> dict[str, list[tuple[Any, ...]]]:
    """Everything that the store holds of loads."""
    tables = ("payments", "transactions", "payers", "records", "rejects", "loads", "payment_changes")
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        return {table: connection.table(table).order("ALL").pl().rows() for table in tables}


def exported(shell: Shell, path: Path, *options: object) -> list[dict[str, Any]]:
    """Export what is quarantined to a file; gives its lines."""
    shell.ok("rejects", "export", "--out", path, *options)
    return [json.loads(line, parse_float=Decimal) for line in path.read_text(encoding="utf-8").splitlines()]


def write(path: Path, lines: list[dict[str, Any]]) -> Path:
    return write_export(path, *lines)


@pytest.fixture
def quarantine(shell: Shell, tmp_path: Path) -> Shell:
    """A store with one payment, and three records in the quarantine, of two files."""
    bad = [element("a1", amount_value=Decimal(-1)), element("good"), element("a3", country="XX", amount_value="5")]
    assert shell("load", write_export(tmp_path / "a.ndjson", *bad)).status == 3
    strange = {"organization_code": "another", "external_data": [element("b1")]}
    assert shell("load", write_export(tmp_path / "b.ndjson", strange, element("good"))).status == 3
    return shell


def test_list_counts_by_file_and_reason(quarantine: Shell, tmp_path: Path) -> None:
    document = quarantine.ok("rejects", "list", "--json").document
    a, b = str(tmp_path / "a.ndjson"), str(tmp_path / "b.ndjson")
    assert document == {
        "data": [
            {"file": a, "kind": "declined", "reason": "bad_amount", "records": 1},
            {"file": a, "kind": "declined", "reason": "unknown_country", "records": 1},
            {"file": b, "kind": "declined", "reason": "organization_mismatch", "records": 1},
        ],
        "meta": {"total": 3},
    }
    told = quarantine.ok("rejects", "list")
    assert max(map(len, told.out.splitlines())) <= 80
    assert "bad_amount" in told.out
    assert "3 quarantined records" in told.err
    only = quarantine.ok("rejects", "list", "--file", "b*", "--reason", "organization_mismatch", "--json").document
    assert only["meta"]["total"] == 1


def test_list_shows_single_records(quarantine: Shell, tmp_path: Path) -> None:
    document = quarantine.ok("rejects", "list", "--records", "--limit", "2", "--json").document
    assert document["meta"] == {"total": 3, "limit": 2}
    first, second = document["data"]
    assert (first["file"], first["record_no"], first["found"]) == (str(tmp_path / "a.ndjson"), 1, "-1")
    assert [fault["reason"] for fault in second["faults"]] == ["unknown_country", "wrong_type"]
    assert "raw" not in first
    told = quarantine.ok("rejects", "list", "--records")
    assert max(map(len, told.out.splitlines())) <= 80
    assert f"{first['id']}  a.ndjson, record 1: bad_amount\n" in told.out
    assert "  - /payment/amount_value: expected a number that is not negative; found -1\n" in told.out
    assert "and 1 more fault" in told.out
    assert "3 of 3 quarantined records" in told.err


def test_an_empty_quarantine_is_nothing_to_do(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element()))
    assert shell.ok("rejects", "list").out == "Nothing is quarantined.\n"
    assert shell.ok("rejects", "list", "--records", "--json").document == {
        "data": [],
        "meta": {"total": 0, "limit": 100},
    }
    assert exported(shell, tmp_path / "none.ndjson") == []
    assert shell.ok("rejects", "export", "--out", "-").out == ""
    for arguments in ((), (tmp_path / "none.ndjson",)):
        assert shell.ok("rejects", "retry", *arguments).out == "Nothing to try again.\n"
        assert shell.ok("rejects", "retry", *arguments, "--json").document["records"] == 0


def test_a_filter_that_nothing_fits_says_so(quarantine: Shell) -> None:
    assert quarantine.ok("rejects", "list", "--reason", "none").out.startswith("No quarantined record is of that")


def test_an_export_is_for_its_owner_alone(quarantine: Shell, tmp_path: Path) -> None:
    lines = exported(quarantine, tmp_path / "rejects.ndjson")
    assert [(Path(line["file"]).name, line["record_no"]) for line in lines] == [
        ("a.ndjson", 1),
        ("a.ndjson", 3),
        ("b.ndjson", 1),
    ]
    assert lines[2]["root_organization"] == "another"
    assert lines[0]["record"] == json.loads(encoded(element("a1", amount_value=Decimal(-1))), parse_float=Decimal)
    assert (tmp_path / "rejects.ndjson").stat().st_mode & 0o777 == 0o600
    assert not list(tmp_path.glob(".*partial"))
    written = (tmp_path / "rejects.ndjson").read_text(encoding="utf-8")
    assert quarantine.ok("rejects", "export", "--out", "-").out == written
    document = quarantine.ok("rejects", "export", "--out", "-", "--json").document
    assert [each["id"] for each in document["data"]] == [line["id"] for line in lines]
    assert quarantine.ok("rejects", "export", "--out", tmp_path / "x", "--json").document == {
        "path": str(tmp_path / "x"),
        "records": 3,
    }
    assert len(exported(quarantine, tmp_path / "y", "--file", "a.ndjson", "--reason", "bad_amount")) == 1


def test_an_export_never_replaces_the_store(quarantine: Shell) -> None:
    outcome = quarantine("rejects", "export", "--out", quarantine.db)
    assert outcome.status == 2
    assert "this is the store" in outcome.err
    quarantine.ok("rejects", "list")


def test_mended_records_load_and_leave_the_quarantine(quarantine: Shell, tmp_path: Path) -> None:
    path = tmp_path / "rejects.ndjson"
    first, second, third = exported(quarantine, path)
    first["record"]["payment"]["amount_value"] = Decimal("999999999999.99")
    second["record"]["payment"]["country"] = "CO"
    outcome = quarantine("rejects", "retry", write(path, [first, second, third]), "--json")
    assert outcome.status == 3
    document = outcome.document
    assert {name: document[name] for name in COUNTS} == dict(zip(COUNTS, (3, 1, 0, 0, 2, 0, 0), strict=True))
    assert document["quarantined_by_reason"] == {"organization_mismatch": 1, "wrong_type": 1}
    assert document["path"] == str(path)
    left = quarantine.ok("rejects", "list", "--records", "--json").document["data"]
    assert [each["id"] for each in left] == [second["id"], third["id"]]
    assert [(Path(each["file"]).name, each["record_no"]) for each in left] == [("a.ndjson", 3), ("b.ndjson", 1)]
    second["record"]["payment"]["amount_value"] = 5
    third["record"]["payment"]["organization_code"] = "another"
    done = quarantine("rejects", "retry", write(path, [first, second, third]))
    assert done.status == 0
    assert "  - not in the quarantine (any more): " + first["id"] in done.out
    assert "2 records left the quarantine." in done.out
    assert quarantine.ok("rejects", "list").out == "Nothing is quarantined.\n"
    payments = {row[1]: (row[0], row[8]) for row in stored(quarantine)["payments"]}
    assert payments["a1"] == (ORGANIZATION, Decimal("999999999999.990000"))
    assert payments["b1"][0] == "another"
    before = stored(quarantine)
    again = quarantine.ok("rejects", "retry", path, "--json").document
    assert (again["records"], again["unknown"]) == (3, 3)
    assert again["unknown_ids"] == [first["id"], second["id"], third["id"]]
    assert stored(quarantine) == before


def test_what_strict_quarantined_is_tried_again_without_it(shell: Shell, tmp_path: Path) -> None:
    assert shell("load", write_export(tmp_path / "e.ndjson", element(order_id=None)), "--strict").status == 3
    assert shell("rejects", "retry", "--strict").status == 3
    told = shell.ok("rejects", "retry")
    assert "1 not submittable, for want of: payment.order_id 1" in told.out
    assert "1 record left the quarantine." in told.out


def test_a_line_that_is_no_json_is_mended(shell: Shell, tmp_path: Path) -> None:
    path = write_export(tmp_path / "e.ndjson", element("good"))
    path.write_bytes(path.read_bytes() + encoded(element("cut"))[:-1] + b"\n")
    assert shell("load", path).status == 3
    (line,) = exported(shell, tmp_path / "r.ndjson")
    line["text"] += "}"
    assert shell.ok("rejects", "retry", write(tmp_path / "r.ndjson", [line]), "--json").document["inserted"] == 1


def test_lines_that_are_refused_are_named_and_the_others_load(quarantine: Shell, tmp_path: Path) -> None:
    path = tmp_path / "rejects.ndjson"
    first, *_ = exported(quarantine, path)
    first["record"]["payment"]["amount_value"] = 1
    path.write_bytes(b'{"record": "ANA NOGAL"}\n' + encoded(first) + b"\nANA NOGAL\n")
    outcome = quarantine("rejects", "retry", path)
    assert outcome.status == 3
    assert f"refused: {path}:1: (whole document): it has no id; allowed: an object with the id" in outcome.err
    assert f"refused: {path}:3: (whole document): not JSON" in outcome.err
    assert "NOGAL" not in outcome.out + outcome.err
    assert "1 record left the quarantine." in outcome.out


def test_a_file_that_is_no_export_is_refused(quarantine: Shell, tmp_path: Path) -> None:
    before = stored(quarantine)
    outcome = quarantine("rejects", "retry", tmp_path / "a.ndjson", "--json")
    assert outcome.status == 3
    assert outcome.error["message"].startswith(f"{tmp_path / 'a.ndjson'}: line 1: it has no id; allowed: an object")
    assert quarantine("rejects", "retry", tmp_path / "missing").status == 3
    assert quarantine("rejects", "retry", tmp_path).status == 3
    assert stored(quarantine) == before


def test_a_store_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    shell = Shell(tmp_path / "none.duckdb")
    for arguments in (("list",), ("export", "--out", "-"), ("retry",)):
        assert shell("rejects", *arguments).status == 4
    assert not shell.db.exists()


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("list", "--limit", "0"), 3),
        (("list", "--limit", "many"), 2),
        (("export",), 2),
        (("retry", "--timezone", "America/Atlantis"), 2),
        (("retry", "--kind", "xml"), 2),
    ],
)
def test_wrong_options_are_refused(quarantine: Shell, arguments: tuple[str, ...], status: int) -> None:
    outcome = quarantine("rejects", *arguments, "--json")
    assert (outcome.status, outcome.error["code"]) == (status, 400)


def test_the_screen_shows_no_personal_data(shell: Shell, tmp_path: Path) -> None:
    bad = [element(str(number)) for number in range(4)]
    bad[0]["customer_payer"]["name"] = ["ANA NOGAL"]
    bad[1]["customer_payer"]["phone_number"] = 3101234567
    bad[2]["customer_payer"] = "ANA NOGAL 3101234567"
    bad[3]["payment"]["amount_value"] = "ten"
    path = write_export(tmp_path / "e.ndjson", *bad)
    path.write_bytes(path.read_bytes() + b'{"customer_payer": {"name": "ANA NOGAL"\n')
    assert shell("load", path).status == 3
    lines = exported(shell, tmp_path / "r.ndjson")
    assert "ANA NOGAL" in (tmp_path / "r.ndjson").read_text()
    lines[3]["record"]["payment"]["amount_value"] = 10
    retried = write(tmp_path / "r.ndjson", lines)
    for arguments in (("list",), ("list", "--records"), ("export", "--out", tmp_path / "x"), ("retry", retried)):
        for options in ((), ("--json",)):
            outcome = shell("rejects", *arguments, *options)
            assert outcome.status in (0, 3)
            for word in ("NOGAL", "3101234567"):
                assert word not in outcome.out + outcome.err


def test_control_characters_do_not_reach_the_terminal(shell: Shell, tmp_path: Path) -> None:
    path = write_export(tmp_path / "e\x1b[31m.ndjson", element("p", country="\u202e\x07"))
    assert shell("load", path).status == 3
    for arguments in (("list",), ("list", "--records")):
        outcome = shell.ok("rejects", *arguments)
        assert not set(outcome.out + outcome.err) & {"\x1b", "\x07", "\u202e"}


def test_every_record_of_the_example_is_tried_again_and_stays(shell: Shell, tmp_path: Path) -> None:
    assert shell("load", BROKEN).status == 3
    before = stored(shell)
    lines = exported(shell, tmp_path / "r.ndjson")
    assert len(lines) == 40
    for arguments in ((), (tmp_path / "r.ndjson",)):
        outcome = shell("rejects", "retry", *arguments, "--json")
        assert (outcome.status, outcome.document["records"], outcome.document["quarantined"]) == (3, 40, 40)
    after = stored(shell)
    assert {table for table in before if before[table] != after[table]} == {"loads"}
    assert len(after["loads"]) == 3


@pytest.mark.fault
@pytest.mark.parametrize(
    "moment",
    ["rejects/delete", "load/append_payments", "load/append_rejects", "load/insert_load", "rejects/restore", "commit"],
)
def test_a_retry_that_is_killed_changes_nothing_and_the_next_goes_on(
    quarantine: Shell, tmp_path: Path, moment: str
) -> None:
    path = tmp_path / "rejects.ndjson"
    first, *others = exported(quarantine, path)
    first["record"]["payment"]["amount_value"] = 1
    write(path, [first, *others])
    before = stored(quarantine)
    done = subprocess.run(
        [sys.executable, "-c", KILLED_AT, moment, "--db", str(quarantine.db), "rejects", "retry", str(path)],
        cwd=ROOT,
        env=clean_environment(),
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout, done.stderr) == (-signal.SIGKILL, "", "")
    assert stored(quarantine) == before
    document = quarantine("rejects", "retry", path, "--json").document
    assert (document["records"], document["inserted"], document["quarantined"]) == (3, 1, 2)
