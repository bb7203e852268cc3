"""Campaigns: every fault at once with its place, what is taken as it stands, and the way out and in."""

import json
from copy import deepcopy
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from recovery_batch.campaigns.models import CHANNELS, FINAL_STATUSES, STATUSES, Campaign
from recovery_batch.clock import zone_names
from tests.reference import drawing

Place = tuple[int | str, ...]
ID = "e4c03f29-b0f6-403a-8814-9aee1a88d60e"
SHAPE: dict[str, Any] = {
    "id": ID,
    "name": "High value, Colombia",
    "account_id": "33333333-3333-4333-8333-333333333333",
    "organization_code": "11111111-1111-4111-8111-111111111111",
    "country": "CO",
    "channel": "WHATSAPP_MESSAGE",
    "focus": "recovery",
    "schedule": {"daily_start_time": "09:00", "daily_end_time": "18:30", "time_zone": "America/Bogota"},
    "duration": {"start_at": "2026-03-01T00:00:00Z", "end_at": "2026-04-01T00:00:00.000001Z"},
    "status": "PAUSED",
    "rules": [
        {
            "id": "44444444-4444-4444-8444-444444444444",
            "campaign_id": ID,
            "rule_type": "AMOUNT_AND_CURRENCY",
            "conditional": "BETWEEN",
            "values": ["50000", "9e5", "COP"],
            "metadata_key": None,
            "status": "ACTIVE",
            "created_at": "2026-02-01T10:00:00Z",
            "updated_at": "2026-02-02T10:00:00Z",
        },
        {
            "id": None,
            "campaign_id": None,
            "rule_type": "USER_COMMS_PER_DAY",
            "conditional": None,
            "values": ["2"],
            "metadata_key": None,
            "status": "INACTIVE",
            "created_at": None,
            "updated_at": None,
        },
    ],
    "created_at": "2026-02-01T10:00:00Z",
    "updated_at": None,
}


def with_change(*place: str, to: object) -> dict[str, Any]:
    """The campaign with one field changed."""
    shape = deepcopy(SHAPE)
    holder = shape
    for key in place[:-1]:
        holder = holder[key]
    holder[place[-1]] = to
    return shape


def without(*place: str) -> dict[str, Any]:
    """The campaign with one field less."""
    shape = deepcopy(SHAPE)
    holder = shape
    for key in place[:-1]:
        holder = holder[key]
    del holder[place[-1]]
    return shape


def faults_of(given: object) -> dict[Place, str]:
    """What is refused of a campaign, by its place."""
    with pytest.raises(ValidationError) as caught:
        Campaign.model_validate(given)
    errors = caught.value.errors()
    faults = {error["loc"]: error["msg"] for error in errors}
    assert len(faults) == len(errors), "one field is named twice"
    return faults


def context_of(given: object) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        Campaign.model_validate(given)
    (error,) = caught.value.errors()
    return error["ctx"]


class TestOutAndIn:
    def test_the_shape_of_the_api_is_what_goes_out(self) -> None:
        assert json.loads(json.dumps(Campaign.model_validate(SHAPE).as_json())) == SHAPE

    @given(st.data(), drawing.pools())
    def test_what_goes_out_comes_in_as_the_same(self, data: st.DataObject, pool: drawing.Pool) -> None:
        campaign = data.draw(drawing.campaigns(pool))
        assert Campaign.model_validate(json.loads(json.dumps(campaign.as_json()))) == campaign

    def test_times_are_instants_in_utc(self) -> None:
        duration = {"start_at": "2026-03-01T00:00:00-05:00", "end_at": "2026-03-02"}
        campaign = Campaign.model_validate(with_change("duration", to=duration))
        assert campaign.duration.start_at == datetime(2026, 3, 1, 5, tzinfo=UTC)
        assert campaign.as_json()["duration"] == {"start_at": "2026-03-01T05:00:00Z", "end_at": "2026-03-02T00:00:00Z"}

    def test_a_time_without_a_zone_is_utc_in_whichever_form_it_comes(self) -> None:
        start, end = datetime(2026, 3, 1), datetime(2026, 3, 2)  # noqa: DTZ001 - that is the point
        campaign = Campaign.model_validate(with_change("duration", to={"start_at": start, "end_at": end}))
        assert campaign.duration.start_at == start.replace(tzinfo=UTC)
        assert Campaign.model_validate(campaign.as_json()) == campaign

    def test_the_least_that_a_campaign_is(self) -> None:
        optional = ("id", "focus", "status", "rules", "created_at", "updated_at")
        campaign = Campaign.model_validate({key: value for key, value in SHAPE.items() if key not in optional})
        assert campaign.status == "ACTIVE"
        assert campaign.rules == ()
        assert [getattr(campaign, name) for name in ("id", "focus", "created_at", "updated_at")] == [None] * 4

    def test_null_counts_as_absent(self) -> None:
        nulls = dict.fromkeys(("id", "focus", "status", "rules", "created_at", "updated_at"))
        campaign = Campaign.model_validate({**SHAPE, **nulls})
        assert campaign.status == "ACTIVE"
        assert campaign.rules == ()

    def test_a_campaign_cannot_be_changed(self) -> None:
        campaign = Campaign.model_validate(SHAPE)
        with pytest.raises(ValidationError, match="frozen"):
            campaign.status = "ACTIVE"  # type: ignore[misc]
        with pytest.raises(ValidationError, match="frozen"):
            campaign.schedule.time_zone = "UTC"  # type: ignore[misc]


