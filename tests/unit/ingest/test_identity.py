"""Who a payment is, and what loading it again does: nothing, unless its content is another."""

from __future__ import annotations

import gc
from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import pytest

from recovery_batch.settings import Sources
from tests.unit.ingest.samples import (
    LATER,
    NOW,
    ORGANIZATION,
    Loads,
    Record,
    as_json,
    as_lines,
    as_request,
    counted,
    record,
    spelled,
    transaction,
    with_transactions,
)

EVERYTHING = "payments", "transactions", "payers", "records"


def snapshot(loads: Loads) -> list[list[tuple[Any, ...]]]:
    """All that is stored of payments."""
    return [loads.rows(table) for table in EVERYTHING]


def test_a_payment_is_its_organization_and_its_id(loads: Loads) -> None:
    lines = [record("p1"), record("p1", organization_code="other"), record("P1"), record("p1 ")]
    assert counted(loads.load(as_lines(lines))) == {"records": 4, "inserted": 4}


def test_loading_a_file_twice_changes_nothing(loads: Loads) -> None:
    records = [
        record("p1"),
        with_transactions(payment_id="p2", created_at=None),
        record("p3", country="XX"),
        record("p4"),
    ]
    del records[3]["customer_payer"]
    first = loads.load(as_lines(records), at=NOW)
    assert counted(first) == {"records": 4, "inserted": 3, "quarantined": 1, "not_submittable": 1}
    before = snapshot(loads)
    second = loads.load(as_lines(records), at=LATER)
    assert counted(second) == {"records": 4, "unchanged": 3, "quarantined": 1, "not_submittable": 1}
    assert snapshot(loads) == before
    assert loads.query("SELECT count(*) FROM rejects") == [(1,)]
    assert loads.query("SELECT load_id, inserted, unchanged FROM loads ORDER BY 1") == [(1, 3, 0), (2, 0, 3)]


SAME: dict[str, Callable[[Record], Record]] = {
    "the keys in another order": lambda made: {
        key: {name: made[key][name] for name in reversed(made[key])} if key == "payment" else made[key]
        for key in reversed(made)
    },
    "as a request": as_request,
    "with a root that has more": lambda made: {**as_request(made), "exported_at": "today"},
}


@pytest.mark.parametrize("name", SAME)
def test_content_is_the_same_however_it_is_written(loads: Loads, name: str) -> None:
    made = record()
    loads.load(as_json(made))
    before = snapshot(loads)
    assert counted(loads.load(as_json(SAME[name](made)), "other.json")) == {"records": 1, "unchanged": 1}
    assert snapshot(loads) == before


def test_white_space_and_escapes_are_no_content(loads: Loads) -> None:
    loads.load(as_json(record(description="café")))
    text = as_json(record(description="café")).decode().replace("é", "\\u00e9").replace(",", " ,\n").replace(":", " : ")
    text = text.replace("15 : 00 : 00", "15:00:00")
    assert counted(loads.load(text.encode())) == {"records": 1, "unchanged": 1}


CHANGED: dict[str, Record] = {
    "a field": record(status="SUCCEEDED"),
    "the digits of an amount": record(amount_value=spelled("89900.0")),
    "a field that is not documented": record(x=1),
    "a null": {**record(), "payment": {**record()["payment"], "x": None}},
    "a transaction more": with_transactions(transaction(), transaction("t2")),
    "the customer": {**record(), "customer_payer": {"name": "Ana"}},
    "a number for a text": record(x=spelled("1.0")),
}


@pytest.mark.parametrize("name", CHANGED)
def test_other_content_replaces_the_payment(loads: Loads, name: str) -> None:
    loads.load(as_lines([record(), record("p2")]))
    report = loads.load(as_json(CHANGED[name]), at=LATER)
    assert (report.counts["updated"], report.counts["records"]) == (1, 1)
    assert len(loads.rows("payments")) == 2
    assert loads.query("SELECT record FROM records WHERE payment_id = 'p1'") == [(as_json(CHANGED[name]).decode(),)]
    transactions = len(CHANGED[name]["transactions"])
    assert loads.query("SELECT count(*) FROM transactions WHERE payment_id = 'p1'") == [(transactions,)]
    assert loads.query("SELECT load_id FROM payments ORDER BY payment_id") == [(2,), (1,)]
    assert counted(loads.load(as_json(CHANGED[name]), at=LATER))["unchanged"] == 1


