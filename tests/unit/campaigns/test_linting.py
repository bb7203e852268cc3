"""What lint says about a campaign besides its rules against one another: limits, times, codes and hours."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from recovery_batch.campaigns import Campaign
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.campaigns.linting import DO_NOT_CHASE, ContactHours, codes_not_excluded, lint_campaign
from recovery_batch.campaigns.linting.timing import country_zones
from recovery_batch.clock import zone_names
from recovery_batch.settings import Settings

NOW = datetime(2026, 9, 10, tzinfo=UTC)
DECLINED = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]}
ONCE = {"rule_type": "UNIQUE_BY_USER"}
NO_FRAUD = {"rule_type": "ISO_RESPONSE_CODE", "conditional": "NOT_ONE_OF", "values": list(DO_NOT_CHASE)}
IN_ORDER = (DECLINED, ONCE, NO_FRAUD)
NINE_TO_FIVE = ("09:00", "17:00")


def campaign_of(
    *rules: dict[str, Any],
    window: tuple[str, str] = NINE_TO_FIVE,
    zone: str = "America/Mexico_City",
    duration: tuple[str, str] = ("2026-09-01", "2026-12-01"),
    **changes: Any,
) -> Campaign:
    return Campaign.model_validate(
        {
            "id": "00000000-0000-4000-8000-000000000099",
            "name": "linted",
            "account_id": "33333333-3333-4333-8333-333333333333",
            "organization_code": "11111111-1111-4111-8111-111111111111",
            "country": "MX",
            "channel": "PHONE_CALL",
            "schedule": {"daily_start_time": window[0], "daily_end_time": window[1], "time_zone": zone},
            "duration": {"start_at": duration[0], "end_at": duration[1]},
            "rules": [{"id": f"00000000-0000-4000-8000-{n:012}", **each} for n, each in enumerate(rules)],
            **changes,
        }
    )


def found(campaign: Campaign, slug: str, **options: Any) -> list[Finding]:
    return [each for each in lint_campaign(campaign, NOW, **options) if each.slug == slug]


def test_a_campaign_in_order_has_no_findings() -> None:
    assert lint_campaign(campaign_of(*IN_ORDER), NOW) == ()


def test_findings_name_the_campaign_and_are_plain_data() -> None:
    campaign = campaign_of()
    findings = lint_campaign(campaign, NOW)
    assert findings == lint_campaign(campaign, NOW)
    assert {(each.campaign_id, each.campaign_name) for each in findings} == {(campaign.id, "linted")}
    assert all(each.reason.endswith(".") and each.advice.endswith(".") for each in findings)
    json.dumps([each.as_json() for each in findings])


def test_the_default_statuses_are_those_of_the_settings() -> None:
    only = DECLINED | {"conditional": "ONE_OF", "values": list(Settings().payments.successful_statuses)}
    assert found(campaign_of(only), "only_successful_statuses")


@pytest.mark.parametrize("rules", [(), (DECLINED | {"status": "INACTIVE"},)])
def test_a_campaign_without_an_active_rule_targets_nobody(rules: tuple[dict[str, Any], ...]) -> None:
    (one,) = lint_campaign(campaign_of(*rules), NOW)
    assert (one.slug, one.severity) == ("no_active_rule", Severity.WARNING)
    assert ("INACTIVE" in one.reason) is bool(rules)


def test_a_campaign_with_nothing_but_limits_targets_everybody() -> None:
    (one,) = found(campaign_of(ONCE, DECLINED | {"status": "INACTIVE"}), "only_rate_limits")
    assert one.rule_ids == ("00000000-0000-4000-8000-000000000000",)
    assert "MX" in one.reason
    assert found(campaign_of(ONCE, DECLINED), "only_rate_limits") == []


def test_a_campaign_without_a_limit_is_warned_of() -> None:
    assert len(found(campaign_of(DECLINED, ONCE | {"status": "INACTIVE"}), "no_rate_limit")) == 1
    assert found(campaign_of(DECLINED, ONCE), "no_rate_limit") == []
    assert found(campaign_of(DECLINED, {"rule_type": "USER_COMMS_PER_DAY", "values": ["3"]}), "no_rate_limit") == []


@pytest.mark.parametrize(
    ("window", "zone", "start", "end", "opens"),
    [
        (NINE_TO_FIVE, "+00:00", "2026-09-01T05:00", "2026-09-01T07:00", False),
        (NINE_TO_FIVE, "+00:00", "2026-09-01T05:00", "2026-09-01T09:00", False),  # end_at is not part of it
        (NINE_TO_FIVE, "+00:00", "2026-09-01T05:00", "2026-09-01T09:00:00.000001", True),
        (NINE_TO_FIVE, "+00:00", "2026-09-01T17:00", "2026-09-02T09:00", False),
        (NINE_TO_FIVE, "+00:00", "2026-09-01T16:59:59", "2026-09-01T18:00", True),
        (NINE_TO_FIVE, "America/Bogota", "2026-09-01T09:00", "2026-09-01T14:00", False),
        (NINE_TO_FIVE, "America/Bogota", "2026-09-01T09:00", "2026-09-01T15:00", True),
        (("22:00", "02:00"), "+00:00", "2026-09-01T00:30", "2026-09-01T01:00", True),
        (("22:00", "02:00"), "+00:00", "2026-09-01T02:00", "2026-09-01T22:00", False),
        (("22:00", "02:00"), "+00:00", "2026-09-01T03:00", "2026-09-02T03:00", True),
        (("02:00", "03:00"), "Europe/Madrid", "2026-03-28T12:00", "2026-03-29T12:00", False),  # the clock skips it
        (("02:00", "03:00"), "Europe/Madrid", "2026-03-28T12:00", "2026-03-30T12:00", True),
        (("02:30", "03:30"), "Europe/Madrid", "2026-03-28T12:00", "2026-03-29T12:00", True),
        (NINE_TO_FIVE, "Europe/Madrid", "0001-01-01", "9999-12-31", True),
    ],
)
def test_a_window_must_open_within_the_duration(
    window: tuple[str, str], zone: str, start: str, end: str, opens: bool
) -> None:
    findings = found(campaign_of(*IN_ORDER, window=window, zone=zone, duration=(start, end)), "window_never_opens")
    assert len(findings) == (not opens)
    assert all(each.severity is Severity.ERROR and window[0] in each.reason for each in findings)


@pytest.mark.parametrize(
    ("country", "zone", "start", "end", "warned"),
    [
        ("US", "-05:00", "2026-09-01", "2026-12-01", True),
        ("US", "Etc/GMT+5", "2026-09-01", "2026-12-01", True),
        ("US", "America/New_York", "2026-09-01", "2026-12-01", False),
        ("US", "-05:00", "2026-12-01", "2027-03-01", False),  # no clock changes meanwhile
        ("US", "-05:00", "2026-12-01", "2099-03-01", True),
        ("CL", "-03:00", "2026-09-01", "2026-09-10", True),  # forward on the first Saturday night of September
        ("CO", "-05:00", "2026-09-01", "2027-12-01", False),
        ("BR", "-03:00", "2026-09-01", "2027-12-01", False),
        ("BV", "+01:00", "2026-01-01", "2027-12-01", False),  # nobody lives there, and it has no zone
    ],
)
def test_an_offset_does_not_follow_the_clocks_of_a_country(
    country: str, zone: str, start: str, end: str, warned: bool
) -> None:
    findings = found(campaign_of(*IN_ORDER, country=country, zone=zone, duration=(start, end)), "offset_zone")
    assert len(findings) == warned
    assert all(zone in each.reason and "America/" in each.advice for each in findings)


def test_the_zone_that_an_offset_stands_for_is_named() -> None:
    for zone, expected in (("-05:00", "America/New_York"), ("-08:00", "America/Los_Angeles")):
        (one,) = found(campaign_of(*IN_ORDER, country="US", zone=zone), "offset_zone")
        assert one.advice.endswith(f"such as {expected}.")


def test_every_zone_of_a_country_is_one_that_campaigns_may_name() -> None:
    zones = country_zones()
    assert zones["CO"] == ("America/Bogota",)
    assert {zone for several in zones.values() for zone in several} <= zone_names()


def test_a_campaign_that_is_over_is_warned_of_until_somebody_ends_it() -> None:
    over = ("2026-08-01", "2026-09-10")
    (one,) = found(campaign_of(*IN_ORDER, duration=over), "duration_over")
    assert "2026-09-10T00:00:00Z" in one.reason
    assert found(campaign_of(*IN_ORDER, duration=("2026-08-01", "2026-09-10T00:00:01")), "duration_over") == []
    assert len(found(campaign_of(*IN_ORDER, duration=over, status="PAUSED"), "duration_over")) == 1
    assert found(campaign_of(*IN_ORDER, duration=over, status="COMPLETED"), "duration_over") == []


def test_codes_of_fraud_that_are_let_through_are_listed() -> None:
    campaign = campaign_of(DECLINED, NO_FRAUD | {"values": ["43", "59"]})
    (one,) = found(campaign, "fraud_codes_not_excluded")
    codes = codes_not_excluded(campaign)
    assert codes == tuple(code for code in DO_NOT_CHASE if code not in ("43", "59"))
    assert all(f"{code} ({DO_NOT_CHASE[code].meaning})" in one.reason for code in codes)
    assert "stolen card)" not in one.reason
    assert "ISO_RESPONSE_CODE" in one.reason


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ((NO_FRAUD,), ()),
        ((NO_FRAUD | {"rule_type": "RESPONSE_CODE"},), ()),
        ((NO_FRAUD | {"status": "INACTIVE"},), tuple(DO_NOT_CHASE)),
        ((NO_FRAUD | {"rule_type": "CATEGORY"},), tuple(DO_NOT_CHASE)),
        (({"rule_type": "RESPONSE_CODE", "conditional": "EQUAL", "values": ["51"]},), ()),
        (({"rule_type": "RESPONSE_CODE", "conditional": "ONE_OF", "values": ["51", "14"]},), ("14",)),
    ],
)
def test_a_code_is_excluded_by_any_rule_on_a_response_code(
    rules: tuple[dict[str, Any], ...], expected: tuple[str, ...]
) -> None:
    assert codes_not_excluded(campaign_of(*rules)) == expected


def test_codes_may_be_excluded_by_two_rules_together() -> None:
    half = list(DO_NOT_CHASE)[::2]
    rest = [code for code in DO_NOT_CHASE if code not in half]
    rules = (NO_FRAUD | {"values": half}, NO_FRAUD | {"rule_type": "RESPONSE_CODE", "values": rest})
    assert codes_not_excluded(campaign_of(*rules)) == ()


def test_every_code_has_a_source_and_its_year() -> None:
    assert {"04", "07", "14", "15", "41", "43", "46", "57", "59"} <= set(DO_NOT_CHASE)
    for code, entry in DO_NOT_CHASE.items():
        assert entry.code == code
        assert entry.meaning
        assert entry.source
        assert 1987 <= entry.year <= 2026


def test_hours_of_colombia_and_days_beyond_them_are_named() -> None:
    campaign = campaign_of(*IN_ORDER, country="CO", zone="America/Bogota", window=("08:00", "20:00"))
    (one,) = found(campaign, "contact_hours")
    assert "Monday to Friday 19:00 to 20:00; Saturday 15:00 to 20:00; Sunday 08:00 to 20:00" in one.reason
    assert "public holidays" in one.reason
    assert "Ley 2300" in one.reason
    assert "not legal advice" in one.advice


def test_a_window_over_midnight_covers_the_end_of_a_day_and_its_beginning() -> None:
    campaign = campaign_of(*IN_ORDER, country="CO", zone="America/Bogota", window=("18:00", "07:30"))
    (one,) = found(campaign, "contact_hours")
    assert "Monday to Friday 00:00 to 07:00 and 19:00 to 24:00" in one.reason
    assert "Saturday and Sunday 00:00 to 07:30 and 18:00 to 24:00" in one.reason


@pytest.mark.parametrize(
    ("country", "channel", "window", "warned"),
    [
        ("US", "PHONE_CALL", ("08:00", "21:00"), False),
        ("US", "PHONE_CALL", ("07:59", "21:00"), True),
        ("US", "WHATSAPP_MESSAGE", ("20:00", "00:00"), True),
        ("PE", "PHONE_CALL", NINE_TO_FIVE, True),
        ("PE", "WHATSAPP_MESSAGE", NINE_TO_FIVE, False),  # the law is about visits and calls
        ("MX", "PHONE_CALL", ("00:00", "23:59"), False),  # nothing is known
    ],
)
def test_hours_depend_on_country_and_channel(country: str, channel: str, window: tuple[str, str], warned: bool) -> None:
    campaign = campaign_of(*IN_ORDER, country=country, channel=channel, window=window)
    assert len(found(campaign, "contact_hours")) == warned


def test_the_calendar_can_be_given() -> None:
    day = ("10:00", "16:00")
    calendar = {"MX": ContactHours((day, day, day, day, day, day, day), True, "our own rule", 2026)}
    (one,) = found(campaign_of(*IN_ORDER), "contact_hours", calendar=calendar)
    assert "Monday to Sunday 09:00 to 10:00 and 16:00 to 17:00" in one.reason
    assert "our own rule" in one.reason
    assert found(campaign_of(*IN_ORDER, country="CO"), "contact_hours", calendar=calendar) == []


@pytest.mark.parametrize(
    ("country", "zone", "there"),
    [
        ("CO", "UTC", "04:00 to 12:00 in America/Bogota"),
        ("CO", "Asia/Tokyo", "19:00 to 03:00 in America/Bogota"),
        ("US", "Asia/Tokyo", "20:00 to 04:00 in America/New_York"),
        ("CO", "America/Lima", None),
        ("US", "America/Los_Angeles", None),
        ("MX", "-06:00", None),
        ("ES", "+02:00", None),
    ],
)
def test_a_clock_that_is_nobodys_there_is_told(country: str, zone: str, there: str | None) -> None:
    findings = found(campaign_of(*IN_ORDER, zone=zone, country=country), "foreign_zone")
    assert bool(findings) == bool(there)
    assert all(there in each.reason for each in findings if there)


def test_hours_are_those_of_the_people() -> None:
    (finding,) = found(campaign_of(*IN_ORDER, zone="Asia/Tokyo", country="CO"), "contact_hours")
    assert "Monday to Sunday 00:00 to 03:00 and 19:00 to 24:00" in finding.reason
    assert found(campaign_of(*IN_ORDER, zone="Asia/Tokyo", country="US"), "contact_hours")


@pytest.mark.parametrize(
    ("country", "zone", "suggested"),
    [("MX", "-06:00", None), ("ES", "UTC", "Europe/Madrid"), ("US", "-08:00", "America/Los_Angeles")],
)
def test_the_zone_of_most_people_is_suggested(country: str, zone: str, suggested: str | None) -> None:
    findings = found(campaign_of(*IN_ORDER, zone=zone, country=country), "offset_zone")
    assert [each.advice.rpartition(" ")[2].rstrip(".") for each in findings] == ([suggested] if suggested else [])


@pytest.mark.parametrize(("rule_type", "value"), [("PAYMENT_METHOD", "PSE"), ("CATEGORY", "WALLET")])
def test_codes_of_cards_are_nothing_to_a_campaign_without_cards(rule_type: str, value: str) -> None:
    rule = {"rule_type": rule_type, "conditional": "EQUAL", "values": [value]}
    assert not found(campaign_of(DECLINED, ONCE, rule), "fraud_codes_not_excluded")
    assert found(campaign_of(DECLINED, ONCE, {**rule, "values": ["CARD"]}), "fraud_codes_not_excluded")
