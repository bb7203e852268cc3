"""What rules read besides the documented fields: the decisive transaction, codes and metadata, each in every place."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from itertools import permutations
from typing import Any

import pytest

from recovery_batch.clock import parse_instant
from recovery_batch.ingest.enriching import decisive, first_present, metadata_of, text_of
from recovery_batch.settings import Sources
from tests.unit.ingest.samples import (
    Loads,
    Record,
    as_json,
    as_lines,
    record,
    spelled,
    transaction,
    with_transactions,
)

EARLY, LATE = "2026-09-20 10:00:00", "2026-09-20 11:00:00"
SOURCES = Sources()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("", ""),
        ("a ", "a "),
        ("5.0", "5.0"),
        (5, "5"),
        (-7, "-7"),
        (0, "0"),
        (10**25, "10000000000000000000000000"),
        (Decimal("5.0"), "5"),
        (Decimal("0.10"), "0.1"),
        (Decimal("1e1"), "10"),
        (Decimal("1E+25"), "10000000000000000000000000"),
        (Decimal("100"), "100"),
        (Decimal("-0.0"), "0"),
        (Decimal("0E-9"), "0"),
        (Decimal("0.000001"), "0.000001"),
        (Decimal("1E-9"), "0.000000001"),
        (Decimal("-12.500"), "-12.5"),
        (Decimal("123456789012345678901234567890.120"), "123456789012345678901234567890.12"),
        (True, "true"),
        (False, "false"),
        (None, None),
        ({}, None),
        ({"a": 1}, None),
        ([], None),
        (["a"], None),
    ],
)
def test_the_text_of_a_value(value: object, text: str | None) -> None:
    assert text_of(value) == text


def times(*moments: str | None) -> list[dict[str, Any]]:
    return [{"id": str(place)} | ({"created_at": moment} if moment else {}) for place, moment in enumerate(moments)]


@pytest.mark.parametrize(
    ("moments", "place"),
    [
        ((), None),
        ((None,), 0),
        ((EARLY,), 0),
        ((EARLY, LATE), 1),
        ((LATE, EARLY), 0),
        ((EARLY, EARLY), 1),
        ((LATE, LATE, EARLY), 1),
        ((None, None, None), 2),
        ((None, EARLY, None), 1),
        ((EARLY, None, None), 0),
        ((LATE, None, LATE, EARLY), 2),
        (("0001-01-01 00:00:00", None), 0),
    ],
)
def test_the_decisive_transaction_is_the_latest(
    loads: Loads, moments: tuple[str | None, ...], place: int | None
) -> None:
    loads.load(as_json(with_transactions(*(transaction(**fields) for fields in times(*moments)))))
    assert loads.query("SELECT position FROM transactions WHERE is_decisive") == ([] if place is None else [(place,)])
    assert loads.query("SELECT count(*) FROM transactions") == [(len(moments),)]


def test_any_order_of_transactions_has_the_same_decisive_one() -> None:
    parts: list[dict[str, Any]] = [
        {"id": "a", "created_at": parse_instant(EARLY)},
        {"id": "b", "created_at": parse_instant(LATE)},
        {"id": "c"},
    ]
    for order in permutations(parts):
        place = decisive(order)
        assert place is not None
        assert order[place]["id"] == "b"


def test_rules_read_the_decisive_transaction(loads: Loads) -> None:
    first = transaction("a", created_at=LATE, provider="ADYEN", category="PSE", payment_method_type="PSE")
    last = transaction("b", created_at=EARLY, provider="STRIPE", category="CARD", card={"card_iin": "555555"})
    loads.load(as_lines([with_transactions(first, last), {**record("p2"), "transactions": None}]))
    assert loads.rows("payments", "payment_method, provider, category, card_bin", "payment_id") == [
        ("PSE", "ADYEN", "PSE", "411111"),
        (None, None, None, None),
    ]


def coded(name: str) -> list[tuple[str, Record]]:
    """A record for each place of a code, that place and all after it filled."""
    paths = SOURCES.response_code if name == "response_code" else SOURCES.iso_response_code
    records = []
    for first in range(len(paths)):
        made: Record = {"payment": {}, "transactions": [{}]}
        for path in paths[first:]:
            root, *keys = path.split(".")
            holder = made["payment"] if root == "payment" else made["transactions"][0]
            for key in keys[:-1]:
                holder = holder.setdefault(key, {})
            holder[keys[-1]] = path
        records.append((paths[first], made))
    return records


@pytest.mark.parametrize(("path", "made"), coded("response_code"), ids=SOURCES.response_code)
def test_the_places_of_a_response_code(path: str, made: Record) -> None:
    assert first_present(made, 0, SOURCES.response_code) == path


@pytest.mark.parametrize(("path", "made"), coded("iso_response_code"), ids=SOURCES.iso_response_code)
def test_the_places_of_an_iso_response_code(path: str, made: Record) -> None:
    assert first_present(made, 0, SOURCES.iso_response_code) == path


def test_the_places_of_codes_are_those_that_are_documented() -> None:
    of_transaction = [f"transaction.additional_data.{name}" for name in ("response_code", "provider_response_code")]
    assert SOURCES.response_code == (
        "transaction.response_code",
        *of_transaction,
        "transaction.additional_data.error_code",
        "payment.additional_data.response_code",
        "payment.additional_data.error_code",
    )
    assert SOURCES.iso_response_code == (
        "transaction.iso_response_code",
        "transaction.additional_data.iso_response_code",
        "transaction.additional_data.iso8583_response_code",
        "transaction.additional_data.network_response_code",
        "payment.additional_data.iso_response_code",
    )
    assert SOURCES.metadata == ("payment.additional_data", "payment.additional_data.metadata", "payment.metadata")


def test_what_counts_as_missing_is_passed_over() -> None:
    paths = SOURCES.response_code
    made: Record = {
        "payment": {"additional_data": {"response_code": [], "error_code": "last"}},
        "transactions": [{"response_code": None, "additional_data": {"response_code": {}, "error_code": None}}],
    }
    assert first_present(made, 0, paths) == "last"
    made["transactions"][0]["additional_data"] = {"error_code": 51, "provider_response_code": ""}
    assert first_present(made, 0, paths) == ""  # an empty text is a value
    made["transactions"][0]["additional_data"] = "no object"
    assert first_present(made, 0, paths) == "last"
    assert first_present(made, None, paths) == "last"
    assert first_present({"payment": {}}, None, paths) is None


def test_codes_are_read_of_the_decisive_transaction_only(loads: Loads) -> None:
    loads.load(
        as_json(
            with_transactions(
                transaction(created_at=EARLY, response_code="05"),
                transaction(created_at=LATE, additional_data={"network_response_code": spelled("51.0")}),
                transaction(additional_data={"response_code": "99"}),
            )
        )
    )
    assert loads.query("SELECT response_code, iso_response_code FROM payments") == [(None, "51")]


PLACES: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
    "additional_data": lambda pairs: {"additional_data": pairs},
    "additional_data.metadata": lambda pairs: {"additional_data": {"metadata": pairs}},
    "additional_data.metadata, pairs": lambda pairs: {"additional_data": {"metadata": as_pairs(pairs)}},
    "metadata": lambda pairs: {"metadata": pairs},
    "metadata, pairs": lambda pairs: {"metadata": as_pairs(pairs)},
}


def as_pairs(pairs: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"key": key, "value": value} for key, value in pairs.items()]


@pytest.mark.parametrize("place", PLACES)
def test_metadata_is_found_in_every_place(loads: Loads, place: str) -> None:
    pairs = {"user_id": "u1", "tier": "gold", "score": spelled("0.10"), "new": True, "none": None, "empty": ""}
    loads.load(as_json(record(**PLACES[place](pairs))))
    assert loads.one("metadata") == {"user_id": "u1", "tier": "gold", "score": "0.1", "new": "true", "empty": ""}
    assert loads.one("user_id") == "u1"


def test_the_first_place_that_has_a_key_wins() -> None:
    payment: Record = {
        "additional_data": {
            "a": "1",
            "b": None,
            "c": {"not": "this"},
            "metadata": {"a": "2", "b": "2", "c": "2", "d": []},
        },
        "metadata": [{"key": key, "value": "3"} for key in "abcde"],
    }
    found = metadata_of({"payment": payment}, None, SOURCES.metadata)
    assert found == {"a": "1", "b": "2", "c": "2", "d": "3", "e": "3"}


def test_pairs_that_are_none_are_passed_over() -> None:
    pairs = [
        None,
        "text",
        {"key": 5, "value": "x"},
        {"value": "x"},
        {"key": "a"},
        {"key": "b", "value": None},
        {"key": "b", "value": "1"},
        {"key": "b", "value": "2"},
        {"key": "", "value": "nameless"},
    ]
    assert metadata_of({"payment": {"metadata": pairs}}, None, SOURCES.metadata) == {"b": "1", "": "nameless"}


@pytest.mark.parametrize("metadata", ["text", 5, None, True])
def test_metadata_of_another_kind_is_none(metadata: object) -> None:
    found = metadata_of({"payment": {"additional_data": {"metadata": metadata}}}, None, SOURCES.metadata)
    assert found == ({} if metadata is None else {"metadata": text_of(metadata)})


def test_an_empty_user_is_none(loads: Loads) -> None:
    report = loads.load(
        as_lines(
            [
                record("p1", additional_data={"user_id": ""}, metadata={"user_id": "u1"}),
                record("p2", additional_data={"user_id": spelled("5.0")}),
                record("p3"),
            ]
        )
    )
    assert loads.query("SELECT payment_id, user_id FROM payments ORDER BY 1") == [
        ("p1", None),
        ("p2", "5"),
        ("p3", None),
    ]
    assert report.facts["without_user_id"] == 2


def test_the_places_can_be_set(loads: Loads) -> None:
    sources = Sources(response_code=("payment.code",), metadata=("payment.labels", "transaction.additional_data"))
    made = with_transactions(transaction(additional_data={"user_id": "u2", "b": 1}), labels={"a": "x"}, code="C7")
    loads.load(as_json(made), sources=sources)
    ((code, metadata, user),) = loads.query("SELECT response_code, metadata, user_id FROM payments")
    assert (code, user) == ("C7", "u2")
    assert metadata == {"a": "x", "b": "1", "user_id": "u2"}