def test_another_way_of_reading_is_other_content(loads: Loads) -> None:
    content = as_json(record(labels={"a": "x"}))
    loads.load(content)
    labels = Sources(metadata=("payment.labels",))
    for options in ({"timezone": "America/Bogota"}, {"timezone": "-05:00"}, {"sources": labels}):
        assert counted(loads.load(content, **options)) == {"records": 1, "updated": 1}
        assert counted(loads.load(content, **options)) == {"records": 1, "unchanged": 1}
    assert loads.one("metadata") == {"a": "x"}
    assert counted(loads.load(content)) == {"records": 1, "updated": 1}
    assert loads.one("metadata") == {}


def test_strict_is_not_a_way_of_reading(loads: Loads) -> None:
    loads.load(as_json(record()))
    assert counted(loads.load(as_json(record()), strict=True)) == {"records": 1, "unchanged": 1}


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        ("A", {"inserted": 1}),
        ("AA", {"inserted": 1, "unchanged": 1}),
        ("AB", {"inserted": 1, "updated": 1}),
        ("ABA", {"inserted": 1, "updated": 2}),
        ("AABBA", {"inserted": 1, "updated": 2, "unchanged": 2}),
    ],
)
@pytest.mark.parametrize("form", [as_lines, as_json], ids=["lines", "array"])
def test_the_same_payment_several_times_in_a_file(
    loads: Loads, statuses: str, counts: dict[str, int], form: Callable[[list[Record]], bytes]
) -> None:
    content = form([record(status=status) for status in statuses])
    assert counted(loads.load(content)) == {"records": len(statuses), **counts}
    assert loads.one("status") == statuses[-1]
    # the record that brought what the store has: later ones that say the same change nothing
    assert loads.one("record_no") == len(statuses.rstrip(statuses[-1])) + 1
    assert loads.query("SELECT count(*) FROM transactions UNION ALL SELECT count(*) FROM payers") == [(1,), (1,)]


def test_every_history_of_three_records_counts_what_each_changed(loads: Loads) -> None:
    stored: str | None = None
    for statuses in product("AB", repeat=3):
        wanted = {"inserted": 0, "updated": 0, "unchanged": 0}
        for status in statuses:
            wanted["inserted" if stored is None else "unchanged" if status == stored else "updated"] += 1
            stored = status
        report = loads.load(as_lines(record(status=status) for status in statuses))
        assert {name: report.counts[name] for name in wanted} == wanted
        assert loads.one("status") == stored


def test_a_file_that_ends_as_the_store_has_it_changes_nothing(loads: Loads) -> None:
    loads.load(as_json(record(status="A")))
    before = snapshot(loads)
    assert counted(loads.load(as_lines([record(status="B"), record(status="A")]))) == {"records": 2, "updated": 2}
    assert snapshot(loads) == before


def test_files_apply_in_the_order_of_the_command(loads: Loads) -> None:
    for status in "ABC":
        (loads.folder / f"{status}.json").write_bytes(as_json(record(status=status)))
    for order in permutations("ABC"):
        loads.load_all(*(loads.folder / f"{status}.json" for status in order))
        assert loads.one("status") == order[-1]
    paths = [loads.folder / "A.json"] * 3
    assert [report.counts["unchanged"] for report in loads.load_all(*paths)] in ([0, 1, 1], [1, 1, 1])


def test_the_same_record_with_and_without_a_security_code_is_the_same_content(loads: Loads) -> None:
    loads.load(as_json(record(additional_data={"cvv": "123", "a": 1})))
    assert counted(loads.load(as_json(record(additional_data={"a": 1})))) == {"records": 1, "unchanged": 1}


@pytest.mark.parametrize("is_on", [True, False])
def test_a_load_leaves_garbage_collection_as_it_was(loads: Loads, is_on: bool) -> None:
    try:
        gc.enable() if is_on else gc.disable()
        loads.load(as_json(record()))
        loads.load(b"no export")
        assert gc.isenabled() == is_on
    finally:
        gc.enable()


def test_batches_do_not_show(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [record(f"p{n % 7}", status=str(n % 3), organization_code=ORGANIZATION) for n in range(40)]
    whole = loads.load(as_lines(lines))
    in_parts = Loads(loads.folder / "parts")
    in_parts.folder.mkdir()
    monkeypatch.setattr("recovery_batch.ingest.reading._HEAD_BYTES", 5)
    monkeypatch.setattr("recovery_batch.ingest.ndjson._BLOCK_BYTES", 2000)
    assert in_parts.load(as_lines(lines)).counts == whole.counts
    assert snapshot(in_parts) == snapshot(loads)
