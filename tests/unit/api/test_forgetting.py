"""What the ledger of abandoned flows still knows once a person was erased, or a flow purged (issue 5, part 8)."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from recovery_batch.api.forgetting import Asked, forget, purge
from recovery_batch.clock import parse_instant
from recovery_batch.keys import key_path
from recovery_batch.phones import read_phone
from recovery_batch.store import Store
from tests.unit.ingest.flow_samples import ABSENT
from tests.unit.outreach.flow_cases import PHONE, Night, flow

MOMENT = parse_instant("2026-09-20 17:00")
ANOTHER = "+573005550102"


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A run over an empty folder."""
    return Night(tmp_path)


def erase(store: Store) -> None:
    forget(store, Asked(read_phone(PHONE)), MOMENT)


def retire(store: Store) -> None:
    purge(store, MOMENT, MOMENT)


def emit(night: Night) -> int:
    """Record what goes out; how many flows that is."""
    emitted = night.emit().emitted
    with night.open(write=True) as store:
        store.append("ledger/append_flow_communications", emitted, {"run_id": "run"})
    return emitted.height


@pytest.mark.parametrize("delete", [erase, retire])
@pytest.mark.parametrize(("planned", "expected"), [("2026-09-17 18:01", "repeated_flow"), ("2026-09-17 18:00", "SEND")])
def test_the_pause_between_flows_outlasts_the_flow(
    night: Night, delete: Callable[[Store], None], planned: str, expected: str
) -> None:
    night.load(flow("before", "2026-09-17 12:00"))
    night.contact("before", planned)
    with night.open(write=True) as store:
        delete(store)
    night.load(flow("again", "2026-09-20 17:30", "+57 (300) 555-0101"), flow("b", "2026-09-20 17:30", ANOTHER))
    assert night.outcomes() == {"again": expected, "b": "SEND"}


@pytest.mark.parametrize("session", ["session", ABSENT])
def test_a_flow_that_was_purged_and_loaded_again_is_not_sent_again(night: Night, session: object) -> None:
    export = flow("1", "2026-09-20 15:00", PHONE, ("session.session_id", session))
    night.load(export)
    assert emit(night) == 1
    with night.open(write=True) as store:
        purge(store, parse_instant("2026-09-21 00:00"), MOMENT)
    night.load(export, flow("2", "2026-09-20 15:00", ANOTHER, ("session.session_id", ABSENT)))
    assert night.decide()["reason"].to_list() == [None], "only that of another number is left"
    assert emit(night) == 1


def test_a_flow_that_nobody_was_contacted_about_is_purged_without_a_key(night: Night) -> None:
    night.load(flow())
    with night.open(write=True) as store:
        assert purge(store, MOMENT, MOMENT).counts["flows"] == 1
        assert not key_path(store).exists()


def test_a_number_that_was_erased_stands_in_the_ledger_as_a_keyed_hash(night: Night) -> None:
    night.load(flow("before", "2026-09-17 12:00"), flow("b", "2026-09-17 12:00", ANOTHER))
    for name in ("before", "b"):
        night.contact(name, "2026-09-20 16:00")
    with night.open(write=True) as store:
        erase(store)
    with night.open() as store:
        rows = store.frame("flows/contacted", {"since": parse_instant("2026-09-20 00:00")})
    assert sorted((number or "", len(found or "")) for number, found, _ in rows.iter_rows()) == [("", 64), (ANOTHER, 0)]
