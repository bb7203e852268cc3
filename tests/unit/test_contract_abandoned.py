"""The request body of abandoned flows: its fields, what is mandatory, and what the models let through."""

from __future__ import annotations

import json
from copy import deepcopy
from decimal import Decimal
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from pydantic import BaseModel, ValidationError

from recovery_batch.contract.abandoned import (
    DEFAULT_CHANNEL,
    FLOW_LOADABLE,
    AbandonedFlow,
    Cart,
    CartItem,
    Customer,
    Engagement,
    Session,
    clean_phone,
)
from recovery_batch.contract.fields import Documented, Form, documented, mandatory_paths

# The public document: fields in its order; those it marks as mandatory; those that are no texts.
DOCUMENTED: dict[type[BaseModel], tuple[str, str, dict[str, Form]]] = {
    AbandonedFlow: (
        "customer session cart engagement",
        "customer session",
        dict.fromkeys(("customer", "session", "cart", "engagement"), Form.SHAPE),
    ),
    Customer: ("full_name phone_number email country_code language", "full_name phone_number country_code", {}),
    Session: (
        "abandonment_timestamp flow_stage platform session_id",
        "abandonment_timestamp flow_stage platform",
        {},
    ),
    Cart: ("total_value currency items", "", {"total_value": Form.NUMBER, "items": Form.SHAPES}),
    CartItem: ("name sku quantity price", "", {"quantity": Form.INTEGER, "price": Form.NUMBER}),
    Engagement: ("preferred_channel reason metadata", "", {"metadata": Form.OBJECT}),
}
SCHEMA = AbandonedFlow.model_json_schema()
WORDS = {
    "session__flow_stage": ("product_selection", "cart_review", "checkout", "payment"),
    "session__platform": ("web", "ios", "android"),
    "engagement__preferred_channel": ("call", "whatsapp", "auto"),
}


def body(**changes: Any) -> dict[str, Any]:
    """A body that is accepted, with every field; a change is a path, None takes the field away."""
    made: dict[str, Any] = {
        "customer": {
            "full_name": "Lucía Prado",
            "phone_number": "+573005550101",
            "email": "lucia.prado@example.com",
            "country_code": "CO",
            "language": "es",
        },
        "session": {
            "abandonment_timestamp": "2026-09-20T15:00:00Z",
            "flow_stage": "checkout",
            "platform": "web",
            "session_id": "sess-1",
        },
        "cart": {
            "total_value": Decimal("249.90"),
            "currency": "USD",
            "items": [{"name": "Lamp", "sku": "L-1", "quantity": 1, "price": Decimal("249.90")}],
        },
        "engagement": {"preferred_channel": "whatsapp", "reason": "left", "metadata": {"utm": ["a", None]}},
    }
    for path, value in changes.items():
        *way, last = path.split("__")
        holder: Any = made
        for step in way:
            holder = holder[int(step)] if isinstance(holder, list) else holder[step]
        if value is None:
            del holder[last]
        else:
            holder[last] = value
    return made


def is_accepted(made: dict[str, Any]) -> bool:
    """Whether the models take a body; the JSON Schema made of them says the same."""
    try:
        AbandonedFlow.model_validate(deepcopy(made))
        accepted = True
    except ValidationError:
        accepted = False
    text = json.dumps(made, default=float)
    if r"\n" not in text:  # Python's `$` matches before a last line end, that of JSON Schema does not
        assert Draft202012Validator(SCHEMA).is_valid(json.loads(text)) == accepted
    return accepted


def field(model: type[BaseModel], name: str) -> Documented:
    """One documented field."""
    (each,) = (each for each in documented(model) if each.name == name)
    return each


@pytest.mark.parametrize("model", DOCUMENTED, ids=lambda model: model.__name__)
def test_the_fields_are_those_of_the_document(model: type[BaseModel]) -> None:
    names, mandatory, forms = DOCUMENTED[model]
    fields = documented(model)
    assert [field.name for field in fields] == names.split()
    assert sorted(mandatory_paths(model)) == sorted(mandatory.split())
    assert {field.name: field.form for field in fields if field.form is not Form.STRING} == forms


def test_what_is_read_off_a_field() -> None:
    fields = {field.name: field for model in DOCUMENTED for field in documented(model)}
    assert [name for name, each in fields.items() if each.is_time] == ["abandonment_timestamp"]
    assert [name for name, each in fields.items() if each.clean] == ["phone_number"]
    assert [name for name, each in fields.items() if each.left_out] == ["email"]
    worded = ["country_code", "flow_stage", "platform", "currency", "preferred_channel"]
    assert [name for name, each in fields.items() if each.meaning] == worded
    free = ["full_name", "language", "session_id", "name", "sku", "reason"]
    assert [name for name, each in fields.items() if each.is_free] == free
    assert not any(each.empty_counts for each in fields.values() if each.mandatory and each.form is Form.STRING)
    assert fields["items"].shape is CartItem


