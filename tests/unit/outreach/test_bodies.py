"""One element of a body: documented fields with a value, digits as they were, times in UTC, phones as digits."""

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.outreach.bodies import element
from tests.e2e.exports import element as source
from tests.e2e.exports import encoded

MOMENT = datetime(2026, 10, 1, 12, 30, 5, tzinfo=UTC)
TRANSACTION = {"id": "t", "amount": Decimal("9.90"), "status": "S", "payment_method_type": "CARD", "description": ""}


def made(record: dict[str, Any], created: datetime | None = MOMENT, *times: datetime | None) -> dict[str, Any]:
    value: dict[str, Any] = json.loads(element(encoded(record).decode(), created, times), parse_float=Decimal)
    return value


def with_transactions(*transactions: dict[str, Any]) -> dict[str, Any]:
    return source("p") | {"transactions": list(transactions)}


def test_documented_fields_go_out_and_nothing_else() -> None:
    record = source("p", internal=1, metadata={"user_id": "u"}) | {"extra": 1}
    record["customer_payer"]["document"] = "x"
    value = made(record)
    assert value == source("p", created_at="2026-10-01 12:30:05")
    assert list(value) == ["payment", "customer_payer"]


def test_nulls_are_left_out_and_empty_texts_are_not() -> None:
    one = TRANSACTION | {"provider": None, "category": "", "card": {"card_iin": None, "id": 5}, "additional_data": None}
    value = made(with_transactions(one), None, None)
    assert value["transactions"] == [TRANSACTION | {"category": "", "card": {"id": 5}}]
    assert "created_at" not in value["payment"]
    nothing = source("p") | {"transactions": None}
    assert "transactions" not in made(nothing)
    assert made(with_transactions())["transactions"] == []


@pytest.mark.parametrize("digits", ["10.00", "0.10", "999999999999.99", "1E+3", "0", "7", "123456789012345678.123456"])
def test_amounts_keep_the_digits_of_the_source(digits: str) -> None:
    record = encoded(source("p", amount_value=0)).decode().replace('"amount_value":0', f'"amount_value":{digits}')
    assert f'"amount_value":{digits},'.encode() in element(record, None, [])


def test_additional_data_stays_as_it_was() -> None:
    nested = '{"a":[1,2.50,null,{"b":"é\\u0001","c":true}],"d":1e400,"e":{}}'
    record = encoded(source("p", additional_data={"x": 0})).decode().replace('{"x":0}', nested)
    assert b'{"a":[1,2.50,null,{"b":"\xc3\xa9\\u0001","c":true}],"d":1E+400,"e":{}}' in element(record, None, [])


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (MOMENT, "2026-10-01 12:30:05"),
        (MOMENT.replace(microsecond=999_999), "2026-10-01 12:30:05"),
        (MOMENT.astimezone(timezone(timedelta(hours=-5))), "2026-10-01 12:30:05"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01 00:00:00"),
        (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC), "9999-12-31 23:59:59"),
    ],
)
def test_times_go_out_in_utc(moment: datetime, text: str) -> None:
    value = made(with_transactions(TRANSACTION | {"created_at": "as it was"}, TRANSACTION), moment, moment, None)
    assert value["payment"]["created_at"] == text
    assert [each.get("created_at") for each in value["transactions"]] == [text, None]


def test_phones_go_out_as_digits() -> None:
    record = source("p")
    record["customer_payer"] |= {"phone_number": "(310) 123-4567 ", "phone_country_code": "+57"}
    payer = made(record)["customer_payer"]
    assert (payer["phone_number"], payer["phone_country_code"]) == ("3101234567", "57")


def test_a_record_that_the_contract_would_refuse_is_a_bug_told_without_its_values() -> None:
    record = source("p", order_id=None)
    record["customer_payer"]["phone_number"] = "12"
    with pytest.raises(ValueError, match="the contract would refuse") as caught:
        made(record)
    assert str(caught.value) == "payment p: the contract would refuse payment.order_id, customer_payer.phone_number"


def test_transactions_and_their_times_must_be_as_many() -> None:
    with pytest.raises(ValueError, match="zip"):
        made(with_transactions(TRANSACTION), MOMENT, MOMENT, MOMENT)


def test_of_a_key_that_stands_twice_the_first_counts() -> None:
    text = encoded(source("p", additional_data={"x": 0})).decode()
    text = text.replace('"description":', '"description":"first","description":', 1).replace('{"x":0}', '{"x":1,"x":2}')
    value = json.loads(element(text, None, []))
    assert (value["payment"]["description"], value["payment"]["additional_data"]) == ("first", {"x": 1})


def test_a_number_beyond_all_bounds_goes_out_as_it_is_spelled() -> None:
    text = encoded(source("p", additional_data={"x": 0})).decode().replace('{"x":0}', '{"x":1e-99999999999999999999}')
    assert b'{"x":1e-99999999999999999999}' in element(text, None, [])


def test_a_record_that_is_none_is_a_bug() -> None:
    with pytest.raises(ValueError, match="cannot be read: not_json"):
        element('{"payment":', None, [])
