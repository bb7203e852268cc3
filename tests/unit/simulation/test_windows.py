"""SPEC 3, sentence by sentence: when a communication goes out."""

from __future__ import annotations

from datetime import timedelta

import numpy as np
import pytest

from recovery_batch.clock import from_micros, to_micros
from recovery_batch.simulation import Policy
from recovery_batch.simulation.windows import clock_for, first_opening, open_spans, plan
from tests.unit.simulation.cases import (
    at,
    build_campaign,
    build_payment,
    build_schedule,
    decide,
    outcomes,
    planned,
)
from tests.unit.simulation.clock_changes import CHANGES, changes_at


def plan_of(window: str, zone: str, moment: str) -> str:
    """When a payment created at a moment goes out, in UTC."""
    (planned_at,) = planned(decide([build_payment("p", moment)], [build_campaign(1, window, zone)]))
    return planned_at


def spans_of(window: str, zone: str, first: str, last: str) -> list[str]:
    """The open spans of a window that begin from one UTC instant to another."""
    schedule = build_schedule(window, zone)
    opens, closes = open_spans(schedule, clock_for(schedule, to_micros(at(first)), to_micros(at(last))))
    spans = [
        (from_micros(each), from_micros(other)) for each, other in zip(opens.tolist(), closes.tolist(), strict=True)
    ]
    return [f"{begin:%d %H:%M} to {end:%d %H:%M}" for begin, end in spans if at(first) <= begin <= at(last)]


@pytest.mark.parametrize(("zone", "instant", "what"), CHANGES)
def test_the_clock_changes_that_these_tests_are_about_are_real(zone: str, instant: str, what: str) -> None:
    assert changes_at(zone, at(instant)), what


@pytest.mark.parametrize(
    ("created", "goes_out"),
    [
        ("2026-07-01 08:59:59.999999", "2026-07-01 09:00"),
        ("2026-07-01 09:00", "2026-07-01 09:00"),
        ("2026-07-01 12:34:56.789", "2026-07-01 12:34:56.789000"),
        ("2026-07-01 17:59:59.999999", "2026-07-01 17:59:59.999999"),
        ("2026-07-01 18:00", "2026-07-02 09:00"),
        ("2026-12-31 23:59", "2027-01-01 09:00"),
    ],
)
def test_a_match_inside_the_window_is_planned_for_its_own_instant_another_for_the_next_opening(
    created: str, goes_out: str
) -> None:
    assert plan_of("09:00-18:00", "UTC", created.replace("09:00", "09:00:00")) == goes_out


@pytest.mark.parametrize(
    ("zone", "goes_out"),
    [
        ("America/Bogota", "2026-07-01 14:00"),
        ("-05:00", "2026-07-01 14:00"),
        ("Europe/Madrid", "2026-07-02 07:00"),
        ("+05:45", "2026-07-02 03:15"),
    ],
)
def test_the_window_is_on_the_wall_clock_of_the_campaign_s_zone(zone: str, goes_out: str) -> None:
    created = "2026-07-01 13:59" if goes_out.startswith("2026-07-01") else "2026-07-01 16:30"
    assert plan_of("09:00-18:00", zone, created) == goes_out


@pytest.mark.parametrize(
    ("created", "goes_out"),
    [
        ("2026-07-01 21:59", "2026-07-01 22:00"),
        ("2026-07-01 22:00", "2026-07-01 22:00"),
        ("2026-07-02 00:00", "2026-07-02 00:00"),
        ("2026-07-02 05:59:59", "2026-07-02 05:59:59"),
        ("2026-07-02 06:00", "2026-07-02 22:00"),
    ],
)
def test_a_start_later_than_the_end_means_that_the_window_runs_over_midnight(created: str, goes_out: str) -> None:
    assert plan_of("22:00-06:00", "UTC", created) == goes_out


def test_a_window_to_midnight_ends_with_the_day() -> None:
    assert spans_of("20:00-00:00", "UTC", "2026-07-01 00:00", "2026-07-02 00:00") == ["01 20:00 to 02 00:00"]


def test_a_window_of_one_minute_opens_every_day() -> None:
    expected = ["01 12:00 to 01 12:01", "02 12:00 to 02 12:01"]
    assert spans_of("12:00-12:01", "UTC", "2026-07-01 00:00", "2026-07-03 00:00") == expected


def test_an_opening_that_a_clock_change_skips_is_the_first_instant_after_the_gap() -> None:
    # New York, 2026-03-08: 02:00 to 03:00 does not happen; the instant after 01:59:59 EST is 07:00 UTC, 03:00 EDT
    assert plan_of("02:30-10:00", "America/New_York", "2026-03-08 06:00") == "2026-03-08 07:00"
    assert plan_of("02:30-10:00", "America/New_York", "2026-03-07 06:00") == "2026-03-07 07:30"


