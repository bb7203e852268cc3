"""Files of which nothing loads: each says why, leaves the store as it was, and does not keep others from loading."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path

import pytest
import zstandard

from recovery_batch.errors import ExportUnreadable, UsageError
from recovery_batch.ingest import totals
from recovery_batch.ingest.files import describe
from tests.unit.ingest.samples import CARD, Loads, as_json, as_lines, as_request, counted, record, refused, spelled

ONE, TWO, THREE = (as_json(record(f"p{number}")) for number in (1, 2, 3))
HEAD = as_json(as_request())[:-2]
WRONG = as_json(record(status="\x01")).replace(b"\\u0001", b"\x01")


def lines(*parts: bytes) -> bytes:
    return b"\n".join(parts)


CUT_OFF = {
    "request": as_json(as_request(record("p1"), record("p2")))[:-40],
    "array": as_json([record("p1"), record("p2")])[:-1],
    "element": ONE[:-1],
    "first brace": b"{",
    "first bracket": b"[",
    "element a line": lines(HEAD, ONE + b",", TWO + b",", THREE[:50]),
    "element a line, at its end": lines(HEAD, ONE + b",", TWO + b",", THREE),
    "element a line, at a comma": lines(HEAD, ONE + b",", TWO + b","),
    "first element of a line": lines(HEAD, ONE),
    "array, element a line": lines(b"[", ONE + b",", TWO),
    "array, first element": lines(b"[", ONE, b""),
    "array, commas first": lines(b"[", ONE, b"," + TWO, b"," + THREE[:50]),
    "request, commas first": lines(HEAD, ONE, b"," + TWO),
    "array that begins on the line of its first": lines(b"[" + ONE + b",", TWO + b",", THREE),
    "in a text": ONE[:-6],
    "in an escape": b'[{"payment":{"id":"\\u00',
    "NaN, element a line, cut off": lines(b"[", as_json(record(amount_value=spelled("NaN"))) + b",", TWO + b",", THREE),
}
NOT_JSON = {
    "brackets of the wrong kind": lines(HEAD, ONE, b"]]"),
    "a bracket too many": lines(HEAD, ONE + b",", TWO, b"]}}"),
    "a comma too many": lines(HEAD, ONE + b",", TWO + b",", b"]}"),
    "a comma too few": lines(b"[", ONE, TWO, b"]"),
    "a comma too few in a request": lines(HEAD, ONE, TWO, THREE, b"]}"),
    "a control character": lines(b"[", ONE + b",", WRONG, b"]"),
    "NaN": as_json([record("p1"), record("p2", amount_value=spelled("NaN"))]),
    "NaN, element a line": lines(
        HEAD, ONE + b",", as_json(record(amount_value=spelled("NaN"))) + b",", THREE, b"]}", b""
    ),
    "two documents": as_json([record("p1")]) + as_json([record("p2")]),
    "text": b"no export\nat all\n",
    "one line of text": b"no export at all",
    "half a surrogate pair": as_json([record(description="x"), record()]).replace(b'"x"', b'"\\ud83d"'),
}
OF_ANOTHER_SHAPE = {
    "number": (b"42", "neither an array nor an object at byte 0; allowed: a request"),
    "numbers": (b"1\n2\n3\n", "neither an array nor an object at byte 0; allowed: a request"),
    "null": (b"null\n", "neither an array nor an object at byte 0; allowed: a request"),
    "text": (b'"payment"', "neither an array nor an object at byte 0; allowed: a request"),
    "object": (b'{"payments":[],"next":null}', "keys: next, payments"),
    "no keys": (b"{}", "keys: none"),
    "object on many lines": (b'{\n"payments":\n[]\n}', "keys: payments"),
    "elements that are an object": (b'{"external_data":{"payment":{}}}', "/external_data is an object"),
    "elements that are null": (b'{"external_data":null}', "/external_data is null"),
    "elements that are a text": (b'{"external_data":"[]"}', "/external_data is a string"),
}


def test_the_samples_are_sound_but_for_their_fault(loads: Loads) -> None:
    assert counted(loads.load(lines(HEAD, ONE + b",", TWO + b",", THREE, b"]}"))) == {"records": 3, "inserted": 3}
    assert counted(loads.load(lines(b"[", ONE, b"," + TWO, b"," + THREE, b"]"))) == {"records": 3, "unchanged": 3}


@pytest.mark.parametrize("name", CUT_OFF)
def test_a_document_that_is_cut_off_loads_nothing(loads: Loads, name: str) -> None:
    assert "cut off" in refused(loads.load(CUT_OFF[name]))
    assert loads.query("SELECT * FROM payments") == loads.query("SELECT * FROM rejects") == []


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_loads_nothing(loads: Loads, name: str) -> None:
    assert "not JSON" in refused(loads.load(NOT_JSON[name]))
    assert loads.query("SELECT * FROM payments") == loads.query("SELECT * FROM loads") == []


@pytest.mark.parametrize("name", OF_ANOTHER_SHAPE)
def test_json_of_another_shape_is_named(loads: Loads, name: str) -> None:
    content, found = OF_ANOTHER_SHAPE[name]
    assert found in refused(loads.load(content))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (as_json([record(description="café")]).decode().encode("latin-1"), "not UTF-8: 0xe9 at byte"),
        (lines(HEAD, ONE + b",", TWO.replace(b"one thing", b"\xff"), b"]}"), "not UTF-8: 0xff at byte"),
        (ONE.decode().encode("utf-16"), "UTF-16"),
        (ONE.decode().encode("utf-16-le"), "UTF-16"),
        (ONE.decode().encode("utf-16-be"), "UTF-16"),
        (as_lines([record()]).decode().encode("utf-16"), "UTF-16"),
    ],
)
def test_a_document_that_is_not_utf8_is_told(loads: Loads, content: bytes, found: str) -> None:
    assert found in refused(loads.load(content))


def test_the_place_of_a_byte_that_is_not_utf8_is_that_in_its_element(loads: Loads) -> None:
    for element, place in ((b'"a\xe9"', 3), (b'{"payment":{"id":"1\xe9"}}', 20), (b"\xe9", 1)):
        message = refused(loads.load(b"\n\n[" + ONE + b"," + element + b"]"))
        assert message.endswith(f"element 2: the text is not UTF-8: 0xe9 at byte {place} of it")


@pytest.mark.parametrize("after", [True, False])
def test_the_organization_of_a_request_may_be_what_is_not_utf8(loads: Loads, after: bool) -> None:
    organization, elements = b'"organization_code":"\xe9"', b'"external_data":[' + ONE + b"]"
    parts = (elements, organization) if after else (organization, elements)
    assert "/organization_code: the text is not UTF-8" in refused(loads.load(b"{" + b",".join(parts) + b"}"))


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b"", "empty (0 bytes)"),
        (b"\n", "nothing in it but blanks"),
        (b" \r\n\t\n", "nothing in it but blanks"),
        (b"\xef\xbb\xbf", "nothing in it but blanks"),
        (gzip.compress(b"", mtime=0), "nothing in it but blanks"),
        (zstandard.compress(b"\n\n"), "nothing in it but blanks"),
    ],
)
def test_an_empty_file_fails(loads: Loads, content: bytes, found: str) -> None:
    assert found in refused(loads.load(content))


@pytest.mark.parametrize("left", [3, 12, 60, -9, -1])
@pytest.mark.parametrize("pack", [gzip.compress, zstandard.compress], ids=["gzip", "zstandard"])
def test_compressed_data_that_is_cut_off_loads_nothing(loads: Loads, pack: Callable[[bytes], bytes], left: int) -> None:
    packed = pack(as_lines(record(f"p{number}", code=os.urandom(200).hex()) for number in range(500)))
    message = refused(loads.load(packed[:left]))
    assert "damaged or cut off" in message or (left == 3 and "not" in message)
    assert loads.query("SELECT * FROM payments") == []


def checked(text: bytes) -> bytes:
    """Zstandard with a checksum; without one, damage can go unseen."""
    return zstandard.ZstdCompressor(write_checksum=True).compress(text)


@pytest.mark.parametrize("pack", [gzip.compress, checked], ids=["gzip", "zstandard"])
def test_compressed_data_that_is_damaged_loads_nothing(loads: Loads, pack: Callable[[bytes], bytes]) -> None:
    packed = bytearray(pack(as_lines(record(f"p{number}", code=os.urandom(200).hex()) for number in range(500))))
    packed[len(packed) // 2] ^= 0xFF
    assert "damaged or cut off" in refused(loads.load(bytes(packed)))
    assert "damaged or cut off" in refused(loads.load(pack(ONE) + b"garbage"))


def test_what_is_no_file(loads: Loads) -> None:
    pipe = loads.folder / "pipe"
    os.mkfifo(pipe)
    missing, folder, piped = loads.load_all(loads.folder / "no.json", loads.folder, pipe)
    assert "No such file" in refused(missing)
    assert "a folder with no file to load" in refused(folder)
    assert "a pipe" in refused(piped)


def test_a_name_that_is_not_utf8(loads: Loads) -> None:
    named = Path(os.fsdecode(os.fsencode(loads.folder) + b"/exporta\xe7\xe3o.json"))
    other = loads.folder / "exportação.json"
    for path in (named, other):
        path.write_bytes(ONE)
    first, second = loads.load_all(named, other)
    assert refused(first).endswith("exporta\\xe7\\xe3o.json: the name of the file is not UTF-8")
    assert counted(second) == {"records": 1, "inserted": 1}


def test_a_file_that_may_not_be_read(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    path = loads.folder / "export.json"
    path.write_bytes(ONE)

    def denied(*_: object) -> object:
        raise PermissionError(13, "Permission denied")  # root, who runs tests in containers, may read anything

    with monkeypatch.context() as patched:
        patched.setattr(Path, "open", denied)
        with pytest.raises(ExportUnreadable, match="Permission denied"):
            describe(path)
    monkeypatch.setattr("recovery_batch.ingest.files.hashlib.file_digest", denied)
    (report,) = loads.load_all(path)
    assert "Permission denied" in refused(report)
    assert report.sha256 == ""


def test_a_disk_that_fails_while_a_file_is_read(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    def failing(*_: object) -> object:
        raise OSError(5, "Input/output error")

    monkeypatch.setattr("recovery_batch.ingest.reading._Reader.records", failing)
    assert "Input/output error" in refused(loads.load(ONE))


def test_the_other_files_load(loads: Loads) -> None:
    names = ("a.json", "cut.json", "b.json", "empty.json", "c.json")
    contents = (ONE, CUT_OFF["array"], TWO, b"", THREE)
    for name, content in zip(names, contents, strict=True):
        (loads.folder / name).write_bytes(content)
    reports = loads.load_all(*(loads.folder / name for name in names), loads.folder / "none.json")
    assert [report.error is None for report in reports] == [True, False, True, False, True, False]
    assert [report.as_json()["status"] for report in reports[:2]] == ["loaded", "failed"]
    assert loads.query("SELECT payment_id FROM payments ORDER BY payment_id") == [("p1",), ("p2",), ("p3",)]
    assert totals(reports) == {
        "files": 6,
        "failed": 3,
        "records": 3,
        "inserted": 3,
        "updated": 0,
        "unchanged": 0,
        "quarantined": 0,
        "forgotten": 0,
        "not_submittable": 0,
    }
    assert len(reports[1].sha256) == 64  # what could be read is named, loaded or not
    assert loads.query("SELECT count(*) FROM loads") == [(3,)]


def test_an_ndjson_of_which_the_end_is_cut_off_loads_the_rest(loads: Loads) -> None:
    report = loads.load(as_lines([record("p1"), record("p2"), record("p3")])[:-40])
    assert counted(report) == {"records": 3, "inserted": 2, "quarantined": 1}


def test_bad_utf8_is_a_bad_line_of_ndjson(loads: Loads) -> None:
    report = loads.load(as_lines([record("p1"), TWO.replace(b"one thing", b"\xff\xfe"), record("p3")]))
    assert counted(report) == {"records": 3, "inserted": 2, "quarantined": 1}
    ((number, reason, found, raw),) = loads.rejects("record_no", "reason", "found", "raw")
    assert (number, reason, found) == (2, "not_utf8", "byte 0xff")
    assert "\\xff\\xfe" in raw


def test_errors_name_no_card_number(loads: Loads) -> None:
    for content in (f'{{"{CARD}": 1', f'[{{"pan": {CARD}}}', f'{{"pan": {CARD} {CARD}}}', f"pan {CARD}"):
        assert CARD not in refused(loads.load(content.encode()))
    assert CARD.encode() not in loads.bytes_of_the_store()


def test_an_error_is_one_that_the_command_line_can_print(loads: Loads) -> None:
    report = loads.load(CUT_OFF["array"])
    assert isinstance(report.error, ExportUnreadable)
    assert report.error.exit_status == 3
    shown = report.as_json()["error"]
    assert (shown["code"], shown["details"]["slug"]) == (400, "export_unreadable")


def test_an_unknown_time_zone_is_an_error_of_usage(loads: Loads) -> None:
    with pytest.raises(UsageError, match="Mars/Olympus"):
        loads.load(ONE, timezone="Mars/Olympus")
