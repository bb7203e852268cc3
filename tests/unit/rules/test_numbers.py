"""Numbers in text: their keys, in Python and in Polars, and what is no number."""

from itertools import combinations_with_replacement

import polars as pl
import pytest

from recovery_batch.rules.numbers import NumberKey, exceeds, key_of, keys
from tests.reference.drawing import BEYOND, NOT_NUMBERS

ASCENDING = (
    ("-1e999999999999999",),
    ("-1E16", "-10000000000000000"),
    ("-100", "-1e2", "-100.000", "-.1e3", "-0100"),
    ("-99.99999999999999999999999999999999",),
    ("-1", "-1.0", "-10e-1", "-0.1e+1"),
    ("-0.5", "-.5", "-5e-1"),
    ("-1e-999999999999999",),
    ("0", "-0", "+0", "0.000", ".0", "0.", "0e5", "-0E-999999999999999", "000"),
    ("1e-999999999999999", "+.1E-999999999999998"),
    ("1e-18", "0.000000000000000001"),
    ("0.1", ".1", "1e-1", "0.10", "+0.1", "1E-01"),
    ("0.100000000000000000000000000001",),
    ("1", "1.", "1.0", "+1", "01", "1e0", "1E+0", "1e-0", "10e-1", "1e" + "0" * 5000),
    ("9.999999999999999999999999",),
    ("10", "1e1", "1E+1", "1e00000000000000000001", "10.00", "100e-1"),
    ("12",),
    ("119",),
    ("9007199254740992", "9007199254740992.0"),
    ("9007199254740993",),  # no double holds it
    ("123456789012345678901234567890",),
    ("1e999999999999999",),
    ("1.0000001e999999999999999",),
)
"""Numbers in ascending order, each in several spellings."""


def test_all_spellings_of_a_number_have_one_key() -> None:
    for spellings in ASCENDING:
        assert len({key_of(text) for text in spellings}) == 1
    assert len({key_of(spellings[0]) for spellings in ASCENDING}) == len(ASCENDING)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("0.00", NumberKey(0, 0, "")),
        ("-0120.50", NumberKey(-1, 3, "1205")),
        (".05", NumberKey(1, -1, "5")),
        ("5e-2", NumberKey(1, -1, "5")),
        ("12e+3", NumberKey(1, 5, "12")),
    ],
)
def test_the_key_of_a_number(text: str, key: NumberKey) -> None:
    assert key_of(text) == key


def test_polars_finds_the_same_keys() -> None:
    texts = [text for spellings in ASCENDING for text in spellings]
    sign, power, digits = keys(pl.col("text"))
    found = pl.DataFrame({"text": texts}).select(sign.alias("sign"), power.alias("power"), digits.alias("digits"))
    assert [NumberKey(*row) for row in found.rows()] == [key_of(text) for text in texts]


@pytest.mark.parametrize(
    ("low", "high"), [pair for pair in combinations_with_replacement(range(len(ASCENDING)), 2) if pair[0] + 6 > pair[1]]
)
def test_numbers_are_in_order(low: int, high: int) -> None:
    threshold, data = ASCENDING[high][0], list(ASCENDING[low])
    frame = pl.DataFrame({"text": data})
    above = frame.select(exceeds(pl.col("text"), threshold, or_equal=False)).to_series().to_list()
    reached = frame.select(exceeds(pl.col("text"), threshold, or_equal=True)).to_series().to_list()
    assert above == [False] * len(data)
    assert reached == [low == high] * len(data)

    swapped = pl.DataFrame({"text": list(ASCENDING[high])})
    above = swapped.select(exceeds(pl.col("text"), ASCENDING[low][0], or_equal=False)).to_series().to_list()
    assert above == [low < high] * swapped.height


@pytest.mark.parametrize(
    ("text", "above"),
    list(zip(BEYOND, (True, False, False, False, False), strict=True)),
)
def test_data_may_have_longer_exponents_than_thresholds(text: str, above: bool) -> None:
    frame = pl.DataFrame({"text": [text]})
    assert frame.select(exceeds(pl.col("text"), "1e999999999999999", or_equal=True)).item() is above
    beyond_zero = frame.select(exceeds(pl.col("text"), "0", or_equal=False)).item()
    assert beyond_zero is (not text.startswith(("-", "0")))


@pytest.mark.parametrize("threshold", ["0", "5", "-5", "1e9"])
def test_what_is_no_number_is_neither_above_nor_below(threshold: str) -> None:
    frame = pl.DataFrame({"text": [*NOT_NUMBERS, None]})
    for or_equal in (False, True):
        assert frame.select(exceeds(pl.col("text"), threshold, or_equal=or_equal)).to_series().null_count() == len(
            frame
        )


@pytest.mark.parametrize("text", NOT_NUMBERS)
def test_what_is_no_number_has_no_key(text: str) -> None:
    with pytest.raises(ValueError, match="not a number"):
        key_of(text)


@pytest.mark.parametrize("text", ["1e1000000000000000", "-1E-1000000000000000", "0e9999999999999999"])
def test_an_exponent_of_sixteen_digits_is_too_long_for_a_threshold(text: str) -> None:
    with pytest.raises(ValueError, match="15 digits"):
        key_of(text)
