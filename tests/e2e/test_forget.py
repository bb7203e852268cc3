"""`forget` and `purge`: out of every table and the bytes of the file, and, once forgotten, out of later loads."""

from __future__ import annotations

import csv
import json
import shutil
import stat
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import polars as pl
import pytest

from recovery_batch.clock import iso
from recovery_batch.keys import hash_users
from recovery_batch.store import Store
from tests.e2e.commands import Shell
from tests.e2e.erasing import (
    EMAIL,
    NAMES,
    OTHER,
    SPELLINGS,
    TRACES,
    broken,
    build,
    content,
    flow,
    of_ana,
    of_luis,
    payments,
    traces,
    write,
)
from tests.e2e.exports import ORGANIZATION, campaign, element, encoded, write_campaigns

PHONE = "+57 310 123 4567"
LATER = "2999-01-01 00:00:00"


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a store in which Ana stands everywhere, and Luis too, and what was loaded into it."""
    folder = tmp_path_factory.mktemp("erasing")
    build(Shell(folder / "store.duckdb"))
    return folder


@pytest.fixture
def store(built: Path, tmp_path: Path) -> Shell:
    """A copy of it all in a folder of the test's own."""
    shutil.copytree(built, tmp_path, dirs_exist_ok=True)
    return Shell(tmp_path / "store.duckdb")


def test_the_fixture_holds_every_trace(store: Shell) -> None:
    assert traces(store.db) == set(TRACES) - {"user-of-ana"}


@pytest.mark.parametrize(
    "asked",
    [
        ("--phone", PHONE),
        ("--phone", "0057 (310) 123-4567"),
        ("--phone", "310.123.4567", "--country", "CO"),
        ("--phone", "3101234567"),
        ("--user-id", "user-ana"),
        ("--user-id", "user-ana", "--organization", ORGANIZATION),
    ],
    ids=" ".join,
)
def test_a_person_leaves_every_table_and_the_bytes_of_the_file(store: Shell, asked: tuple[str, ...]) -> None:
    before = content(store.db)
    outcome = store.ok("forget", *asked, "--json")
    assert traces(store.db) == set()
    assert traces(store.db, "3009998877") == set()
    counts = {name: outcome.document[name] for name in ("payments", "flows", "rejects", "opt_outs", "ledger")}
    assert counts == {"payments": 6, "flows": 2, "rejects": 5, "opt_outs": 3, "ledger": 4}
    assert not any(trace in outcome.out + outcome.err for trace in TRACES)
    after = content(store.db)
    assert [row[1] for row in after["payments"]] == ["luis"]
    assert [row[0] for row in after["flows"]] == ["s:session-2"]
    assert len(after["rejects"]) == 1
    assert [row[0] for row in after["opt_outs"]] == ["4"]
    assert traces(store.db, OTHER) == {OTHER}
    for table in ("loads", "runs", "submissions", "campaigns", "recovery_batch_store"):
        assert after[table] == before[table]


def test_the_ledger_keeps_a_hash_that_tells_the_user(store: Shell) -> None:
    store.ok("forget", "--phone", PHONE)
    with Store.open(store.db) as opened:
        users = pl.DataFrame({"organization_code": [ORGANIZATION] * 2, "user_id": ["user-ana", "user-luis"]})
        hashes = dict(hash_users(opened, users).select("user_id", "user_hash").iter_rows())
    for table in ("communications", "final_suppressions"):
        rows = {row[2]: row[4:6] for row in content(store.db)[table]}
        assert rows == {
            "ana-0": (None, hashes["user-ana"]),
            "ana-1": (None, hashes["user-ana"]),
            "luis": ("user-luis", None),
        }
    kinds = sorted(row[0][:2] for row in content(store.db)["flow_communications"])
    assert kinds == ["h:", "s:", "s:"]


