"""How the abandoned flows that are sent are cut into files, and what the ledger is to know of them."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recovery_batch.clock import parse_instant
from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.outreach.batches import BatchFile
from recovery_batch.outreach.flows import flow_batches
from recovery_batch.schema import FLOW_COMMUNICATIONS
from recovery_batch.settings import Settings
from tests.unit.ingest.flow_samples import ABSENT
from tests.unit.outreach.flow_cases import AS_OF, PHONE, Night, flow, payment

MADRID = "+34600000000"


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A run over an empty folder."""
    return Night(tmp_path)


def sessions(file: BatchFile) -> list[str]:
    return [json.loads(line)["session"]["session_id"] for line in file.content.splitlines()]


def several(number: int, **limits: Any) -> tuple[Settings, list[dict[str, Any]]]:
    flows = [flow(f"{place:02d}", f"2026-09-20 15:{place:02d}", f"+5730055501{place:02d}") for place in range(number)]
    return Settings.model_validate({"run": limits}), flows


def test_a_file_is_of_one_channel_and_one_window(night: Night) -> None:
    call = ("engagement.preferred_channel", "call")
    night.load(
        flow("b", "2026-09-20 15:00", PHONE),
        flow("a", "2026-09-20 15:00", "+573005550102"),
        flow("first", "2026-09-20 14:00", "+573005550103"),
        flow("called", "2026-09-20 15:00", "+573005550104", call),
        flow("madrid", "2026-09-20 15:00", MADRID),
        flow("too old", "2026-08-20 15:00", "+573005550105"),
    )
    made = night.emit()
    colombia, spain = (AS_OF, parse_instant("2026-09-21 01:00")), ("2026-09-21 08:00", "2026-09-21 18:00")
    assert [(each.path, each.channel, each.not_before, each.not_after, sessions(each)) for each in made.files] == [
        ("abandoned-flows/0001.ndjson", "call", *colombia, ["called"]),
        ("abandoned-flows/0002.ndjson", "whatsapp", *colombia, ["first", "a", "b"]),
        ("abandoned-flows/0003.ndjson", "whatsapp", *map(parse_instant, spain), ["madrid"]),
    ]
    for each in made.files:
        assert (each.kind, each.endpoint) == ("abandoned", "/smart-support/external/payments")
        assert (each.campaign_id, each.organization_code) == (None, None)
        assert each.records == len(sessions(each))
    assert made.emitted.columns == [
        each.name for each in FLOW_COMMUNICATIONS if each.name not in ("run_id", "phone_hash")
    ]
    assert made.emitted.drop("planned_at").rows() == [
        ("s:called", "call", "abandoned-flows/0001.ndjson", 1),
        ("s:first", "whatsapp", "abandoned-flows/0002.ndjson", 1),
        ("s:a", "whatsapp", "abandoned-flows/0002.ndjson", 2),
        ("s:b", "whatsapp", "abandoned-flows/0002.ndjson", 3),
        ("s:madrid", "whatsapp", "abandoned-flows/0003.ndjson", 1),
    ]
    assert made.emitted["planned_at"].to_list() == [*[AS_OF] * 4, parse_instant(spain[0])]


def test_what_was_emitted_is_not_emitted_again(night: Night) -> None:
    night.load(flow("1"), flow("2", phone="+573005550102"))
    made = night.emit()
    with night.open(write=True) as store:
        store.append("ledger/append_flow_communications", made.emitted, {"run_id": "run"})
    assert night.emit().files == []
    night.load(flow("1"), flow("2", phone="+573005550109"), flow("3", phone="+573005550103"))
    assert [sessions(each) for each in night.emit().files] == [["3"]]


def test_every_line_is_what_the_contract_asks_for(night: Night) -> None:
    night.load(
        flow("1", phone="+57 (300) 555.0101"),
        flow("2", "2026-09-20T10:00:00.250-05:00", "+573005550102", ("customer.email", "none"), ("cart", ABSENT)),
        flow("3", "2026-09-20 15:00", "+573005550103", ("engagement", None), ("cart.total_value", 7)),
    )
    night.settings = Settings.model_validate({"flows": {"channel": "call"}})
    bodies = night.bodies()
    schema = Draft202012Validator(AbandonedFlow.model_json_schema())
    for each in bodies:
        schema.validate(each)
    by_session = {each["session"]["session_id"]: each for each in bodies}
    assert by_session["1"]["customer"]["phone_number"] == PHONE
    assert by_session["2"]["session"]["abandonment_timestamp"] == "2026-09-20T15:00:00.250000Z"
    assert "email" not in by_session["2"]["customer"]
    assert by_session["3"]["engagement"] == {"preferred_channel": "call"}
    assert night.emit().emails_left_out == 1


@pytest.mark.parametrize(("number", "limit", "sizes"), [(4, 4, [4]), (5, 4, [4, 1]), (3, 1, [1, 1, 1])])
def test_a_file_holds_so_many_lines_at_most(night: Night, number: int, limit: int, sizes: list[int]) -> None:
    night.settings, flows = several(number, file_records=limit)
    night.load(*flows)
    made = night.emit()
    assert [each.records for each in made.files] == sizes
    assert [name for each in made.files for name in sessions(each)] == [f"{place:02d}" for place in range(number)]
    assert made.emitted["line"].to_list() == [line for size in sizes for line in range(1, size + 1)]


def test_a_file_is_as_full_as_its_bytes_allow(night: Night) -> None:
    _, flows = several(40)
    night.load(*flows)
    whole = len(night.emit().files[0].content)
    assert whole > 10_000
    night.settings, _ = several(40, file_bytes=whole)
    assert [each.records for each in night.emit().files] == [40]
    night.settings, _ = several(40, file_bytes=whole - 1)
    assert [each.records for each in night.emit().files] == [39, 1]


def test_amounts_are_exact_and_by_currency_where_both_are_there(night: Night) -> None:
    def cart(total: object, currency: object) -> tuple[tuple[str, object], ...]:
        return ("cart.total_value", total), ("cart.currency", currency)

    carts = [
        (Decimal("999999999999.99"), "COP"),
        (Decimal("0.01"), "COP"),
        (Decimal("0.000001"), "USD"),
        (5, None),
        (None, "EUR"),
    ]
    night.load(*(flow(str(n), "2026-09-20 15:00", f"+5730055501{n:02d}", *cart(*each)) for n, each in enumerate(carts)))
    (file,) = night.emit().files
    assert file.records == 5
    assert file.amounts == {"COP": Decimal("1000000000000.00"), "USD": Decimal("0.000001")}


def test_neither_the_order_of_loading_nor_of_the_decisions_changes_a_byte(night: Night, tmp_path: Path) -> None:
    _, flows = several(20)
    night.load(*flows)
    turned = Night(tmp_path / "turned")
    turned.folder.mkdir()
    turned.load(*reversed(flows))
    turned.load(payment("2026-09-20 16:00", "3009999999"))
    assert night.emit().files == turned.emit().files
    decisions = night.decide()
    with night.open() as store:
        shuffled = flow_batches(store, decisions.sample(fraction=1, shuffle=True, seed=1), night.settings)
    assert shuffled.files == night.emit().files


def test_nothing_that_is_sent_gives_no_file(night: Night) -> None:
    night.load(flow("1", "2026-08-20 15:00"))
    made = night.emit()
    assert (made.files, made.emitted.height, made.emails_left_out) == ([], 0, 0)
