"""What an abandoned flow is known by, and the rows that it becomes."""

from __future__ import annotations

import hashlib
from decimal import Decimal

import msgspec
import polars as pl
import pytest

from recovery_batch.ingest.decoding import canonical
from recovery_batch.ingest.faults import exact_number
from recovery_batch.ingest.flows import FLOW_STAGED
from recovery_batch.schema import TABLES, frame_schema
from recovery_batch.store import Store
from tests.unit.ingest.flow_samples import (
    ABSENT,
    DECODE,
    ENCODE,
    MOMENT,
    SOUND,
    SUBMITTABLE,
    batch_of,
    changed,
    known_by,
    rejected,
    row,
    tables,
)
from tests.unit.ingest.samples import CARD

# identity


def test_a_flow_is_known_by_its_session() -> None:
    assert known_by(SOUND) == "s:sess-1"
    assert known_by(changed(("customer", ABSENT), ("session.platform", "ios"))) == "s:sess-1"
    assert known_by(changed(("session.session_id", " 7"))) == "s: 7"


@pytest.mark.parametrize("session_id", [ABSENT, None, "", "  "], ids=["absent", "null", "empty", "blank"])
def test_without_a_session_id_it_is_known_by_phone_and_time(session_id: object) -> None:
    none = ("session.session_id", session_id)
    wanted = "p:" + hashlib.sha256(b"+573005550101 2026-09-20T15:00:00Z").hexdigest()
    assert known_by(changed(none)) == wanted
    assert row(none)["session_id"] is None
    same = ("customer.phone_number", "+573005550101"), ("session.abandonment_timestamp", "2026-09-20T10:00:00-05:00")
    assert known_by(changed(none, *same, ("session.flow_stage", "payment"))) == wanted
    others = {
        known_by(changed(none, ("customer.phone_number", "+573005550102"))),
        known_by(changed(none, ("customer.phone_number", "3005550101"))),
        known_by(changed(none, ("session.abandonment_timestamp", "2026-09-20T15:00:01Z"))),
    }
    assert len(others | {wanted}) == 4


@pytest.mark.parametrize("phone", [ABSENT, None, "", " ", "n/a", "-"])
def test_a_flow_of_nobody_known_is_known_by_its_content(phone: object) -> None:
    nobody = ("session.session_id", ABSENT), ("customer.phone_number", phone)
    first = changed(*nobody)
    assert row(*nobody)["unfit_fields"] == ["customer.phone_number"]
    assert known_by(first) == "a:" + hashlib.sha256(canonical(ENCODE(first))).hexdigest()
    assert (
        known_by(first)
        == known_by(dict(reversed(first.items())))
        == known_by(msgspec.json.format(ENCODE(first)).decode())
    )
    assert known_by(first) != known_by(changed(*nobody, ("cart.total_value", 1)))


def test_the_three_fields_of_the_session_are_enough() -> None:
    session = {name: SOUND["session"][name] for name in ("abandonment_timestamp", "flow_stage", "platform")}
    found = tables({"session": session})["flows"].row(0, named=True)
    assert found["unfit_fields"] == SUBMITTABLE
    assert found["flow_id"].startswith("a:")


# rows


def test_the_staged_columns_are_those_of_the_tables() -> None:
    for name, schema in FLOW_STAGED.items():
        own = {column: dtype for column, dtype in frame_schema(TABLES[name]).items() if column != "load_id"}
        assert tables(SOUND)[name].schema == {"seq": pl.Int64(), **own}
        assert schema.names == ["seq", *own]


def test_a_flow_becomes_rows() -> None:
    made = tables(SOUND, changed(("session.session_id", "sess-2"), ("cart.items", [])))
    assert made["flows"].row(0, named=True) == {
        "seq": 0,
        "flow_id": "s:sess-1",
        "session_id": "sess-1",
        "abandoned_at": MOMENT,
        "flow_stage": "checkout",
        "platform": "web",
        "preferred_channel": "whatsapp",
        "engagement_reason": "left",
        "country_code": "CO",
        "language": "es",
        "cart_total": Decimal("249.900000"),
        "cart_currency": "COP",
        "items": 2,
        "phone_number": "+57 300 555-0101",
        "email_valid": True,
        "unfit_fields": [],
        "content_hash": 0,  # until the texts of all records are hashed
        "record_no": 11,
    }
    assert made["flow_items"].rows() == [
        (0, "s:sess-1", 0, "L-1", "Lamp", 2, Decimal("99.950000")),
        (0, "s:sess-1", 1, "B-1", "Bulb", 1, Decimal("50.000000")),
    ]
    customer = ("Lucía Prado", "+57 300 555-0101", "lucia.prado@example.com", "es")
    assert made["flow_customers"].rows() == [(0, "s:sess-1", *customer), (1, "s:sess-2", *customer)]
    assert made["flow_records"].rows()[0] == (0, "s:sess-1", ENCODE(SOUND).decode())


def test_what_a_flow_lacks_is_null() -> None:
    session = {key: value for key, value in SOUND["session"].items() if key != "session_id"}
    made = tables({"session": session})
    found = made["flows"].row(0, named=True)
    assert {name for name, value in found.items() if value is None} == {
        "session_id", "engagement_reason", "country_code", "language", "cart_total", "cart_currency", "phone_number",
        "email_valid",
    }  # fmt: skip
    nullable = {column.name for column in TABLES["flows"] if column.nullable}
    assert nullable == {name for name, value in found.items() if value is None}
    assert (found["preferred_channel"], found["items"]) == ("auto", 0)
    assert made["flow_customers"].row(0)[2:] == (None,) * 4
    assert made["flow_items"].is_empty()