def test_the_file_keeps_its_constraints_compression_and_mode(store: Shell) -> None:
    def shape() -> Any:
        with duckdb.connect(str(store.db), read_only=True) as opened:
            tables = opened.sql("SELECT sql FROM duckdb_tables() ORDER BY table_name").fetchall()
            kinds = opened.sql(
                "SELECT DISTINCT compression FROM pragma_storage_info('loads') WHERE column_name = 'path'"
            ).fetchall()
        return tables, kinds

    before = shape()
    store.ok("forget", "--phone", PHONE)
    assert shape() == before
    assert stat.S_IMODE(store.db.stat().st_mode) == 0o600
    assert sorted(path.name for path in store.db.parent.iterdir() if "store" in path.name) == [
        "store.duckdb",
        "store.duckdb.key",
    ]


def test_the_key_stands_beside_the_store_for_its_user_alone(store: Shell) -> None:
    store.ok("forget", "--phone", PHONE)
    key = store.db.with_name("store.duckdb.key")
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    text = key.read_text()
    assert len(bytes.fromhex(text)) == 32
    assert text.strip().encode() not in store.db.read_bytes()
    assert text.strip() not in str(content(store.db))
    store.ok("forget", "--user-id", "user-luis")
    assert key.read_text() == text


def as_csv(path: Path, elements: list[dict[str, Any]]) -> Path:
    rows = [
        {
            **{f"payment.{name}": value for name, value in each["payment"].items() if name != "additional_data"},
            "payment.additional_data.user_id": each["payment"].get("additional_data", {}).get("user_id", ""),
            **{f"customer_payer.{name}": value for name, value in each["customer_payer"].items()},
        }
        for each in elements
    ]
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def test_no_later_load_brings_the_person_back(store: Shell, tmp_path: Path) -> None:
    store.ok("forget", "--phone", PHONE)
    files = [
        tmp_path / "payments.ndjson",
        write(tmp_path / "other-name.ndjson", *map(encoded, payments())),
        write(tmp_path / "request.json", encoded({"organization_code": ORGANIZATION, "external_data": payments()})),
        as_csv(tmp_path / "table.csv", payments()),
    ]
    for file in files:
        document = store.ok("load", file, "--json").document
        assert document["totals"]["forgotten"] == 6, file
        assert document["totals"]["quarantined"] == 0
        assert traces(store.db) == set(), file
    outcome = store("load", "--kind", "declined", write(tmp_path / "again.ndjson", *broken()), "--json")
    assert outcome.document["totals"]["forgotten"] == 5
    assert outcome.document["totals"]["quarantined"] == 1
    assert store.ok("load", tmp_path / "flows.ndjson", "--json").document["totals"]["forgotten"] == 2
    assert traces(store.db) == set()
    assert "of people who were erased, left out: 6" in store.ok("load", files[0]).out


def test_many_records_are_left_out_on_the_fast_road_too(store: Shell, tmp_path: Path) -> None:
    store.ok("forget", "--phone", PHONE)
    lines = [encoded(of_luis(f"l{n}")) for n in range(700)] + [encoded(of_ana(f"new-{n}", n % 5)) for n in range(20)]
    totals = store.ok("load", write(tmp_path / "many.ndjson", *lines), "--json").document["totals"]
    assert (totals["inserted"], totals["forgotten"]) == (700, 20)
    assert traces(store.db) == set()


def test_what_was_never_loaded_is_left_out_by_number_and_by_user(store: Shell, tmp_path: Path) -> None:
    store.ok("forget", "--phone", PHONE)
    by_user = of_ana("new-1")
    by_user["customer_payer"] = {"name": NAMES[0], "phone_number": "3000000001", "phone_country_code": "57"}
    by_phone = [of_ana(f"new-2-{place}", place, None) for place in range(len(SPELLINGS))]
    without_code = of_ana("new-3", 0, None)
    del without_code["customer_payer"]["phone_country_code"]
    lines = map(encoded, [by_user, *by_phone, without_code])
    totals = store.ok("load", write(tmp_path / "new.ndjson", *lines), "--json").document["totals"]
    assert totals["forgotten"] == totals["records"] == 7
    new_flow = flow("session-9", "+57 3101234567")
    totals = store.ok("load", write(tmp_path / "new-flow.json", encoded([new_flow])), "--json").document["totals"]
    assert totals["forgotten"] == 1


