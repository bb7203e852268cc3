"""What is loadable, and what is submittable: field by field, as the public document marks them."""

from __future__ import annotations

from copy import deepcopy
from datetime import UTC
from typing import Any

import pytest

from recovery_batch.ingest.checking import check_record
from tests.unit.ingest.samples import ORGANIZATION, Loads, Record, as_json, as_lines, as_request, counted, record

SOUND: Record = {
    "payment": {
        "organization_code": ORGANIZATION,
        "id": "p1",
        "code": "c",
        "order_id": "o",
        "country": "CO",
        "status": "DECLINED",
        "sub_status": "s",
        "description": "d",
        "amount_value": 1,
        "currency_code": "COP",
        "reject_reason": "r",
        "additional_data": {"a": None},
        "created_at": "2026-09-20 15:00:00",
    },
    "transactions": [
        {
            "id": "t1",
            "card": {
                "id": 1,
                "card_iin": "411111",
                "card_lfd": "1111",
                "card_type": "CREDIT",
                "issuer_name": "BANCO",
                "transaction_id": 2,
                "card_expiration_year": 2030,
                "card_expiration_month": 1,
            },
            "code": "c",
            "type": "PURCHASE",
            "amount": 1,
            "status": "DECLINED",
            "provider": "STRIPE",
            "category": "CARD",
            "payment_method_type": "CARD",
            "description": "d",
            "reject_reason": "r",
            "additional_data": {},
            "created_at": "2026-09-20 15:00:00",
        }
    ],
    "customer_payer": {
        "name": "Ana",
        "phone_number": "3005550101",
        "phone_country_code": "57",
        "additional_data": {"email": "ana@example.com"},
    },
}
ABSENT = object()

LOADABLE = {
    f"payment.{name}" for name in ("organization_code", "id", "country", "status", "amount_value", "currency_code")
}
SUBMITTABLE = (
    {f"payment.{name}" for name in ("order_id", "description", "reject_reason")}
    | {f"transactions.0.{name}" for name in ("id", "amount", "status", "payment_method_type", "description")}
    | {f"customer_payer.{name}" for name in ("name", "phone_number", "phone_country_code")}
)
MAY_BE_EMPTY = {"payment.description", "payment.reject_reason", "transactions.0.description"}
TIMES = {"payment.created_at", "transactions.0.created_at"}


def every_field(value: Any, path: str = "") -> list[str]:
    """The dotted path of every documented field that is no object or array of them."""
    if path.endswith("additional_data") or not isinstance(value, dict | list):
        return [path]
    pairs = value.items() if isinstance(value, dict) else enumerate(value)
    return [found for key, inner in pairs for found in every_field(inner, f"{path}.{key}" if path else str(key))]


def eval_path(value: Any, path: str) -> Any:
    """What stands at a dotted path."""
    for step in path.split("."):
        value = value[int(step)] if isinstance(value, list) else value[step]
    return value


FIELDS = every_field(SOUND)
OPTIONAL = sorted(set(FIELDS) - LOADABLE - SUBMITTABLE)


def changed(path: str, value: Any) -> Record:
    """The sound record with one field changed, or taken away."""
    made = deepcopy(SOUND)
    *way, last = path.split(".")
    holder: Any = made
    for step in way:
        holder = holder[int(step)] if isinstance(holder, list) else holder[step]
    if value is ABSENT:
        del holder[last]
    else:
        holder[last] = value
    return made


def verdict(made: Record) -> tuple[list[str], list[str]]:
    """Pointers of the faults, and fields that keep the record from being submitted."""
    checked = check_record(made, UTC)
    return [fault.pointer for fault in checked.faults], checked.unfit


def pointer(path: str) -> str:
    return "/" + path.replace(".", "/")


def test_there_are_as_many_fields_as_the_document_lists() -> None:
    assert (len(FIELDS), len(LOADABLE | SUBMITTABLE), len(OPTIONAL)) == (37, 17, 20)


def test_the_sound_record_is_sound() -> None:
    assert verdict(SOUND) == ([], [])


@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("path", sorted(LOADABLE))
def test_without_these_fields_nothing_loads(path: str, value: object) -> None:
    checked = check_record(changed(path, value), UTC)
    assert [(fault.reason, fault.pointer, fault.found) for fault in checked.faults] == [
        ("missing", pointer(path), None)
    ]
    assert "not empty" in checked.faults[0].expected


@pytest.mark.parametrize("value", [ABSENT, None, ""], ids=["absent", "null", "empty"])
@pytest.mark.parametrize("path", sorted(SUBMITTABLE))
def test_without_these_fields_nothing_is_submitted(path: str, value: object) -> None:
    is_there = value == "" and path in MAY_BE_EMPTY
    assert verdict(changed(path, value)) == ([], [] if is_there else [path])


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
@pytest.mark.parametrize("path", OPTIONAL)
def test_without_these_fields_everything_is_well(path: str, value: object) -> None:
    assert verdict(changed(path, value)) == ([], [])


@pytest.mark.parametrize("path", [path for path in OPTIONAL if path not in TIMES and "additional" not in path])
def test_an_empty_text_in_an_optional_field_is_a_text(path: str) -> None:
    is_text = isinstance(eval_path(SOUND, path), str)
    assert verdict(changed(path, "")) == ([] if is_text else [pointer(path)], [])


WRONG: tuple[object, ...] = (True, 1, "1", {}, [])


@pytest.mark.parametrize(
    ("path", "wrong"),
    [(path, wrong) for path in FIELDS for wrong in WRONG if type(wrong) is not type(eval_path(SOUND, path))],
)
def test_a_field_of_another_type_is_a_fault(path: str, wrong: object) -> None:
    assert verdict(changed(path, wrong))[0] == [pointer(path)]


