"""Whatever an export holds: nothing raises, everything is counted, and what is cut off never loads in part."""

from __future__ import annotations

import json
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from pydantic import BaseModel

from recovery_batch.contract.declined import Request
from recovery_batch.contract.fields import documented
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.cards import clean_text, mask_numbers, may_hold_card_data, scan
from recovery_batch.ingest.checking import check_record
from recovery_batch.ingest.decoding import encoded
from recovery_batch.ingest.rows import PaymentBatch, Read, ReadingOptions
from recovery_batch.settings import Sources
from tests.property.records import (
    DECODE,
    ENCODE,
    OTHER_NUMBERS,
    amounts,
    anything,
    broken_records,
    card_texts,
    card_values,
    decoded,
    sound_records,
)
from tests.unit.ingest.samples import CARD, ORGANIZATION, Found, Loads, Record, as_lines, found, record

OPTIONS = ReadingOptions(UTC, "UTC", Sources(), strict=False, loaded_at=datetime(2026, 11, 3, tzinfo=UTC))
SCHEMA = Draft202012Validator(Request.model_json_schema())


@given(st.lists(anything, max_size=5), st.booleans())
def test_every_record_is_loaded_or_quarantined(values: list[Any], strict: bool) -> None:
    batch = PaymentBatch(ReadingOptions(UTC, "UTC", Sources(), strict, OPTIONS.loaded_at))
    for seq, value in enumerate(values):
        batch.add(Read(seq + 1, ENCODE(value).decode(), seq))
    tables = batch.tables()
    assert len(values) == tables["payments"].num_rows + tables["rejects"].num_rows
    assert tables["payments"].num_rows == tables["payers"].num_rows == tables["records"].num_rows
    for reject in tables["rejects"].to_pylist():
        assert reject["expected"]
        assert reject["faults"]
        DECODE(reject["raw"])


@given(sound_records())
def test_a_sound_record_is_sound(made: Record) -> None:
    checked = check_record(decoded(made), UTC)
    assert (checked.faults, checked.unfit) == ([], [])


def request_body(model: type[BaseModel], value: Record) -> Record:
    """The documented fields that hold something, as they go out."""
    body: Record = {}
    for field in documented(model):
        item = value.get(field.name)
        if item is None:
            continue
        if field.shape is not None:
            shapes = [request_body(field.shape, each) for each in (item if isinstance(item, list) else [item])]
            item = shapes if isinstance(item, list) else shapes[0]
        elif field.is_time:
            item = "2026-09-20 15:00:00"
        elif field.digits_only:
            item = "".join(digit for digit in item if digit in "0123456789")
        body[field.name] = item
    return body


@given(sound_records() | broken_records())
def test_what_is_submittable_makes_a_body_that_the_contract_accepts(made: Record) -> None:
    value = decoded(made)
    checked = check_record(value, UTC)
    if checked.faults or checked.unfit:
        return
    element = request_body(Request, {"organization_code": ORGANIZATION, "external_data": [value]})
    errors = SCHEMA.iter_errors(json.loads(ENCODE(element)))
    wrong = ["/".join(map(str, error.absolute_path)) for error in errors]
    # whether a phone number is possible is judged when it is to be sent
    assert [place for place in wrong if "customer_payer/phone" not in place] == []


@given(amounts)
def test_amounts_are_exact(amount: Decimal | int) -> None:
    batch = PaymentBatch(OPTIONS)
    batch.add(Read(1, ENCODE(record(amount_value=amount)).decode()))
    tables = batch.tables()
    assert tables["payments"]["amount_value"].to_pylist() == [Decimal(amount)]
    kept = tables["records"]["record"][0].as_py()
    assert DECODE(kept)["payment"]["amount_value"] == amount


@settings(max_examples=500)
@given(card_values)
@example({"card": {"card_iin": {"x": "411111222"}}})
@example([{"key": "cvv", "value": None}])
def test_the_glance_never_overlooks_what_a_scan_finds(value: Any) -> None:
    value = decoded(value)
    scanned = scan(value)
    if scanned.faults or scanned.codes_removed:
        assert may_hold_card_data(encoded(value))
    again = scan(scanned.record)
    assert again.codes_removed == 0
    assert all(fault.expected.startswith("at most 8") for fault in again.faults)  # a masked BIN is still no BIN


@given(card_texts, st.sampled_from([CARD, *OTHER_NUMBERS]), card_texts)
def test_a_card_number_in_a_text_is_masked(before: str, number: str, after: str) -> None:
    text = f"{before}|{number}|{after}"
    masked = "*" * (len(number) - 4) + number[-4:]
    assert mask_numbers(text).split("|")[1] == masked
    assert clean_text(text)[0].split("|")[1] == masked


@given(st.text(max_size=200))
def test_any_text_can_be_cleaned(text: str) -> None:
    cleaned, codes = clean_text(text)
    assert codes >= 0
    assert mask_numbers(cleaned) == cleaned


STYLES: dict[str, Callable[[list[Record]], str]] = {
    "compact": lambda made: json.dumps(made, separators=(",", ":")),
    "pretty": lambda made: json.dumps(made, indent=1),
    "element a line": lambda made: "[\n" + ",\n".join(json.dumps(each) for each in made) + "\n]\n",
    "commas first": lambda made: '{"external_data":[\n' + "\n,".join(json.dumps(each) for each in made) + "\n]}\n",
    "request on two lines": lambda made: '{"organization_code": "o",\n"external_data": ' + json.dumps(made) + "}",
}


def read(content: bytes) -> list[Found]:
    with tempfile.NamedTemporaryFile() as file:
        file.write(content)
        file.flush()
        return found(Path(file.name))


