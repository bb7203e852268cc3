"""Which phone numbers may go out."""

import polars as pl
import pytest

from recovery_batch.phones import impossible_phones, is_possible, only_digits


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("57", "3101234567"),
        ("+57", "310 123-4567"),
        ("57", "+573101234567"),
        ("57", "(+57) 310 123.45.67"),
        ("1", "5551234567"),
        ("52", "5512345678"),
        ("34", "600555035"),
    ],
)
def test_possible_numbers(code: str, number: str) -> None:
    assert is_possible(code, number)


@pytest.mark.parametrize(
    ("code", "number"),
    [
        ("57", "12345"),
        ("57", "3101234567890123"),
        ("57", "none"),
        ("57", "123"),
        ("", "3101234567"),
        ("0", "3101234567"),
        ("99999", "3101234567"),
        ("999", "3101234567"),
        ("57", ""),
        ("57", "+57 310 1234567 ext. 12"),
        ("1", "+1 800 FLOWERS"),
        ("57", "+14155550123"),
        ("57", "٣١٠١٢٣٤٥٦٧"),
    ],
)
def test_impossible_numbers(code: str, number: str) -> None:
    assert not is_possible(code, number)


def test_only_ascii_digits_are_digits() -> None:
    assert only_digits(" +57 (310) 123-45.67 ext²٣") == "573101234567"


def test_the_payers_with_an_impossible_number_are_found_once_each() -> None:
    payers = pl.DataFrame(
        {
            "organization_code": ["o", "o", "o", "o2", "o"],
            "payment_id": ["good", "bad", "same", "bad", "none"],
            "phone_country_code": ["57", "57", "57", "57", None],
            "phone_number": ["3101234567", "12345", "12345", "12345", None],
        }
    )
    assert impossible_phones(payers).rows() == [("o", "bad"), ("o", "same"), ("o2", "bad")]
    assert impossible_phones(payers[:1]).rows() == []
    assert impossible_phones(payers[4:]).rows() == []
