"""SPEC 4, 6 and 7: rate limits, what counts towards them, and the order in which candidates take their turn."""

from __future__ import annotations

from typing import Any

import polars as pl
import pytest

from recovery_batch.campaigns.models import Campaign
from recovery_batch.simulation import Policy
from tests.unit.simulation.cases import (
    ORGANIZATION,
    OTHER_ORGANIZATION,
    UNIQUE,
    at,
    build_campaign,
    build_payment,
    campaign_id,
    decide,
    history_frame,
    outcomes,
    per_day,
)


def sent(decisions: pl.DataFrame) -> list[tuple[int, str]]:
    """The campaign's number and the payment of everything that is sent."""
    rows = decisions.filter(decision="SEND").select("campaign_id", "payment_id").iter_rows()
    return [(int(identity[-12:]), payment_id) for identity, payment_id in rows]


def at_hours(*hours: int, user: str | None = "u1", day: str = "2026-07-01") -> list[dict[str, Any]]:
    """A payment at each full hour of a day, named for the hour."""
    return [build_payment(f"{hour:02d}", f"{day} {hour:02d}:00", user) for hour in hours]


def test_a_user_gets_at_most_n_communications_a_day() -> None:
    decisions = decide(at_hours(8, 9, 10), [build_campaign(limits=(per_day(2),))])
    assert outcomes(decisions) == {"08": "SEND", "09": "SEND", "10": "user_comms_per_day"}


def test_every_user_has_a_limit_of_their_own() -> None:
    payments = [*at_hours(8, 10, user="u1"), *at_hours(9, 11, user="u2"), *at_hours(12, user="U2")]
    expected = {"08": "SEND", "09": "SEND", "10": "user_comms_per_day", "11": "user_comms_per_day", "12": "SEND"}
    assert outcomes(decide(payments, [build_campaign(limits=(per_day(1),))])) == expected


def test_a_user_is_the_organization_and_the_user_id() -> None:
    other = {"organization_code": OTHER_ORGANIZATION}
    payments = [build_payment("same", "2026-07-01 08:00"), build_payment("same", "2026-07-01 09:00", **other)]
    campaigns = [build_campaign(1, limits=(per_day(1), UNIQUE)), build_campaign(2, limits=(per_day(1),), **other)]
    assert sent(decide(payments, campaigns)) == [(1, "same"), (2, "same")]


def test_of_several_daily_limits_the_smallest_counts() -> None:
    limits = (per_day(3), per_day(1), per_day(2))
    decisions = decide(at_hours(8, 9), [build_campaign(limits=limits)])
    assert outcomes(decisions) == {"08": "SEND", "09": "user_comms_per_day"}


def test_an_inactive_limit_does_not_count() -> None:
    decisions = decide(at_hours(8, 9, 10), [build_campaign(limits=(per_day(1, "INACTIVE"), per_day(2)))])
    assert outcomes(decisions) == {"08": "SEND", "09": "SEND", "10": "user_comms_per_day"}


def test_the_day_is_the_calendar_day_of_the_campaign_s_zone() -> None:
    # 04:00 and 06:00 UTC are two days in Bogota and one in UTC
    payments = at_hours(4, 6)
    assert outcomes(decide(payments, [build_campaign(1, zone="America/Bogota", limits=(per_day(1),))])) == {
        "04": "SEND",
        "06": "SEND",
    }
    assert outcomes(decide(payments, [build_campaign(1, zone="UTC", limits=(per_day(1),))])) == {
        "04": "SEND",
        "06": "user_comms_per_day",
    }


def test_campaigns_in_two_zones_each_count_their_own_day() -> None:
    """What the campaign in Kathmandu sends at 19:00 UTC is of the 2nd there, and of the 1st in Bogota."""
    kathmandu = build_campaign(1, zone="Asia/Kathmandu", limits=(per_day(1),))
    bogota = build_campaign(2, zone="America/Bogota", limits=(per_day(2),))
    # 17:00: both send; 19:00: Kathmandu has a new day, and what it sends there is the third of the day in Bogota
    for campaigns in ([kathmandu, bogota], [bogota, kathmandu]):
        assert sent(decide(at_hours(17, 19), campaigns)) == [(1, "17"), (1, "19"), (2, "17")]