def test_what_the_person_buys_later_comes_in_but_what_was_erased_never(store: Shell, tmp_path: Path) -> None:
    store.ok("forget", "--phone", PHONE)
    new, timeless = of_ana("new", created_at=LATER), of_ana("timeless", created_at=None)
    changed = of_ana("ana-0", created_at=LATER, status="SUCCEEDED")
    lines = map(encoded, [new, timeless, changed])
    totals = store.ok("load", write(tmp_path / "new.ndjson", *lines), "--json").document["totals"]
    assert (totals["inserted"], totals["forgotten"]) == (1, 2)
    assert [row[1] for row in content(store.db)["payments"]] == ["luis", "new"]


def test_a_retry_leaves_the_person_out_too(store: Shell) -> None:
    store.ok("forget", "--phone", PHONE)
    with duckdb.connect(str(store.db)) as opened:  # as if it had been mended with a new number
        opened.execute("UPDATE rejects SET raw = ?", [encoded(of_ana("ana-0")).decode()])
    counts = store.ok("rejects", "retry", "--json").document
    assert (counts["records"], counts["forgotten"], counts["quarantined"]) == (1, 1, 0)
    assert content(store.db)["rejects"] == []


def test_a_dry_run_counts_and_changes_nothing(store: Shell) -> None:
    before = store.db.read_bytes()
    dry = store.ok("forget", "--phone", PHONE, "--dry-run", "--json").document
    assert store.db.read_bytes() == before
    assert not store.db.with_name("store.duckdb.key").exists()
    done = store.ok("forget", "--phone", PHONE, "--json").document
    assert dry | {"dry_run": False} == done


def test_what_is_printed_says_what_is_left_to_do(store: Shell, tmp_path: Path) -> None:
    rule = {"rule_type": "METADATA", "metadata_key": "user_id", "conditional": "EQUAL", "values": ["user-ana"]}
    store.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=[rule])))
    told = store.ok("forget", "--phone", PHONE)
    assert told.out == (
        "Erased:\n  - 6 payments\n  - 2 abandoned flows\n  - 5 quarantined records\n  - 3 opt-outs\n"
        "  - the user in 4 rows of the ledger, which keeps a hash instead\n"
    )
    assert "/out/r1/batch.json" in told.err
    assert "/out/r1/flows.ndjson" in told.err
    assert campaign()["id"] in told.err
    assert str(store.db.with_name("store.duckdb.key")) in told.err
    again = store.ok("forget", "--phone", PHONE)
    assert again.out == "Nothing is stored of this person. Later loads will leave them out.\n"


def test_alone_erases_only_what_carries_exactly_what_was_given(store: Shell) -> None:
    counts = store.ok("forget", "--phone", PHONE, "--alone", "--json").document
    assert (counts["payments"], counts["flows"]) == (5, 2)
    assert [row[1] for row in content(store.db)["payments"]] == ["ana-elsewhere", "luis"]
    assert traces(store.db, "3101234567", "user-ana") == {"user-ana"}
    ledger = [row[4] for row in content(store.db)["communications"]]
    assert sorted(ledger, key=str) == [None, None, "user-luis"]


def test_more_than_one_person_is_refused(shell: Shell, tmp_path: Path) -> None:
    lines = [encoded(of_ana(f"p{n}", 0, f"user-{n}")) for n in range(11)]
    shell.ok("load", write(tmp_path / "e.ndjson", *lines))
    before = shell.db.read_bytes()
    outcome = shell("forget", "--phone", PHONE, "--json")
    assert outcome.status == 3
    assert outcome.error["message"].startswith("this leads on to 11 users; allowed: 10")
    assert "--alone" in outcome.error["details"]["hint"]
    # a till: one user's number is that of many others
    assert shell("forget", "--user-id", "user-3").status == 3
    assert shell.db.read_bytes() == before
    assert shell.ok("forget", "--user-id", "user-3", "--alone", "--json").document["payments"] == 1
    assert shell.ok("forget", "--phone", PHONE, "--alone", "--json").document["payments"] == 10


