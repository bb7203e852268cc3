"""Amounts are exact: what is a number, what an amount may be, and the neighbours of a threshold in the column."""

from decimal import Decimal
from fractions import Fraction

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.money import (
    AMOUNT,
    FRACTION_DIGITS,
    WHOLE_DIGITS,
    amount_fault,
    held_at_least,
    held_at_most,
    held_exactly,
    is_number,
    plain,
)
from tests.reference.drawing import NOT_NUMBERS

LARGEST = Decimal("999999999999999999.999999")
STEP = Decimal("0.000001")
DECIMALS = st.one_of(
    st.decimals(allow_nan=False, allow_infinity=False),
    st.decimals(0, 1000, places=6),
    st.decimals(-5, 5, places=9),
    st.builds(Decimal.scaleb, st.integers(-(10**25), 10**25).map(Decimal), st.integers(-30, 5)),
)


def exactly(number: Decimal) -> Fraction:
    return Fraction(number)


@pytest.mark.parametrize(
    "text",
    ["0", "00", "5", "5.", ".5", "0.5", "+5", "-5", "-.5", "1e5", "1E5", "1e+5", "1e-5", "1.e5", ".1e05", "9" * 99],
)
def test_a_number(text: str) -> None:
    assert is_number(text)


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_no_number(text: str) -> None:
    assert not is_number(text)


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"), (-5, "-5"), (0, "0"), (10**30, "1" + "0" * 30), (100, "100"),
        (Decimal("5.0"), "5"), (Decimal("0.10"), "0.1"), (Decimal("1e1"), "10"), (Decimal("1E+5"), "100000"),
        (Decimal("1e-7"), "0.0000001"), (Decimal("100"), "100"), (Decimal("100.00"), "100"),
        (Decimal("23.79"), "23.79"),
        (Decimal("-0"), "0"), (Decimal("-0.00"), "0"), (Decimal("0e5"), "0"), (Decimal("0E-9"), "0"),
        (Decimal("-0.50"), "-0.5"), (Decimal("999999999999.99"), "999999999999.99"),
    ],
)  # fmt: skip
def test_the_plain_text_of_a_number(number: Decimal | int, text: str) -> None:
    assert plain(number) == text


@given(DECIMALS.filter(lambda number: abs(number.adjusted()) < 1000))
def test_the_plain_text_is_the_number_and_as_short_as_can_be(number: Decimal) -> None:
    text = plain(number)
    assert exactly(Decimal(text)) == exactly(number)
    assert "e" not in text.lower()
    assert text == plain(Decimal(text))
    assert not ("." in text and text.endswith(("0", ".")))
    assert not text.startswith(("00", "-00", "+", "."))


@pytest.mark.parametrize(
    "text",
    ["0", "-0", "0.000001", "0.00000100000000000000", "1e17", "999999999999999999.999999", "0e999", "0e-999", "1.2e-5"],
)
def test_an_amount_has_no_fault(text: str) -> None:
    assert amount_fault(Decimal(text)) is None


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("-0.000001", "not negative"),
        ("-1e99", "not negative"),
        ("1e18", "18 digits before"),
        ("1000000000000000000", "18 digits before"),
        ("1e999999", "18 digits before"),
        ("NaN", "18 digits before"),
        ("sNaN", "18 digits before"),
        ("Infinity", "18 digits before"),
        ("0.0000001", "6 digits after"),
        ("1.0000001", "6 digits after"),
        ("999999999999999999.9999999", "6 digits after"),
        ("1e-999999", "6 digits after"),
    ],
)
def test_what_is_no_amount_says_what_is_allowed(text: str, fault: str) -> None:
    assert fault in (amount_fault(Decimal(text)) or "")


@pytest.mark.parametrize("number", [0, 5, 10**18 - 1])
def test_whole_numbers_are_amounts(number: int) -> None:
    assert amount_fault(number) is None
    assert amount_fault(10**18) is not None
    assert amount_fault(-1) is not None


@given(DECIMALS)
def test_an_amount_is_what_the_column_holds_exactly(number: Decimal) -> None:
    fits = 0 <= exactly(number) < 10**WHOLE_DIGITS and exactly(number) * 10**FRACTION_DIGITS % 1 == 0
    assert (amount_fault(number) is None) == fits
    held = held_exactly(number)
    assert (held is not None) == fits
    if held is not None:
        assert exactly(held) == exactly(number)
        assert exactly(pl.Series([number], dtype=AMOUNT)[0]) == exactly(number)


@given(DECIMALS)
def test_the_neighbours_of_a_threshold_are_the_nearest_amounts(threshold: Decimal) -> None:
    low, high = held_at_most(threshold), held_at_least(threshold)
    if low is None:
        assert threshold < 0
    else:
        assert amount_fault(low) is None
        assert exactly(low) <= exactly(threshold)
        assert low == LARGEST or exactly(low) + exactly(STEP) > exactly(threshold)
    if high is None:
        assert threshold > LARGEST
    else:
        assert amount_fault(high) is None
        assert exactly(high) >= exactly(threshold)
        assert high == 0 or exactly(high) - exactly(STEP) < exactly(threshold)


@pytest.mark.parametrize(
    ("threshold", "low", "high"),
    [
        ("0", "0", "0"),
        ("5", "5", "5"),
        ("5.0000005", "5", "5.000001"),
        ("5.0000001", "5", "5.000001"),
        ("5.0000009", "5", "5.000001"),
        ("-0.0000001", None, "0"),
        ("-5", None, "0"),
        ("1e-999999999999999", "0", "0.000001"),
        ("-1e-999999999999999", None, "0"),
        ("999999999999999999.999999", "999999999999999999.999999", "999999999999999999.999999"),
        ("999999999999999999.9999991", "999999999999999999.999999", None),
        ("999999999999999999.9999989", "999999999999999999.999998", "999999999999999999.999999"),
        ("1e999999999999999", "999999999999999999.999999", None),
        ("0." + "0" * 200_000 + "1", "0", "0.000001"),
        ("1" * 18 + "." + "1" * 200_000, "111111111111111111.111111", "111111111111111111.111112"),
        ("9" * 200_000, "999999999999999999.999999", None),
    ],
)
def test_the_neighbours_of_a_threshold(threshold: str, low: str | None, high: str | None) -> None:
    assert held_at_most(Decimal(threshold)) == (None if low is None else Decimal(low))
    assert held_at_least(Decimal(threshold)) == (None if high is None else Decimal(high))


def test_the_column_takes_eighteen_digits_and_six() -> None:
    assert pl.Decimal(24, 6) == AMOUNT
    amounts = [Decimal("999999999999.99"), LARGEST, STEP, Decimal(0)]
    assert pl.Series(amounts, dtype=AMOUNT).to_list() == amounts