def test_the_day_is_that_of_the_planned_time() -> None:
    evening, morning = build_payment("evening", "2026-07-01 20:00"), build_payment("morning", "2026-07-02 10:00")
    decisions = decide([evening, morning], [build_campaign(1, "09:00-18:00", limits=(per_day(1),))])
    assert outcomes(decisions) == {"evening": "SEND", "morning": "user_comms_per_day"}


def test_an_hour_that_happens_twice_makes_the_day_longer() -> None:
    # Madrid, 2026-10-25, has 25 hours: 22:00 UTC of the 24th to 23:00 UTC
    payments = [build_payment("first", "2026-10-24 22:00"), build_payment("last", "2026-10-25 22:58:59")]
    payments.append(build_payment("next day", "2026-10-25 23:00"))
    decisions = decide(payments, [build_campaign(zone="Europe/Madrid", limits=(per_day(1),))])
    assert outcomes(decisions) == {"first": "SEND", "last": "user_comms_per_day", "next day": "SEND"}


def test_a_day_that_goes_on_after_the_next_has_begun_is_one_day() -> None:
    # St John's, 2010-11-07: at 00:01 the clock went back to 23:01 of the 6th, which went on for 59 minutes
    payments = [
        build_payment("6th", "2010-11-07 02:00"),
        build_payment("7th, first minute", "2010-11-07 02:30"),
        build_payment("6th again", "2010-11-07 02:31"),
        build_payment("7th again", "2010-11-07 03:30"),
    ]
    decisions = decide(payments, [build_campaign(zone="America/St_Johns", limits=(per_day(1),))])
    assert outcomes(decisions) == {
        "6th": "SEND",
        "7th, first minute": "SEND",
        "6th again": "user_comms_per_day",
        "7th again": "user_comms_per_day",
    }


def test_communications_of_any_campaign_count_those_without_a_limit_too() -> None:
    unlimited, limited = build_campaign(1), build_campaign(2, limits=(per_day(2),))
    decisions = decide(at_hours(8, 9), [unlimited, limited])
    # 08: both; 09: the unlimited one goes first and makes three, and the limited one may not
    assert sent(decisions) == [(1, "08"), (1, "09"), (2, "08")]


def test_only_what_is_sent_counts() -> None:
    campaigns = [build_campaign(1, limits=(per_day(1),)), build_campaign(2, limits=(per_day(2),))]
    payments = at_hours(8, 9)
    payments.insert(0, build_payment("07", "2026-07-01 07:00", holdout=True))
    # 08: both; 09: neither, and the one that campaign 1 did not send takes no place from campaign 2
    assert sent(decide(payments, campaigns)) == [(1, "08"), (2, "08")]
    campaigns[1] = build_campaign(2, limits=(per_day(3),))
    assert sent(decide(payments, campaigns)) == [(1, "08"), (2, "08"), (2, "09")]


def test_a_payment_without_a_user_counts_for_nobody() -> None:
    payments = [*at_hours(7, 8, user=None), *at_hours(9)]
    campaigns = [build_campaign(1), build_campaign(2, limits=(per_day(2),))]
    assert sent(decide(payments, campaigns)) == [(1, "07"), (1, "08"), (1, "09"), (2, "09")]


def test_unique_by_user_sends_once_to_a_user_for_ever() -> None:
    payments = [
        *at_hours(8, 9),
        *at_hours(10, user="u2"),
        build_payment("later", "2026-09-01 10:00"),
    ]
    decisions = decide(payments, [build_campaign(limits=(UNIQUE,))])
    expected = {"08": "SEND", "09": "unique_by_user", "10": "SEND", "later": "unique_by_user"}
    assert outcomes(decisions) == expected


def test_unique_by_user_looks_at_this_campaign_alone() -> None:
    campaigns = [build_campaign(1), build_campaign(2, limits=(UNIQUE,)), build_campaign(3, limits=(UNIQUE,))]
    assert sent(decide(at_hours(8, 9), campaigns)) == [(1, "08"), (1, "09"), (2, "08"), (3, "08")]


