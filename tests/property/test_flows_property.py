"""Whatever an export of abandoned flows holds: nothing raises, and what is submittable makes a body."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import polars as pl
from hypothesis import example, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from recovery_batch.clock import iso
from recovery_batch.contract.abandoned import AbandonedFlow, clean_phone
from recovery_batch.ingest.flows import CheckedFlow, check_flow, is_email
from tests.unit.ingest.flow_samples import BOGOTA, DECODE, ENCODE, LOADABLE, OPTIONAL, SUBMITTABLE, changed, tables
from tests.unit.ingest.samples import CARD, Record

SCHEMA = Draft202012Validator(AbandonedFlow.model_json_schema())
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
decimals = st.decimals(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | decimals | texts | st.sampled_from([CARD, "auto"])
names = texts | st.sampled_from(
    sorted({step for path in OPTIONAL + LOADABLE + SUBMITTABLE for step in path.split(".")})
)
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=4),
    max_leaves=10,
)
objects = st.dictionaries(texts, texts, max_size=3)
amounts = st.decimals(min_value=0, max_value=10**18 - 1, places=6) | st.integers(0, 10**18 - 1)
times = st.sampled_from(["2026-09-20T15:00:00Z", "2026-09-20 15:00:00", "2026-09-20T15:00:00.123456-05:00"])
PLACES = ["customer", "session", *OPTIONAL, *LOADABLE, *SUBMITTABLE, "cart.items.1", "customer.also", "card"]


@st.composite
def broken_flows(draw: st.DrawFn) -> Record:
    """A flow that was sound before anything at all was put in some places."""
    places = sorted(draw(st.sets(st.sampled_from(PLACES), max_size=4)), key=len, reverse=True)
    return changed(*((place, draw(json_values)) for place in places))


@st.composite
def sound_flows(draw: st.DrawFn, *, complete: bool = False) -> Record:
    """A flow that loads; only a complete one is sure to have what a request needs."""
    phones = st.sampled_from(["+57 (300) 555.0101", "+573005550101"])
    lacking = st.none() | texts
    items = st.fixed_dictionaries(
        {},
        optional={"name": texts, "sku": texts, "quantity": st.integers(-(2**63), 2**63 - 1), "price": amounts},
    )
    return changed(
        ("customer.full_name", draw(texts.filter(bool) if complete else lacking)),
        ("customer.phone_number", draw(phones if complete else phones | lacking)),
        ("customer.email", draw(lacking | st.emails())),
        ("customer.country_code", draw(st.sampled_from(["CO", "NO"] if complete else ["CO", "", None]))),
        ("session.session_id", draw(lacking)),
        ("session.abandonment_timestamp", draw(times)),
        ("cart.total_value", draw(st.none() | amounts)),
        ("cart.items", draw(st.none() | st.lists(items, max_size=3))),
        ("engagement", draw(st.none() | st.fixed_dictionaries({}, optional={"reason": texts, "metadata": objects}))),
        ("also", draw(json_values)),
    )


def outgoing(parts: CheckedFlow) -> Record:
    """The documented fields of a flow as they would go out."""
    customer = {**parts.customer, "phone_number": clean_phone(parts.customer["phone_number"])}
    if not is_email(customer.get("email", "")):
        customer.pop("email", None)
    session = {**parts.session, "abandonment_timestamp": iso(parts.session["abandonment_timestamp"])}
    body = {"customer": customer, "session": session, "cart": parts.cart, "engagement": parts.engagement}
    return dict(json.loads(ENCODE(body)))


@given(sound_flows() | broken_flows() | json_values | st.dictionaries(names, json_values), st.booleans())
@example({}, False)
@example({"session": {"abandonment_timestamp": "0001-01-01T00:00:00+14:00"}}, False)
def test_every_record_loads_or_says_why_not(value: Any, strict: bool) -> None:
    text = ENCODE(value).decode()
    checked = check_flow(DECODE(text), BOGOTA)
    made = tables(text, zone=BOGOTA, strict=strict)
    assert len(made["flows"]) + len(made["rejects"]) == 1
    assert len(made["flows"]) == len(made["flow_customers"]) == len(made["flow_records"])
    assert len(made["flow_items"]) == made["flows"]["items"].sum()
    assert not checked.faults or made["flows"].is_empty()
    for reject in made["rejects"].rows(named=True):
        assert reject["expected"]
        assert reject["faults"]
        DECODE(reject["raw"])


@given(sound_flows(complete=True) | broken_flows())
def test_what_is_submittable_makes_a_body_that_the_contract_accepts(made: Record) -> None:
    checked = check_flow(DECODE(ENCODE(made)), BOGOTA)
    if not checked.faults and not checked.unfit:
        SCHEMA.validate(outgoing(checked))


@given(sound_flows())
def test_a_flow_that_holds_what_it_must_loads(made: Record) -> None:
    checked = check_flow(DECODE(ENCODE(made)), BOGOTA)
    assert checked.faults == []
    assert set(checked.unfit) <= set(SUBMITTABLE)


@given(sound_flows())
def test_the_same_flow_is_known_by_the_same_name(made: Record) -> None:
    text = ENCODE({**made, "also": 1})
    flow = tables(text.decode())
    spaced = tables(msgspec.json.format(text).decode())
    again = tables(flow["flow_records"]["record"].item())
    assert known_by(flow) == known_by(again) == known_by(spaced)
    assert again["flows"].equals(flow["flows"])


def known_by(made: dict[str, pl.DataFrame]) -> str:
    """The identity of the only flow."""
    return str(made["flows"]["flow_id"].item())
