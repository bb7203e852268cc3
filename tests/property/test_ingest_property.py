"""Whatever an export holds: nothing raises, everything is counted, and what is cut off never loads in part."""

from __future__ import annotations

import io
import json
import tempfile
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
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
from recovery_batch.ingest.faults import exact_number
from recovery_batch.ingest.reading import ReadRecord, _records
from recovery_batch.ingest.rows import _CANONICAL, Batch, ReadingOptions
from recovery_batch.settings import Sources
from tests.unit.ingest.samples import CARD, ORGANIZATION, Loads, Record, as_lines, record, transaction

OPTIONS = ReadingOptions(UTC, "UTC", Sources(), strict=False, loaded_at=datetime(2026, 11, 3, tzinfo=UTC))
ENCODE = msgspec.json.Encoder(decimal_format="number").encode
DECODE = msgspec.json.Decoder(float_hook=exact_number).decode
SCHEMA = Draft202012Validator(Request.model_json_schema())
OTHER_NUMBERS = ("4222222222222", "30569309025904", "378282246310005", "5555555555554444", "6304000000000000000")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**24), 10**24), st.integers(-30, 30)
)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | decimals | texts
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
amounts = st.decimals(min_value=0, max_value=10**18 - 1, places=6).map(lambda number: +number) | st.integers(
    0, 10**18 - 1
)
times = st.sampled_from([None, "2026-09-20 15:00:00", "2026-09-20T15:00:00Z", "2026-09-20T15:00:00.5-05:00"])


@st.composite
def transactions(draw: st.DrawFn) -> Record:
    """A transaction that is loadable, with or without its optional fields."""
    card = {"id": draw(st.integers(0, 2**63 - 1)), "card_iin": draw(st.sampled_from(["", "411111", "41111111"]))}
    return transaction(
        draw(texts.filter(bool)),
        amount=draw(amounts),
        created_at=draw(times),
        card=draw(st.sampled_from([None, {}, card])),
        provider=draw(st.none() | texts),
        additional_data=draw(st.none() | st.dictionaries(texts, scalars, max_size=3)),
    )


@st.composite
def sound_records(draw: st.DrawFn) -> Record:
    """A record that is loadable and submittable."""
    made = record(
        draw(texts.filter(bool)),
        amount_value=draw(amounts),
        created_at=draw(times),
        description=draw(texts),
        country=draw(st.sampled_from(["CO", "MX", "NO"])),
        additional_data=draw(st.none() | st.dictionaries(texts, json_values, max_size=3)),
        undocumented=draw(json_values),
    )
    payer = {"name": draw(texts.filter(bool)), "phone_number": "+57 300-555", "phone_country_code": "+57"}
    chosen = draw(st.none() | st.lists(transactions(), max_size=3))
    return {"payment": made["payment"], "transactions": chosen, "customer_payer": payer}


PLACES = [
    "payment", "transactions", "customer_payer", "transactions/0", "transactions/0/card", "payment/metadata",
    *(f"payment/{name}" for name in ("id", "organization_code", "country", "status", "amount_value", "created_at")),
    *(f"payment/{name}" for name in ("additional_data", "description", "order_id", "currency_code", "metadata")),
    *(f"transactions/0/{name}" for name in ("id", "amount", "created_at", "additional_data", "response_code")),
    *(f"transactions/0/card/{name}" for name in ("id", "card_iin", "card_lfd", "card_expiration_year")),
    *(f"customer_payer/{name}" for name in ("name", "phone_number", "additional_data")),
]  # fmt: skip


@st.composite
def broken_records(draw: st.DrawFn) -> Record:
    """A record that was sound before anything at all was put in some places."""
    made = DECODE(ENCODE(draw(sound_records())))
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        *way, last = place.split("/")
        holder: Any = made
        for step in way:
            inner = holder.get(step) if isinstance(holder, dict) else holder[0] if holder else None
            holder = inner if isinstance(inner, dict | list) else {}
        if isinstance(holder, dict):
            holder[last] = draw(json_values)
        elif holder:
            holder[0] = draw(json_values)
    return dict(made)


anything = sound_records() | broken_records() | json_values


def decoded(value: Any) -> Any:
    """A value as an export gives it."""
    return DECODE(ENCODE(value))


@given(st.lists(anything, max_size=5), st.booleans())
def test_every_record_is_loaded_or_quarantined(values: list[Any], strict: bool) -> None:
    batch = Batch(ReadingOptions(UTC, "UTC", Sources(), strict, OPTIONS.loaded_at))
    for number, value in enumerate(values, 1):
        batch.add(ReadRecord(number, decoded(value)), number)
    tables = batch.tables()
    assert batch.records == len(values) == tables["payments"].num_rows + tables["rejects"].num_rows
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
    batch = Batch(OPTIONS)
    batch.add(ReadRecord(1, decoded(record(amount_value=amount))), 1)
    tables = batch.tables()
    assert tables["payments"]["amount_value"].to_pylist() == [Decimal(amount)]
    kept = tables["records"]["record"][0].as_py()
    assert DECODE(kept)["payment"]["amount_value"] == amount


card_texts = st.lists(
    st.sampled_from([*OTHER_NUMBERS, CARD, "4111", "1111", " ", "-", "\u2013", "\u00a0", ".", "x", "0", "12", "\n"]),
    max_size=8,
).map("".join)
card_keys = st.sampled_from(
    ["card", "number", "pan", "card_number", "card_iin", "CARD-IIN", "cvv", "Security Code", "key", "value", "id", "a"]
)
card_values = st.recursive(
    card_texts | st.integers(0, 10**20) | decimals | st.sampled_from(["cvv", "card_iin", "pan", "card number"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(card_keys, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=500)
@given(card_values)
@example({"card": {"card_iin": {"x": "411111222"}}})
@example([{"key": "cvv", "value": None}])
def test_the_glance_never_overlooks_what_a_scan_finds(value: Any) -> None:
    value = decoded(value)
    scanned = scan(value)
    if scanned.faults or scanned.codes_removed:
        assert may_hold_card_data(_CANONICAL.encode(value))
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


def read(content: bytes) -> list[ReadRecord]:
    return list(_records(Path("export"), io.BytesIO(content)))


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
        found = read(broken)
    except ExportUnreadable:
        return
    # it was a fault within a text or a number, or a key of another name: the document is still one
    assert len(found) == 3
    assert [each.number for each in found] == [1, 2, 3]


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
    found = read(b"\n".join([GOOD, GOOD, *lines]))
    assert [(each.number, each.fault is None) for each in found[2:]] == [
        (number, line == GOOD) for number, line in enumerate(lines, 3) if line.strip()
    ]


@given(st.lists(worded_lines | st.just(b"") | st.just(GOOD), max_size=8), worded_lines)
def test_a_bad_line_may_be_the_first(lines: list[bytes], first: bytes) -> None:
    if GOOD not in lines or b"\0" in first[:2]:
        return  # nothing to load; UTF-16
    found = read(b"\n".join([first, *lines]))
    assert [(each.number, each.fault is None) for each in found] == [
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