def test_a_number_that_is_nobodys_leads_nowhere(shell: Shell, tmp_path: Path) -> None:
    elements = [element(f"p{n}") for n in range(3)]
    for each in elements:
        each["customer_payer"]["phone_number"] = "0000000000"
    shell.ok("load", write(tmp_path / "e.ndjson", *map(encoded, elements)))
    assert shell.ok("forget", "--user-id", "user-p1", "--json").document["payments"] == 1


def test_a_number_of_two_countries_is_refused_without_its_country(shell: Shell, tmp_path: Path) -> None:
    american = of_luis("luis")
    american["customer_payer"]["phone_number"] = "3101234567"
    shell.ok("load", write(tmp_path / "e.ndjson", encoded(of_ana("ana")), encoded(american)))
    outcome = shell("forget", "--phone", "310 123 4567", "--json")
    assert outcome.status == 3
    assert "may be any of 2" in outcome.error["message"]
    assert "3101234567" not in outcome.out + outcome.err
    shell.ok("forget", "--phone", "310 123 4567", "--country", "CO")
    assert [row[1] for row in content(shell.db)["payments"]] == ["luis"]


def test_somebody_unknown_is_kept_out_where_enough_is_said(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write(tmp_path / "luis.ndjson", encoded(of_luis("luis"))))
    assert shell("forget", "--phone", "3101234567", "--json").error["code"] == 404
    assert shell("forget", "--user-id", "user-ana", "--json").error["code"] == 404
    shell.ok("forget", "--user-id", "user-ana", "--organization", ORGANIZATION)
    shell.ok("forget", "--phone", PHONE)
    lines = map(encoded, [of_ana("1", 0, None), of_ana("2"), of_luis("3")])
    assert shell.ok("load", write(tmp_path / "e.ndjson", *lines), "--json").document["totals"]["forgotten"] == 2


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--phone", PHONE, "--user-id", "u"),
        ("--phone", "call me"),
        ("--phone", PHONE, "--organization", ORGANIZATION),
        ("--phone", PHONE, "--country", "Colombia"),
        ("--user-id", "u", "--country", "CO"),
        ("--user-id", ""),
    ],
    ids=lambda each: " ".join(each) or "nobody",
)
def test_wrong_usage_is_told_without_the_number(store: Shell, arguments: tuple[str, ...]) -> None:
    outcome = store("forget", *arguments, "--json")
    assert outcome.status == 2
    assert outcome.error["code"] == 400
    assert "310" not in outcome.out + outcome.err


def test_without_its_key_a_store_that_needs_it_stops_loudly(store: Shell, tmp_path: Path) -> None:
    store.ok("forget", "--phone", PHONE)
    key = store.db.with_name("store.duckdb.key")
    text = key.read_text()
    before = store.db.read_bytes()
    for wrong, message in (
        (None, "is not there"),
        ("00" * 32, "another store"),
        ("00" * 31, "not a key"),
        ("é" * 64, "not a key"),
    ):
        key.unlink(missing_ok=True)
        if wrong is not None:
            key.write_text(wrong, encoding="utf-8")
        for words in (("load", tmp_path / "payments.ndjson"), ("forget", "--user-id", "user-luis")):
            outcome = store(*words, "--json")
            assert outcome.status == 1, (wrong, words)
            assert message in outcome.error["message"]
            assert "RECOVERY_BATCH_KEY_FILE" in outcome.error["details"]["hint"]
            assert text.strip() not in outcome.out + outcome.err
    assert store.db.read_bytes() == before
    key.write_text(text)
    store.ok("load", tmp_path / "payments.ndjson")


