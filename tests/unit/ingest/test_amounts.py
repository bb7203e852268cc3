"""Amounts are exact: on the way in, in the store, and in the record that is kept."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.unit.ingest.samples import (
    Loads,
    as_json,
    as_lines,
    counted,
    record,
    spelled,
    transaction,
    with_transactions,
)

KEPT = (
    "999999999999.99",
    "999999999999999999.999999",
    "123456789012345678.123456",
    "100000000000000000",
    "23.79",
    "10.00",
    "10",
    "0.1",
    "0",
    "0.000000",
    "0.000001",
    "10.00000000000000000000000000000000000000000",
    "1e3",
    "1.5E+3",
    "1E-6",
    "1e17",
    "12345.6789e2",
    "0e50",
    "0e-50",
    "-0",
    "-0.0",
)
"""What an export may spell, and how the record that is kept spells it: the same number, with the same digits."""

REFUSED = {
    "-0.01": "not negative",
    "-1": "not negative",
    "-1e17": "not negative",
    "0.0000001": "at most 6 digits after",
    "1e-7": "at most 6 digits after",
    "10.1234567": "at most 6 digits after",
    "999999999999999999.9999999": "at most 6 digits after",
    "1000000000000000000": "at most 18 digits before",
    "1e18": "at most 18 digits before",
    "1234567890123456789012345": "at most 18 digits before",
    "9" * 4000: "at most 18 digits before",
    "1e999": "at most 18 digits before",
    "1e-999": "at most 6 digits after",
    "1e1001": "between 1e-1000 and 1e1000",
    "1e-1001": "between 1e-1000 and 1e1000",
    "1e999999999": "between 1e-1000 and 1e1000",
    "-1e999999999999999999999": "between 1e-1000 and 1e1000",
    "1.0000000000000000000000000000000001": "at most 6 digits after",
}


def test_amounts_are_held_exactly(loads: Loads) -> None:
    records = [record(f"p{n}", amount_value=spelled(text)) for n, text in enumerate(KEPT)]
    assert counted(loads.load(as_lines(records))) == {"records": len(KEPT), "inserted": len(KEPT)}
    held = dict(loads.query("SELECT payment_id, amount_value FROM payments"))
    assert [held[f"p{n}"] for n in range(len(KEPT))] == [Decimal(text) for text in KEPT]
    assert {amount.as_tuple().exponent for amount in held.values()} == {-6}


def test_the_record_that_is_kept_has_the_digits_of_the_export(loads: Loads) -> None:
    records = [record(f"p{n}", amount_value=spelled(text)) for n, text in enumerate(KEPT)]
    loads.load(as_lines(records))
    texts = dict(loads.query("SELECT payment_id, record FROM records"))
    for n, text in enumerate(KEPT):
        assert f'"amount_value":{text},' in texts[f"p{n}"]


@pytest.mark.parametrize("text", ["999999999999.99", "10.00", "0.10", "12345678901234567890123456789", "1.50E+10"])
def test_other_numbers_keep_their_digits_too(loads: Loads, text: str) -> None:
    loads.load(as_json(record(additional_data={"n": spelled(text), "deep": [{"n": spelled(text)}]})))
    assert f'"additional_data":{{"n":{text},"deep":[{{"n":{text}}}]}}' in loads.one("record", "records")


def test_amounts_that_do_not_fit_are_quarantined_not_rounded(loads: Loads) -> None:
    records = [record(f"p{n}", amount_value=spelled(text)) for n, text in enumerate(REFUSED)]
    assert counted(loads.load(as_lines(records))) == {"records": len(REFUSED), "quarantined": len(REFUSED)}
    rejects = loads.rejects("pointer", "expected", "found", "raw")
    for (text, allowed), (pointer, expected, found, raw) in zip(REFUSED.items(), rejects, strict=True):
        assert pointer == "/payment/amount_value"
        assert allowed in expected
        number = raw.partition('"amount_value":')[2].partition(",")[0]
        if "between" in allowed:
            assert found == number == text  # spelled as it was: no decimal holds it
        else:
            assert Decimal(number) == Decimal(text)
            assert found.startswith(number[:80])


@pytest.mark.parametrize("value", ["12.50", "", True, [1], {"value": 1}, "NaN"])
def test_what_is_no_number_is_no_amount(loads: Loads, value: object) -> None:
    assert counted(loads.load(as_json(record(amount_value=value)))) == {"records": 1, "quarantined": 1}
    ((pointer, expected),) = loads.rejects("pointer", "expected")
    assert pointer == "/payment/amount_value"
    assert "a number" in expected


def test_amounts_of_transactions_are_checked_alike(loads: Loads) -> None:
    lines = [
        with_transactions(transaction(amount=spelled("999999999999.99")), payment_id="p1"),
        with_transactions(transaction(), transaction(amount=spelled("-0.01")), payment_id="p2"),
        with_transactions(transaction(amount=spelled("0.0000001")), payment_id="p3"),
        with_transactions(transaction(amount=None), payment_id="p4"),
        with_transactions(transaction(amount=spelled("0")), payment_id="p5"),
    ]
    assert counted(loads.load(as_lines(lines))) == {
        "records": 5, "inserted": 3, "quarantined": 2, "not_submittable": 1,
    }  # fmt: skip
    amounts = loads.query("SELECT payment_id, amount FROM transactions ORDER BY payment_id")
    assert amounts == [("p1", Decimal("999999999999.99")), ("p4", None), ("p5", Decimal(0))]
    assert loads.rejects("pointer") == [("/transactions/1/amount",), ("/transactions/0/amount",)]


def test_an_empty_amount_of_a_transaction_is_one_that_is_missing(loads: Loads) -> None:
    report = loads.load(as_json(with_transactions(transaction(amount=""))))
    assert counted(report) == {"records": 1, "inserted": 1, "not_submittable": 1}
    assert report.unfit_fields == {"transactions.*.amount": 1}


def test_integers_of_64_bits_are_held(loads: Loads) -> None:
    ids = [1_712_345_678_901_234_567, 2**63 - 1, -(2**63), 0]
    records = [
        with_transactions(transaction(card={"id": number, "card_expiration_year": number}), payment_id=f"p{n}")
        for n, number in enumerate(ids)
    ]
    assert counted(loads.load(as_lines(records))) == {"records": 4, "inserted": 4}
    years = loads.query("SELECT card_expiration_year FROM transactions ORDER BY payment_id")
    assert [year for (year,) in years] == ids


@pytest.mark.parametrize("number", ["9223372036854775808", "2030.0", "2.03e3", '"2030"', "true"])
def test_what_is_no_integer_is_quarantined(loads: Loads, number: str) -> None:
    report = loads.load(as_json(with_transactions(transaction(card={"card_expiration_year": spelled(number)}))))
    assert counted(report) == {"records": 1, "quarantined": 1}
    assert loads.rejects("pointer") == [("/transactions/0/card/card_expiration_year",)]