@pytest.mark.parametrize("engagement", [ABSENT, None, {}, {"preferred_channel": None}])
def test_without_a_channel_it_is_auto(engagement: object) -> None:
    assert row(("engagement", engagement))["preferred_channel"] == "auto"


def test_amounts_are_exact() -> None:
    amount = exact_number("999999999999999999.999999")
    assert row(("cart.total_value", amount))["cart_total"] == Decimal("999999999999999999.999999")


def test_the_record_is_kept_as_it_came() -> None:
    content = '{"z":1.50,"session":{"session_id":"ñ","platform":"web","flow_stage":"payment",' + (
        '"abandonment_timestamp":"2026-09-20 15:00:00","also":[1.0,{}]},"cart":{"total_value":23.790}}'
    )
    assert tables(content)["flow_records"]["record"].to_list() == [content]
    twice = content.replace('"platform":"web"', '"platform":"web","platform":"ios"')
    made = tables(twice)
    assert made["flows"]["platform"].item() == "web"
    assert made["flow_records"]["record"].to_list() == [content]


# the quarantine, personal data and card data


def test_what_does_not_load_is_quarantined_with_all_its_faults() -> None:
    bad = changed(("session.platform", "tv"), ("customer.email", 1), ("engagement.metadata", {"pan": CARD}))
    made = tables(SOUND, bad, "{", "[]")
    assert made["flows"]["record_no"].to_list() == [11]
    rejects = made["rejects"]
    assert rejects.select("record_no", "reason", "pointer").rows() == [
        (12, "card_number", "/engagement/metadata/pan"),
        (13, "not_json", ""),
        (14, "wrong_type", ""),
    ]
    assert rejected(("session.platform", "tv"), ("customer.email", 1), ("engagement.metadata", {"pan": CARD}))[1:] == [
        ("wrong_type", "/customer/email", "a number"),
        ("unknown_platform", "/session/platform", '"tv"'),
    ]
    assert rejects["raw"].to_list()[1:] == ["{", "[]"]


def test_strict_quarantines_what_is_not_submittable() -> None:
    nameless = changed(("customer.full_name", None), ("customer.phone_number", "3005550101"))
    assert tables(nameless)["rejects"].is_empty()
    made = tables(nameless, SOUND, strict=True)
    assert [fault["pointer"] for fault in made["rejects"]["faults"][0]] == [
        "/customer/full_name",
        "/customer/phone_number",
    ]
    assert made["rejects"]["reason"].item() == "not_submittable"
    assert made["flows"]["record_no"].to_list() == [12]


@pytest.mark.parametrize(
    "path", ["customer", "customer.full_name", "customer.phone_number", "customer.email", "customer.card"]
)
@pytest.mark.parametrize("value", ["Lucía Prado", 573005550101, Decimal("57300555.0101"), ["Lucía"], {"a": "Lucía"}])
def test_what_stood_in_a_personal_field_is_not_shown(path: str, value: object) -> None:
    made = tables(changed((path, value)))["rejects"].drop("raw")
    shown = str(made.to_dicts())
    assert "Luc" not in shown
    assert "57300" not in shown


def test_codes_below_the_customer_are_shown() -> None:
    assert rejected(("customer.country_code", "Colombia")) == [
        ("unknown_country_code", "/customer/country_code", '"Colombia"')
    ]


def test_a_card_number_is_masked_and_refused() -> None:
    made = tables(changed(("engagement.metadata", {"card_number": CARD})))["rejects"].row(0, named=True)
    assert (made["reason"], made["pointer"]) == ("card_number", "/engagement/metadata/card_number")
    assert CARD not in str(made)
    assert made["raw"].count("************1111") == 1


def test_a_card_number_beside_a_name_shows_neither() -> None:
    assert rejected(("customer.number", f"Lucía {CARD}")) == [("card_number", "/customer/number", "a string")]


def test_a_field_has_one_fault() -> None:
    assert rejected(("customer.card", {"number": CARD}), ("cart.total_value", exact_number("1e5000"))) == [
        ("card_number", "/customer/card/number", "a string"),
        ("number_too_large", "/cart/total_value", "1e5000"),
    ]


def test_a_number_too_large_anywhere_is_refused_and_kept() -> None:
    made = tables(changed(("customer.also", exact_number("-1e5000"))))["rejects"].row(0, named=True)
    assert (made["reason"], made["found"]) == ("number_too_large", "a number")
    assert '"also":-1e5000' in made["raw"]


def test_a_security_code_is_not_kept() -> None:
    batch = batch_of(changed(("engagement.metadata", {"cvv": "123", "kept": 1})), SOUND)
    (kept, _) = batch.tables()["flow_records"]["record"].to_pylist()
    assert DECODE(kept) == DECODE(ENCODE(changed(("engagement.metadata", {"kept": 1}))))
    assert batch.codes_removed == 1


def test_what_is_no_record_is_looked_at_for_cards_too() -> None:
    (made,) = tables([CARD])["rejects"].rows(named=True)
    assert {fault["reason"] for fault in made["faults"]} == {"card_number", "wrong_type"}
    assert CARD not in str(made)


def content_hash(scratch: Store, value: object, **options: object) -> int:
    batch = batch_of(value, **options)
    texts = batch.tables()["flow_records"].select(["seq", "record"]).rename_columns(["seq", "text"])
    hashed = scratch.table("ingest/content_hash", texts, {"salt": batch.options.content_salt})
    return int(hashed["content_hash"][0].as_py())


def test_content_is_what_it_is_and_how_it_was_read() -> None:
    with Store.scratch() as scratch:
        hashes = {
            content_hash(scratch, SOUND),
            content_hash(scratch, SOUND, strict=True),
            content_hash(scratch, SOUND, zone_name="America/Bogota"),
            content_hash(scratch, changed(("cart.total_value", 1))),
        }
    assert len(hashes) == 3