def test_the_key_may_stand_elsewhere(store: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "keys").mkdir()
    monkeypatch.setenv("RECOVERY_BATCH_KEY_FILE", str(tmp_path / "keys" / "k"))
    assert store.ok("forget", "--phone", PHONE, "--json").document["key_file"] == str(tmp_path / "keys" / "k")
    assert not store.db.with_name("store.duckdb.key").exists()
    assert store.ok("load", tmp_path / "payments.ndjson", "--json").document["totals"]["forgotten"] == 6


def test_a_store_behind_a_link_stays_behind_it(store: Shell, tmp_path: Path) -> None:
    link = tmp_path / "link.duckdb"
    link.symlink_to(store.db)
    Shell(link).ok("forget", "--phone", PHONE)
    assert link.is_symlink()
    assert traces(store.db) == set()
    totals = store.ok("load", tmp_path / "payments.ndjson", "--json").document["totals"]
    assert totals["forgotten"] == 6, "the key is found by the other name too"


def test_the_runs_that_may_hold_ids_of_the_person_are_named(store: Shell) -> None:
    with duckdb.connect(str(store.db)) as opened:
        for name, as_of in (("before", "2020-01-01"), *((f"after-{n:02}", "2999-01-01") for n in range(11))):
            row = (name, as_of, f"/out/{name}")
            opened.execute("INSERT INTO runs VALUES ($1, $1, $2, $2, $3, NULL, '{}')", row)
    expected = [*(f"/out/after-{n:02}" for n in range(11)), "/out/r1"]
    assert store.ok("forget", "--phone", PHONE, "--dry-run", "--json").document["run_folders"] == expected
    told = store.ok("forget", "--phone", PHONE).err
    assert "/out/after-09\n" in told
    assert "and 2 more, which --json lists" in told
    assert "/out/after-10" not in told
    assert "/out/before" not in told


def test_a_limit_still_counts_what_was_sent_before_the_erasure(shell: Shell, tmp_path: Path) -> None:
    """UNIQUE_BY_USER knows a user who was erased, and who buys again, by the hash."""
    now = datetime.now(UTC).replace(microsecond=0)

    def load(*bought: dict[str, Any]) -> None:
        shell.ok("load", write(tmp_path / "bought.ndjson", *map(encoded, bought)))

    def sent(hours: int) -> list[int]:
        as_of = iso(now + timedelta(hours=hours))
        manifest = shell.ok("run", "--out", tmp_path / "out", "--as-of", as_of, "--json").document
        return [each["records"] for each in manifest["files"]]

    rules = [*campaign()["rules"], {"rule_type": "UNIQUE_BY_USER"}]
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=rules)))
    load(of_ana("before", created_at=iso(now - timedelta(hours=2))))
    assert sent(0) == [1]
    erased = shell.ok("forget", "--phone", PHONE, "--json").document
    assert erased["ledger"] == 1
    assert len(erased["batch_files"]) == 1
    assert all(NAMES[0] in Path(path).read_text(encoding="utf-8") for path in erased["batch_files"])
    later = iso(now + timedelta(hours=1))
    load(of_ana("after", created_at=later), of_ana("another", user_id="user-of-ana", created_at=later))
    assert sent(2) == [1]
    assert {row[2] for row in content(shell.db)["communications"]} == {"before", "another"}
    shell.db.with_name("store.duckdb.key").unlink()
    outcome = shell("run", "--out", tmp_path / "out", "--as-of", later, "--json")
    assert outcome.status == 1
    assert "the key of the store's hashes is not there" in outcome.error["message"]