@pytest.mark.parametrize("wrong", [True, 1, "x", []], ids=["boolean", "number", "text", "array"])
@pytest.mark.parametrize("path", ["payment", "customer_payer", "transactions.0.card"])
def test_what_should_be_an_object_must_be_one(path: str, wrong: object) -> None:
    assert verdict(changed(path, wrong))[0] == [pointer(path)]


@pytest.mark.parametrize("wrong", [True, 1, "x", {}], ids=["boolean", "number", "text", "object"])
def test_transactions_must_be_an_array(wrong: object) -> None:
    assert verdict(changed("transactions", wrong))[0] == ["/transactions"]
    assert verdict(changed("transactions", [wrong] if wrong != {} else [[]]))[0] == ["/transactions/0"]


@pytest.mark.parametrize("value", [ABSENT, None, []], ids=["absent", "null", "none"])
def test_there_need_be_no_transactions(value: object) -> None:
    assert verdict(changed("transactions", value)) == ([], [])


@pytest.mark.parametrize("value", [ABSENT, None, {}], ids=["absent", "null", "empty"])
def test_without_a_payer_a_record_loads_and_is_not_submittable(value: object) -> None:
    wanted = ["customer_payer.name", "customer_payer.phone_number", "customer_payer.phone_country_code"]
    assert verdict(changed("customer_payer", value)) == ([], wanted)


@pytest.mark.parametrize("value", [ABSENT, None], ids=["absent", "null"])
def test_without_a_payment_there_is_one_fault(value: object) -> None:
    assert verdict(changed("payment", value))[0] == ["/payment"]


def test_without_a_card_everything_is_well() -> None:
    assert verdict(changed("transactions.0.card", None)) == verdict(changed("transactions.0.card", {})) == ([], [])


@pytest.mark.parametrize("country", ["CO", "MX", "NO", "GB", "XX", "co", "COL", "C", "170", "C0", " CO", "CO\n", "UK"])
def test_countries_are_codes_of_iso_3166(country: str) -> None:
    is_one = country in {"CO", "MX", "NO", "GB"}
    assert verdict(changed("payment.country", country))[0] == ([] if is_one else ["/payment/country"])


@pytest.mark.parametrize(
    "currency", ["COP", "USD", "CLF", "VEF", "DEM", "ZZZ", "cop", "CO", "COPS", "170", "COP ", "€"]
)
def test_currencies_are_codes_of_iso_4217_withdrawn_ones_too(currency: str) -> None:
    is_one = currency in {"COP", "USD", "CLF", "VEF", "DEM"}
    assert verdict(changed("payment.currency_code", currency))[0] == ([] if is_one else ["/payment/currency_code"])


@pytest.mark.parametrize(("path", "value"), [("card_lfd", "11111"), ("card_lfd", "x"), ("card_iin", "4111 11")])
def test_what_a_request_would_refuse_is_not_submittable(path: str, value: str) -> None:
    assert verdict(changed(f"transactions.0.card.{path}", value)) == ([], [f"transactions.0.card.{path}"])


def test_all_faults_are_found_at_once() -> None:
    made = changed("payment.country", "Colombia")
    made["payment"]["amount_value"] = "1"
    made["transactions"][0]["card"]["id"] = "1"
    made["customer_payer"] = []
    pointers = ["/payment/country", "/payment/amount_value", "/transactions/0/card/id", "/customer_payer"]
    assert verdict(made)[0] == pointers


def test_what_stood_in_a_personal_field_is_not_shown() -> None:
    (fault,) = check_record(changed("customer_payer.phone_number", 3005550101), UTC).faults
    assert (fault.pointer, fault.found) == ("/customer_payer/phone_number", "a number")


def test_a_long_value_is_shown_cut() -> None:
    (fault,) = check_record(changed("payment.country", "x" * 5000), UTC).faults
    assert fault.found is not None
    assert len(fault.found) < 120
    assert "5002 characters" in fault.found


@pytest.mark.parametrize(
    ("root", "is_fault"),
    [
        (ORGANIZATION, False),
        (None, False),
        ("", False),
        ("another", True),
        (5, True),
        ([], True),
        ({}, True),
        (False, True),
    ],
)
def test_the_organization_of_a_request_is_that_of_its_payments(root: object, is_fault: bool) -> None:
    faults = check_record(SOUND, UTC, root).faults
    assert [fault.pointer for fault in faults] == (["/payment/organization_code"] if is_fault else [])
    assert all(fault.found == f'"{ORGANIZATION}"' for fault in faults)


def test_the_organization_of_a_request_does_not_stand_in_for_that_of_a_payment(loads: Loads) -> None:
    report = loads.load(as_json(as_request(record(organization_code=None), record("p2"))))
    assert counted(report) == {"records": 2, "inserted": 1, "quarantined": 1}
    assert loads.rejects("reason", "pointer") == [("missing", "/payment/organization_code")]


def test_payments_of_any_status_load(loads: Loads) -> None:
    statuses = ["DECLINED", "SUCCEEDED", "approved", "Ein Status", "0"]
    loads.load(as_lines(record(f"p{n}", status=status) for n, status in enumerate(statuses)))
    assert [s for (s,) in loads.query("SELECT status FROM payments ORDER BY payment_id")] == statuses


def test_the_record_is_kept_as_it_came(loads: Loads) -> None:
    made = changed("payment.undocumented", {"deep": [1, {"x": None}], "text": 'ñ " \\ \n \u0000'})
    made["also"] = {"not": "documented"}
    made["transactions"][0]["response_code"] = "05"
    content = as_json(made)
    loads.load(content)
    assert loads.one("record", "records") == content.decode()
