"""Records of declined payments for property tests: sound ones, and ones with anything at all put in some places."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
from hypothesis import strategies as st

from recovery_batch.ingest.faults import exact_number
from tests.unit.ingest.samples import CARD, Record, record, transaction

ENCODE = msgspec.json.Encoder(decimal_format="number").encode
DECODE = msgspec.json.Decoder(float_hook=exact_number).decode
OTHER_NUMBERS = ("4222222222222", "30569309025904", "378282246310005", "5555555555554444", "6304000000000000000")

texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
decimals = st.decimals(allow_nan=False, allow_infinity=False, places=None) | st.builds(
    lambda digits, exponent: Decimal(digits).scaleb(exponent), st.integers(-(10**24), 10**24), st.integers(-30, 30)
)
scalars = st.none() | st.booleans() | st.integers(-(2**70), 2**70) | decimals | texts
json_values = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3),
    max_leaves=8,
)
amounts = st.decimals(min_value=0, max_value=10**18 - 1, places=6).map(lambda number: +number) | st.integers(
    0, 10**18 - 1
)
times = st.sampled_from([None, "2026-09-20 15:00:00", "2026-09-20T15:00:00Z", "2026-09-20T15:00:00.5-05:00"])

card_texts = st.lists(
    st.sampled_from([*OTHER_NUMBERS, CARD, "4111", "1111", " ", "-", "\u2013", "\u00a0", ".", "x", "0", "12", "\n"]),
    max_size=8,
).map("".join)
card_keys = st.sampled_from(
    ["card", "number", "pan", "card_number", "card_iin", "CARD-IIN", "cvv", "Security Code", "key", "value", "id", "a"]
)
card_values = st.recursive(
    card_texts | st.integers(0, 10**20) | decimals | st.sampled_from(["cvv", "card_iin", "pan", "card number"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(card_keys, inner, max_size=4),
    max_leaves=12,
)


@st.composite
def transactions(draw: st.DrawFn) -> Record:
    """A transaction that is loadable, with or without its optional fields."""
    card = {"id": draw(st.integers(0, 2**63 - 1)), "card_iin": draw(st.sampled_from(["", "411111", "41111111"]))}
    return transaction(
        draw(texts.filter(bool)),
        amount=draw(amounts),
        created_at=draw(times),
        card=draw(st.sampled_from([None, {}, card])),
        provider=draw(st.none() | texts),
        additional_data=draw(st.none() | st.dictionaries(texts, scalars, max_size=3)),
    )


@st.composite
def sound_records(draw: st.DrawFn) -> Record:
    """A record that is loadable and submittable."""
    made = record(
        draw(texts.filter(bool)),
        amount_value=draw(amounts),
        created_at=draw(times),
        description=draw(texts),
        country=draw(st.sampled_from(["CO", "MX", "NO"])),
        additional_data=draw(st.none() | st.dictionaries(texts, json_values, max_size=3)),
        undocumented=draw(json_values),
    )
    payer = {"name": draw(texts.filter(bool)), "phone_number": "+57 300-555", "phone_country_code": "+57"}
    chosen = draw(st.none() | st.lists(transactions(), max_size=3))
    return {"payment": made["payment"], "transactions": chosen, "customer_payer": payer}


PLACES = [
    "payment", "transactions", "customer_payer", "transactions/0", "transactions/0/card", "payment/metadata",
    *(f"payment/{name}" for name in ("id", "organization_code", "country", "status", "amount_value", "created_at")),
    *(f"payment/{name}" for name in ("additional_data", "description", "order_id", "currency_code", "metadata")),
    *(f"transactions/0/{name}" for name in ("id", "amount", "created_at", "additional_data", "response_code")),
    *(f"transactions/0/card/{name}" for name in ("id", "card_iin", "card_lfd", "card_expiration_year")),
    *(f"customer_payer/{name}" for name in ("name", "phone_number", "additional_data")),
]  # fmt: skip


@st.composite
def broken_records(draw: st.DrawFn) -> Record:
    """A record that was sound before anything at all was put in some places."""
    made = decoded(draw(sound_records()))
    for place in draw(st.lists(st.sampled_from(PLACES), min_size=1, max_size=3)):
        *way, last = place.split("/")
        holder: Any = made
        for step in way:
            inner = holder.get(step) if isinstance(holder, dict) else holder[0] if holder else None
            holder = inner if isinstance(inner, dict | list) else {}
        if isinstance(holder, dict):
            holder[last] = draw(json_values)
        elif holder:
            holder[0] = draw(json_values)
    return dict(made)


anything = sound_records() | broken_records() | json_values


def decoded(value: Any) -> Any:
    """A value as an export gives it."""
    return DECODE(ENCODE(value))