def test_a_window_that_a_clock_change_skips_whole_does_not_open_that_day() -> None:
    assert plan_of("02:00-03:00", "America/New_York", "2026-03-08 06:59:59") == "2026-03-09 06:00"
    assert plan_of("02:15-02:45", "America/New_York", "2026-03-08 06:59:59") == "2026-03-09 06:15"


def test_a_window_that_ends_inside_the_gap_closes_where_the_gap_begins() -> None:
    expected = ["08 06:00 to 08 07:00", "09 05:00 to 09 06:30"]
    assert spans_of("01:00-02:30", "America/New_York", "2026-03-08 04:00", "2026-03-09 12:00") == expected


def test_where_an_hour_happens_twice_the_window_can_open_twice() -> None:
    # Madrid, 2026-10-25: 02:00 to 03:00 happens at 00:00 UTC and again at 01:00 UTC
    expected = ["25 00:15 to 25 00:45", "25 01:15 to 25 01:45"]
    assert spans_of("02:15-02:45", "Europe/Madrid", "2026-10-25 00:00", "2026-10-25 12:00") == expected
    assert plan_of("02:15-02:45", "Europe/Madrid", "2026-10-25 00:45") == "2026-10-25 01:15"
    assert plan_of("02:15-02:45", "Europe/Madrid", "2026-10-25 01:45") == "2026-10-26 01:15"


def test_a_window_that_is_open_when_the_clock_changes_stays_open() -> None:
    assert spans_of("01:00-05:00", "Europe/Madrid", "2026-10-24 12:00", "2026-10-25 12:00") == ["24 23:00 to 25 04:00"]
    assert spans_of("01:00-05:00", "Europe/Madrid", "2026-03-28 12:00", "2026-03-29 12:00") == ["29 00:00 to 29 03:00"]


def test_a_day_that_begins_at_one_opens_a_window_from_midnight_at_one() -> None:
    # Beirut, 2026-03-29: after 23:59:59 comes 01:00
    assert spans_of("00:00-06:00", "Asia/Beirut", "2026-03-28 12:00", "2026-03-29 12:00") == ["28 22:00 to 29 03:00"]
    assert spans_of("00:15-00:45", "Asia/Beirut", "2026-03-28 12:00", "2026-03-29 23:00") == ["29 21:15 to 29 21:45"]


def test_a_date_that_a_zone_skips_has_no_window() -> None:
    # Apia had no 2011-12-30
    expected = ["29 19:00 to 30 04:00", "30 19:00 to 31 04:00"]
    assert spans_of("09:00-18:00", "Pacific/Apia", "2011-12-29 12:00", "2011-12-31 12:00") == expected


def test_half_an_hour_that_happens_twice_opens_a_window_twice() -> None:
    # Lord Howe, 2026-04-05: 01:30 to 02:00 happens at 14:30 UTC and again at 15:00 UTC
    expected = ["04 14:35 to 04 14:40", "04 15:05 to 04 15:10"]
    assert spans_of("01:35-01:40", "Australia/Lord_Howe", "2026-04-04 12:00", "2026-04-04 20:00") == expected


def test_a_planned_time_at_the_end_of_the_campaign_is_campaign_ended_and_one_before_it_is_not() -> None:
    payment = build_payment("p", "2026-07-01 20:00")
    for end, outcome in (
        ("2026-07-02T09:00:00Z", "campaign_ended"),
        ("2026-07-02T09:00:00.000001Z", "SEND"),
        ("2026-07-02T08:59:59Z", "campaign_ended"),
    ):
        campaign = build_campaign(1, "09:00-18:00", duration={"start_at": "2026-01-01T00:00:00Z", "end_at": end})
        assert outcomes(decide([payment], [campaign])) == {"p": outcome}, end


def test_drop_suppresses_what_defer_would_plan_later() -> None:
    payments = [build_payment("early", "2026-07-01 08:59"), build_payment("in time", "2026-07-01 09:00")]
    decisions = decide(payments, [build_campaign(1, "09:00-18:00")], Policy("drop"))
    assert outcomes(decisions) == {"early": "outside_window", "in time": "SEND"}
    assert planned(decisions) == ["2026-07-01 08:59", "2026-07-01 09:00"], "nothing is deferred"


def test_what_is_dropped_is_not_campaign_ended_for_an_opening_that_it_would_not_wait_for() -> None:
    campaign = build_campaign(
        1, "09:00-18:00", duration={"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-07-02T00:00:00Z"}
    )
    payments = [build_payment("p", "2026-07-01 20:00")]
    assert outcomes(decide(payments, [campaign], Policy("drop"))) == {"p": "outside_window"}
    assert outcomes(decide(payments, [campaign])) == {"p": "campaign_ended"}