DOCUMENT = [
    {"payment": {"id": f"p{number}", "additional_data": {"a": [1, {"b": None}]}, "description": 'x}\\\n]{,:"'}}
    for number in range(3)
]


@pytest.mark.parametrize("style", STYLES)
def test_no_part_of_a_document_loads(style: str) -> None:
    content = STYLES[style](DOCUMENT).encode()
    assert [each.value["payment"]["id"] for each in read(content)] == ["p0", "p1", "p2"]
    for end in range(len(content.rstrip())):
        with pytest.raises(ExportUnreadable):
            read(content[:end])


@given(st.sampled_from(sorted(STYLES)), st.data())
def test_no_document_with_a_fault_loads_in_part(style: str, data: st.DataObject) -> None:
    content = STYLES[style](DOCUMENT).encode()
    place = data.draw(st.integers(0, len(content) - 1))
    broken = (
        content[:place] + data.draw(st.sampled_from([b"", b"\xff", b"x", b"]", b"}", b"\n\x01"])) + content[place + 1 :]
    )
    try:
        records = read(broken)
    except ExportUnreadable:
        return
    # it was a fault within a text or a number, or a key of another name: the document is still one
    assert [each.number for each in records] == [1, 2, 3]


def is_json(line: bytes) -> bool:
    try:
        json.loads(line)
    except ValueError:
        return False
    return True


JOINTS = tuple(bytes([code]) for code in b"[]{},:")
bad_lines = st.binary(min_size=1, max_size=30).filter(
    lambda line: not set(line) & set(b"\n\r") and line[:1] not in b"\xef\xfe\xff" and not is_json(line)
)
worded_lines = bad_lines.filter(lambda line: bool(line.strip()) and not line.strip().startswith(JOINTS)).filter(
    lambda line: not line.strip().endswith(JOINTS)
)
GOOD = b'{"payment":{}}'


@given(st.lists(bad_lines | st.just(b"") | st.just(GOOD), max_size=8))
def test_bad_lines_do_not_hide_the_good_ones(lines: list[bytes]) -> None:
    records = read(b"\n".join([GOOD, GOOD, *lines]))
    assert [(each.number, each.fault is None) for each in records[2:]] == [
        (number, line == GOOD) for number, line in enumerate(lines, 3) if line.strip()
    ]


@given(st.lists(worded_lines | st.just(b"") | st.just(GOOD), max_size=8), worded_lines)
def test_a_bad_line_may_be_the_first(lines: list[bytes], first: bytes) -> None:
    if GOOD not in lines or b"\0" in first[:2]:
        return  # nothing to load; UTF-16
    records = read(b"\n".join([first, *lines]))
    assert [(each.number, each.fault is None) for each in records] == [
        (number, line == GOOD) for number, line in enumerate([first, *lines], 1) if line.strip()
    ]


@settings(max_examples=12)
@given(st.lists(st.lists(anything | st.binary(max_size=20).filter(lambda b: b"\n" not in b), max_size=6), max_size=3))
def test_loading_twice_counts_everything_and_changes_nothing(files: list[list[Any]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        loads = Loads(Path(folder))
        paths = []
        for number, values in enumerate(files):
            paths.append(loads.folder / f"{number}.ndjson")
            lines = [value if isinstance(value, bytes) else ENCODE(value) for value in values]
            paths[-1].write_bytes(as_lines([record(f"first {number}"), *lines]))
        first = loads.load_all(*paths)
        stored = loads.query("SELECT * EXCLUDE (load_id) FROM payments ORDER BY ALL")
        rejects = loads.query("SELECT count(*) FROM rejects")
        second = loads.load_all(*paths)
        for reports in (first, second):
            for report, values in zip(reports, files, strict=True):
                counts = report.counts
                assert report.error is None
                blank = sum(isinstance(value, bytes) and not value.strip() for value in values)
                assert counts["records"] == 1 + len(values) - blank
                parts = ("inserted", "updated", "unchanged", "quarantined")
                assert counts["records"] == sum(counts[name] for name in parts)
        assert [report.counts["quarantined"] for report in first] == [report.counts["quarantined"] for report in second]
        assert loads.query("SELECT * EXCLUDE (load_id) FROM payments ORDER BY ALL") == stored
        assert loads.query("SELECT count(*) FROM rejects") == rejects


histories = st.lists(
    st.lists(st.tuples(st.sampled_from("xyz"), st.sampled_from("AB")), max_size=5), min_size=1, max_size=4
)


@settings(max_examples=20)
@given(histories)
def test_the_store_holds_the_last_record_of_each_payment(files: list[list[tuple[str, str]]]) -> None:
    held: dict[str, str] = {}
    with tempfile.TemporaryDirectory() as folder:
        loads = Loads(Path(folder))
        for number, changes in enumerate(files):
            wanted: Counter[str] = Counter()
            for payment, status in changes:
                before = held.get(payment)
                wanted["inserted" if before is None else "unchanged" if before == status else "updated"] += 1
                held[payment] = status
            content = ENCODE([decoded(record(payment, status=status)) for payment, status in changes])
            counts = loads.load(content, f"{number}.json").counts
            assert {name: counts[name] for name in ("inserted", "updated", "unchanged")} == {
                name: wanted[name] for name in ("inserted", "updated", "unchanged")
            }
        assert dict(loads.query("SELECT payment_id, status FROM payments")) == held
        assert Counter(payment for (payment,) in loads.query("SELECT payment_id FROM transactions")) == Counter(
            held.keys()
        )
