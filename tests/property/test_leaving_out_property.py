"""`opted_out` held against every candidate and every entry compared one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from polars.testing import assert_series_equal

from recovery_batch.api.leaving_out import opted_out, opted_out_phones
from recovery_batch.outreach.opt_outs import OptOut, add_opt_outs
from recovery_batch.phones import is_same_number, read_phone
from recovery_batch.schema import OPT_OUTS, PAYERS, frame_schema
from recovery_batch.store import Store
from tests.unit.simulation.cases import ORGANIZATION, OTHER_ORGANIZATION, build_campaign

CAMPAIGNS = (build_campaign(1), build_campaign(2, organization_code=OTHER_ORGANIZATION), build_campaign(3))
ORGANIZATIONS = (ORGANIZATION, OTHER_ORGANIZATION, ORGANIZATION.upper())
USERS = ("u1", "u2", "U1", " u1", "user 3", None)
NUMBERS = (
    "3101234567",
    "310 123-4567",
    "+57 310 1234567",
    "573101234567",
    "0310 1234567",
    "3101234568",
    "4002",
    "004002",
    "+683 4002",
    "\uff13101234567",
    "none",
    None,
)
CODES = ("57", "57", "+57", "1", "683", "", None)
WRITTEN = (
    "+57 310 1234567",
    "3101234567",
    "0057 3101234568",
    "+1 310 123 4567",
    "5 731 012 345 67",
    "0310 123 4568",
    "+683 4002",
)
NOW = datetime(2026, 10, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Payment:
    """A payment and its payer."""

    organization: str
    user: str | None
    code: str | None
    number: str | None
    has_payer: bool


payments = st.lists(
    st.builds(
        Payment,
        *(st.sampled_from(each) for each in (ORGANIZATIONS, USERS, CODES, NUMBERS)),
        st.sampled_from((True, True, True, False)),
    ),
    max_size=6,
)
scopes = st.sampled_from(
    [(None, None), *((each, None) for each in ORGANIZATIONS), *((None, each.identity) for each in CAMPAIGNS)]
)
whom = st.sampled_from(
    [*((read_phone(each), None) for each in WRITTEN), *((None, each.strip()) for each in USERS if each)]
)
opt_outs = st.lists(st.tuples(whom, scopes).map(lambda each: OptOut(*each[0], *each[1], None, NOW)), max_size=4)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    with Store.open(tmp_path_factory.mktemp("opt_outs") / "store.duckdb", write=True) as opened:
        yield opened


def fill(store: Store, drawn: list[Payment], entries: list[OptOut]) -> None:
    """Let the store hold these payers and this list, and nothing else."""
    ids = store.frame("opt_outs/listed", {"most": 100, "skipped": 0})["opt_out_id"].to_list()
    store.run("opt_outs/delete", {"ids": ids})
    keys = [(organization, str(place)) for organization in ORGANIZATIONS for place in range(6)]
    store.append("load/delete_payers", pl.DataFrame(keys, schema=["organization_code", "payment_id"], orient="row"))
    assert store.frame("opt_outs/total").item() == 0
    add_opt_outs(store, entries)
    rows = [
        (each.organization, str(place), "ANA", each.number, each.code, place)
        for place, each in enumerate(drawn)
        if each.has_payer
    ]
    payers = pl.DataFrame(rows, schema={**frame_schema(PAYERS), "seq": pl.Int64}, orient="row")
    store.append("load/append_payers", payers)


def says_no(entry: OptOut, payment: Payment, campaign_id: str) -> bool:
    if entry.organization_code and entry.organization_code.lower() != payment.organization.lower():
        return False
    if entry.campaign_id and entry.campaign_id != campaign_id:
        return False
    if entry.user_id:
        return payment.user is not None and payment.user.strip() == entry.user_id
    if not payment.has_payer or payment.number is None:
        return False
    assert entry.phone is not None
    return is_same_number(entry.phone, payment.code or "", payment.number)


@given(payments, opt_outs, st.data())
def test_candidates_are_left_out_as_the_list_says(
    store: Store, drawn: list[Payment], entries: list[OptOut], data: st.DataObject
) -> None:
    fill(store, drawn, entries)
    every = [(campaign, payment) for campaign in range(len(CAMPAIGNS)) for payment in range(len(drawn))]
    pairs: list[Any] = data.draw(st.lists(st.sampled_from(every), unique=True)) if every else []
    candidates = pl.DataFrame(pairs, schema={"campaign_no": pl.UInt32, "payment_no": pl.UInt32}, orient="row")
    frame = pl.DataFrame(
        {
            "organization_code": [each.organization for each in drawn],
            "payment_id": [str(place) for place in range(len(drawn))],
            "user_id": [each.user for each in drawn],
            "country": ["CO"] * len(drawn),
        },
        schema=dict.fromkeys(("organization_code", "payment_id", "user_id", "country"), pl.String),
    )
    expected = [
        any(says_no(entry, drawn[payment], CAMPAIGNS[campaign].identity) for entry in entries)
        for campaign, payment in pairs
    ]
    found = opted_out(store, frame, candidates, CAMPAIGNS)
    assert_series_equal(found, pl.Series("opted_out", expected, dtype=pl.Boolean))


@given(st.lists(st.sampled_from(("+573101234567", "+57 (310) 123-4568", "+13101234567", "", None))), opt_outs)
def test_flows_are_left_out_by_every_number_that_is_not_about_one_campaign(
    store: Store, phones: list[str | None], entries: list[OptOut]
) -> None:
    fill(store, [], entries)
    told = [entry.phone for entry in entries if entry.phone and not entry.campaign_id]
    expected = [phone is not None and any(is_same_number(each, "", phone) for each in told) for phone in phones]
    found = opted_out_phones(store, pl.Series("phone_number", phones, dtype=pl.String))
    assert_series_equal(found, pl.Series("opted_out", expected, dtype=pl.Boolean))


def test_the_list_is_as_the_schema_says(store: Store) -> None:
    fill(store, [], [OptOut(read_phone("+573101234567"), None, None, None, None, NOW)])
    rows = store.frame("opt_outs/listed", {"most": 1, "skipped": 0})
    assert dict(rows.schema) == dict(frame_schema(OPT_OUTS))
