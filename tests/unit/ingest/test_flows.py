"""Abandoned flows: what loads, what could be submitted, and what is never shown or kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from recovery_batch.ingest.flows import check_flow, is_email
from tests.unit.ingest.flow_samples import (
    ABSENT,
    BOGOTA,
    LOADABLE,
    MOMENT,
    OPTIONAL,
    SOUND,
    SUBMITTABLE,
    changed,
    pointer,
    row,
    verdict,
)


def test_the_sound_flow_is_sound() -> None:
    assert verdict() == ([], [])


@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("path", LOADABLE)
def test_without_these_fields_nothing_loads(path: str, value: object) -> None:
    (fault,) = check_flow(changed((path, value)), UTC).faults
    assert (fault.reason, fault.pointer, fault.found) == ("missing", pointer(path), None)
    assert fault.expected.endswith(", not empty")
    assert fault.expected.startswith("a time such as" if "timestamp" in path else "one of ")


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
def test_without_a_session_there_is_one_fault(value: object) -> None:
    assert verdict(("session", value)) == ([("missing", "/session")], [])


def test_an_empty_session_lacks_all_three() -> None:
    assert verdict(("session", {}))[0] == [("missing", pointer(path)) for path in LOADABLE]


@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("path", SUBMITTABLE)
def test_without_these_fields_nothing_is_submitted(path: str, value: object) -> None:
    assert verdict((path, value)) == ([], [path])


@pytest.mark.parametrize("value", [ABSENT, None, {}], ids=["absent", "null", "empty"])
def test_without_a_customer_a_flow_loads_and_is_not_submittable(value: object) -> None:
    assert verdict(("customer", value)) == ([], SUBMITTABLE)


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize("path", OPTIONAL)
def test_without_these_fields_everything_is_well(path: str, value: object) -> None:
    assert verdict((path, value)) == ([], [])


@pytest.mark.parametrize("path", ["session.flow_stage", "session.platform", "engagement.preferred_channel"])
@pytest.mark.parametrize("word", ["fax", "WEB", "checkout ", "paypal", "auto\n"])
def test_words_that_are_not_known_are_faults(path: str, word: str) -> None:
    (fault,) = check_flow(changed((path, word)), UTC).faults
    name = path.rpartition(".")[2]
    assert (fault.reason, fault.pointer, fault.found) == (f"unknown_{name}", pointer(path), json.dumps(word))
    assert fault.expected.startswith("one of ")


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("customer.country_code", "Colombia", "unknown_country_code"),
        ("customer.country_code", "co", "unknown_country_code"),
        ("cart.currency", "pesos", "unknown_currency"),
        ("session.abandonment_timestamp", "31/12/2026", "not_a_time"),
        ("session.abandonment_timestamp", "2026-02-30T00:00:00Z", "not_a_time"),
        ("cart.total_value", -1, "bad_amount"),
        ("cart.items.1.price", Decimal("0.0000001"), "bad_amount"),
        ("cart.total_value", 10**18, "bad_amount"),
        ("cart.total_value", "249.90", "wrong_type"),
        ("cart.items.0.quantity", "2", "wrong_type"),
        ("cart.items.0.quantity", Decimal("2.0"), "wrong_type"),
        ("cart.items.0.quantity", True, "wrong_type"),
        ("cart.items.0.quantity", 2**63, "wrong_type"),
        ("session.abandonment_timestamp", 1789916400, "wrong_type"),
        ("session.session_id", 7, "wrong_type"),
        ("session.flow_stage", 1, "wrong_type"),
        ("customer.phone_number", 573005550101, "wrong_type"),
        ("customer.email", [], "wrong_type"),
        ("engagement.reason", {}, "wrong_type"),
        ("engagement.metadata", [{"key": "a", "value": "b"}], "wrong_type"),
    ],
)
def test_a_field_that_is_not_what_it_must_be_is_a_fault(path: str, value: object, reason: str) -> None:
    assert verdict((path, value)) == ([(reason, pointer(path))], [])


@pytest.mark.parametrize("wrong", [True, 1, "x", ["x"]], ids=["boolean", "number", "text", "array"])
@pytest.mark.parametrize("path", ["customer", "session", "cart", "engagement", "cart.items.0"])
def test_what_should_be_an_object_must_be_one(path: str, wrong: object) -> None:
    assert verdict((path, wrong))[0] == [("wrong_type", pointer(path))]


@pytest.mark.parametrize("value", [None, True, 1, "Lucía", [SOUND], []])
def test_a_record_must_be_an_object(value: object) -> None:
    (fault,) = check_flow(value, UTC).faults
    assert (fault.reason, fault.pointer) == ("wrong_type", "")
    assert "Lucía" not in str(fault)


def test_all_faults_are_found_at_once() -> None:
    faults, _ = verdict(("session.platform", "tv"), ("cart.items.0.price", "1"), ("customer.email", 1))
    assert [place for _, place in faults] == ["/customer/email", "/session/platform", "/cart/items/0/price"]


# phones and e-mail addresses


@pytest.mark.parametrize("phone", ["+573005550101", "+57.300.555.0101", "(+57) 300-555-0101", " +57\u00a03005550101 "])
def test_a_number_is_one_however_it_is_spaced(phone: str) -> None:
    assert verdict(("customer.phone_number", phone)) == ([], [])
    assert row(("customer.phone_number", phone))["phone_number"] == phone


@pytest.mark.parametrize(
    "phone",
    ["3005550101", "0057 300 555 0101", "+57 300 555 010x", "+0 300 555 0101", "n/a", " ", "+1", "+" + "1" * 16],
)
def test_a_number_that_is_none_of_e164_loads_and_is_not_submittable(phone: str) -> None:
    assert verdict(("customer.phone_number", phone)) == ([], ["customer.phone_number"])


@pytest.mark.parametrize(
    ("email", "valid"),
    [
        ("lucia.prado@example.com", True),
        ("nobody", False),
        ("a@b", False),
        (" a@b.co", False),
        ("", None),
        ("  ", None),
        (None, None),
        (ABSENT, None),
    ],
)
def test_an_address_that_is_none_is_noted_and_keeps_nothing_back(email: object, valid: bool | None) -> None:
    assert verdict(("customer.email", email)) == ([], [])
    assert row(("customer.email", email))["email_valid"] is valid
    assert is_email(str(email)) is (valid is True)


# times


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-09-20T15:00:00Z", MOMENT),
        ("2026-09-20T15:00:00.25Z", MOMENT.replace(microsecond=250_000)),
        ("2026-09-20T10:00:00-05:00", MOMENT),
        ("2026-09-20 10:00:00", MOMENT),
        ("2026-09-20T10:00:00", MOMENT),
    ],
)
def test_a_time_without_a_zone_is_read_in_that_of_the_load(text: str, moment: datetime) -> None:
    checked = check_flow(changed(("session.abandonment_timestamp", text)), BOGOTA)
    assert checked.session["abandonment_timestamp"] == moment
    assert checked.session["abandonment_timestamp"].tzinfo is UTC
