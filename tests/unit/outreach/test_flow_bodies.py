"""One abandoned flow as a request body: documented fields with a value, digits as they were, what is none left out."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.outreach.flows.bodies import FlowBody, flow_body
from tests.unit.ingest.flow_samples import ABSENT, ENCODE, SOUND, changed
from tests.unit.ingest.samples import Record

LEFT = datetime(2026, 9, 20, 15, tzinfo=UTC)
E164 = "+573005550101"


def made(record: Record, channel: str = "auto", moment: datetime = LEFT) -> FlowBody:
    return flow_body(ENCODE(record).decode(), "flow s:sess-1", moment, E164, channel)


def body(record: Record, channel: str = "auto", moment: datetime = LEFT) -> Any:
    return json.loads(made(record, channel, moment).line, parse_float=Decimal)


def test_documented_fields_go_out_and_nothing_else() -> None:
    record = changed(("customer.also", 1), ("session.also", 1), ("cart.also", 1), ("cart.items.0.also", 1), ("also", 1))
    sent = changed(("customer.phone_number", E164))
    assert body(record) == sent
    assert list(body(record)) == list(SOUND)


def test_nulls_are_left_out() -> None:
    record = changed(
        ("customer.language", None),
        ("session.session_id", None),
        ("cart.items.0.sku", None),
        ("cart.total_value", None),
        ("engagement.metadata", None),
    )
    sent = body(record)
    assert sent["customer"].keys() == {"full_name", "phone_number", "email", "country_code"}
    assert "session_id" not in sent["session"]
    assert sent["cart"].keys() == {"currency", "items"}
    assert sent["cart"]["items"][0].keys() == {"name", "quantity", "price"}
    assert sent["engagement"] == {"preferred_channel": "whatsapp", "reason": "left"}
    assert body(changed(("cart", None), ("engagement", None))).keys() == {"customer", "session"}


@pytest.mark.parametrize(
    ("email", "goes_out", "counted"),
    [
        ("ana@example.com", True, False),
        ("none", False, True),
        ("ana@example", False, True),
        ("  ", False, False),
        ("", False, False),
        (None, False, False),
        (ABSENT, False, False),
    ],
)
def test_an_email_that_is_none_is_left_out_and_counted(email: object, goes_out: bool, counted: bool) -> None:
    flow = made(changed(("customer.email", email)))
    assert ("email" in json.loads(flow.line)["customer"]) == goes_out
    assert flow.email_left_out == counted


@pytest.mark.parametrize(
    ("moment", "text"),
    [
        (LEFT, "2026-09-20T15:00:00Z"),
        (LEFT.replace(microsecond=120_000), "2026-09-20T15:00:00.120000Z"),
        (LEFT.astimezone(timezone(timedelta(hours=-5))), "2026-09-20T15:00:00Z"),
        (datetime(1, 1, 1, tzinfo=UTC), "0001-01-01T00:00:00Z"),
    ],
)
def test_the_time_goes_out_in_utc(moment: datetime, text: str) -> None:
    sent = body(changed(("session.abandonment_timestamp", "2026-09-20 10:00:00")), moment=moment)
    assert sent["session"]["abandonment_timestamp"] == text


@pytest.mark.parametrize(
    ("engagement", "channel", "expected"),
    [
        ({"reason": "r"}, "call", {"preferred_channel": "call", "reason": "r"}),
        ({"preferred_channel": None}, "call", {"preferred_channel": "call"}),
        (None, "whatsapp", {"preferred_channel": "whatsapp"}),
        (ABSENT, "whatsapp", {"preferred_channel": "whatsapp"}),
        ({"preferred_channel": "call"}, "call", {"preferred_channel": "call"}),
        ({"preferred_channel": "auto"}, "auto", {"preferred_channel": "auto"}),
        ({"reason": "r"}, "auto", {"reason": "r"}),
        (ABSENT, "auto", None),
    ],
)
def test_a_channel_that_is_not_the_default_is_said(engagement: object, channel: str, expected: object) -> None:
    assert body(changed(("engagement", engagement)), channel).get("engagement") == expected


@pytest.mark.parametrize("digits", ["10.00", "0.10", "999999999999.99", "1E+3", "0", "7", "123456789012345678.123456"])
def test_amounts_keep_the_digits_of_the_source(digits: str) -> None:
    text = ENCODE(SOUND).decode().replace('"total_value":249.90', f'"total_value":{digits}')
    text = text.replace('"price":50', f'"price":{digits}')
    line = flow_body(text, "flow", LEFT, E164, "auto").line
    assert f'"total_value":{digits},'.encode() in line
    assert f'"price":{digits}}}'.encode() in line


def test_metadata_stays_as_it_was() -> None:
    nested = '{"a":[1,2.50,null,{"b":"é\\u0001","c":true}],"d":1e400,"e":{}}'
    text = ENCODE(SOUND).decode().replace('{"utm":[1,{"a":null}]}', nested)
    assert b'{"a":[1,2.50,null,{"b":"\xc3\xa9\\u0001","c":true}],"d":1E+400,"e":{}}' in (
        flow_body(text, "flow", LEFT, E164, "auto").line
    )


def test_a_body_is_one_line() -> None:
    assert b"\n" not in made(changed(("customer.full_name", "Lucía\nPrado\u2028"))).line


@pytest.mark.parametrize(
    ("change", "places"),
    [
        (("customer.full_name", ABSENT), "customer.full_name"),
        (("session.platform", "fax"), "session.platform"),
        (("cart.items.0.quantity", "two"), "cart.items.0.quantity"),
    ],
)
def test_a_record_that_the_contract_would_refuse_is_a_bug_told_without_its_values(
    change: tuple[str, object], places: str
) -> None:
    with pytest.raises(ValueError, match="the contract would refuse") as caught:
        made(changed(change))
    assert str(caught.value) == f"flow s:sess-1: the contract would refuse {places}"


def test_a_record_that_is_none_is_a_bug() -> None:
    with pytest.raises(ValueError, match="flow s:1: a stored record that cannot be read: not_json"):
        flow_body('{"customer":', "flow s:1", LEFT, E164, "auto")
