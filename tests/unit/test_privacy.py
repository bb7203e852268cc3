"""Masks: enough to tell two people apart, too little to know who they are."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.privacy import mask_contact, mask_name, mask_phone


@pytest.mark.parametrize(
    ("name", "masked"),
    [
        ("LUCY ROBLES", "L••• R•••"),
        ("  ana   de la  cruz ", "a••• d••• l••• c•••"),
        ("Ñandú", "Ñ•••"),
        ("", ""),
        ("\u2003\t\n", ""),
        ("李小龙", "李•••"),
    ],
)
def test_names_show_their_initials(name: str, masked: str) -> None:
    assert mask_name(name) == masked


@pytest.mark.parametrize(
    ("phone", "masked"),
    [
        ("3183497646", "••••••7646"),
        ("+57 (318) 349-7646", "••••••••7646"),
        ("12345", "•2345"),
        ("1234", "••••"),
        ("", ""),
        ("none", ""),
    ],
)
def test_phone_numbers_show_their_last_four_digits(phone: str, masked: str) -> None:
    assert mask_phone(phone) == masked


@given(st.text(min_size=1))
def test_a_mask_of_a_name_shows_at_most_a_character_a_word(name: str) -> None:
    masked = mask_name(name)
    assert [part[1:] for part in masked.split(" ") if part] == ["•••"] * len(name.split())
    assert [part[0] for part in masked.split(" ") if part] == [part[0] for part in name.split()]


@given(st.text(alphabet="0123456789+-() "))
def test_a_mask_of_a_number_shows_at_most_four_digits(phone: str) -> None:
    digits = "".join(each for each in phone if each.isdigit())
    masked = mask_phone(phone)
    assert len(masked) == len(digits)
    assert sum(each.isdigit() for each in masked) == (4 if len(digits) > 4 else 0)
    assert digits.endswith(masked.lstrip("•"))


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("ana.nogal@example.com", "a•••@example.com"),
        (" Ñ@example.com ", "Ñ•••@example.com"),
        ("+57 310 123 4567", "••••••••4567"),
        ("(310) 123-4567", "••••••4567"),
        ("310.123.4567", "••••••4567"),
    ],
)
def test_texts_that_are_a_contact_are_masked(text: str, masked: str) -> None:
    assert mask_contact(text) == masked


@pytest.mark.parametrize(
    "text",
    [
        *("", "gold", "05", "@", "a@b c@d", "usr_00409", "3101234567"),
        *("500.00", "99.123456", "+100000.00", "2026-10-01", "2026-10-01 12:30:00", "31/12/2026", "31.12.2026"),
    ],
)
def test_other_texts_are_shown_as_they_are(text: str) -> None:
    assert mask_contact(text) == text
