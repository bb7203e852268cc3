"""The quarantine: what is exported of it, and what becomes of records that are tried again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import pytest

from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.quarantine import (
    COUNTS,
    Filter,
    RetryOptions,
    RetryReport,
    count_rejects,
    export_rejects,
    list_rejects,
    retry_rejects,
)
from recovery_batch.settings import Sources
from recovery_batch.store import Store
from tests.unit.ingest.samples import CARD, LATER, Loads, as_json, as_lines, as_request, record, spelled, transaction

Change = Callable[[dict[str, Any]], None]
BAD = spelled("-1")
AS_SPELLED = msgspec.json.Decoder(float_hook=spelled)
FLOW = {
    "customer": {"phone_number": "+573101234567"},
    "session": {
        "session_id": "s1",
        "abandonment_timestamp": "2026-09-20T15:00:00Z",
        "flow_stage": "checkout",
        "platform": "web",
    },
}


@pytest.fixture
def loads(tmp_path: Path) -> Loads:
    return Loads(tmp_path)


def exported(loads: Loads, reason: str | None = None, file: str | None = None) -> list[dict[str, Any]]:
    """The lines of an export, numbers as they are spelled."""
    with Store.open(loads.db) as store:
        return [AS_SPELLED.decode(line) for line in export_rejects(store, Filter(reason, file))]


def written(loads: Loads, lines: list[Any], name: str = "mended.ndjson") -> Path:
    path = loads.folder / name
    path.write_bytes(as_lines(lines))
    return path


def retry(loads: Loads, path: Path | None = None, **options: Any) -> RetryReport:
    with Store.open(loads.db, write=True) as store:
        report = retry_rejects(store, path, RetryOptions(LATER, **options))
    assert report.counts["records"] == sum(report.counts[name] for name in COUNTS[1:])
    return report


def mend(loads: Loads, change: Change, **options: Any) -> RetryReport:
    """Retry what is quarantined with a change made to each line."""
    lines = exported(loads)
    for line in lines:
        change(line)
    return retry(loads, written(loads, lines), **options)


def counts(report: RetryReport) -> dict[str, int]:
    return {name: number for name, number in report.counts.items() if number}


def set_amount(line: dict[str, Any]) -> None:
    line["record"]["payment"]["amount_value"] = spelled("999999999999.990000")


def test_an_empty_quarantine_has_nothing_to_show_or_to_try(loads: Loads) -> None:
    loads.load(as_lines([record()]))
    with Store.open(loads.db) as store:
        assert count_rejects(store, Filter()).height == 0
        assert list_rejects(store, Filter(), 5).height == 0
    assert exported(loads) == []
    assert counts(retry(loads)) == {}
    assert counts(retry(loads, written(loads, []))) == {}
    assert len(loads.rows("loads")) == 1


def test_an_export_holds_the_record_with_its_digits_beside_its_faults(loads: Loads) -> None:
    line = as_json(record("p1", amount_value=spelled("-10.500"), order_id="é€"))
    loads.load(line + b"\n" + b'{"payment": \n', "a.ndjson")
    with Store.open(loads.db) as store:
        first, second = export_rejects(store, Filter())
    assert '"amount_value":-10.500' in first
    assert first.endswith('"record":' + line.decode() + "}")
    fault = {"reason": "bad_amount", "pointer": "/payment/amount_value", "found": "-10.500"}
    fault["expected"] = "a number that is not negative"
    document = json.loads(first)
    (identity,) = loads.query("SELECT reject_id FROM rejects WHERE record_no = 1")
    assert {name: document[name] for name in document if name != "record"} == {
        "id": identity[0],
        **fault,
        "faults": [fault],
        "file": str(loads.folder / "a.ndjson"),
        "record_no": 1,
        "kind": "declined",
        "root_organization": None,
    }
    assert list(document)[:6] == ["id", "reason", "pointer", "expected", "found", "faults"]
    assert "record" not in json.loads(second)
    assert json.loads(second)["text"] == '{"payment":'


def test_a_mended_record_loads_exactly_and_leaves_the_quarantine(loads: Loads) -> None:
    loads.load(as_lines([record("p0"), record("p1", amount_value=BAD), record("p2", amount_value=BAD)]))
    lines = exported(loads)
    set_amount(lines[0])
    path = written(loads, lines[:1])
    report = retry(loads, path)
    assert counts(report) == {"records": 1, "inserted": 1}
    assert loads.query("SELECT amount_value::VARCHAR FROM payments WHERE payment_id = 'p1'") == [
        ("999999999999.990000",)
    ]
    assert (
        '"amount_value":999999999999.990000' in loads.query("SELECT record FROM records WHERE payment_id = 'p1'")[0][0]
    )
    assert loads.rejects("reject_id") == [(lines[1]["id"],)]
    columns = "path, kind, records, inserted, quarantined"
    assert loads.rows("loads", columns, "load_id")[1:] == [(str(path), "declined", 1, 1, 0)]
    assert loads.query("SELECT load_id, record_no FROM payments WHERE payment_id = 'p1'") == [(2, 1)]


def test_what_is_tried_twice_is_unknown_and_changes_nothing(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]))
    (line,) = exported(loads)
    set_amount(line)
    path = written(loads, [line])
    retry(loads, path)
    loads.load(as_lines([record("p1", status="NEWER")]), "newer.json")
    before = [loads.rows(table) for table in ("payments", "records", "rejects", "loads")]
    report = retry(loads, path)
    assert counts(report) == {"records": 1, "unknown": 1}
    assert report.unknown_ids == [line["id"]]
    assert [loads.rows(table) for table in ("payments", "records", "rejects", "loads")] == before


def test_what_is_still_bad_keeps_its_place_and_gets_its_new_fault(loads: Loads) -> None:
    loads.load(as_lines([record("p1"), record("p2", amount_value=BAD)]), "a.ndjson")
    place = "reject_id", "load_id", "path", "file_sha256", "record_no"
    before = loads.rejects(*place)

    def half(line: dict[str, Any]) -> None:
        set_amount(line)
        line["record"]["payment"]["country"] = "XX"

    report = mend(loads, half)
    assert counts(report) == {"records": 1, "quarantined": 1}
    assert report.reject_reasons == {"unknown_country": 1}
    assert loads.rejects(*place) == before
    ((reason, pointer, found, raw, faults),) = loads.rejects("reason", "pointer", "found", "raw", "faults")
    assert (reason, pointer, found) == ("unknown_country", "/payment/country", '"XX"')
    assert [fault["pointer"] for fault in faults] == ["/payment/country"]
    assert "999999999999.990000" in raw
    assert loads.load((loads.folder / "a.ndjson").read_bytes(), "a.ndjson").counts["quarantined"] == 1
    assert loads.rejects("reject_id", "reason") == [(before[0][0], "unknown_country")]
    assert counts(mend(loads, lambda line: line["record"]["payment"].update(country="CO"))) == {
        "records": 1,
        "inserted": 1,
    }
    assert loads.rejects("reason") == []


def test_records_of_a_request_keep_their_pointers_and_their_organization(loads: Loads) -> None:
    bad = [record("p1", organization_code="another"), record("p2", organization_code="another")]
    loads.load(as_lines([record("p0"), as_request(*bad)]), "a.ndjson")
    pointers = loads.rejects("pointer", "record_no", "root_organization")
    assert [pointer for pointer, *_ in pointers] == [
        "/external_data/0/payment/organization_code",
        "/external_data/1/payment/organization_code",
    ]
    assert counts(retry(loads)) == {"records": 2, "quarantined": 2}
    assert loads.rejects("pointer", "record_no", "root_organization") == pointers
    own = exported(loads)[0]["root_organization"]
    report = mend(
        loads, lambda line: line["record"]["payment"].update(organization_code=own if "p1" in str(line) else "third")
    )
    assert counts(report) == {"records": 2, "inserted": 1, "quarantined": 1}
    assert loads.rejects("pointer", "found") == [("/external_data/1/payment/organization_code", '"third"')]
    ((faults,),) = loads.rejects("faults")
    assert [fault["pointer"] for fault in faults] == ["/external_data/1/payment/organization_code"]


def test_an_organization_that_was_not_kept_is_not_taken_for_right(loads: Loads) -> None:
    loads.load(as_lines([record("p0"), as_request(record("p1", organization_code="another"))]))
    with duckdb.connect(str(loads.db)) as connection:  # what a store of version 1 holds
        connection.execute("UPDATE rejects SET root_organization = NULL")
    report = retry(loads)
    assert counts(report) == {"records": 1, "quarantined": 1}
    assert report.reject_reasons == {"organization_mismatch": 1}
    assert counts(mend(loads, lambda line: line["record"]["payment"].update(organization_code="third"))) == {
        "records": 1,
        "inserted": 1,
    }


def test_a_record_of_a_document_keeps_its_place(loads: Loads) -> None:
    loads.load(as_json(as_request(record("p1"), record("p2", organization_code="another"))))
    place = loads.rejects("record_no", "pointer")
    assert counts(retry(loads)) == {"records": 1, "quarantined": 1}
    assert loads.rejects("record_no", "pointer") == place == [(2, "/payment/organization_code")]


@pytest.mark.parametrize("member", ["record", "text"])
def test_a_line_that_was_no_json_is_mended_as_record_or_as_text(loads: Loads, member: str) -> None:
    loads.load(as_lines([record("p1"), b'{"payment": ']))
    (line,) = exported(loads)
    good = record("p2")
    line[member] = good if member == "record" else as_json(good).decode()
    assert counts(retry(loads, written(loads, [line]))) == {"records": 1, "inserted": 1}
    assert loads.rejects("reason") == []


def test_a_text_that_is_still_no_json_stays_as_it_was(loads: Loads) -> None:
    loads.load(as_lines([record("p1"), b'{"payment": ', record("p2", amount_value=BAD)]))
    before = loads.rows("rejects")
    report = mend(loads, lambda line: line.update(text='{"payment": {') if "text" in line else None)
    assert counts(report) == {"records": 2, "quarantined": 2}
    assert report.reject_reasons == {"not_json": 1, "bad_amount": 1}
    assert loads.rows("rejects") == before


def test_bytes_that_were_no_text_are_not_guessed_at(loads: Loads) -> None:
    line = as_json(record("p2", description="a\\")).replace(b"\\\\", b"\\\xff")
    loads.load(as_lines([record("p1"), line]))
    assert loads.rejects("reason") == [("not_utf8",)]
    assert counts(retry(loads)) == {"records": 1, "quarantined": 1}
    assert loads.rejects("reason") == [("not_utf8",)]


def test_a_masked_card_number_does_not_load_until_somebody_mends_it(loads: Loads) -> None:
    bad = {**record("p1"), "transactions": [transaction(card={"id": 1, "number": CARD})]}
    loads.load(as_lines([record("p0"), bad]))
    before = loads.rows("rejects")
    assert counts(retry(loads)) == {"records": 1, "quarantined": 1}
    lines = exported(loads)
    lines[0]["record"] = dict(reversed(lines[0]["record"].items()))  # the same content, written by another program
    lines[0]["record"]["payment"]["amount_value"] = spelled("89900.0")
    assert counts(retry(loads, written(loads, lines))) == {"records": 1, "quarantined": 1}
    assert loads.rows("rejects") == before

    def again(line: dict[str, Any]) -> None:
        line["record"]["transactions"][0]["card"]["number"] = "5555 5555 5555 4444"

    assert counts(mend(loads, again)) == {"records": 1, "quarantined": 1}
    assert loads.rejects("reason", "found") == [("card_number", '"************4444"')]
    assert b"5555 5555" not in loads.bytes_of_the_store()
    assert counts(mend(loads, lambda line: line["record"]["transactions"][0]["card"].pop("number"))) == {
        "records": 1,
        "inserted": 1,
    }


def test_security_codes_of_a_mended_record_are_removed(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]))

    def change(line: dict[str, Any]) -> None:
        set_amount(line)
        line["record"]["cvv"] = "987"

    assert counts(mend(loads, change)) == {"records": 1, "inserted": 1}
    assert "987" not in loads.one("record", "records")
    assert loads.rows("loads", "security_codes_removed", "load_id") == [(0,), (1,)]


def test_what_strict_refused_loads_without_it_and_stays_with_it(loads: Loads) -> None:
    loads.load(as_lines([record("p1", order_id=None)]), strict=True)
    assert counts(retry(loads, strict=True)) == {"records": 1, "quarantined": 1}
    assert loads.rejects("reason") == [("not_submittable",)]
    report = retry(loads)
    assert counts(report) == {"records": 1, "inserted": 1, "not_submittable": 1}
    assert report.unfit_fields == {"payment.order_id": 1}


def test_times_are_read_in_the_zone_of_the_file_or_in_another(loads: Loads) -> None:
    lines = as_lines([record("p1", amount_value=BAD), record("p2", amount_value=BAD)])
    loads.load(lines, timezone="America/Bogota")
    first, second = exported(loads)
    set_amount(first)
    set_amount(second)
    retry(loads, written(loads, [first]))
    retry(loads, written(loads, [second]), timezone="-03:00")
    assert loads.query("SELECT payment_id, hour(created_at) FROM payments ORDER BY ALL") == [("p1", 20), ("p2", 18)]
    assert [zone for (zone,) in loads.rows("loads", "timezone", "load_id")] == ["America/Bogota"] * 2 + ["-03:00"]


def test_files_that_were_read_in_different_ways_are_tried_in_one_transaction(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]), "a.ndjson", timezone="America/Bogota")
    loads.load(as_lines([record("p2", amount_value=BAD)]), "b.ndjson")
    loads.load(as_lines([{**FLOW, "session": {**FLOW["session"], "platform": "fax"}}]), "c.ndjson", kind="abandoned")

    def change(line: dict[str, Any]) -> None:
        if line["kind"] == "declined":
            set_amount(line)
        else:
            line["record"]["session"]["platform"] = "web"

    report = mend(loads, change)
    assert (report.counts["records"], report.counts["inserted"]) == (3, 3)
    assert loads.rejects("reason") == []
    rows = loads.rows("loads", "kind, timezone, inserted", "load_id")[3:]
    assert rows == [("declined", "America/Bogota", 1), ("declined", "UTC", 1), ("abandoned", "UTC", 1)]


def test_a_record_of_the_other_kind_loads_when_its_kind_is_named(loads: Loads) -> None:
    loads.load(as_lines([record("p1"), FLOW]))
    assert counts(retry(loads)) == {"records": 1, "quarantined": 1}
    assert retry(loads, kind="abandoned").counts["inserted"] == 1
    assert len(loads.rows("flows")) == 1


def test_sources_of_the_settings_count(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD, extra_code="X7")]))
    sources = Sources(response_code=("payment.extra_code",))
    mend(loads, set_amount, sources=sources)
    assert loads.one("response_code") == "X7"


def test_an_old_reject_that_is_mended_replaces_what_came_since(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD, status="OLD")]), "a.ndjson")
    loads.load(as_lines([record("p1", status="NEW")]), "b.ndjson")
    assert counts(mend(loads, set_amount)) == {"records": 1, "updated": 1}
    assert loads.one("status") == "OLD"
    changes = loads.query("SELECT changes FROM payment_changes")
    assert {"field": "status", "before": "NEW", "after": "OLD"} in changes[0][0]


def test_a_record_that_is_there_already_is_unchanged(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]), "a.ndjson")
    (line,) = exported(loads)
    line["record"] = record("p1")
    loads.load(as_lines([record("p1")]), "b.ndjson")
    assert counts(retry(loads, written(loads, [line]))) == {"records": 1, "unchanged": 1}


def test_a_line_with_the_id_alone_is_tried_as_it_is(loads: Loads) -> None:
    loads.load(as_lines([record("p1", order_id=None), record("p2", order_id=None)]), strict=True)
    first, second = exported(loads)
    lines = [{"id": second["id"]}, {"id": first["id"], "record": None}]
    report = retry(loads, written(loads, lines))
    assert counts(report) == {"records": 2, "inserted": 2, "not_submittable": 2}
    assert loads.query("SELECT payment_id, record_no FROM payments ORDER BY ALL") == [("p1", 2), ("p2", 1)]


BAD_LINES = {
    "text": (b"Dear Sir,", "not JSON: "),
    "array": (b"[1]", "an array, not an object"),
    "null": (b"null", "null, not an object"),
    "no id": (b'{"record": {}}', "it has no id"),
    "null id": (b'{"id": null}', "it has no id"),
    "number": (b'{"id": 5}', "its id is a number, not a string"),
    "somebody": (b'{"id": "Luc\xc3\xada Prado"}', "its id is not that of a quarantined record"),
    "text object": (b'{"id": "0123456789abcdef", "text": {}}', "its text is an object, not a string"),
    "latin 1": (b'{"id": "Luc\xeda"}', "not UTF-8 text"),
    "cut off": (b'{"id": "0123456789abcdef", "record": {"payment"', "not JSON: "),
    "deep": (b'{"id": "0123456789abcdef", "record": ' + b"[" * 100_000, "not JSON: "),
}


@pytest.mark.parametrize("name", BAD_LINES)
def test_a_bad_line_is_named_and_does_not_stop_the_others(loads: Loads, name: str) -> None:
    line, message = BAD_LINES[name]
    loads.load(as_lines([record("p1", amount_value=BAD)]))
    (good,) = exported(loads)
    set_amount(good)
    path = written(loads, [b"", line, good])
    report = retry(loads, path)
    assert counts(report) == {"records": 2, "inserted": 1, "refused": 1}
    (problem,) = report.problems
    assert (problem.source, problem.line, problem.found) == (str(path), 2, None)
    assert problem.message.startswith(message)
    assert "Prado" not in str(problem)
    with pytest.raises(ExportUnreadable) as refused:
        retry(loads, written(loads, [line, line]))
    assert f"mended.ndjson: line 1: {message}" in refused.value.message
    assert "allowed: an object with the id of a quarantined record" in refused.value.message
    assert "rejects export" in refused.value.hint


def test_an_id_that_stands_twice_counts_once(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]))
    (line,) = exported(loads)
    set_amount(line)
    report = retry(loads, written(loads, [line, line]))
    assert counts(report) == {"records": 2, "inserted": 1, "refused": 1}
    assert report.problems[0].message == f"the id {line['id']} stands in line 1 already"


def test_a_file_with_a_byte_order_mark_is_read(loads: Loads) -> None:
    loads.load(as_lines([record("p1", amount_value=BAD)]))
    (line,) = exported(loads)
    set_amount(line)
    path = loads.folder / "m.ndjson"
    path.write_bytes(b"\xef\xbb\xbf" + as_json(line) + b"\r\n\r\n")
    assert counts(retry(loads, path)) == {"records": 1, "inserted": 1}


def test_a_file_that_is_not_there_is_an_error(loads: Loads) -> None:
    loads.load(as_lines([record()]))
    for path in (loads.folder / "none", loads.folder):
        with pytest.raises(ExportUnreadable):
            retry(loads, path)


def test_an_export_that_takes_the_place_of_its_source_loses_nothing(loads: Loads) -> None:
    """Records at the same path, with the same number and text as what is quarantined, are still other records."""
    same = as_json(record("p1", amount_value=BAD))
    loads.load(as_lines([same, same, same]), "a.ndjson")
    lines = exported(loads)
    path = written(loads, lines[1:], "a.ndjson")
    assert counts(retry(loads, path)) == {"records": 2, "quarantined": 2}
    assert loads.rejects("record_no") == [(1,), (2,), (3,)]
    assert [each["id"] for each in exported(loads)] == [each["id"] for each in lines]


def test_identical_records_of_one_line_are_told_apart(loads: Loads) -> None:
    one = record("p1", amount_value=BAD)
    loads.load(as_lines([record("p0"), as_request(one, one)]))
    first, second = exported(loads)
    assert first["id"] != second["id"]
    set_amount(second)
    assert counts(retry(loads, written(loads, [second]))) == {"records": 1, "inserted": 1}
    assert [line["id"] for line in exported(loads)] == [first["id"]]


def test_filters_take_paths_names_and_patterns(loads: Loads) -> None:
    for name in ("a.ndjson", "b.ndjson", "[x]*.ndjson", "o'b.ndjson"):
        loads.load(as_lines([record(name, amount_value=BAD), record("p2", country="XX", code=name)]), name)

    def found(**wanted: str) -> set[str]:
        return {Path(line["file"]).name for line in exported(loads, **wanted)}

    every = {"a.ndjson", "b.ndjson", "[x]*.ndjson", "o'b.ndjson"}
    assert found() == found(file="*.ndjson") == found(file=f"{loads.folder}/*") == every
    assert found(file="a.ndjson") == found(file=str(loads.folder / "a.ndjson")) == found(file="[a]*") == {"a.ndjson"}
    assert found(file="?.ndjson") == {"a.ndjson", "b.ndjson"}
    assert found(file="[x]*.ndjson") == {"[x]*.ndjson"}
    assert found(file="o'b.ndjson") == {"o'b.ndjson"}
    assert found(file="[") == found(file="' OR 1=1 --") == found(reason="none") == set()
    assert len(exported(loads, reason="bad_amount")) == 4
    assert len(exported(loads, "unknown_country", "a.ndjson")) == 1
    with Store.open(loads.db) as store:
        assert count_rejects(store, Filter(file="a.ndjson")).rows() == [
            (str(loads.folder / "a.ndjson"), "declined", "bad_amount", 1),
            (str(loads.folder / "a.ndjson"), "declined", "unknown_country", 1),
        ]
        assert list_rejects(store, Filter(reason="bad_amount"), 3).height == 3