class TestManyFaults:
    def test_a_campaign_without_anything_lacks_every_mandatory_field(self) -> None:
        mandatory = ("name", "account_id", "organization_code", "country", "channel", "schedule", "duration")
        assert faults_of({}) == {(name,): "Field required" for name in mandatory}

    @pytest.mark.parametrize("holder", ["schedule", "duration"])
    def test_a_part_without_anything_lacks_every_field(self, holder: str) -> None:
        names = SHAPE[holder].keys()
        assert faults_of(with_change(holder, to={})) == {(holder, name): "Field required" for name in names}

    def test_all_are_listed_each_with_its_place(self) -> None:
        given = {
            "id": "1",
            "name": " ",
            "account_id": "x",
            "country": "Colombia",
            "channel": "EMAIL",
            "focus": 5,
            "schedule": {"daily_start_time": "9:00", "daily_end_time": "24:00", "time_zone": "Bogota", "days": []},
            "duration": {"start_at": "soon", "end_at": 5},
            "status": "RUNNING",
            "rules": [
                {"rule_type": "CURRENCY", "conditional": "EQUAL", "values": ["COP"]},
                {"rule_type": "CURRENCY", "conditional": "CONTAINS", "values": ["COP"]},
                {"rule_type": "METADATA", "conditional": "BETWEEN", "values": ["9", "1"]},
                {"rule_type": "AMOUNT", "conditional": "EQUAL", "values": ["5", 6], "colour": "red"},
                "UNIQUE_BY_USER",
            ],
            "updated_at": False,
            "owner": "me",
        }
        assert set(faults_of(given)) == {
            ("id",),
            ("name",),
            ("account_id",),
            ("organization_code",),
            ("country",),
            ("channel",),
            ("focus",),
            ("schedule", "daily_start_time"),
            ("schedule", "daily_end_time"),
            ("schedule", "time_zone"),
            ("schedule", "days"),
            ("duration", "start_at"),
            ("duration", "end_at"),
            ("status",),
            ("rules", 1, "conditional"),
            ("rules", 2, "values"),
            ("rules", 2, "metadata_key"),
            ("rules", 3, "values", 1),
            ("rules", 3, "colour"),
            ("rules", 4),
            ("updated_at",),
            ("owner",),
        }

    @pytest.mark.parametrize("given", [None, [], "x", 5])
    def test_a_campaign_is_an_object(self, given: object) -> None:
        assert set(faults_of(given)) == {()}

    @pytest.mark.parametrize("name", ["Name", "organisation_code", "", "rule", "id "])
    def test_an_unknown_key_is_refused(self, name: str) -> None:
        assert set(faults_of({**SHAPE, name: None})) == {(name,)}

    @pytest.mark.parametrize("holder", ["schedule", "duration"])
    def test_an_unknown_key_of_a_part_is_refused(self, holder: str) -> None:
        assert set(faults_of(with_change(holder, "zone", to=None))) == {(holder, "zone")}

    @pytest.mark.parametrize("rules", [{}, "x", 5, {"rules": []}])
    def test_rules_are_an_array(self, rules: object) -> None:
        assert set(faults_of(with_change("rules", to=rules))) == {("rules",)}