@pytest.mark.parametrize("listed", [("--phone", PHONE), ("--user-id", "user-ana")])
def test_who_said_no_is_left_alone_after_the_erasure_too(shell: Shell, tmp_path: Path, listed: tuple[str, ...]) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    before = of_ana("before", created_at=iso(now - timedelta(hours=2)))
    shell.ok("load", write(tmp_path / "bought.ndjson", encoded(before)))
    shell.ok("suppressions", "add", *listed)
    erased = shell.ok("forget", "--phone", PHONE, "--json").document
    assert erased["opt_outs"] == 1
    assert shell.ok("suppressions", "list", "--json").document["meta"]["total"] == 0
    later = iso(now + timedelta(hours=1))
    bought = [of_ana("after", created_at=later), element("of somebody else", created_at=later)]
    bought[1]["customer_payer"]["phone_number"] = "3009998877"
    left = flow("session-later")
    left["session"]["abandonment_timestamp"] = later
    shell.ok("load", write(tmp_path / "bought.ndjson", *map(encoded, bought)))
    shell.ok("load", write(tmp_path / "left.ndjson", encoded(left)))
    as_of = iso(now + timedelta(hours=2))
    manifest = shell.ok("run", "--out", tmp_path / "out", "--as-of", as_of, "--json").document
    assert (manifest["totals"]["records"], manifest["suppressed"]) == (1, {"opted_out": 2})
    assert manifest["flows"]["suppressed"] == {"opted_out": 1}


def test_purge_deletes_what_is_old_from_the_bytes_too(store: Shell, tmp_path: Path) -> None:
    old = of_ana("old", created_at="2025-01-01 00:00:00")
    store.ok("load", write(tmp_path / "old.ndjson", encoded(old), encoded(of_luis("new", created_at=LATER))))
    dry = store.ok("purge", "--older-than", "2026-10-06", "--dry-run", "--json").document
    assert {name: dry[name] for name in ("payments", "flows", "rejects", "ledger", "flow_ledger")} == {
        "payments": 8,
        "flows": 3,
        "rejects": 0,
        "ledger": 6,
        "flow_ledger": 0,
    }
    assert store.ok("purge", "--older-than", "2026-10-06", "--json").document == dry | {"dry_run": False}
    after = content(store.db)
    assert [row[1] for row in after["payments"]] == ["new"]
    for table in ("records", "payers"):
        assert len(after[table]) == 1
    for table in ("flows", "flow_records", "flow_customers", "transactions"):
        assert after[table] == []
    assert len(after["rejects"]) == 6
    assert {row[4] for row in after["communications"] + after["final_suppressions"]} == {None}
    assert len({row[5] for row in after["communications"]}) == 2
    assert len(after["opt_outs"]) == 4
    assert traces(store.db, EMAIL, "3009998877") == set()


def test_purge_deletes_the_quarantine_by_its_load(store: Shell) -> None:
    with duckdb.connect(str(store.db)) as opened:
        opened.execute("UPDATE loads SET loaded_at = '2026-01-01' WHERE path LIKE '%broken%'")
    assert store.ok("purge", "--older-than", "2026-02-01", "--json").document["rejects"] == 6
    assert content(store.db)["rejects"] == []
    assert not store.db.with_name("store.duckdb.key").exists()  # nothing was hashed
    assert store.ok("purge", "--older-than", "2026-02-01").out.startswith("Nothing is older than 2026-02-01")


def test_purge_is_no_erasure(store: Shell, tmp_path: Path) -> None:
    store.ok("purge", "--older-than", "0d")
    assert store.ok("load", tmp_path / "payments.ndjson", "--json").document["totals"]["inserted"] == 7


@pytest.mark.parametrize("age", ["90", "d", "90m", "yesterday", "2999-01-01", "-1d"])
def test_an_age_that_is_none_is_wrong_usage(store: Shell, age: str) -> None:
    outcome = store("purge", f"--older-than={age}", "--json")
    assert outcome.status == 2
    assert json.loads(outcome.out)["code"] == 400


def test_an_age_beyond_the_calendar_purges_nothing(store: Shell) -> None:
    assert store.ok("purge", "--older-than", "999999d", "--json").document["payments"] == 0
