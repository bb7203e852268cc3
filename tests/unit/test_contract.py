"""The request body: what its fields are, which are mandatory, and what the models let through."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from recovery_batch import assets
from recovery_batch.contract.declined import LOADABLE, Card, CustomerPayer, Element, Payment, Request, Transaction
from recovery_batch.contract.fields import Form, documented, mandatory_paths
from tests.unit.ingest.samples import ORGANIZATION

# The public document: fields in its order; those it marks as mandatory; those that are no texts.
DOCUMENTED: dict[type[BaseModel], tuple[str, str, dict[str, Form]]] = {
    Request: ("organization_code external_data", "organization_code external_data", {"external_data": Form.SHAPES}),
    Element: (
        "payment transactions customer_payer",
        "payment customer_payer",
        {"payment": Form.SHAPE, "transactions": Form.SHAPES, "customer_payer": Form.SHAPE},
    ),
    Payment: (
        "organization_code id code order_id country status sub_status description amount_value currency_code "
        "reject_reason additional_data created_at",
        "organization_code id order_id country status description amount_value currency_code reject_reason",
        {"amount_value": Form.NUMBER, "additional_data": Form.OBJECT},
    ),
    Transaction: (
        "id card code type amount status provider category payment_method_type description reject_reason "
        "additional_data created_at",
        "id amount status payment_method_type description",
        {"card": Form.SHAPE, "amount": Form.NUMBER, "additional_data": Form.OBJECT},
    ),
    Card: (
        "id card_iin card_lfd card_type issuer_name transaction_id card_expiration_year card_expiration_month",
        "",
        dict.fromkeys(("id", "transaction_id", "card_expiration_year", "card_expiration_month"), Form.INTEGER),
    ),
    CustomerPayer: (
        "name phone_number phone_country_code additional_data",
        "name phone_number phone_country_code",
        {"additional_data": Form.OBJECT},
    ),
}
SCHEMA = Request.model_json_schema()


def body(**changes: Any) -> dict[str, Any]:
    """A body that is accepted; a change is a dotted path below its only element."""
    made: dict[str, Any] = {
        "organization_code": ORGANIZATION,
        "external_data": [
            {
                "payment": {
                    "organization_code": ORGANIZATION,
                    "id": "1",
                    "order_id": "o",
                    "country": "CO",
                    "status": "DECLINED",
                    "description": "",
                    "amount_value": Decimal("10.00"),
                    "currency_code": "COP",
                    "reject_reason": "",
                },
                "transactions": [],
                "customer_payer": {"name": "A", "phone_number": "3005550101", "phone_country_code": "57"},
            }
        ],
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        holder = made["external_data"][0]
        for step in way:
            holder = holder[step]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
    return made


def is_accepted(made: dict[str, Any]) -> bool:
    """Whether the models take a body; the JSON Schema made of them says the same."""
    try:
        Request.model_validate(deepcopy(made))
        accepted = True
    except ValidationError:
        accepted = False
    text = json.dumps(made, default=float)
    if r"\n" not in text:  # Python's `$` matches before a last line end, that of JSON Schema does not
        assert Draft202012Validator(SCHEMA).is_valid(json.loads(text)) == accepted
    return accepted


@pytest.mark.parametrize("model", DOCUMENTED, ids=lambda model: model.__name__)
def test_the_fields_are_those_of_the_document(model: type[BaseModel]) -> None:
    names, mandatory, forms = DOCUMENTED[model]
    fields = documented(model)
    assert [field.name for field in fields] == names.split()
    assert sorted(mandatory_paths(model)) == sorted(mandatory.split())
    assert {field.name: field.form for field in fields if field.form is not Form.STRING} == forms


def test_what_is_read_off_a_field() -> None:
    fields = {field.name: field for model in (Payment, Transaction, Card, CustomerPayer) for field in documented(model)}
    assert [name for name, field in fields.items() if field.is_time] == ["created_at"]
    assert [name for name, field in fields.items() if field.digits_only] == ["phone_number", "phone_country_code"]
    assert [name for name, field in fields.items() if field.meaning] == ["country", "currency_code"]
    assert fields["card"].shape is Card
    assert not fields["amount_value"].empty_counts
    assert {field.name for field in documented(Payment) if field.mandatory and field.empty_counts} == {
        "description",
        "reject_reason",
    }
    restricted = {"country", "currency_code", "created_at", "card_iin", "card_lfd"}
    texts = {name for name, field in fields.items() if field.form is Form.STRING}
    assert {name for name, field in fields.items() if field.is_free} == texts - restricted


def test_what_is_loadable_is_mandatory() -> None:
    assert set(mandatory_paths(Payment)) > LOADABLE


@pytest.mark.parametrize("name", ["seed_minimal.json", "seed_detailed.json"])
def test_the_examples_of_the_document_are_accepted(name: str) -> None:
    example = json.loads(assets.path("fixtures", "exports", name).read_text(encoding="utf-8"), parse_float=Decimal)
    if "external_data" not in example:
        example = {"organization_code": example["payment"]["organization_code"], "external_data": [example]}
    assert is_accepted(example)


def test_the_sound_body_is_accepted() -> None:
    assert is_accepted(body())


@pytest.mark.parametrize(
    "changes",
    [
        {"payment__amount_value": Decimal("0")},
        {"payment__amount_value": Decimal("999999999999.99")},
        {"payment__additional_data": {"a": [None]}},
        {"payment__created_at": "2026-09-20 15:00:00"},
        {"transactions": None},
        {
            "transactions": [
                {"id": "t", "amount": Decimal(1), "status": "s", "payment_method_type": "m", "description": ""}
            ]
        },
        {"customer_payer__phone_number": "1234"},
        {"customer_payer__phone_country_code": "1"},
    ],
)
def test_what_is_accepted(changes: dict[str, Any]) -> None:
    assert is_accepted(body(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        *({f"payment__{name}": None} for name in DOCUMENTED[Payment][1].split()),
        *({f"customer_payer__{name}": None} for name in DOCUMENTED[CustomerPayer][1].split()),
        *({f"payment__{name}": ""} for name in ("id", "order_id", "organization_code", "status")),
        {"payment": None},
        {"customer_payer": None},
        {"payment__undocumented": 1},
        {"also": 1},
        {"payment__amount_value": Decimal("-0.01")},
        {"payment__amount_value": "10.00"},
        {"payment__country": "co"},
        {"payment__country": "COL"},
        {"payment__country": "CO\n"},
        {"payment__currency_code": "pesos"},
        {"payment__created_at": "2026-09-20T15:00:00"},
        {"payment__created_at": "2026-09-20 15:00:00Z"},
        {"payment__additional_data": []},
        {"payment__id": 1},
        {"transactions": {}},
        {"transactions": [{"id": "t"}]},
        {"customer_payer__phone_number": "+573005550101"},
        {"customer_payer__phone_number": "123"},
        {"customer_payer__phone_number": "1234567890123456"},
        {"customer_payer__phone_country_code": "57 "},
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    assert not is_accepted(body(**changes))


@pytest.mark.parametrize(
    ("card", "accepted"),
    [
        ({}, True),
        ({"id": 1, "card_iin": "41111111", "card_lfd": "1111", "card_expiration_year": 2030}, True),
        ({"card_iin": ""}, True),
        ({"card_iin": "411111222"}, False),
        ({"card_iin": "4111 11"}, False),
        ({"card_lfd": "11111"}, False),
        ({"id": "1"}, False),
        ({"number": "4"}, False),
    ],
)
def test_cards(card: dict[str, Any], accepted: bool) -> None:
    transaction = {"id": "t", "amount": Decimal(1), "status": "s", "payment_method_type": "m", "description": "d"}
    assert is_accepted(body(transactions=[{**transaction, "card": card}])) == accepted


def test_a_request_has_payments() -> None:
    assert not is_accepted({"organization_code": ORGANIZATION, "external_data": []})
    assert not is_accepted({"organization_code": "", "external_data": body()["external_data"]})
    assert not is_accepted({"external_data": body()["external_data"]})