class TestFields:
    @pytest.mark.parametrize("name", ["id", "account_id", "organization_code"])
    @pytest.mark.parametrize("text", ["", "x", ID[:-1], ID + " ", ID.replace("-", "")])
    def test_a_malformed_uuid_is_a_bad_request(self, name: str, text: str) -> None:
        given = with_change(name, to=text)
        assert faults_of(given) == {(name,): "malformed UUID"}
        assert context_of(given)["code"] == 400

    @pytest.mark.parametrize("name", ["name", "account_id", "organization_code", "country", "channel", "schedule"])
    def test_a_mandatory_field_is_there_and_not_null(self, name: str) -> None:
        assert faults_of(without(name)) == {(name,): "Field required"}
        assert set(faults_of(with_change(name, to=None))) == {(name,)}

    @pytest.mark.parametrize(
        "country", ["co", "Co", "COL", "C", "", "XX", "ZZ", "UK", "EU", " CO", "CO\n", "\u0421\u041e", 5, True]
    )
    def test_a_country_is_an_alpha_2_code(self, country: object) -> None:
        assert set(faults_of(with_change("country", to=country))) == {("country",)}

    @pytest.mark.parametrize("country", ["CO", "MX", "NO", "BR", "GB", "US"])
    def test_a_country(self, country: str) -> None:
        assert Campaign.model_validate(with_change("country", to=country)).country == country

    @pytest.mark.parametrize("channel", ["whatsapp_message", "SMS", "", "PHONE_CALL ", 5])
    def test_a_channel_that_is_none(self, channel: object) -> None:
        assert set(faults_of(with_change("channel", to=channel))) == {("channel",)}

    def test_a_channel_that_is_none_says_which_there_are(self) -> None:
        assert context_of(with_change("channel", to="SMS"))["allowed"] == "WHATSAPP_MESSAGE, PHONE_CALL"

    @pytest.mark.parametrize("channel", CHANNELS)
    def test_a_channel(self, channel: str) -> None:
        assert Campaign.model_validate(with_change("channel", to=channel)).channel == channel

    @pytest.mark.parametrize("status", ["active", "", "INACTIVE", "DONE", 5, False])
    def test_a_status_that_is_none(self, status: object) -> None:
        assert set(faults_of(with_change("status", to=status))) == {("status",)}

    @pytest.mark.parametrize("status", STATUSES)
    def test_a_status(self, status: str) -> None:
        assert Campaign.model_validate(with_change("status", to=status)).status == status

    def test_two_statuses_are_final(self) -> None:
        assert {"COMPLETED", "CANCELLED"} == FINAL_STATUSES < set(STATUSES)

    @pytest.mark.parametrize("name", ["", " ", "\n", "\u00a0", 5, "\ud800"])
    def test_a_name_that_is_none(self, name: object) -> None:
        assert set(faults_of(with_change("name", to=name))) == {("name",)}

    def test_a_focus_is_any_whole_text(self) -> None:
        assert Campaign.model_validate(with_change("focus", to="")).focus == ""
        assert set(faults_of(with_change("focus", to="\ud800"))) == {("focus",)}


