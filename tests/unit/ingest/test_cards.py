"""Card numbers and security codes never reach the disk, a message or a report; a record with a number is refused."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.ingest.cards import clean_text, mask_numbers, may_hold_card_data, passes_luhn, scan
from recovery_batch.ingest.decoding import encoded
from tests.unit.ingest.samples import (
    CARD,
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

# Published test numbers, one of each length that there is.
NUMBERS = {
    13: "4222222222222",
    14: "30569309025904",
    15: "378282246310005",
    16: "5555555555554444",
    17: "41111111111111113",
    18: "411111111111111118",
    19: "6304000000000000000",
}
NO_LUHN = "4111111111111112"
KEYS = ("card_number", "cardNumber", "CARD-NUMBER", "Card Number", "number", "pan", "PAN", "primary_account_number")


def card(**fields: Any) -> Record:
    return with_transactions(transaction(card=fields))


def metadata(**fields: Any) -> Record:
    return record(additional_data=fields)


def digits_of(content: bytes) -> str:
    return "".join(character for character in content.decode("utf-8", "replace") if character.isdigit())


def test_the_numbers_are_what_they_claim() -> None:
    assert all(len(number) == length and passes_luhn(number) for length, number in NUMBERS.items())
    assert not passes_luhn(NO_LUHN)
    assert passes_luhn(CARD)


@pytest.mark.parametrize("number", NUMBERS.values())
def test_numbers_of_every_length_are_refused(loads: Loads, number: str) -> None:
    assert counted(loads.load(as_json(metadata(card_number=number)))) == {"records": 1, "quarantined": 1}
    ((reason, pointer, found, raw),) = loads.rejects("reason", "pointer", "found", "raw")
    masked = "*" * (len(number) - 4) + number[-4:]
    assert (reason, pointer) == ("card_number", "/payment/additional_data/card_number")
    assert found == f'"{masked}"'
    assert json.loads(raw)["payment"]["additional_data"] == {"card_number": masked}
    assert number.encode() not in loads.bytes_of_the_store()


@pytest.mark.parametrize("key", KEYS)
def test_keys_that_name_a_card_number(key: str) -> None:
    made = scan(metadata(**{key: CARD}))
    assert [fault.pointer for fault in made.faults] == [f"/payment/additional_data/{key}"]
    assert CARD not in str(made.record)


@pytest.mark.parametrize(
    "value",
    [
        "4111 1111 1111 1111",
        "4111-1111-1111-1111",
        " 4111111111111111 ",
        "4111\u20131111\u20141111\u20101111",
        "4111\u00a01111\u20091111\t1111",
        "4-1-1-1-1-1-1-1-1-1-1-1-1-1-1-1",
        "no. 4111 1111 1111 1111, VISA",
        "4111111111111111 12/30",
        "12/30 4111111111111111",
        "4111111111111111=30121010000012345678",
        int(CARD),
        -int(CARD),
        Decimal(CARD + ".0"),
        Decimal(CARD + ".50"),
        Decimal("4.111111111111111E+15"),
        Decimal("41111111111111.110E+2"),
        [CARD],
        {"deep": {"deeper": [CARD]}},
    ],
)
@pytest.mark.parametrize("field", ["issuer_name", "card_type", "undocumented", "number"])
def test_nothing_under_card_may_hold_a_number(field: str, value: Any) -> None:
    made = scan(card(**{field: value}))
    assert [fault.reason for fault in made.faults] == ["card_number"]
    assert "411111111111" not in digits_of(encoded(made.record))
    assert "1111" in str(made.record)


@pytest.mark.parametrize(
    "value",
    [
        NO_LUHN,
        "411111111111",
        "4111 1111 1111 111 2x",
        "41111111111111111111",
        "0" * 20,
        42,
        1.5,
        True,
        0.4111111111111111,
        "0.4111111111111111",
    ],
)
def test_what_is_no_card_number_stays(loads: Loads, value: Any) -> None:
    assert counted(loads.load(as_json(metadata(card_number=value)))) == {"records": 1, "inserted": 1}
    assert json.loads(loads.one("record", "records"))["payment"]["additional_data"] == {"card_number": value}


@pytest.mark.parametrize(
    "made",
    [
        card(id=int(CARD), transaction_id=int(CARD), card_iin="41111111"),
        metadata(account=CARD, phone_number=CARD, numbers=CARD, note=f"card_number {CARD}", id=CARD),
        record(description=f"paid with {CARD}"),
        metadata(token=f"tok{CARD}", fingerprint=f"0a{CARD}b"),
    ],
    ids=["ids", "other keys", "free text", "tokens"],
)
def test_free_text_and_ids_are_not_scanned(loads: Loads, made: Record) -> None:
    assert counted(loads.load(as_json(made))) == {"records": 1, "inserted": 1}


@pytest.mark.parametrize(
    "made",
    [card(track1=f"%B{CARD}^DOE/JOHN^2512?"), metadata(card_number=f"PAN{CARD}"), metadata(number={"id": CARD})],
    ids=["magnetic track", "letters before it", "the id of a number"],
)
def test_a_card_number_is_refused_whatever_touches_it(loads: Loads, made: Record) -> None:
    assert counted(loads.load(as_json(made))) == {"records": 1, "quarantined": 1}
    ((reason, raw),) = loads.rejects("reason", "raw")
    assert reason == "card_number"
    assert CARD not in raw


@pytest.mark.parametrize("iin", ["411111222", "4111 1122 2", "4111-1122-23", 411111222, CARD, "bin 411111222"])
def test_a_bin_of_more_than_eight_digits_is_refused(loads: Loads, iin: object) -> None:
    loads.load(as_json(card(card_iin=iin)))
    ((reason, pointer, found, raw),) = loads.rejects("reason", "pointer", "found", "raw")
    digits = "".join(filter(str.isdigit, str(iin)))
    masked = "*" * (len(digits) - 4) + digits[-4:]
    assert (reason, pointer, found) == ("card_number", "/transactions/0/card/card_iin", f'"{masked}"')
    assert json.loads(raw)["transactions"][0]["card"]["card_iin"] == masked


@pytest.mark.parametrize("iin", ["", "4", "411111", "41111111", "4111 1111"])
def test_a_bin_of_eight_digits_is_none(iin: str) -> None:
    assert scan(card(card_iin=iin)).faults == []


CODES = ("cvv", "cvc", "cvv2", "cvc2", "CVV", "security_code", "securityCode", "Security-Code", "card_cvv")


@pytest.mark.parametrize("key", CODES)
def test_security_codes_are_removed_and_counted(loads: Loads, key: str) -> None:
    made = with_transactions(
        transaction("t1", card={"id": 1, key: "987"}),
        transaction("t2", additional_data={"a": 1, key: 987, "deep": [{key: {"value": "987"}}]}),
        payment_id="p1",
    )
    report = loads.load(as_json(made))
    assert counted(report) == {"records": 1, "inserted": 1}
    assert report.facts["security_codes_removed"] == 3
    assert loads.query("SELECT security_codes_removed FROM loads") == [(3,)]
    kept = loads.one("record", "records")
    assert json.loads(kept)["transactions"][1]["additional_data"] == {"a": 1, "deep": [{}]}
    assert "987" not in kept
    assert key not in kept


def test_a_code_that_is_only_named_stays(loads: Loads) -> None:
    loads.load(as_json(record(reject_reason="invalid cvv", additional_data={"cvv_result": "M", "reason": "cvv"})))
    assert loads.query("SELECT reject_reason, metadata, security_codes_removed FROM payments, loads") == [
        ("invalid cvv", {"cvv_result": "M", "reason": "cvv"}, 0)
    ]


def test_metadata_in_pairs_is_read_by_its_keys(loads: Loads) -> None:
    pairs = [{"key": "cvv", "value": "987"}, {"key": "tier", "value": "gold"}, {"value": "654", "key": "security_code"}]
    report = loads.load(as_json(record(metadata=pairs)))
    assert report.facts["security_codes_removed"] == 2
    assert loads.one("metadata") == {"tier": "gold"}
    assert not {"987", "654"} & set(json.dumps(loads.one("record", "records")).split('"'))
    loads.load(
        as_json(
            record("p2", metadata=[{"key": "card_number", "value": CARD}, {"key": "card_iin", "value": "411111222"}])
        )
    )
    assert loads.rejects("pointer", "len(faults)") == [("/payment/metadata/0/value", 2)]


SMUGGLED = {
    "a text": as_json(metadata(card_number=CARD)),
    "a number": as_json(metadata(card_number=int(CARD))),
    "a number with a fraction": as_json(metadata(card_number=spelled(CARD + ".00"))),
    "a number with an exponent": as_json(metadata(card_number=spelled("4.111111111111111e15"))),
    "dashes": as_json(metadata(pan="4111-1111-1111-1111")),
    "spaces": as_json(metadata(pan="4111 1111 1111 1111")),
    "escapes": as_json(metadata(pan="x")).replace(
        b'"x"', b'"' + b"".join(b"\\u003%c" % d for d in CARD.encode()) + b'"'
    ),
    "an escaped key": as_json(metadata(x=CARD)).replace(b'"x"', b'"p\\u0061n"'),
    "an element of a request": as_json(as_request(metadata(card_number=CARD))),
    "an organization of a request": as_json(as_request(metadata(pan=CARD), organization={"pan": CARD})),
    "two faults": as_json(with_transactions(transaction(amount="x", card={"number": CARD}))),
    "a card that is a text": as_json(with_transactions(transaction(card=CARD))),
    "a card that is an array": as_json(with_transactions(transaction(card=[CARD]))),
    "no object": as_json(CARD),
    "an array": as_json([[CARD]]),
    "elements that are none": as_json({"external_data": {"pan": CARD}}),
    "cut off after it": as_json(metadata(card_number=CARD))[:-60],
    "cut off in a number": b'{"payment":{"card_number":' + CARD.encode(),
    "cut off in a text": b'{"payment":{"card_number":"' + CARD.encode(),
    "cut off with dashes": b'{"payment":{"card_number":"4111-1111-1111-1111',
    "cut off with spaces": b'{"payment":{"pan":"4111 1111 1111 1111","x":',
    "cut off with other digits after": b'{"payment":{"pan":"4111111111111111 12","x":',
    "cut off with escapes": b'{"payment":{"pan":"' + b"".join(b"\\u003%c" % d for d in CARD.encode()),
    "cut off with escaped spaces": b'{"payment":{"pan":"4111\\u00201111\\u00a01111\\u20131111"',
    "cut off with breaks": b'{"payment":{"pan":"\\n4111\\t1111" : "\\t4111111111111111"',
    "duplicate keys": as_json(metadata(x=1)).replace(b'"x"', f'"pan":"{CARD}","pan"'.encode()),
    "duplicate keys, the first harmless": as_json(metadata(x=1)).replace(b'"x":1', f'"pan":1,"pan":"{CARD}"'.encode()),
    "NaN beside it": as_json(metadata(pan=CARD, x=spelled("NaN"))),
    "not UTF-8": as_json(metadata(pan=CARD)).replace(b"one thing", b"\xff"),
    "nested too deep": as_json(metadata(pan=CARD, x=spelled("[" * 200 + "]" * 200))),
    "a number that is too long": as_json(metadata(pan=CARD, x=spelled("9" * 5000))),
    "a number that is too large": as_json(metadata(pan=CARD, x=spelled("1e5000"))),
    "not JSON": f"pan = {CARD}".encode(),
    "CSV": f"p1,{CARD},COP".encode(),
}


@pytest.mark.parametrize("name", SMUGGLED)
def test_no_card_number_is_in_the_bytes_of_the_store(
    loads: Loads, name: str, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    report = loads.load(as_lines([record("good"), SMUGGLED[name]]))
    assert report.error is None
    assert report.counts["inserted"] + report.counts["quarantined"] == 2
    told = json.dumps(report.as_json()) + str(loads.rejects("expected", "found", "faults", "raw")) + caplog.text
    for seen in (loads.bytes_of_the_store(), told.encode(), "".join(capfd.readouterr()).encode()):
        assert CARD.encode() not in seen
        assert b"4111-1111-1111-1111" not in seen
        assert b"4111 1111 1111 1111" not in seen
        assert b"\\u0034\\u0031\\u0031" not in seen
        assert b"1\\u00201111\\u00a0" not in seen


def test_most_of_a_number_that_is_cut_off_is_masked_too(loads: Loads) -> None:
    head = '{"payment":{"id":"x","pan":"'
    for length in range(9, 16):
        loads.load(as_lines([record(), f"{head}{CARD[:length]}".encode()]), f"{length}.ndjson")
    assert [raw for (raw,) in loads.rejects("raw")] == [head + "*" * length for length in range(9, 16)]


@pytest.mark.parametrize(
    ("text", "cleaned", "codes"),
    [
        ('{"cvv":"123","a":', '{"cvv":"removed","a":', 1),
        ('{"cvv": 123, "cvc" : "1 2 3", x', '{"cvv": "removed", "cvc" : "removed", x', 2),
        ('{"CVV2":"12', '{"CVV2":"removed"', 1),
        ("{'cvv': '123'}", "{'cvv': \"removed\"}", 1),
        ('"security_code":"987"}', '"security_code":"removed"}', 1),
        ('"card_cvv":"987"}', '"card_cvv":"removed"}', 1),
        ('{\\"cvv\\":\\"987\\"}', '{\\"cvv\\":"removed"}', 1),
        ('"reject_reason":"invalid cvv","x":', '"reject_reason":"invalid cvv","x":', 0),
        ('"card_iin":"4111112222","x":', '"card_iin":"******2222","x":', 0),
        ('"card_iin":"411111","x":', '"card_iin":"411111","x":', 0),
        (f'"a":"{NO_LUHN}","b":1', f'"a":"{NO_LUHN}","b":1', 0),
        ('"created_at":"2026-09-20 15:00:00","x":', '"created_at":"2026-09-20 15:00:00","x":', 0),
        (f"{CARD},x", "************1111,x", 0),
    ],
)
def test_a_line_that_is_no_record_is_cleaned(text: str, cleaned: str, codes: int) -> None:
    assert clean_text(text) == (cleaned, codes)


def test_codes_in_lines_that_are_no_records_are_counted(loads: Loads) -> None:
    report = loads.load(as_lines([record(), b'{"cvv":"987","security_code":"654",', as_json(metadata(cvv="321"))]))
    assert report.facts["security_codes_removed"] == 3
    assert not any(code in loads.rejects("raw")[0][0] for code in ("987", "654"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("4111 1111 1111 1111 4222222222222", "************1111 *********2222"),
        ("12 4111 1111 1111 1111 12", "12 ************1111 12"),
        ("1 2 3 4 5 6 7 8 9 0 1 2 3 4 5 6 7 8 9 0 1 2 3", None),
        ("0000000000000000", "************0000"),
        ("", ""),
    ],
)
def test_numbers_in_a_text_are_masked_each(text: str, masked: str | None) -> None:
    assert mask_numbers(text) == masked if masked is not None else mask_numbers(text).count("*") >= 9


def test_hostile_texts_do_not_take_long() -> None:
    for text in ("1" * 40_000 + "x", "1 " * 20_000 + "x", "1-" * 20_000, "4" * 40_000, "cvv" * 12_000, '"' * 40_000):
        clean_text(text)
        mask_numbers(text)


def test_the_glance_misses_nothing() -> None:
    guilty = [
        metadata(card_number="4111 1111 1111 1111"),
        metadata(pan="4111\u20131111\u00a01111\u22121111"),
        metadata(pan=Decimal("4.111111111111111E+15")),
        metadata(pan=Decimal("4222222222222.110")),
        metadata(pan=Decimal("3.5301113333E+15")),
        metadata(pan="4111\t1111\n1111\r1111"),
        card(card_iin="4 1 1 1 1 1 2 2 2"),
        card(**{"Card-IIN": 411111222}),
        card(card_iin="bin: 4111,11222"),
        *(metadata(**{key: "1"}) for key in CODES),
        record(metadata=[{"key": "CVV", "value": "1"}]),
        record(metadata=[{"key": "security code", "value": "1"}]),
        record(metadata=[{"value": "411111222", "key": "card_iin"}]),
    ]
    for made in guilty:
        found = scan(made)
        assert found.faults or found.codes_removed, made
        assert may_hold_card_data(encoded(made)), made
    assert not may_hold_card_data(encoded(record(reject_reason="invalid cvv", additional_data={"cvv_result": 1})))
