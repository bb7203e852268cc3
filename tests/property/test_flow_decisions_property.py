"""What is decided about abandoned flows, held against one flow after the other (tests/reference/flows.py)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.clock import from_micros, iso, to_micros
from recovery_batch.contract.abandoned import clean_phone
from recovery_batch.ingest.decoding import encoded
from recovery_batch.ingest.rows import PaymentBatch, Read, ReadingOptions
from recovery_batch.outreach.flows import decide_flows, flow_batches
from recovery_batch.schema import FLOW_COMMUNICATIONS, frame_schema
from recovery_batch.settings import Settings, Sources
from recovery_batch.simulation.windows import first_opening
from recovery_batch.store import Store
from tests.property.test_windows_property import schedules_and_instants
from tests.reference import flows as reference
from tests.reference.flows import Flow, Payment, Run, Telephone
from tests.unit.ingest.flow_samples import batch_of, changed
from tests.unit.ingest.samples import NOW, Record, record

SECOND = timedelta(seconds=1)
AUSTRALIA = (
    "Australia/Adelaide", "Australia/Brisbane", "Australia/Eucla", "Australia/Lord_Howe", "Australia/Perth",
    "Australia/Sydney", "Indian/Christmas", "Indian/Cocos",
)  # fmt: skip
TELEPHONES = (
    Telephone(
        ("+573005550101", "+57 (300) 555-0101"),
        (("57", "3005550101"), ("+57", "300 555-0101"), (None, "+573005550101")),
        ("America/Bogota",),
    ),
    Telephone(("+573015550101",), (("57", "3015550101"),), ("America/Bogota",)),  # ends like the one above
    Telephone(("+5511987650101",), (("55", "11987650101"), ("55", "1187650101")), ("America/Sao_Paulo",)),
    Telephone(("+34600550101",), (("34", "600550101"),), ("Atlantic/Canary", "Europe/Madrid")),
    Telephone(("+61400550101",), (("61", "0400550101"),), AUSTRALIA),
    Telephone(("+57300555",), (), ()),
)
NOBODY = Telephone((None, "n/a"), (), ())
WINDOWS = (("09:00", "20:00"), ("22:00", "02:00"), ("12:00", "14:00"), ("00:00", "23:59"))
BASE = datetime(2026, 10, 3, 12, tzinfo=UTC)
"""The day before the clocks of a part of Australia change; some weeks before those of Madrid do."""

telephones = st.sampled_from(TELEPHONES)
near = st.sampled_from([SECOND * each for each in (-1, 0, 0, 1)])


@dataclass(frozen=True)
class Case:
    """What a store holds, and what a run assumes; `spelling` draws how numbers are spelled."""

    flows: list[Flow]
    payments: list[Payment]
    run: Run
    spelling: Any


@st.composite
def cases(draw: st.DrawFn) -> Case:
    as_of = BASE + timedelta(minutes=30 * draw(st.integers(0, 60)))
    hours = st.sampled_from([0, 1, 5, 24, 71, 72, 73, 200])
    start, end = draw(st.sampled_from(WINDOWS))
    pause = timedelta(hours=draw(st.sampled_from([1, 24, 72])))
    before = hours.map(lambda each: as_of - timedelta(hours=each))
    moments = st.builds(lambda moment, away: moment + away, before, near)
    contacts = st.none() | moments | near.map(lambda away: as_of - pause + away)
    flows = [
        Flow(
            f"s:{place}",
            draw(moments),
            telephone := draw(telephones | st.just(NOBODY)),
            draw(st.sampled_from([True, True, True, False])) and telephone != NOBODY,
            draw(st.none() | contacts),
        )
        for place in draw(st.permutations(range(draw(st.integers(0, 8)))))
    ]
    paying = st.sampled_from([each for each in TELEPHONES if each.payers])
    created = moments | st.sampled_from([flow.left for flow in flows] or [as_of])
    payments = draw(st.lists(st.builds(Payment, created, paying, st.sampled_from([True, True, False])), max_size=4))
    opted_out = frozenset(draw(st.sets(telephones, max_size=2)))
    run = Run(as_of, start, end, timedelta(hours=72), pause, opted_out)
    return Case(flows, payments, run, draw(st.randoms(use_true_random=False)))


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """A store, empty but within a transaction."""
    with Store.open(tmp_path_factory.mktemp("flows") / "store.duckdb", write=True) as opened:
        yield opened


class Undone(Exception):
    """Ends a transaction whose rows are not to stay."""


def fill(store: Store, case: Case) -> None:
    """Put in what a store holds."""
    flows = batch_of(*(flow_record(flow, case) for flow in case.flows)).tables()
    store.append("load/append_flows", with_load(flows["flows"]))
    store.append("load/append_flow_records", flows["flow_records"])
    batch = PaymentBatch(ReadingOptions(UTC, "UTC", Sources(), strict=False, loaded_at=NOW))
    for place, payment in enumerate(case.payments):
        batch.add(Read(place, encoded(payment_record(place, payment, case)).decode(), place))
    payments = batch.tables()
    store.append("load/append_payments", with_load(payments["payments"]))
    store.append("load/append_payers", payments["payers"])
    rows = [(flow.flow_id, None, "call", flow.contacted, "r", "p", 1) for flow in case.flows if flow.contacted]
    emitted = pl.DataFrame(rows, schema=frame_schema(FLOW_COMMUNICATIONS), orient="row").drop("run_id")
    store.append("ledger/append_flow_communications", emitted, {"run_id": "r"})


def with_load(table: pa.Table) -> pa.Table:
    """Rows as they are once a load has numbered them."""
    return table.append_column("load_id", pa.array([1] * len(table), pa.int64()))


def flow_record(flow: Flow, case: Case) -> Record:
    return changed(
        ("session.session_id", flow.flow_id.removeprefix("s:")),
        ("session.abandonment_timestamp", iso(flow.left)),
        ("customer.phone_number", case.spelling.choice(flow.telephone.flows)),
        ("customer.full_name", "Lucía Prado" if flow.is_submittable else None),
    )


def payment_record(place: int, payment: Payment, case: Case) -> Record:
    code, number = case.spelling.choice(payment.telephone.payers)
    status = "PAID" if payment.is_successful else "DECLINED"
    made = record(f"p{place}", created_at=iso(payment.created), status=status, amount_value=1)
    payer = {"name": "Lucía Prado", "phone_number": number, "phone_country_code": code}
    return {"payment": made["payment"], "customer_payer": payer}


def settings_of(run: Run) -> Settings:
    hours = run.pause // timedelta(hours=1)
    return Settings.model_validate(
        {"flows": {"daily_start_time": run.start, "daily_end_time": run.end, "again_after_hours": hours}}
    )


@pytest.mark.slow
@given(case=cases())
def test_the_decisions_are_those_of_one_flow_after_the_other(store: Store, case: Case) -> None:
    listed = {clean_phone(text) for each in case.run.opted_out for text in each.flows if text}
    settings = settings_of(case.run)
    with suppress(Undone), store.transaction():
        fill(store, case)
        decisions = decide_flows(store, case.run.as_of, settings, lambda phones: phones.is_in(list(listed)))
        made = flow_batches(store, decisions, settings)
        raise Undone
    found = {
        row["flow_id"]: (row["reason"] or row["decision"], (row["planned_at"], row["window_closes_at"]))
        for row in decisions.iter_rows(named=True)
    }
    expected = reference.decide_flows(case.flows, case.payments, case.run)
    assert found == {flow_id: (outcome, opening or (None, None)) for flow_id, (outcome, opening) in expected.items()}
    order = decisions.select("abandoned_at", "flow_id").rows()
    assert order == sorted(order)
    sent = {flow_id for flow_id, (outcome, _) in expected.items() if outcome == "SEND"}
    assert sorted(made.emitted["flow_id"]) == sorted(sent)
    assert sum(each.records for each in made.files) == len(sent)


@pytest.mark.slow
@given(schedules_and_instants(), st.sets(st.sampled_from(["Europe/Madrid", "Asia/Kathmandu", "-05:00"]), max_size=2))
def test_an_opening_is_the_first_that_all_zones_have_in_common(
    case: tuple[Any, list[datetime]], others: set[str]
) -> None:
    schedule, (moment, *_) = case
    zones = [schedule.time_zone, *sorted(others)]
    found = first_opening(schedule.daily_start_time, schedule.daily_end_time, zones, to_micros(moment))
    schedules = [schedule.model_copy(update={"time_zone": zone}) for zone in zones]
    expected = reference.find_common_opening(schedules, moment)
    if expected is None and found is not None:
        assert from_micros(found[0]) >= moment + reference.WEEK
    else:
        assert (found and (from_micros(found[0]), from_micros(found[1]))) == expected
