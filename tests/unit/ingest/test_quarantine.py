"""What cannot be loaded is set aside with its reason, never dropped, and the rest of the file loads."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from recovery_batch import assets
from recovery_batch.ingest import totals
from tests.unit.ingest.samples import (
    LATER,
    ORGANIZATION,
    Loads,
    as_json,
    as_lines,
    as_request,
    counted,
    record,
    spelled,
    transaction,
    with_transactions,
)

BROKEN = assets.path("fixtures", "exports", "broken.ndjson")
EXPECTED: dict[str, Any] = json.loads(assets.path("fixtures", "expected", "broken.json").read_text(encoding="utf-8"))

REASONS = {
    "invalid_json": "not_json",
    "invalid_utf8": "not_utf8",
    "not_an_object": "wrong_type",
    "amount_nan": "not_json",
    "cut_off": "not_json",
    "amount_negative": "bad_amount",
    "amount_25_digits": "bad_amount",
    "amount_7_decimals": "bad_amount",
    "currency_unknown": "unknown_currency_code",
    "currency_lower_case": "unknown_currency_code",
    "country_unknown": "unknown_country",
    "country_alpha_3": "unknown_country",
    "created_at_word": "not_a_time",
    "card_iin_9_digits": "card_number",
    "card_iin_full_card_number": "card_number",
    "card_number_with_dashes": "card_number",
    "pan_number": "card_number",
    "organizations_differ": "organization_mismatch",
    "status_empty": "missing",
    "id_null": "missing",
    "id_empty": "missing",
}


def test_the_broken_example_is_quarantined_as_it_says(loads: Loads) -> None:
    (report,) = loads.load_all(BROKEN)
    assert counted(report) == {
        "records": EXPECTED["lines"],
        "inserted": EXPECTED["good"],
        "quarantined": EXPECTED["quarantined"],
    }
    found = loads.rejects("record_no", "pointer", "path", "file_sha256")
    sha256 = hashlib.sha256(BROKEN.read_bytes()).hexdigest()
    assert found == [(fault["line"], fault["pointer"], str(BROKEN), sha256) for fault in EXPECTED["faults"]]
    reasons = [reason for (reason,) in loads.rejects("reason")]
    assert reasons == [
        REASONS.get(fault["kind"], "missing" if fault["kind"].endswith("missing") else "wrong_type")
        for fault in EXPECTED["faults"]
    ]


def test_the_raw_record_is_that_of_its_line(loads: Loads) -> None:
    loads.load_all(BROKEN)
    lines = BROKEN.read_bytes().split(b"\n")
    kinds = {fault["line"]: fault["kind"] for fault in EXPECTED["faults"]}
    for number, pointer, raw in loads.rejects("record_no", "pointer", "raw"):
        line = lines[number - 1]
        if REASONS.get(kinds[number]) == "card_number":
            assert "*" in raw
        elif REASONS.get(kinds[number]) in ("not_json", "not_utf8"):
            assert raw == line.decode("utf-8", "backslashreplace")
        elif pointer.startswith("/external_data/0"):
            assert raw in line.decode()
        else:
            assert raw == line.decode()


def test_every_reject_says_what_was_expected_and_what_stood_there(loads: Loads) -> None:
    loads.load_all(BROKEN)
    for reason, expected, found, faults in loads.rejects("reason", "expected", "found", "faults"):
        assert expected
        assert (found is None) == (reason == "missing")
        assert faults[0] == {"reason": reason, "pointer": faults[0]["pointer"], "expected": expected, "found": found}


COUNTRY = "an ISO 3166-1 alpha-2 country code such as CO"
TIME = "a time such as 2026-09-01 13:45:00 or 2026-09-01T13:45:00-05:00"


@pytest.mark.parametrize(
    ("made", "fault"),
    [
        (record(status=5), ("wrong_type", "/payment/status", "a string", "5")),
        (record(country="Peru"), ("unknown_country", "/payment/country", COUNTRY, '"Peru"')),
        (record(id=None), ("missing", "/payment/id", "a string, not empty", None)),
        (record(created_at="x"), ("not_a_time", "/payment/created_at", TIME, '"x"')),
        (with_transactions({}, {"id": []}), ("wrong_type", "/transactions/1/id", "a string", "an array")),
        ({"payment": {"id": None}}, ("missing", "/payment/organization_code", "a string, not empty", None)),
    ],
)
def test_a_fault_in_words(loads: Loads, made: dict[str, Any], fault: tuple[str, ...]) -> None:
    loads.load(as_json(made))
    assert loads.rejects("reason", "pointer", "expected", "found") == [fault]


def test_all_faults_of_a_record_are_kept_the_first_in_columns(loads: Loads) -> None:
    loads.load(as_lines([record(), as_request(record("p2"), record("p3", country="x", currency_code="y"))]))
    ((number, pointer, faults, raw),) = loads.rejects("record_no", "pointer", "faults", "raw")
    assert (number, pointer) == (2, "/external_data/1/payment/country")
    assert [fault["pointer"] for fault in faults] == [pointer, "/external_data/1/payment/currency_code"]
    assert json.loads(raw)["payment"]["id"] == "p3"


def test_elements_that_are_no_array_are_one_reject(loads: Loads) -> None:
    lines = [record(), {"organization_code": ORGANIZATION, "external_data": {"payment": 1.50}}, {"external_data": []}]
    assert counted(loads.load(as_lines(lines))) == {"records": 2, "inserted": 1, "quarantined": 1}
    ((pointer, found, raw),) = loads.rejects("pointer", "found", "raw")
    assert (pointer, found) == ("/external_data", "an object")
    assert json.loads(raw) == lines[1]


def test_loading_again_does_not_double_the_rejects(loads: Loads) -> None:
    for at in (None, LATER):
        (report,) = loads.load_all(BROKEN, **({"at": at} if at else {}))
        assert report.counts["quarantined"] == EXPECTED["quarantined"]
    assert loads.query("SELECT count(*), count(DISTINCT load_id) FROM rejects") == [(EXPECTED["quarantined"], 1)]


def test_the_same_file_under_another_name_does_not_double_them(loads: Loads) -> None:
    content = as_lines([record(), record("p2", country="x")])
    loads.load(content, "a.json")
    assert counted(loads.load(content, "b.json")) == {"records": 2, "unchanged": 1, "quarantined": 1}
    assert loads.query("SELECT count(*) FROM rejects") == [(1,)]


def test_a_file_with_new_rejects_adds_those(loads: Loads) -> None:
    loads.load(as_lines([record(), record("p2", country="x")]))
    loads.load(as_lines([record(), record("p2", country="x"), record("p3", country="x")]))
    loads.load(as_lines([record(), record("p2", country="x"), record("p3", country="x"), record("p3", country="x")]))
    assert loads.rejects("record_no", "load_id") == [(2, 1), (3, 2), (4, 3)]


def test_the_same_record_twice_in_a_file_is_two_rejects(loads: Loads) -> None:
    report = loads.load(as_lines([record(), record("p2", country="x"), record("p2", country="x")]))
    assert report.counts["quarantined"] == 2
    assert [number for (number,) in loads.rejects("record_no")] == [2, 3]


def test_what_was_added_to_a_file_is_a_new_reject_however_alike(loads: Loads) -> None:
    bad = record("p2", country="x")
    loads.load(as_lines([record(), as_request(bad)]))
    loads.load(as_lines([record(), as_request(bad, bad), bad]))
    pointer = "/payment/country"
    assert loads.rejects("load_id", "record_no", "pointer") == [
        (1, 2, f"/external_data/0{pointer}"),
        (2, 2, f"/external_data/1{pointer}"),
        (2, 3, pointer),
    ]


def nested(depth: int) -> Any:
    """A record with arrays within one another, as many levels in all."""
    return record("deep", x=spelled("[" * (depth - 2) + "]" * (depth - 2)))


@pytest.mark.parametrize("form", [as_lines, as_json], ids=["lines", "array"])
def test_a_record_may_nest_a_hundred_deep(loads: Loads, form: Callable[[list[Any]], bytes]) -> None:
    records = [record("p1"), nested(100), nested(101), nested(900), record("p2")]
    assert counted(loads.load(form(records))) == {"records": 5, "inserted": 3, "quarantined": 2}
    assert loads.rejects("record_no", "reason", "pointer") == [(3, "nested_too_deep", ""), (4, "nested_too_deep", "")]
    assert loads.rejects("raw") == [(as_json(nested(depth)).decode(),) for depth in (101, 900)]


def test_nesting_that_no_stack_holds(loads: Loads) -> None:
    report = loads.load(as_lines([record("p1"), nested(100_000), record("p2")]))
    assert counted(report) == {"records": 3, "inserted": 2, "quarantined": 1}
    report = loads.load(as_json([record(), nested(100_000)]))
    assert counted(report) == {"records": 2, "unchanged": 1, "quarantined": 1}
    assert loads.rejects("record_no", "reason") == [(2, "nested_too_deep")]


def test_many_objects_are_not_deep(loads: Loads) -> None:
    assert counted(loads.load(as_json(record(x=[{"a": [n]} for n in range(500)])))) == {"records": 1, "inserted": 1}


@pytest.mark.parametrize("form", [as_lines, as_json], ids=["lines", "array"])
def test_numbers_beyond_all_bounds(loads: Loads, form: Callable[[list[Any]], bytes]) -> None:
    numbers = ["1e1001", "-1E-1001", "1e999999999", "1e99999999999999999999", "9" * 5000]
    records = [record(f"p{n}", additional_data={"n": spelled(number)}) for n, number in enumerate(numbers)]
    sound = record("sound", additional_data={"user_id": spelled("1e1000"), "n": spelled("9" * 4000)})
    assert counted(loads.load(form([*records, sound]))) == {"records": 6, "inserted": 1, "quarantined": 5}
    assert len(loads.one("user_id")) == 1001
    rejects = loads.rejects("reason", "pointer", "found", "raw")
    assert [reject[:3] for reject in rejects[:4]] == [
        ("number_too_large", "/payment/additional_data/n", number) for number in numbers[:4]
    ]
    assert rejects[4][:3] == ("number_too_large", "", "a longer number")
    assert [raw for *_, raw in rejects] == [as_json(made).decode() for made in records]


def test_texts_that_are_none(loads: Loads) -> None:
    half = as_json(record("p2", description="x")).replace(b'"x"', b'"\\ud83d"')
    other = as_json(record("p3", description="x")).replace(b'"x"', b'"\\udc00 y"')
    report = loads.load(as_lines([record("p1"), half, other, b"\0", record("p\0q", description="a\0b")]))
    assert counted(report) == {"records": 5, "inserted": 2, "quarantined": 3}
    assert [number for (number,) in loads.rejects("record_no")] == [2, 3, 4]
    assert loads.rows("payments", "payment_id, description") == [("p\0q", "a\0b"), ("p1", "one thing")]
    assert "a\\u0000b" in dict(loads.rows("records", "payment_id, record"))["p\0q"]


def test_a_record_that_is_mended_loads(loads: Loads) -> None:
    loads.load(as_lines([record(), record("p2", country="x", amount_value=5)]))
    ((raw,),) = loads.rejects("raw")
    mended = json.loads(raw)
    mended["payment"]["country"] = "CO"
    assert counted(loads.load(as_json(mended), "mended.json")) == {"records": 1, "inserted": 1}


LACKING = {
    "payment.order_id": record(order_id=None),
    "payment.description": record(description=None),
    "transactions.*.id": with_transactions(transaction(), transaction(id="")),
    "customer_payer.name": {**record(), "customer_payer": {"phone_number": "1", "phone_country_code": "1"}},
}


@pytest.mark.parametrize("field", LACKING)
def test_what_is_not_submittable_loads_and_is_counted_by_field(loads: Loads, field: str) -> None:
    report = loads.load(as_json(LACKING[field]))
    assert counted(report) == {"records": 1, "inserted": 1, "not_submittable": 1}
    assert report.unfit_fields == report.as_json()["not_submittable_by_field"] == {field: 1}
    assert loads.one("unfit_fields") == [field.replace("*", "1")]


@pytest.mark.parametrize("field", LACKING)
def test_strict_quarantines_it_instead(loads: Loads, field: str) -> None:
    report = loads.load(as_lines([LACKING[field], record("p9")]), strict=True)
    assert counted(report) == {"records": 2, "inserted": 1, "quarantined": 1}
    pointer = "/" + field.replace("*", "1").replace(".", "/")
    assert loads.rejects("reason", "pointer", "found") == [("not_submittable", pointer, None)]
    assert report.unfit_fields == {}


def test_strict_tells_first_why_a_record_does_not_load(loads: Loads) -> None:
    loads.load(as_json(record(order_id=None, country="x")), strict=True)
    assert loads.rejects("pointer") == [("/payment/country",)]


def test_several_fields_are_counted_each(loads: Loads) -> None:
    without_payer = {**record("p1"), "customer_payer": None}
    report = loads.load(as_lines([without_payer, record("p2", order_id=None), record("p3", order_id=None)]))
    assert report.counts["not_submittable"] == 3
    assert report.unfit_fields == {
        "payment.order_id": 2,
        "customer_payer.name": 1,
        "customer_payer.phone_country_code": 1,
        "customer_payer.phone_number": 1,
    }


def test_the_sums_of_every_example_add_up(loads: Loads) -> None:
    exports = sorted(assets.path("fixtures", "exports").iterdir())
    for _ in range(2):
        reports = loads.load_all(*exports)
        for counts in (*(report.counts for report in reports), totals(reports)):
            parts = ("inserted", "updated", "unchanged", "quarantined")
            assert counts["records"] == sum(counts[name] for name in parts) > 0
    assert totals(reports)["unchanged"] == totals(reports)["records"] - EXPECTED["quarantined"]
    for table in ("payments", "payers", "records"):
        assert len(loads.rows(table)) == totals(reports)["unchanged"]
    assert loads.query("SELECT sum(records), sum(quarantined) FROM loads") == [
        (2 * totals(reports)["records"], 2 * EXPECTED["quarantined"])
    ]


def test_nothing_is_kept_of_a_file_that_fails_at_its_end(loads: Loads, tmp_path: Path) -> None:
    content = as_json([record("p1"), record("p2", country="x"), record("p3")])
    report = loads.load(content.replace(b'"p3"', b'"\xff3"'))
    assert report.error is not None
    for table in ("payments", "transactions", "payers", "records", "rejects", "loads"):
        assert loads.rows(table) == []


def test_no_security_code_of_a_row_that_cannot_be_read_is_kept(loads: Loads) -> None:
    header = "payment.id,payment.country,transactions.0.card.cvv,payment.status\n"
    report = loads.load(f"{header}p1,CO,739,DECLINED,extra\np2,CO,739,DECLINED\n".encode(), "table.csv")
    assert counted(report) == {"records": 2, "quarantined": 2}
    assert loads.rejects("record_no", "reason") == [(1, "bad_row"), (2, "missing")]
    assert all("739" not in raw for (raw,) in loads.rejects("raw"))
