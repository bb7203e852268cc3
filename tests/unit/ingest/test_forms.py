"""Every form of export gives the same payments, whatever its name, its compression and its line ends."""

from __future__ import annotations

import gzip
import struct
from collections.abc import Callable
from itertools import chain
from pathlib import Path

import pytest
import zstandard

from recovery_batch.ingest import ndjson, reading
from recovery_batch.ingest.decoding import decoded
from tests.unit.ingest.samples import (
    CARD,
    ORGANIZATION,
    Loads,
    Record,
    as_json,
    as_lines,
    as_request,
    counted,
    found,
    record,
    spelled,
)

TWO = (record("p1"), record("p2"))
MARK = b"\xef\xbb\xbf"


def pretty(*lines: bytes) -> bytes:
    return b"\n".join(lines) + b"\n"


FORMS = {
    "request": as_json(as_request(*TWO)),
    "request on many lines": pretty(
        b'{"organization_code": "%s",' % ORGANIZATION.encode(),
        b' "external_data": [',
        *(b"   " + as_json(each) + b"," for each in TWO[:1]),
        b"   " + as_json(TWO[1]),
        b" ]}",
    ),
    "request, commas first": pretty(b'{"external_data":[', as_json(TWO[0]), b"," + as_json(TWO[1]), b"]}"),
    "request without an organization": as_json({"external_data": TWO}),
    "request with an empty organization": as_json(as_request(*TWO, organization="")),
    "array": as_json(TWO),
    "array on many lines": pretty(b"[", as_json(TWO[0]) + b",", as_json(TWO[1]), b"]"),
    "array, closed on its last line": pretty(b"[" + as_json(TWO[0]) + b",", as_json(TWO[1]) + b"]"),
    "elements": as_lines(TWO),
    "elements without a last line end": as_lines(TWO).rstrip(),
    "elements with carriage returns": as_lines(TWO).replace(b"\n", b"\r\n"),
    "elements with blanks": b"\n  \n" + as_lines([TWO[0], b" \t", b"", TWO[1], b""]),
    "requests": as_lines([as_request(TWO[0]), as_request(TWO[1])]),
    "requests of several": as_lines([as_request(*TWO), as_request()]),
    "requests and elements": as_lines([TWO[0], as_request(TWO[1])]),
}
PACKED: dict[str, Callable[[bytes], bytes]] = {
    "plain": bytes,
    "gzip": gzip.compress,
    "zstandard": zstandard.compress,
    "two zstandard frames": lambda text: zstandard.compress(text[:100]) + zstandard.compress(text[100:]),
    "two gzip members": lambda text: gzip.compress(text[:100], mtime=0) + gzip.compress(text[100:], mtime=0),
    "zstandard of a parallel compressor": lambda text: (
        struct.pack("<II4s", 0x184D2A50, 4, b"size") + zstandard.compress(text)
    ),
}


def read(path: Path) -> list[tuple[int, object]]:
    return [(each.number, each.value["payment"]["id"]) for each in found(path)]


@pytest.mark.parametrize("mark", [b"", MARK], ids=["", "mark"])
@pytest.mark.parametrize("form", FORMS)
def test_every_form_gives_its_records(tmp_path: Path, form: str, mark: bytes) -> None:
    path = tmp_path / "export"
    path.write_bytes(mark + FORMS[form])
    assert [value for _, value in read(path)] == ["p1", "p2"]


