"""Phone numbers of abandoned flows: what goes out, which are the same, and where they may be."""

from __future__ import annotations

import pytest

from recovery_batch.clock import zone_names
from recovery_batch.outreach.flows.numbers import FlowNumber, read_number, to_e164


def read(text: str) -> FlowNumber:
    number = read_number(text)
    assert number is not None
    assert number.e164 == to_e164(text)
    return number


@pytest.mark.parametrize("text", ["+573005550101", "+57 (300) 555-0101", " +57.300.555\u20110101"])
def test_a_number_goes_out_in_e164_however_it_is_written(text: str) -> None:
    assert read(text) == FlowNumber("+573005550101", read("+573005550101").key, ("America/Bogota",))


def test_a_trunk_prefix_does_not_go_out() -> None:
    assert read("+44 (0)20 7946 0018").e164 == "+442079460018"


def test_an_italian_zero_belongs_to_the_number() -> None:
    assert read("+390612345678").e164 == "+390612345678"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "n/a",
        "3005550101",
        "573005550101",
        "+57300555",
        "+57300555010199",
        "+999123456789",
        "+",
        "+1",
        "+5215512345678",
    ],
)
def test_what_could_not_exist_or_has_no_country_code_is_no_number(text: str) -> None:
    assert read_number(text) is None
    assert to_e164(text) is None


def test_numbers_of_one_telephone_have_one_key() -> None:
    assert read("+5511987654321").key == read("+551187654321").key, "a Brazilian mobile, with and without its 9"
    assert read("+573005550101").key != read("+573005550102").key
    assert read("+573005550101").key != read("+523005550101").key


@pytest.mark.parametrize(
    ("text", "zones"),
    [
        ("+12125550123", ("America/New_York",)),
        ("+34600000000", ("Atlantic/Canary", "Europe/Madrid")),
        ("+56912345678", ("America/Santiago",)),  # no operator's
        ("+551187654321", ("America/Manaus", "America/Noronha", "America/Rio_Branco", "America/Sao_Paulo")),
        ("+80012345678", ("UTC",)),
    ],
)
def test_a_number_is_where_its_prefix_is_else_where_its_country_is(text: str, zones: tuple[str, ...]) -> None:
    assert read(text).zones == zones


def test_every_zone_is_one_that_the_pinned_rules_know() -> None:
    from phonenumbers.tzdata import TIMEZONE_DATA

    assert {zone for zones in TIMEZONE_DATA.values() for zone in zones} <= zone_names()
