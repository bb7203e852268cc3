from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.reporting import formats
from recovery_batch.simulation import REASONS


@pytest.mark.parametrize(
    ("amount", "currency", "shown"),
    [
        ("999999999999.99", "USD", "999,999,999,999.99"),
        ("50000.000000", "CLP", "50,000"),
        ("50000.500000", "CLP", "50,000.5"),
        ("10", "USD", "10.00"),
        ("1234.567", "KWD", "1,234.567"),
        ("0.000001", "BRL", "0.000001"),
        ("0", "JPY", "0"),
        ("-0.00", "USD", "0.00"),
        ("-1234.5", "USD", "-1,234.50"),
        ("1E+6", "JPY", "1,000,000"),
        ("7.5", "no currency", "7.50"),
    ],
)
def test_amounts_show_the_usual_digits_and_all_that_are_needed(amount: str, currency: str, shown: str) -> None:
    assert formats.grouped_amount(Decimal(amount), currency) == shown
    assert formats.exact_amount(Decimal(amount), currency) == shown.replace(",", "")


@given(
    st.decimals(min_value=0, max_value=Decimal("9" * 32), places=6, allow_nan=False, allow_infinity=False),
    st.sampled_from(["USD", "CLP", "KWD", "JPY", "COP", "???"]),
)
def test_an_amount_never_changes_by_being_written(amount: Decimal, currency: str) -> None:
    assert Decimal(formats.exact_amount(amount, currency)) == amount
    assert Decimal(formats.grouped_amount(amount, currency).replace(",", "")) == amount


def test_more_digits_than_a_decimal_context_holds() -> None:
    amount = Decimal("99999999999999999999999999999999.999999")
    assert formats.exact_amount(amount, "USD") == "99999999999999999999999999999999.999999"


def test_an_amount_that_is_no_number_is_refused() -> None:
    with pytest.raises(ValueError, match="finite"):
        formats.exact_amount(Decimal("NaN"), "USD")


@pytest.mark.parametrize(
    ("part", "whole", "shown"),
    [
        (0, 0, "–"),
        (0, 5, "0\u00a0%"),
        (5, 5, "100\u00a0%"),
        (1, 3, "33.3\u00a0%"),
        (2, 3, "66.7\u00a0%"),
        (1, 1_000_000, "<\u202f0.1\u00a0%"),
        (999_999, 1_000_000, ">\u202f99.9\u00a0%"),
        (1, 2000, "0.1\u00a0%"),
    ],
)
def test_only_all_reads_as_all_and_only_none_as_none(part: int, whole: int, shown: str) -> None:
    assert formats.percent(part, whole) == shown


@given(st.integers(0, 10**9), st.integers(0, 10**9))
def test_bars_stay_inside_their_cell(part: int, whole: int) -> None:
    width = float(formats.bar_width(part, whole).removesuffix("%"))
    assert 0 <= width <= 100
    assert (width > 0) == (part > 0 and whole > 0)


def test_control_characters_are_shown_and_joiners_stay() -> None:
    assert formats.visible("a\u202eb\u2066c\u200fd") == "a⟨U+202E⟩b⟨U+2066⟩c⟨U+200F⟩d"
    assert formats.visible("line\nfeed\t\x00\x7f\x9b") == "line↵feed⇥⟨U+0000⟩⟨U+007F⟩⟨U+009B⟩"
    assert formats.visible("half \ud83d pair") == "half \ufffd pair"
    assert formats.visible("عربى 👩‍💻 ñ") == "عربى 👩‍💻 ñ"


@given(st.text(st.characters()))
def test_visible_text_can_be_stored_and_reorders_nothing(text: str) -> None:
    shown = formats.visible(text)
    shown.encode()
    assert not {ord(character) for character in shown} & {*range(0x20), *range(0x202A, 0x202F), 0x2066, 0x2069}
    assert formats.visible(shown) == shown


def test_long_text_says_what_it_leaves_out() -> None:
    assert formats.shortened("x" * 280) == "x" * 280
    assert formats.shortened("x" * 1500) == "x" * 280 + " … (1,220 more characters)"


def test_times_are_utc_and_as_short_as_exact() -> None:
    bogota = timezone(timedelta(hours=-5))
    assert formats.utc_clock(datetime(2026, 7, 1, 9, 0, tzinfo=bogota)) == "2026-07-01 14:00"
    assert formats.utc_clock(datetime(2026, 7, 1, 9, 0, 5, tzinfo=UTC)) == "2026-07-01 09:00:05"
    assert formats.utc_clock(datetime(2026, 7, 1, 9, 0, 0, 250, tzinfo=UTC)) == "2026-07-01 09:00:00.000250"


def test_days_and_hours() -> None:
    assert formats.day(date(2026, 7, 1)) == "Wed 1 Jul 2026"
    assert formats.day(None) == "no day"
    assert formats.hour(9) == "09:00–10:00"
    assert formats.hour(23) == "23:00–24:00"
    assert formats.hour(None) == "no hour"
    assert formats.month(date(2026, 12, 31)) == "December 2026"


def test_words_for_codes() -> None:
    assert formats.country("CL") == "Chile (CL)"
    assert formats.country("<b>") == "<b>"
    assert formats.channel("PHONE_CALL") == "Phone call"
    assert formats.channel("PIGEON") == "PIGEON"
    assert formats.currency_name("CLP") == "Chilean Peso"
    assert formats.currency_name("???") == ""
    assert formats.plural(1, "match", "matches") == "1 match"
    assert formats.plural(1200, "match", "matches") == "1,200 matches"


@pytest.mark.parametrize("slug", REASONS)
def test_every_reason_has_plain_words(slug: str) -> None:
    assert formats.reason(slug) != slug


def test_a_reason_without_words_still_shows() -> None:
    assert formats.reason("from_the_future") == "from_the_future"
