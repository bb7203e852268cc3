"""Which abandoned flows are sent, which are not, and why (SPEC 5; issue 5, part 5)."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recovery_batch.clock import parse_instant
from recovery_batch.outreach.flows import FLOW_DECISIONS
from recovery_batch.settings import Settings
from recovery_batch.simulation import REASONS
from tests.unit.ingest.flow_samples import ABSENT
from tests.unit.outreach.flow_cases import AS_OF, PHONE, Night, flow, payment, settings

TICK = timedelta(microseconds=1)


@pytest.fixture
def night(tmp_path: Path) -> Night:
    """A run over an empty folder."""
    return Night(tmp_path)


def ago(hours: int) -> str:
    return f"{AS_OF - timedelta(hours=hours):%Y-%m-%d %H:%M}"


def test_a_flow_is_decided_about_in_one_row(night: Night) -> None:
    night.load(flow("b"), flow("a", phone="+573005550102"), flow("c", "2026-09-20 14:00", "+573005550103"))
    decisions = night.decide()
    assert decisions.schema == FLOW_DECISIONS
    assert decisions["session_id"].to_list() == ["c", "a", "b"], "by abandoned_at, then flow_id"
    assert dict(zip(FLOW_DECISIONS, map(str, decisions.row(1)), strict=True)) == {
        "flow_id": "s:a",
        "session_id": "a",
        "abandoned_at": "2026-09-20 15:00:00+00:00",
        "channel": "whatsapp",
        "planned_at": "2026-09-20 18:00:00+00:00",
        "window_closes_at": "2026-09-21 01:00:00+00:00",
        "decision": "SEND",
        "reason": "None",
        "cart_total": "249.900000",
        "cart_currency": "COP",
    }


def test_a_store_without_flows_gives_no_decision(night: Night) -> None:
    night.load(payment("2026-09-20 15:00"))
    assert night.decide().equals(pl.DataFrame(schema=FLOW_DECISIONS))
    assert night.emit().files == []


def test_what_was_abandoned_after_as_of_does_not_exist_yet(night: Night) -> None:
    night.load(flow("then"), flow("later", phone="+573005550102", left="2026-09-20 18:00:01"))
    assert night.outcomes() == {"then": "SEND"}
    night.as_of = parse_instant("2026-09-20 18:00:01")
    assert night.outcomes() == {"then": "SEND", "later": "SEND"}


def test_what_was_emitted_is_not_decided_about_again(night: Night) -> None:
    night.load(flow("1"), flow("2", phone="+573005550102"))
    night.contact("1", "2026-01-01 15:00")
    assert night.outcomes() == {"2": "SEND"}


def test_of_all_the_reasons_that_hold_the_first_is_given(night: Night) -> None:
    """Everything is wrong with a flow; one thing after the other is put right."""
    toll_free = "+18005550199"
    night.load(flow("before", phone=PHONE))
    night.contact("before", "2026-09-20 16:00")
    night.opted_out = {"+57300"}
    found: list[str] = []

    def look(phone: str, left: str, *changes: tuple[str, object]) -> None:
        night.load(flow("1", left, phone, *changes))
        found.append(night.outcomes()["1"])

    nameless = ("customer.full_name", "")
    night.load(payment("2026-09-20 17:00", "+18005550199", "1"), payment("2026-09-20 17:00", "3005550101", "57"))
    look("+57300", ago(100), nameless)
    night.opted_out = {toll_free}
    look(toll_free, ago(100), nameless)
    night.opted_out = ()
    look(toll_free, ago(100), nameless)
    look("+573005550102", ago(100), nameless)
    look("+57300", ago(3), nameless)
    look("+57300", ago(3))
    look("+18005550198", ago(3))
    look(PHONE, "2026-09-20 17:30")
    assert found == [
        "opted_out",
        "opted_out",
        "already_paid",
        "too_old",
        "not_submittable",
        "invalid_phone",
        "outside_window",
        "repeated_flow",
    ]
    assert set(found) <= set(REASONS)
    look("+573005550102", ago(3))
    assert found[-1] == "SEND"


def test_the_suppression_list_is_asked_once_for_each_number_as_it_is_dialled(night: Night) -> None:
    night.load(
        flow("1", phone="+57 (300) 555-0101"),
        flow("2", phone=PHONE),
        flow("3", phone="n/a"),
        flow("4", "2026-09-20 15:00", None),
        flow("old", ago(2_000), "+573005550102"),
    )
    night.opted_out = {PHONE, "+573005550102"}
    assert night.outcomes() == {
        "1": "opted_out",
        "2": "opted_out",
        "3": "not_submittable",
        "4": "not_submittable",
        "old": "opted_out",
    }
    assert sorted(night.asked) == [PHONE, "+573005550102", "n/a"]


@pytest.mark.parametrize(
    ("created", "expected"),
    [
        ("2026-09-20 14:59", "SEND"),
        ("2026-09-20 15:00", "SEND"),
        ("2026-09-20 15:01", "already_paid"),
        ("2026-09-20 17:59", "already_paid"),
        ("2026-09-20 18:00", "SEND"),
        ("2026-09-20 18:01", "SEND"),
    ],
)
def test_who_has_paid_since_by_as_of_is_left_out(night: Night, created: str, expected: str) -> None:
    night.load(flow())
    night.load(payment(created))
    assert night.outcome() == expected


def test_a_payment_at_as_of_counts_where_the_window_opens_later(night: Night) -> None:
    night.load(flow())
    night.load(payment("2026-09-20 18:00"))
    night.settings = settings(daily_start_time="14:00")
    assert night.outcome() == "already_paid"


def test_payments_that_do_not_count_hide_none_that_does(night: Night) -> None:
    night.load(flow())
    night.load(payment("2026-09-20 14:00"), payment("2026-09-20 16:00"), payment("2026-09-20 18:00"))
    assert night.outcome() == "already_paid"


@pytest.mark.parametrize(
    ("number", "code", "country", "expected"),
    [
        ("3005550101", "57", "CO", "already_paid"),
        ("(300) 555-0101", "+57", "CO", "already_paid"),
        ("+57 300 555 0101", "57", "CO", "already_paid"),
        ("03005550101", "57", "CO", "already_paid"),
        ("+573005550101", None, "CO", "already_paid"),
        ("3005550101", None, "CO", "already_paid"),
        ("3005550101", None, "MX", "SEND"),
        ("3005550101", "52", "CO", "SEND"),
        ("3005550102", "57", "CO", "SEND"),
        ("9990550101", "57", "CO", "SEND"),
        (None, "57", "CO", "SEND"),
    ],
)
def test_payments_and_flows_are_brought_together_by_their_numbers(
    night: Night, number: object, code: object, country: str, expected: str
) -> None:
    night.load(flow(phone="+57 300 5550101"))
    night.load(payment("2026-09-20 16:00", number, code, country=country))
    assert night.outcome() == expected


@pytest.mark.parametrize(
    ("phone", "number", "code"),
    [
        ("+6834321", "4321", "683"),
        ("+508411234", "0411234", "508"),
        ("+5511987654321", "1187654321", "55"),
        ("+525512345678", "15512345678", "52"),
        ("+5491123456789", "01115 2345-6789", "54"),
        ("+390612345678", "0612345678", "39"),
    ],
)
def test_short_numbers_and_those_of_two_spellings_are_found_too(
    night: Night, phone: str, number: str, code: str
) -> None:
    night.load(flow(phone=phone))
    night.load(payment("2026-09-20 16:00", number, code))
    assert night.outcome() == "already_paid"


@pytest.mark.parametrize(("status", "expected"), [("DECLINED", "SEND"), ("PAID", "already_paid"), ("OK", "SEND")])
def test_only_a_successful_status_is_a_payment(night: Night, status: str, expected: str) -> None:
    night.load(flow())
    night.load(payment("2026-09-20 16:00", status=status))
    assert night.outcome() == expected
    night.settings = Settings.model_validate({"payments": {"successful_statuses": ["OK"]}})
    assert night.outcome() == ("already_paid" if status == "OK" else "SEND")


def test_the_payment_may_be_to_any_organization(night: Night) -> None:
    night.load(flow())
    night.load(payment("2026-09-20 16:00", organization_code="another"))
    assert night.outcome() == "already_paid"


@pytest.mark.parametrize(("early", "expected"), [(timedelta(), "SEND"), (TICK, "too_old")])
def test_a_flow_gets_too_old(night: Night, early: timedelta, expected: str) -> None:
    night.load(flow("1", (AS_OF - timedelta(hours=72) - early).isoformat()))
    assert night.outcome() == expected
    if expected == "too_old":
        assert night.decide().select("planned_at", "window_closes_at").row(0) == (None, None)
    night.settings = Settings.model_validate({"run": {"too_old_hours": 73}})
    assert night.outcome() == "SEND"


def test_a_flow_that_was_too_old_has_no_plan_even_where_its_number_was_looked_at(night: Night) -> None:
    night.load(flow("1", ago(100)))
    night.load(payment("2026-09-20 16:00"))
    row = night.decide().row(0, named=True)
    assert (row["reason"], row["planned_at"]) == ("already_paid", None)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (("customer.full_name", ABSENT), "not_submittable"),
        (("customer.country_code", ABSENT), "not_submittable"),
        (("customer.phone_number", ABSENT), "not_submittable"),
        (("customer.phone_number", "3005550101"), "not_submittable"),
        (("customer.phone_number", "+57300555"), "invalid_phone"),
        (("customer.phone_number", "+999123456789"), "invalid_phone"),
        (("customer.email", "none"), "SEND"),
    ],
)
def test_what_a_request_needs_has_to_be_there(night: Night, change: tuple[str, object], expected: str) -> None:
    night.load(flow("1", "2026-09-20 15:00", PHONE, change))
    assert night.outcome() == expected


def test_of_flows_of_one_number_the_last_is_sent(night: Night) -> None:
    night.load(
        flow("early", "2026-09-20 12:00", "+57 300 555 0101"),
        flow("late b", "2026-09-20 15:00"),
        flow("late a", "2026-09-20 15:00", "+57-3005550101"),
        flow("other", "2026-09-20 11:00", "+573005550102"),
    )
    assert night.outcomes() == {
        "early": "repeated_flow",
        "late a": "SEND",
        "late b": "repeated_flow",
        "other": "SEND",
    }


def test_a_flow_that_is_suppressed_keeps_no_other_of_its_number_back(night: Night) -> None:
    night.load(flow("early", "2026-09-20 12:00"), flow("late", "2026-09-20 15:00", PHONE, ("customer.full_name", "")))
    night.load(payment("2026-09-19 12:00"))
    assert night.outcomes() == {"early": "SEND", "late": "not_submittable"}


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(1, "repeated_flow"), (71, "repeated_flow"), (72, "SEND"), (73, "SEND"), (-5, "repeated_flow")],
)
def test_a_number_that_was_contacted_is_left_alone_for_a_while(night: Night, hours: int, expected: str) -> None:
    night.load(flow("before", ago(100), "+57 300-555-0101"), flow("other", ago(100), "+573005550109"), flow("now"))
    night.contact("before", ago(hours))
    assert night.outcomes()["now"] == expected


def test_the_pause_is_counted_to_the_planned_time(night: Night) -> None:
    night.load(flow("before", ago(100)), flow("now"))
    night.contact("before", ago(71))
    night.settings = settings(daily_start_time="14:00")
    assert night.outcomes() == {"now": "SEND"}
    night.settings = settings(daily_start_time="14:00", again_after_hours=73)
    assert night.outcomes() == {"now": "repeated_flow"}


def test_after_a_contact_of_the_last_flow_no_earlier_one_takes_its_place(night: Night) -> None:
    night.load(flow("first", "2026-09-20 12:00"), flow("last"))
    night.contact("last", "2026-09-20 18:00")
    assert night.outcomes() == {"first": "repeated_flow"}


@pytest.mark.parametrize(
    ("phone", "as_of", "expected"),
    [
        ("+573005550101", "2026-09-20 18:00", "20 18:00 to 21 01:00"),
        ("+573005550101", "2026-09-21 00:59", "21 00:59 to 21 01:00"),
        ("+573005550101", "2026-09-21 01:00", "21 14:00 to 22 01:00"),
        ("+12125550123", "2026-09-21 03:00", "21 13:00 to 22 00:00"),
        ("+34600000000", "2026-09-21 03:00", "21 08:00 to 21 18:00"),  # Madrid and the Canaries
        ("+61400000000", "2026-09-21 03:00", "21 03:00 to 21 09:30"),  # from Perth to Lord Howe
        ("+71234567890", "2026-09-21 03:00", "21 06:00 to 21 08:00"),  # no operator's: from Moscow to Kamchatka
        ("+80012345678", "2026-09-21 03:00", "21 09:00 to 21 20:00"),  # of no country
    ],
)
def test_the_window_is_open_in_every_zone_that_the_number_may_be_in(
    night: Night, phone: str, as_of: str, expected: str
) -> None:
    night.load(flow(phone=phone))
    night.as_of = parse_instant(as_of)
    assert night.planned() == expected


def test_a_number_that_may_be_anywhere_is_never_called(night: Night) -> None:
    night.load(flow(phone="+18005550199"))
    for hours in range(0, 24, 3):
        night.as_of = AS_OF + timedelta(hours=hours)
        assert night.outcome() == "outside_window"
    night.settings = settings(daily_start_time="00:00", daily_end_time="24:00")
    assert night.outcome() == "SEND"


def test_a_window_may_run_over_midnight(night: Night) -> None:
    night.load(flow())
    night.settings = settings(daily_start_time="22:00", daily_end_time="02:00")
    assert night.planned() == "21 03:00 to 21 07:00"


@pytest.mark.parametrize(
    ("engagement", "setting", "expected"),
    [
        ({"preferred_channel": "whatsapp"}, "call", "whatsapp"),
        ({"preferred_channel": "auto"}, "call", "auto"),
        ({"preferred_channel": None}, "whatsapp", "whatsapp"),
        ({"reason": "left"}, "whatsapp", "whatsapp"),
        (None, "call", "call"),
        (ABSENT, "call", "call"),
        (ABSENT, "auto", "auto"),
    ],
)
def test_the_channel_is_that_of_the_record_else_that_of_the_settings(
    night: Night, engagement: Any, setting: str, expected: str
) -> None:
    night.load(flow("1", "2026-09-20 15:00", PHONE, ("engagement", engagement)))
    night.settings = settings(channel=setting)
    assert night.decide()["channel"].to_list() == [expected]


@pytest.mark.parametrize("moment", ["1970-01-01 00:00", "9998-12-31 23:59"])
def test_a_run_may_be_as_of_any_time(night: Night, moment: str) -> None:
    night.load(flow("1", "1969-12-31 23:00"), flow("2", "9998-12-31 22:00", "+573005550102"))
    night.as_of = parse_instant(moment)
    assert "SEND" in night.outcomes().values()
    assert isinstance(night.decide()["planned_at"].drop_nulls().item(0), datetime)