def test_what_is_loadable_is_what_the_document_wants_of_a_session() -> None:
    assert set(mandatory_paths(Session)) == FLOW_LOADABLE


@pytest.mark.parametrize("path", WORDS)
def test_words_are_those_of_the_document(path: str) -> None:
    part, name = path.split("__")
    meaning = field(Session if part == "session" else Engagement, name).meaning
    assert meaning is not None
    for word in WORDS[path]:
        assert is_accepted(body(**{path: word}))
        assert meaning.holds(word)
        assert word in meaning.allowed
    for word in ("", "Web", "web ", "sms"):
        assert not is_accepted(body(**{path: word}))
        assert not meaning.holds(word)
    others: tuple[object, ...] = (1, True, [], {})
    assert not any(is_accepted(body(**{path: other})) for other in others)


def test_without_a_channel_it_is_auto() -> None:
    assert DEFAULT_CHANNEL == "auto"
    assert Engagement().preferred_channel == DEFAULT_CHANNEL
    assert SCHEMA["$defs"]["Engagement"]["properties"]["preferred_channel"]["default"] == DEFAULT_CHANNEL


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"cart": None, "engagement": None},
        {"cart": {}, "engagement": {}},
        {"customer__email": None, "customer__language": None, "session__session_id": None},
        {"cart__items": []},
        {"cart__items": [{}]},
        {"cart__total_value": Decimal(0)},
        {"cart__total_value": Decimal("999999999999999999.999999")},
        {"customer__phone_number": "+12"},
        {"customer__phone_number": "+123456789012345"},
        {"customer__email": "a@b.co"},
        {"customer__email": "o'neil+x=1@sub.example.com"},
        {"customer__email": "ñ@dominio.españa"},
        {"session__abandonment_timestamp": "2026-09-20T15:00:00.123456Z"},
        {"cart__items__0__quantity": 0},
    ],
)
def test_what_is_accepted(changes: dict[str, Any]) -> None:
    assert is_accepted(body(**changes))


@pytest.mark.parametrize(
    "changes",
    [
        {"customer": None},
        {"session": None},
        *({f"customer__{name}": None} for name in DOCUMENTED[Customer][1].split()),
        *({f"session__{name}": None} for name in DOCUMENTED[Session][1].split()),
        *({f"customer__{name}": ""} for name in DOCUMENTED[Customer][1].split()),
        {"also": 1},
        {"customer__also": 1},
        {"cart__items__0__also": 1},
        {"customer__country_code": "co"},
        {"customer__country_code": "COL"},
        {"cart__currency": "usd"},
        {"cart__total_value": Decimal("-0.01")},
        {"cart__total_value": "249.90"},
        {"cart__items": {}},
        {"cart__items__0__quantity": "1"},
        {"cart__items__0__quantity": Decimal("1.5")},
        {"cart__items__0__price": "1"},
        {"engagement__metadata": []},
        *({"session__abandonment_timestamp": f"2026-09-20{rest}"} for rest in ("", " 15:00:00", "T15:00:00")),
        {"session__abandonment_timestamp": "2026-09-20T15:00:00-05:00"},
        {"session__abandonment_timestamp": "2026-09-20T15:00:00Z\n"},
        *(
            {"customer__phone_number": number}
            for number in (
                "573005550101",
                "+573005550101\n",
                "+57 300 555 0101",
                "+0573005550101",
                "+1",
                "+1234567890123456",
                "+٥٧٣٠٠٥٥٥٠١٠١",
                573005550101,
            )
        ),
        *(
            {"customer__email": email}
            for email in ("", "a", "a@b", "@b.co", "a@", "a@b.", "a@.co", "a@b..co", "a b@c.co", "a@b@c.co", " a@b.co")
        ),
        {"customer__email": "Ana <a@b.co>"},
        {"customer__email": "<a@b.co>"},
        {"customer__email": "a@b.co,c"},
        {"customer__email": "mailto:a@b.co"},
        {"customer__email": "a@b.co\n"},
    ],
)
def test_what_is_refused(changes: dict[str, Any]) -> None:
    assert not is_accepted(body(**changes))


@pytest.mark.parametrize(
    "spelled",
    [
        "+57 300 555 0101",
        "+57-300-555-0101",
        "+57.300.555.0101",
        "(+57) 300 [555] 0101",
        " +57\u00a0300\u2013555\u20110101\t",
        "\u202a+573005550101\u202c",
        "\ufeff+57\u200b3005550101",
    ],
)
def test_a_phone_number_goes_out_without_what_stands_between_its_digits(spelled: str) -> None:
    assert clean_phone(spelled) == "+573005550101"
    assert field(Customer, "phone_number").allows(spelled)


@pytest.mark.parametrize("spelled", ["", "+57 300x555", "0057 3005550101", "3005550101", "+57/3005550101", "n/a"])
def test_what_is_no_such_number_stays_none(spelled: str) -> None:
    assert not field(Customer, "phone_number").allows(spelled)
