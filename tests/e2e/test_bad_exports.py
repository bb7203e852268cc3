"""Exports that are broken, as `load` meets them: what it says, what it keeps, and that the rest loads."""

import gzip
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.commands import EXPORTS, Shell
from tests.e2e.exports import ORGANIZATION, element, encoded, write_export

GOOD = encoded(element("good"))
CARD = "4111111111111111"


def rejects(shell: Shell) -> list[dict[str, Any]]:
    """What is quarantined, in order."""
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        frame = connection.sql("SELECT * FROM rejects ORDER BY load_id, record_no, pointer")
        return [dict(zip(frame.columns, row, strict=True)) for row in frame.fetchall()]


def payments(shell: Shell) -> dict[str, Any]:
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        return dict(connection.sql("SELECT payment_id, amount_value FROM payments").fetchall())


UNREADABLE = {
    "cut_off.json": (b"[" + GOOD + b"," + GOOD[:60], "the JSON is cut off"),
    "cut_off_element.json": (GOOD[:60], "the JSON is cut off"),
    "empty.json": (b"", "the file is empty (0 bytes)"),
    "blank.json": (b" \n\n\t\n", "there is nothing in it but blanks"),
    "latin_1.json": (b"[" + GOOD.replace(b"shoes", b"zapater\xeda") + b"]", "element 1: the text is not UTF-8: 0xed"),
    "utf_16.json": ("[]".encode("utf-16"), "the text is UTF-16, not UTF-8"),
    "letter.json": (b"Dear Sir or Madam,\n\nattached is the export.\n", "not JSON"),
    "number.json": (b"5", "not JSON: neither an array nor an object at byte 0; allowed: a request with external_data"),
    "other.json": (
        b'{"orders": [], "customers": []}',
        "JSON of another shape, an object with the keys: customers, orders; allowed: a request with external_data",
    ),
    "object.json": (
        b'{"organization_code": "o", "external_data": {}}',
        "/external_data is an object; allowed: an array of objects",
    ),
    "cut_off.json.gz": (gzip.compress(GOOD * 50, mtime=0)[:-30], "the compressed data is damaged or cut off"),
}


@pytest.mark.parametrize("name", UNREADABLE)
def test_a_file_that_cannot_be_read_loads_nothing_and_the_others_load(shell: Shell, tmp_path: Path, name: str) -> None:
    content, message = UNREADABLE[name]
    path = tmp_path / name
    path.write_bytes(content)
    good = write_export(tmp_path / "good.ndjson", element("good"))
    outcome = shell("load", path, good, "--json")
    assert outcome.status == 3
    failed, loaded = outcome.document["files"]
    assert (failed["path"], failed["status"], failed["records"]) == (str(path), "failed", 0)
    assert failed["error"]["code"] == 400
    assert failed["error"]["message"].startswith(f"{path}: {message}")
    assert (loaded["status"], loaded["inserted"], loaded["error"]) == ("loaded", 1, None)
    assert outcome.document["totals"]["failed"] == 1
    assert list(payments(shell)) == ["good"]
    told = shell("load", path)
    assert told.status == 3
    assert f"failed: {path}: {message}" in told.err
    assert "Traceback" not in told.err


def test_what_is_no_file_fails_with_its_name(shell: Shell, tmp_path: Path) -> None:
    missing, folder = tmp_path / "missing.json", tmp_path / "folder"
    folder.mkdir()
    outcome = shell("load", missing, folder)
    assert outcome.status == 3
    assert f"failed: {missing}: No such file or directory\nhint: Check the path." in outcome.err
    assert f"failed: {folder}: a folder with no file to load\nhint: Name the files, or another folder." in outcome.err
    assert "0 files loaded, 2 files failed: 0 records\n" in outcome.out


