"""Which phone numbers may go out, and which are the same however they are written."""

import polars as pl
import pytest

from recovery_batch.phones import (
    WrittenPhone,
    end_like,
    impossible_phones,
    is_possible,
    is_same_number,
    only_digits,
    payer_keys,
    read_phone,
)


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


INTERNATIONAL = WrittenPhone("573101234567", True)
AS_WRITTEN = WrittenPhone("3101234567", False)


@pytest.mark.parametrize(
    ("text", "country", "read"),
    [
        ("+573101234567", None, INTERNATIONAL),
        (" +57 310 123-4567 ", None, INTERNATIONAL),
        ("(+57) 310/123.45.67", None, INTERNATIONAL),
        ("00573101234567", None, INTERNATIONAL),
        ("tel:+57-310-123-4567", None, INTERNATIONAL),
        ("\uff0b57\u00a0310\u2011123\u20114567\u200e", None, INTERNATIONAL),
        ("+\u0665\u0667\u0663\u0661\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667", None, INTERNATIONAL),
        ("310 123 4567", "CO", INTERNATIONAL),
        ("573101234567", "CO", INTERNATIONAL),
        ("011 57 310 123 4567", "US", INTERNATIONAL),
        ("00573101234567", "US", INTERNATIONAL),
        ("+57 310 123 4567", "MX", INTERNATIONAL),
        ("+44 (0)20 7946 0958", None, WrittenPhone("442079460958", True)),
        ("+39 06 1234 5678", None, WrittenPhone("390612345678", True)),
        ("+52 1 55 1234 5678", None, WrittenPhone("525512345678", True)),
        ("044 55 1234 5678", "MX", WrittenPhone("525512345678", True)),
        ("011 15-2345-6789", "AR", WrittenPhone("5491123456789", True)),
        ("(310) 123 4567", None, AS_WRITTEN),
        ("573101234567", None, WrittenPhone("573101234567", False)),
        ("0310 1234567", None, WrittenPhone("03101234567", False)),
    ],
)
def test_a_number_is_read_in_any_notation(text: str, country: str | None, read: WrittenPhone) -> None:
    assert read_phone(text, country) == read


@pytest.mark.parametrize(
    ("text", "country"),
    [
        ("", None),
        ("none", None),
        ("+57 310 1234567 ext. 12", None),
        ("1-800-FLOWERS", "US"),
        ("57+3101234567", None),
        ("++573101234567", None),
        ("ana@example.com", None),
        ("12345", None),
        ("1234567890123456", None),
        ("+57 123", None),
        ("+999 3101234567", None),
        ("000000", None),
        ("12", "CO"),
        ("+", None),
        ("\u00b2\u00b2\u00b2", None),
        ("3101234567, 3101234568", None),
    ],
)
def test_what_is_no_number_is_refused_without_being_repeated(text: str, country: str | None) -> None:
    with pytest.raises(ValueError, match="number") as refused:
        read_phone(text, country)
    assert not text.strip() or len(text) < 3 or text not in str(refused.value)
    assert refused.value.__cause__ is None


@pytest.mark.parametrize(
    ("text", "country", "code", "number"),
    [
        ("+57 310 1234567", None, "57", "3101234567"),
        ("+57 310 1234567", None, "+57", "(310) 123-4567"),
        ("+57 310 1234567", None, "57", "+57 310 123 4567"),
        ("+57 310 1234567", None, "57", "573101234567"),
        ("+57 310 1234567", None, "57", "00573101234567"),
        ("+57 310 1234567", None, "57", "0310 1234567"),
        ("+57 310 1234567", None, "", "573101234567"),
        ("+57 310 1234567", None, "1", "+573101234567"),
        ("+57 0310 1234567", None, "57", "3101234567"),
        ("310 1234567", None, "57", "3101234567"),
        ("0310 1234567", None, "57", "3101234567"),
        ("310 1234567", None, "57", "+573101234567"),
        ("573101234567", None, "57", "3101234567"),
        ("310 1234567", "CO", "57", "3101234567"),
        ("310 1234567", None, "1", "3101234567"),  # whose country nobody said
        ("+39 06 1234 5678", None, "39", "0612345678"),
        ("020 7946 0958", None, "44", "2079460958"),
        ("+52 1 55 1234 5678", None, "52", "5512345678"),
        ("+52 55 1234 5678", None, "52", "15512345678"),
        ("+54 11 2345 6789", None, "54", "91123456789"),
        ("+54 9 11 2345 6789", None, "54", "1123456789"),
        ("11 15 2345 6789", None, "54", "91123456789"),
        ("11 15 2345 6789", "AR", "54", "1123456789"),
        ("+55 11 8765-4321", None, "55", "11987654321"),
        ("+55 11 98765-4321", None, "55", "1187654321"),
        ("11 98765-4321", None, "55", "+55 11 98765-4321"),
        ("5511987654321", None, "55", "1187654321"),
        ("123 456", None, "57", "123456"),  # impossible, and still the same digits
    ],
)
def test_the_same_number(text: str, country: str | None, code: str, number: str) -> None:
    written = read_phone(text, country)
    assert is_same_number(written, code, number)
    assert end_like(pl.Series([number]), [written]).to_list() == [True]


@pytest.mark.parametrize(
    ("text", "country", "code", "number"),
    [
        ("+57 310 1234567", None, "57", "3101234568"),
        ("+57 310 1234567", None, "1", "3101234567"),
        ("310 1234567", "CO", "1", "3101234567"),
        ("310 1234567", None, "57", "3101234568"),
        ("310 123456", None, "57", "3101234567"),
        ("1234567", None, "57", "3101234567"),
        ("+55 11 3765-4321", None, "55", "11937654321"),  # a fixed line and a mobile
        ("+57 310 1234567", None, "57", ""),
        ("+57 310 1234567", None, "", ""),
        ("310 1234567", "CO", "57", "none"),
    ],
)
def test_another_number(text: str, country: str | None, code: str, number: str) -> None:
    assert not is_same_number(read_phone(text, country), code, number)


def test_a_number_without_digits_has_no_keys() -> None:
    assert payer_keys("", "") == payer_keys("", "none") == payer_keys("", "+") == frozenset()


def test_numbers_with_other_last_digits_need_no_second_look() -> None:
    written = [read_phone("+573101234567"), read_phone("020 7946 0958")]
    numbers = pl.Series(["3101234567", "3101234568", "2079460958", "079460958", "4567", "", "none", "٣١٠١٢٣٤٥٦٨"])
    assert end_like(numbers, written).to_list() == [True, False, True, True, True, True, True, True]
    odd = pl.Series(["004002", "310123456\uff18"])  # shorter than it looks, and a digit that is not ASCII
    assert end_like(odd, written).to_list() == [True, True]
    assert end_like(numbers[:3], []).to_list() == [False, False, False]
    assert end_like(numbers[:0], written).to_list() == []