class TestSchedule:
    @pytest.mark.parametrize("time", ["00:00", "09:05", "19:59", "23:59"])
    def test_a_time_of_day(self, time: str) -> None:
        assert (
            Campaign.model_validate(with_change("schedule", "daily_start_time", to=time)).schedule.daily_start_time
            == time
        )

    @pytest.mark.parametrize(
        "time",
        [
            "24:00",
            "9:00",
            "09:60",
            "09:0",
            "09:00:00",
            "0900",
            "",
            " 09:00",
            "09:00\n",
            "-1:00",
            "9am",
            "0\u0669:00",
            540,
            None,
        ],
    )
    @pytest.mark.parametrize("name", ["daily_start_time", "daily_end_time"])
    def test_what_is_no_time_of_day(self, name: str, time: object) -> None:
        assert set(faults_of(with_change("schedule", name, to=time))) == {("schedule", name)}

    def test_an_equal_window_is_an_error(self) -> None:
        given = with_change("schedule", "daily_end_time", to="09:00")
        assert faults_of(given) == {("schedule", "daily_end_time"): "daily_end_time equals daily_start_time"}

    @pytest.mark.parametrize("end", ["08:59", "09:01", "00:00"])
    def test_a_window_may_be_a_minute_or_run_over_midnight(self, end: str) -> None:
        assert Campaign.model_validate(with_change("schedule", "daily_end_time", to=end)).schedule.daily_end_time == end

    @pytest.mark.parametrize(
        "zone",
        [
            "America/Bogota",
            "America/Mexico_City",
            "Europe/London",
            "UTC",
            "Etc/GMT+5",
            "-05:00",
            "+05:30",
            "+14:00",
            "+00:00",
        ],
    )
    def test_a_zone(self, zone: str) -> None:
        assert Campaign.model_validate(with_change("schedule", "time_zone", to=zone)).schedule.time_zone == zone

    @pytest.mark.parametrize(
        "zone",
        [
            "", "Bogota", "america/bogota", "America/Bogota ", "America/Bogotá", "America", "/etc/localtime", "../UTC",
            "America/../UTC", "localtime", "-5", "-05", "05:00", "-0500", "+24:00", "+14:01", "+23:59", "-05:60",
            "−05:00", "UTC-5", "COT", 5, None,
        ],
    )  # fmt: skip
    def test_what_is_no_zone(self, zone: object) -> None:
        assert set(faults_of(with_change("schedule", "time_zone", to=zone))) == {("schedule", "time_zone")}

    def test_every_zone_of_the_pinned_database_is_taken(self) -> None:
        for zone in sorted(zone_names()):
            assert Campaign.model_validate(with_change("schedule", "time_zone", to=zone)).schedule.time_zone == zone


class TestDuration:
    @pytest.mark.parametrize(
        "end",
        [
            "2026-03-01T00:00:00Z",
            "2026-02-28T23:59:59.999999Z",
            "2026-03-01",
            "2026-03-01T05:00:00+05:00",
            "2025-01-01",
        ],
    )
    def test_the_end_is_after_the_start(self, end: str) -> None:
        given = with_change("duration", "end_at", to=end)
        assert faults_of(given) == {("duration", "end_at"): "end_at is not after start_at"}
        assert context_of(given)["allowed"] == "a time after 2026-03-01T00:00:00Z"

    def test_an_instant_later_is_after(self) -> None:
        given = with_change("duration", "end_at", to="2026-03-01T00:00:00.000001Z")
        assert Campaign.model_validate(given).duration.end_at.microsecond == 1

    def test_a_start_that_is_none_does_not_hide_the_end(self) -> None:
        given = with_change("duration", to={"start_at": "soon", "end_at": "later"})
        assert set(faults_of(given)) == {("duration", "start_at"), ("duration", "end_at")}
        given = with_change("duration", to={"end_at": "2020-01-01"})
        assert faults_of(given) == {("duration", "start_at"): "Field required"}

    @pytest.mark.parametrize("name", ["start_at", "end_at"])
    @pytest.mark.parametrize(
        "time", [None, "", "2026-02-29", "01/03/2026", "2026-03-01T25:00:00Z", 1772323200, [], True]
    )
    def test_what_is_no_time(self, name: str, time: object) -> None:
        assert ("duration", name) in faults_of(with_change("duration", name, to=time))


class TestRules:
    def test_each_goes_where_it_belongs(self) -> None:
        kinds = ["CURRENCY", "UNIQUE_BY_USER", "PROVIDER", "USER_COMMS_PER_DAY"]
        rules = [
            {
                "rule_type": kind,
                "conditional": "EQUAL" if kind in ("CURRENCY", "PROVIDER") else None,
                "values": None if kind == "UNIQUE_BY_USER" else ["1"],
                "status": status,
            }
            for kind in kinds
            for status in ("ACTIVE", "INACTIVE", None)
        ]
        campaign = Campaign.model_validate(with_change("rules", to=rules))
        assert len(campaign.rules) == 12
        assert [rule.rule_type for rule in campaign.active_rules] == [kind for kind in kinds for _ in range(2)]
        assert [rule.rule_type for rule in campaign.targeting_rules] == ["CURRENCY"] * 2 + ["PROVIDER"] * 2
        assert [rule.rule_type for rule in campaign.rate_limits] == ["UNIQUE_BY_USER"] * 2 + ["USER_COMMS_PER_DAY"] * 2

    def test_identity_is_the_id(self) -> None:
        assert Campaign.model_validate(SHAPE).identity == ID
        with pytest.raises(AssertionError):
            assert Campaign.model_validate(without("id")).identity