def test_an_export_of_nothing_is_a_success(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text("[]")
    document = shell.ok("load", tmp_path / "none.json", "--json").document
    assert (document["totals"]["files"], document["totals"]["records"]) == (1, 0)


def with_amount(digits: str) -> bytes:
    return GOOD.replace(b"10.00", digits.encode()).replace(b'"good"', b'"bad"')


BAD_RECORDS = {
    "amount as text": (with_amount('"10.00"'), "wrong_type", "/payment/amount_value", "a number", '"10.00"'),
    "amount true": (with_amount("true"), "wrong_type", "/payment/amount_value", "a number", "true"),
    "negative amount": (
        with_amount("-1"),
        "bad_amount",
        "/payment/amount_value",
        "a number that is not negative",
        "-1",
    ),
    "25 digits": (
        with_amount("1234567890123456789012345"),
        "bad_amount",
        "/payment/amount_value",
        "a number of at most 18 digits before the decimal point",
        "1234567890123456789012345",
    ),
    "7 decimals": (
        with_amount("0.1234567"),
        "bad_amount",
        "/payment/amount_value",
        "a number of at most 6 digits after the decimal point",
        "0.1234567",
    ),
    "not a number": (with_amount("NaN"), "not_json", "", "one JSON object", None),
    "unknown currency": (
        encoded(element("bad", currency_code="PESO")),
        "unknown_currency_code",
        "/payment/currency_code",
        "an ISO 4217 currency code such as COP",
        '"PESO"',
    ),
    "unknown country": (
        encoded(element("bad", country="XX")),
        "unknown_country",
        "/payment/country",
        "an ISO 3166-1 alpha-2 country code such as CO",
        '"XX"',
    ),
    "organization mismatch": (
        encoded({"organization_code": "another", "external_data": [element("bad")]}),
        "organization_mismatch",
        "/external_data/0/payment/organization_code",
        'the request\'s organization_code, "another"',
        f'"{ORGANIZATION}"',
    ),
    "no id": (encoded(element("bad", id=None)), "missing", "/payment/id", "a string, not empty", None),
    "a time that never was": (
        encoded(element("bad", created_at="2026-02-30 10:00:00")),
        "not_a_time",
        "/payment/created_at",
        "a time such as 2026-09-01 13:45:00",
        '"2026-02-30 10:00:00"',
    ),
}


@pytest.mark.parametrize("name", BAD_RECORDS)
def test_a_bad_record_is_quarantined_with_place_found_and_allowed(shell: Shell, tmp_path: Path, name: str) -> None:
    line, reason, pointer, allowed, found = BAD_RECORDS[name]
    path = tmp_path / "export.ndjson"
    path.write_bytes(encoded(element("first")) + b"\n" + line + b"\n" + encoded(element("last")) + b"\n")
    outcome = shell("load", path, "--json")
    assert outcome.status == 3
    (file,) = outcome.document["files"]
    assert (file["status"], file["records"], file["inserted"], file["quarantined"]) == ("loaded", 3, 2, 1)
    assert file["quarantined_by_reason"] == {reason: 1}
    (reject,) = rejects(shell)
    assert (reject["path"], reject["record_no"], reject["pointer"]) == (str(path), 2, pointer)
    assert reject["reason"] == reason
    assert reject["expected"].startswith(allowed)
    if reason != "not_json":
        assert reject["found"] == found
    assert reject["raw"]
    assert set(payments(shell)) == {"first", "last"}
    told = shell("load", path)
    assert told.status == 3
    assert f"quarantined: {reason} 1" in told.out
    assert len(rejects(shell)) == 1  # the second load brought the same record, not another


def test_the_same_id_twice_keeps_the_last_and_counts_an_update(shell: Shell, tmp_path: Path) -> None:
    path = write_export(
        tmp_path / "e.ndjson", element("p", amount_value=1), element("p", amount_value=2), element("p", amount_value=2)
    )
    (file,) = shell.ok("load", path, "--json").document["files"]
    assert (file["inserted"], file["updated"], file["unchanged"]) == (1, 1, 1)
    assert payments(shell) == {"p": 2}


def test_a_card_number_is_masked_and_nowhere_in_the_database(shell: Shell, tmp_path: Path) -> None:
    bad = element("bad")
    bad["transactions"] = [
        {
            "id": "t",
            "amount": 10,
            "status": "DECLINED",
            "payment_method_type": "CARD",
            "description": "",
            "card": {"card_iin": CARD},
        }
    ]
    outcome = shell("load", write_export(tmp_path / "e.ndjson", bad, element("good")))
    assert outcome.status == 3
    assert "quarantined: card_number 1" in outcome.out
    assert CARD not in outcome.out + outcome.err
    (reject,) = rejects(shell)
    assert reject["pointer"] == "/transactions/0/card/card_iin"
    assert reject["found"].strip('"') == "************1111"
    assert "at most 8 digits" in reject["expected"]
    for path in shell.db.parent.glob("store.duckdb*"):
        content = path.read_bytes()
        assert CARD.encode() not in content
        assert CARD[:12].encode() not in content
    assert b"************1111" in shell.db.read_bytes()
    assert shell("load", tmp_path / "e.ndjson", "--json").document["totals"]["quarantined"] == 1


def test_security_codes_are_removed_and_counted(shell: Shell, tmp_path: Path) -> None:
    one = element("p", additional_data={"cvv": "7391", "user_id": "u"})
    path = write_export(tmp_path / "e.ndjson", one)
    (file,) = shell.ok("load", path, "--json").document["files"]
    assert file["security_codes_removed"] == 1
    assert b"7391" not in shell.db.read_bytes()


def test_strict_quarantines_what_cannot_be_submitted(shell: Shell, tmp_path: Path) -> None:
    path = write_export(tmp_path / "e.ndjson", element("unfit", order_id=None), element("fit"))
    outcome = shell("load", path, "--strict", "--json")
    assert outcome.status == 3
    assert outcome.document["totals"]["quarantined"] == 1
    assert [(each["reason"], each["pointer"]) for each in rejects(shell)] == [("not_submittable", "/payment/order_id")]
    lenient = Shell(tmp_path / "lenient.duckdb").ok("load", path, "--json").document["totals"]
    assert (lenient["inserted"], lenient["not_submittable"], lenient["quarantined"]) == (2, 1, 0)


def test_loading_everything_twice_changes_nothing(shell: Shell) -> None:
    names = ("payments_1_request.json", "broken.ndjson", "seed_minimal.json")
    paths = [EXPORTS / name for name in names]
    shell("load", *paths)
    before = shell.ok("explain", "987654321", "--json").document
    again = shell("load", *paths, "--json").document["totals"]
    assert (again["inserted"], again["updated"], again["quarantined"]) == (0, 0, 40)
    assert len(rejects(shell)) == 40
    assert shell.ok("explain", "987654321", "--json").document == before