def test_a_nightly_run_plans_from_the_later_of_created_at_and_as_of() -> None:
    campaign = build_campaign(1, "09:00-18:00")
    payments = [build_payment("old", "2026-07-01 10:00"), build_payment("new", "2026-07-02 11:30")]
    for as_of, expected in (
        ("2026-07-02 12:00", ["2026-07-02 12:00", "2026-07-02 12:00"]),
        ("2026-07-02 11:30", ["2026-07-02 11:30", "2026-07-02 11:30"]),
        ("2026-07-02 23:00", ["2026-07-03 09:00", "2026-07-03 09:00"]),
    ):
        assert planned(decide(payments, [campaign], Policy(as_of=at(as_of)))) == expected


def test_a_nightly_run_after_the_end_of_a_campaign_sends_nothing() -> None:
    campaign = build_campaign(1, duration={"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-07-02T00:00:00Z"})
    payments = [build_payment("p", "2026-07-01 10:00")]
    for as_of, outcome in (("2026-07-01 23:58", "SEND"), ("2026-07-02 00:00", "campaign_ended")):
        assert outcomes(decide(payments, [campaign], Policy(as_of=at(as_of)))) == {"p": outcome}


def test_the_decision_says_the_wall_clock_and_the_end_of_the_window() -> None:
    decisions = decide([build_payment("p", "2026-07-01 10:00")], [build_campaign(1, "09:00-18:00", "America/Bogota")])
    (row,) = decisions.rows(named=True)
    assert f"{row['planned_local']:%Y-%m-%d %H:%M}" == "2026-07-01 09:00"
    assert row["planned_local"].tzinfo is None
    assert row["window_closes_at"] == at("2026-07-01 23:00")


def test_the_end_of_the_campaign_closes_its_last_window() -> None:
    campaign = build_campaign(
        1, "09:00-18:00", duration={"start_at": "2026-01-01T00:00:00Z", "end_at": "2026-07-01T12:00:00Z"}
    )
    assert decide([build_payment("p", "2026-07-01 10:00")], [campaign])["window_closes_at"].item() == at(
        "2026-07-01 12:00"
    )


@pytest.mark.parametrize("created", ["0001-01-01 00:00:00", "9999-12-31 08:00:00"])
def test_the_placeholder_dates_of_exports_are_planned_too(created: str) -> None:
    schedule = build_schedule("09:00-18:00", "-05:00")
    moment = to_micros(at(created))
    planned_at, closes_at = plan(np.array([moment]), *open_spans(schedule, clock_for(schedule, moment, moment)))
    opening = at(created).replace(hour=14)
    assert planned_at.tolist() == [to_micros(opening)]
    assert closes_at.tolist() == [to_micros(opening + timedelta(hours=9))]


def test_a_plan_reaches_over_years_between_the_first_and_the_last_payment() -> None:
    payments = [build_payment("a", "2011-01-01 00:00"), build_payment("b", "2031-01-01 00:00")]
    decisions = decide(payments, [build_campaign(1, "09:00-18:00", "Europe/Madrid")])
    assert planned(decisions) == ["2011-01-01 08:00", "2031-01-01 08:00"]


@pytest.mark.parametrize(
    ("window", "zones", "moment", "expected"),
    [
        ("09:00-18:00", ["UTC"], "2026-07-01 08:00", "01 09:00 to 01 18:00"),
        ("09:00-18:00", ["UTC"], "2026-07-01 12:00", "01 12:00 to 01 18:00"),
        ("09:00-18:00", ["UTC"], "2026-07-01 18:00", "02 09:00 to 02 18:00"),
        ("09:00-18:00", ["UTC", "UTC"], "2026-07-01 08:00", "01 09:00 to 01 18:00"),
        ("09:00-18:00", ["Europe/Madrid", "-05:00"], "2026-07-01 08:00", "01 14:00 to 01 16:00"),
        ("09:00-18:00", ["UTC", "-08:00", "+00:30"], "2026-07-01 08:00", "01 17:00 to 01 17:30"),
        ("09:00-18:00", ["UTC", "-09:00"], "2026-07-01 08:00", None),
        ("20:00-12:00", ["UTC", "+10:00"], "2026-07-01 15:00", "01 20:00 to 02 02:00"),
        ("00:00-24:00", ["UTC", "-09:00"], "2026-07-01 08:00", "01 08:00 to 11 00:00"),
        # a quarter of an hour in common, from the night on in which Madrid goes back to winter time
        ("09:00-09:15", ["Europe/Madrid", "+01:00"], "2026-10-24 12:00", "25 08:00 to 25 08:15"),
    ],
)
def test_several_zones_have_the_openings_that_are_common_to_all(
    window: str, zones: list[str], moment: str, expected: str | None
) -> None:
    start, end = window.split("-")
    found = first_opening(start, end, zones, to_micros(at(moment)))
    shown = found and f"{from_micros(found[0]):%d %H:%M} to {from_micros(found[1]):%d %H:%M}"
    assert shown == expected