def test_unique_by_user_counts_what_was_sent_not_what_was_suppressed() -> None:
    payments = [build_payment("held", "2026-07-01 07:00", holdout=True), *at_hours(8, 9)]
    decisions = decide(payments, [build_campaign(limits=(UNIQUE,))])
    assert outcomes(decisions) == {"held": "holdout", "08": "SEND", "09": "unique_by_user"}
    stopped_by_the_day = [build_campaign(1), build_campaign(2, limits=(UNIQUE, per_day(1)))]
    days = [*at_hours(8), build_payment("next day", "2026-07-02 08:00")]
    # the unlimited campaign takes the day each time, so that the second has never sent: it is the day that stops it
    reasons = decide(days, stopped_by_the_day).filter(campaign_id=campaign_id(2))["reason"].to_list()
    assert reasons == ["user_comms_per_day", "user_comms_per_day"]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        (
            build_payment("z", "2026-07-01 08:00"),
            build_payment("a", "2026-07-01 08:00:01"),
            "planned earlier",
        ),
        (
            build_payment("z", "2026-07-01 03:00"),
            build_payment("a", "2026-07-01 04:00"),
            "planned for the same opening, created earlier",
        ),
        (build_payment("10", "2026-07-01 08:00"), build_payment("9", "2026-07-01 08:00"), "ids are no numbers"),
        (build_payment("B", "2026-07-01 08:00"), build_payment("a", "2026-07-01 08:00"), "ids compare as bytes"),
        (build_payment("a", "2026-07-01 08:00"), build_payment("aa", "2026-07-01 08:00"), "a prefix comes first"),
        (build_payment("z", "2026-07-01 08:00"), build_payment("á", "2026-07-01 08:00"), "one byte before two"),
        (
            build_payment("\uff61", "2026-07-01 08:00"),
            build_payment("\U0001f600", "2026-07-01 08:00"),
            "in UTF-8, not in UTF-16",
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_payments_take_their_turn_by_planned_time_then_created_at_then_id(
    first: dict[str, Any], second: dict[str, Any], why: str, turned: bool
) -> None:
    payments = [second, first] if turned else [first, second]
    decisions = decide(payments, [build_campaign(1, "06:00-20:00", limits=(per_day(1),))])
    expected = {first["payment_id"]: "SEND", second["payment_id"]: "user_comms_per_day"}
    assert outcomes(decisions) == expected, why


def test_the_planned_time_decides_before_the_time_of_the_payment() -> None:
    waits, at_once = (
        build_payment("waits", "2026-07-01 01:00"),
        build_payment("at once", "2026-07-01 02:00", country="MX"),
    )
    campaigns = [
        build_campaign(1, "09:00-18:00", limits=(per_day(1),)),
        build_campaign(2, country="MX", limits=(per_day(1),)),
    ]
    assert sent(decide([waits, at_once], campaigns)) == [(2, "at once")]


def test_the_payment_id_decides_before_the_campaign() -> None:
    payments = [build_payment("b", "2026-07-01 08:00"), build_payment("a", "2026-07-01 08:00", country="MX")]
    older = build_campaign(1, limits=(per_day(1),), created_at="2025-01-01T00:00:00Z")
    newer = build_campaign(2, limits=(per_day(1),), created_at="2026-01-01T00:00:00Z", country="MX")
    assert sent(decide(payments, [older, newer])) == [(2, "a")]


@pytest.mark.parametrize(
    ("first", "second", "why"),
    [
        ((9, "2026-01-01T00:00:00Z"), (1, "2026-01-01T00:00:00.000001Z"), "created earlier"),
        ((9, "2026-01-01T00:00:00+02:00"), (1, "2025-12-31T23:00:00Z"), "created earlier, as instants"),
        ((9, "2026-01-01T00:00:00Z"), (1, None), "a missing created_at comes last"),
        ((1, "2026-01-01T00:00:00Z"), (9, "2026-01-01T00:00:00Z"), "the same created_at: by id"),
        ((1, None), (9, None), "both missing: by id"),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_campaigns_take_their_turn_by_created_at_then_id(
    first: tuple[int, str | None], second: tuple[int, str | None], why: str, turned: bool
) -> None:
    campaigns: list[Campaign] = [
        build_campaign(number, limits=(per_day(1),), created_at=created) for number, created in (first, second)
    ]
    assert sent(decide(at_hours(8), campaigns[::-1] if turned else campaigns)) == [(first[0], "08")], why


def test_ids_of_campaigns_compare_as_bytes_too() -> None:
    upper, lower = campaign_id(1).replace("-8000-", "-B000-"), campaign_id(1).replace("-8000-", "-a000-")
    campaigns = [build_campaign(id=identity, limits=(per_day(1),)) for identity in (lower, upper)]
    assert decide(at_hours(8), campaigns).filter(decision="SEND")["campaign_id"].to_list() == [upper]


def ledger(*moments: str, campaign: int = 1, user: str = "u1", organization: str = ORGANIZATION) -> pl.DataFrame:
    return history_frame(*((organization, user, campaign_id(campaign), at(moment)) for moment in moments))


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (ledger("2026-07-01 07:00"), "user_comms_per_day"),
        (ledger("2026-07-01 23:00"), "user_comms_per_day"),
        (ledger("2026-07-02 04:59:59"), "user_comms_per_day"),
        (ledger("2026-07-01 04:59:59"), "SEND"),
        (ledger("2026-07-02 05:00"), "SEND"),
        (ledger("2026-07-01 07:00", campaign=5), "user_comms_per_day"),
        (ledger("2026-07-01 07:00", user="u2"), "SEND"),
        (ledger("2026-07-01 07:00", organization=OTHER_ORGANIZATION), "SEND"),
        (None, "SEND"),
    ],
)
def test_the_ledger_counts_for_the_whole_calendar_day_later_hours_too(
    history: pl.DataFrame | None, expected: str
) -> None:
    # in Bogota the 1st of July is from 05:00 UTC to 05:00 UTC
    campaign = build_campaign(1, zone="America/Bogota", limits=(per_day(1),))
    assert outcomes(decide(at_hours(12), [campaign], history=history)) == {"12": expected}


def test_the_ledger_and_what_is_sent_now_are_added_up() -> None:
    campaign = build_campaign(1, limits=(per_day(3),))
    history = ledger("2026-07-01 01:00", "2026-07-01 23:00", campaign=5)
    expected = {"08": "SEND", "09": "user_comms_per_day", "10": "user_comms_per_day"}
    assert outcomes(decide(at_hours(8, 9, 10), [campaign], history=history)) == expected


@pytest.mark.parametrize(
    ("history", "expected"),
    [
        (ledger("2020-01-01 00:00"), "unique_by_user"),
        (ledger("2020-01-01 00:00", campaign=2), "SEND"),
        (ledger("2020-01-01 00:00", user="u2"), "SEND"),
        (ledger("2020-01-01 00:00", organization=OTHER_ORGANIZATION), "SEND"),
    ],
)
def test_a_campaign_that_has_sent_to_a_user_before_is_known_from_the_ledger(
    history: pl.DataFrame, expected: str
) -> None:
    decisions = decide(at_hours(12), [build_campaign(1, limits=(UNIQUE,))], history=history)
    assert outcomes(decisions) == {"12": expected}


def test_the_ledger_stops_no_campaign_without_a_limit() -> None:
    history = ledger("2026-07-01 07:00")
    assert outcomes(decide(at_hours(12), [build_campaign(1)], history=history)) == {"12": "SEND"}


def test_in_a_nightly_run_all_wait_for_as_of_and_take_their_turn_by_created_at() -> None:
    payments = [build_payment("a", "2026-07-01 09:00"), build_payment("b", "2026-06-30 09:00")]
    decisions = decide(payments, [build_campaign(1, limits=(per_day(1),))], Policy(as_of=at("2026-07-01 12:00")))
    assert outcomes(decisions) == {"a": "user_comms_per_day", "b": "SEND"}


def test_of_the_attempts_at_an_order_the_first_that_is_sent_counts() -> None:
    """An attempt that a limit stops leaves the next one free; users of one order are no chain, but count too."""
    one = Policy(one_per_order=True)
    payments = [
        build_payment("a", "2026-07-01 09:00", "full", order_id="another"),
        build_payment("b", "2026-07-01 10:00", "full", order_id="o"),
        build_payment("c", "2026-07-01 11:00", "free", order_id="o"),
        build_payment("d", "2026-07-01 12:00", "free", order_id="o"),
        build_payment("e", "2026-07-01 13:00", None, order_id="o"),
        build_payment("f", "2026-07-01 14:00", "third", order_id="o"),
    ]
    limited = build_campaign(1, limits=(per_day(1),))
    assert outcomes(decide(payments, [limited], one)) == {
        "a": "SEND",
        "b": "user_comms_per_day",
        "c": "SEND",
        "d": "same_order",
        "e": "missing_user_id",
        "f": "same_order",
    }
    assert outcomes(decide(payments, [build_campaign(1)], one)) == {
        "a": "SEND",
        "b": "SEND",
        **dict.fromkeys("cdef", "same_order"),
    }