@pytest.mark.parametrize("name", ["export.json", "export.csv", "export.gz", "export.zst", "no name at all"])
@pytest.mark.parametrize("packing", PACKED)
@pytest.mark.parametrize("form", ["request", "elements"])
def test_compression_is_told_by_content(tmp_path: Path, form: str, packing: str, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(PACKED[packing](MARK + FORMS[form]))
    assert [value for _, value in read(path)] == ["p1", "p2"]


@pytest.mark.parametrize("mark", [b"", MARK], ids=["", "mark"])
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n\r\n"])
def test_a_single_element(tmp_path: Path, end: bytes, mark: bytes) -> None:
    path = tmp_path / "export"
    path.write_bytes(mark + as_json(record("p7")) + end)
    assert read(path) == [(1, "p7")]


def test_a_single_element_on_many_lines(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(as_json(record("p7")).replace(b",", b",\n").replace(b"{", b"{\n"))
    assert read(path) == [(1, "p7")]


def test_numbers_of_records_are_lines_in_ndjson_and_places_in_documents(tmp_path: Path) -> None:
    path = tmp_path / "export"
    path.write_bytes(
        MARK + b"\n\n" + as_lines([record("p1"), b"", as_request(record("p2"), record("p3")), b"", TWO[0]])
    )
    assert read(path) == [(3, "p1"), (5, "p2"), (5, "p3"), (7, "p1")]
    path.write_bytes(FORMS["array on many lines"])
    assert read(path) == [(1, "p1"), (2, "p2")]


@pytest.mark.parametrize("content", [b"[]", b" [ ]\n", b'{"organization_code":"o","external_data":[]}', MARK + b"[]"])
def test_an_empty_export_loads_with_no_records(loads: Loads, content: bytes) -> None:
    report = loads.load(content)
    assert report.error is None
    assert counted(report) == {}
    assert loads.query("SELECT records, bytes FROM loads") == [(0, len(content))]


BAD_FIRST_LINES = {
    "not JSON": b"oops",
    "a number": b"42",
    "an array": b"[1,2]",
    "cut off in a text": as_json(record())[:60],
    "cut off after a brace": b'{"payment":{',
    "cut off after a comma": b'{"payment":{"id":"x",',
    "cut off within a number": b'{"payment":{"amount_value":12',
    "not UTF-8": as_json(record()).replace(b"one thing", b"\xff\xfething"),
    "NaN": as_json(record(amount_value=spelled("NaN"))),
}


@pytest.mark.parametrize("after", [1, 2, 5])
@pytest.mark.parametrize("bad", BAD_FIRST_LINES)
def test_a_bad_first_line_does_not_keep_the_others_from_loading(loads: Loads, bad: str, after: int) -> None:
    lines = [BAD_FIRST_LINES[bad], b"", *(record(f"p{number}") for number in range(after))]
    report = loads.load(as_lines(lines))
    assert counted(report) == {"records": after + 1, "inserted": after, "quarantined": 1}
    assert loads.rejects("record_no") == [(1,)]


def test_bad_lines_may_outnumber_the_good_ones(loads: Loads) -> None:
    report = loads.load(as_lines([b"a", record(), b"b", b"c", b"d", b"{", b"e"]))
    assert counted(report) == {"records": 7, "inserted": 1, "quarantined": 6}
    assert [number for (number,) in loads.rejects("record_no")] == [1, 3, 4, 5, 6, 7]


class Endless:
    """NDJSON without an end: reading all of it would never come back."""

    def __init__(self, first: bytes) -> None:
        self.ready = first

    def read(self, size: int, /) -> bytes:
        assert size > 0, "read whole"
        self.ready += (as_json(record()) + b"\n") * (1 + size // 300)
        taken, self.ready = self.ready[:size], self.ready[size:]
        return taken


@pytest.mark.parametrize("first", [b"", b"oops\n", b"\n" + as_json(record())[:80] + b"\n"], ids=["", "bad", "cut off"])
def test_ndjson_is_not_held_whole(monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    monkeypatch.setattr(ndjson, "_BLOCK_BYTES", 5000)
    texts = chain.from_iterable(lines.texts.to_pylist() for lines in ndjson.read_ndjson(Endless(first)))
    assert sum(decoded(next(texts).encode())[1] is None for _ in range(1000)) >= 999


@pytest.mark.parametrize("size", [1, 7, 300, 1000])
@pytest.mark.parametrize("form", FORMS)
def test_wherever_a_block_ends_the_records_are_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, size: int
) -> None:
    monkeypatch.setattr(ndjson, "_BLOCK_BYTES", size)
    monkeypatch.setattr(reading, "_HEAD_BYTES", size)
    path = tmp_path / "export"
    path.write_bytes(FORMS[form])
    assert [value for _, value in read(path)] == ["p1", "p2"]


def test_a_line_is_split_at_line_feeds_only(loads: Loads) -> None:
    content = as_json(record(description="a\u2028b\x85c\x0cd")).replace(b"\\f", b"\\u000c") + b"\n"
    assert counted(loads.load(content * 2)) == {"records": 2, "inserted": 1, "unchanged": 1}
    assert loads.one("description") == "a\u2028b\x85c\x0cd"


@pytest.mark.parametrize("plain", [True, False], ids=["fast road", "slow road"])
def test_of_what_stands_twice_in_an_object_the_first_counts(loads: Loads, plain: bool) -> None:
    text = as_json(record()).replace(b'"status":"DECLINED"', b'"status":"FIRST","status":"LAST"', 1)
    if not plain:  # whoever reads it must not keep what does not count
        text = text.replace(b'"order_id"', f'"card_number":"none","card_number":"{CARD}","order_id"'.encode(), 1)
    assert counted(loads.load(text)) == {"records": 1, "inserted": 1}
    assert loads.one("status") == "FIRST"
    assert CARD.encode() not in loads.bytes_of_the_store()
    again = text.replace(b',"status":"LAST"', b"").replace(f',"card_number":"{CARD}"'.encode(), b"")
    assert counted(loads.load(again)) == {"records": 1, "unchanged": 1}


def test_elements_that_are_no_objects_are_quarantined(loads: Loads) -> None:
    report = loads.load(as_json([record(), 1, "two", [3], None, True]))
    assert counted(report) == {"records": 6, "inserted": 1, "quarantined": 5}
    assert loads.rejects("record_no", "pointer", "found", "raw") == [
        (2, "", "a number", "1"),
        (3, "", "a string", '"two"'),
        (4, "", "an array", "[3]"),
        (5, "", "null", "null"),
        (6, "", "a Boolean", "true"),
    ]


def elements(form: Record) -> bytes:
    return as_lines([form, form])


FLOW: Record = {
    "customer": {"full_name": "Ana Ferrer", "phone_number": "+573005550101", "country_code": "CO"},
    "session": {"abandonment_timestamp": "2026-09-20T15:00:00Z", "flow_stage": "checkout", "platform": "web"},
}


@pytest.mark.parametrize("content", [as_json(FLOW), as_json([FLOW]), elements(FLOW)], ids=["one", "array", "lines"])
def test_an_export_of_abandoned_flows_is_told_apart(loads: Loads, content: bytes) -> None:
    report = loads.load(content)
    assert report.error is None
    assert report.kind == "abandoned"
    assert loads.rows("flows", "flow_stage, platform") == [("checkout", "web")]
    assert loads.rows("payments") == []
