"""Phone numbers of every country: however two people write one, it is the same, and its neighbour is another."""

from __future__ import annotations

from typing import Any

import phonenumbers
import polars as pl
from hypothesis import assume, example, given
from hypothesis import strategies as st

from recovery_batch.phones import end_like, is_same_number, payer_keys, read_phone

BETWEEN = (" ", "-", ".", " - ", "/", "\u00a0", "\u2011", "\u200e", ") (")
KINDS = (phonenumbers.PhoneNumberType.MOBILE, phonenumbers.PhoneNumberType.FIXED_LINE)
FORMATS = (phonenumbers.PhoneNumberFormat.E164, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


@st.composite
def numbers(draw: st.DrawFn) -> tuple[str, phonenumbers.PhoneNumber]:
    """A country, and a number that could be one of its."""
    country = draw(st.sampled_from(sorted(phonenumbers.SUPPORTED_REGIONS)))
    number = phonenumbers.example_number_for_type(country, draw(st.sampled_from(KINDS)))
    assume(number is not None)
    assert number is not None
    assert number.national_number is not None
    ending = draw(st.integers(0, 999))
    changed = phonenumbers.PhoneNumber()
    changed.merge_from(number)
    changed.national_number = number.national_number // 1000 * 1000 + ending
    assume(phonenumbers.is_possible_number(changed))
    return country, changed


def spread(draw: Any, text: str) -> str:
    """The text with something between some of its digits."""
    return "".join(sign + (draw(st.sampled_from(BETWEEN)) if draw(st.integers(0, 3)) == 0 else "") for sign in text)


@given(st.data(), numbers())
def test_two_spellings_of_a_number_are_the_same(data: st.DataObject, drawn: tuple[str, Any]) -> None:
    _, number = drawn
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    e164, spaced = (phonenumbers.format_number(number, each) for each in FORMATS)
    spelling = data.draw(st.sampled_from((e164, spaced, f"00{e164[1:]}", f"tel:{e164}", f"({e164[:3]}){e164[3:]}")))
    prefix = "tel:" if spelling.startswith("tel:") else ""
    written = read_phone(prefix + spread(data.draw, spelling.removeprefix(prefix)))
    assert written.is_international
    of_payer = data.draw(st.sampled_from((national, f"+{code}{national}", f"00{code}{national}", f"{code}{national}")))
    spelled = spread(data.draw, of_payer)
    assert is_same_number(written, data.draw(st.sampled_from((code, f"+{code}"))), spelled)
    assert end_like(pl.Series([spelled]), [written]).to_list() == [True]
    if len(national) >= 6 and not national.startswith("00"):
        plain = read_phone(spread(data.draw, national))
        assert is_same_number(plain, code, national)
        assert end_like(pl.Series([national]), [plain]).to_list() == [True]


@given(numbers(), st.integers(1, 9))
def test_a_number_that_differs_by_one_digit_is_another(drawn: tuple[str, Any], step: int) -> None:
    _, number = drawn
    code, national = str(number.country_code), phonenumbers.national_significant_number(number)
    other = f"{national[:-1]}{(int(national[-1]) + step) % 10}"
    assert not is_same_number(read_phone(f"+{code}{national}"), code, other)


@given(st.text(max_size=30) | st.from_regex(r"[+0-9 ()-]{0,20}", fullmatch=True), st.none() | st.just("CO"))
@example("+", None)
def test_any_text_is_read_or_refused(text: str, country: str | None) -> None:
    try:
        written = read_phone(text, country)
    except ValueError:
        return
    assert written.digits.isascii()
    assert written.digits.isdigit()
    assert written.keys()
    assert all(key.removeprefix("+").isdigit() for key in written.keys() | payer_keys("57", text))
