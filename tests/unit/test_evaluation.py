"""Which payments a campaign targets: place, period, status and rules, and the funnel that tells the story."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from recovery_batch.campaigns.models import Campaign
from recovery_batch.evaluation import CANDIDATES, Evaluation, FunnelStep, empty_payments, evaluate, metadata_keys
from recovery_batch.schema import EVALUATION

ORGANIZATION = "11111111-1111-4111-8111-111111111111"
OTHER = "22222222-2222-4222-8222-222222222222"
START, END = datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC)
INSTANT = timedelta(microseconds=1)
SUCCESSFUL = ("SUCCEEDED", "APPROVED", "CAPTURED", "PAID")

UNIQUE = {"rule_type": "UNIQUE_BY_USER"}
DAILY = {"rule_type": "USER_COMMS_PER_DAY", "values": ["2"]}
COP = {"rule_type": "CURRENCY", "conditional": "EQUAL", "values": ["COP"]}
HIGH = {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["500"]}
TIER = {"rule_type": "METADATA", "conditional": "EQUAL", "values": ["gold"], "metadata_key": "tier"}


def inactive(rule: dict[str, Any]) -> dict[str, Any]:
    return {**rule, "status": "INACTIVE"}


def campaign_of(*rules: dict[str, Any], **changes: Any) -> Campaign:
    return Campaign.model_validate(
        {
            "name": "a campaign",
            "account_id": "33333333-3333-4333-8333-333333333333",
            "organization_code": ORGANIZATION,
            "country": "CO",
            "channel": "PHONE_CALL",
            "schedule": {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "America/Bogota"},
            "duration": {"start_at": START, "end_at": END},
            "rules": [{"id": f"00000000-0000-4000-8000-{n:012}", **rule} for n, rule in enumerate(rules)],
            **changes,
        }
    )


def payments_of(*changes: dict[str, Any]) -> pl.DataFrame:
    """One payment for each mapping, as the campaign wants it but for what the mapping says."""
    wanted = {
        "organization_code": ORGANIZATION,
        "payment_id": "p",
        "country": "CO",
        "status": "DECLINED",
        "amount_value": Decimal(1000),
        "currency_code": "COP",
        "created_at": START + timedelta(days=5),
    }
    keys = sorted({key for change in changes for key in change if key.startswith("metadata.")})
    return pl.DataFrame(
        [{**wanted, **change} for change in changes], schema={**EVALUATION, **dict.fromkeys(keys, pl.String)}
    )


def targets(
    payments: pl.DataFrame, *campaigns: Campaign, successful: Sequence[str] = SUCCESSFUL
) -> list[tuple[int, int]]:
    return evaluate(payments, campaigns, successful_statuses=successful).candidates.rows()


def evaluated(payments: pl.DataFrame, *campaigns: Campaign) -> Evaluation:
    return evaluate(payments, campaigns, successful_statuses=SUCCESSFUL, with_funnels=True)


class TestPeriod:
    def test_the_start_belongs_to_it_and_the_end_does_not(self) -> None:
        times = (START - INSTANT, START, START + INSTANT, END - INSTANT, END, END + INSTANT)
        payments = payments_of(*({"created_at": time} for time in times))
        assert targets(payments, campaign_of(UNIQUE)) == [(0, 1), (0, 2), (0, 3)]

    def test_a_period_of_one_instant(self) -> None:
        payments = payments_of(*({"created_at": START + n * INSTANT} for n in (-1, 0, 1)))
        shortest = campaign_of(UNIQUE, duration={"start_at": START, "end_at": START + INSTANT})
        assert targets(payments, shortest) == [(0, 1)]

    def test_the_longest_period_there_is(self) -> None:
        longest = campaign_of(UNIQUE, duration={"start_at": "0001-01-01", "end_at": "9999-12-31T23:59:59.999999Z"})
        times = (
            datetime.min.replace(tzinfo=UTC),
            datetime.max.replace(tzinfo=UTC) - INSTANT,
            datetime.max.replace(tzinfo=UTC),
        )
        assert targets(payments_of(*({"created_at": time} for time in times)), longest) == [(0, 0), (0, 1)]

    def test_the_zone_of_the_campaign_does_not_move_it(self) -> None:
        schedule = {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "+14:00"}
        payments = payments_of({"created_at": START}, {"created_at": END})
        assert targets(payments, campaign_of(UNIQUE, schedule=schedule)) == [(0, 0)]


class TestPlace:
    def test_organization_and_country_are_compared_exactly(self) -> None:
        elsewhere = {"organization_code": OTHER, "country": "MX"}
        payments = payments_of({}, {"organization_code": OTHER}, {"country": "MX"}, {"country": "co"}, elsewhere)
        there = campaign_of(UNIQUE, organization_code=OTHER, country="MX")
        assert targets(payments, campaign_of(UNIQUE), there) == [(0, 0), (1, 4)]

    def test_rows_are_numbered_in_the_frame_that_was_given(self) -> None:
        payments = payments_of({"country": "MX"}, {}, {"country": "MX"}, {})
        assert targets(payments, campaign_of(UNIQUE, country="MX"), campaign_of(UNIQUE)) == [
            (0, 0),
            (0, 2),
            (1, 1),
            (1, 3),
        ]

    def test_a_place_without_payments(self) -> None:
        assert targets(payments_of({}), campaign_of(UNIQUE, country="BR")) == []


class TestSuccessfulPayments:
    @pytest.mark.parametrize("status", SUCCESSFUL)
    def test_match_no_campaign_whatever_the_rules(self, status: str) -> None:
        wants_it = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": [status]}
        payments = payments_of({"status": status}, {"status": status.lower()}, {"status": f"{status} "})
        assert targets(payments, campaign_of(wants_it)) == []
        assert targets(payments, campaign_of(UNIQUE)) == [(0, 1), (0, 2)]

    def test_are_those_of_the_settings(self) -> None:
        payments = payments_of({"status": "PAID"}, {"status": "DECLINED"}, {"status": ""})
        assert targets(payments, campaign_of(UNIQUE), successful=["DECLINED", ""]) == [(0, 0)]
        assert targets(payments, campaign_of(UNIQUE), successful=[]) == [(0, 0), (0, 1), (0, 2)]


class TestRules:
    def test_every_active_rule_has_to_hold(self) -> None:
        payments = payments_of(
            {},
            {"currency_code": "USD"},
            {"amount_value": Decimal(500)},
            {"currency_code": "USD", "amount_value": Decimal(1)},
        )
        assert targets(payments, campaign_of(COP, HIGH)) == [(0, 0)]
        assert targets(payments, campaign_of(COP, inactive(HIGH))) == [(0, 0), (0, 2)]
        assert targets(payments, campaign_of(COP, HIGH, UNIQUE, DAILY)) == [(0, 0)]

    @pytest.mark.parametrize("rules", [(), (inactive(COP),), (inactive(UNIQUE), inactive(DAILY), inactive(HIGH))])
    def test_a_campaign_without_an_active_rule_targets_nobody(self, rules: tuple[dict[str, Any], ...]) -> None:
        assert targets(payments_of({}, {}), campaign_of(*rules)) == []

    @pytest.mark.parametrize("rules", [(UNIQUE,), (DAILY,), (UNIQUE, DAILY), (UNIQUE, inactive(COP))])
    def test_a_campaign_with_rate_limits_alone_targets_everybody(self, rules: tuple[dict[str, Any], ...]) -> None:
        assert targets(payments_of({}, {"currency_code": "USD"}), campaign_of(*rules)) == [(0, 0), (0, 1)]

    def test_rules_that_contradict_each_other_target_nobody(self) -> None:
        usd = {**COP, "values": ["USD"]}
        assert targets(payments_of({}, {"currency_code": "USD"}), campaign_of(COP, usd)) == []

    @pytest.mark.parametrize("status", ["ACTIVE", "PAUSED", "COMPLETED", "CANCELLED"])
    def test_the_status_of_a_campaign_is_the_affair_of_who_chose_it(self, status: str) -> None:
        assert targets(payments_of({}), campaign_of(COP, status=status)) == [(0, 0)]

    def test_rules_of_different_conditionals_and_keys_are_different(self) -> None:
        payments = payments_of(
            {"metadata.tier": "gold", "metadata.level": "silver"}, {"metadata.tier": None, "metadata.level": "gold"}
        )
        variants = [
            campaign_of(TIER),
            campaign_of({**TIER, "conditional": "NOT_EQUAL"}),
            campaign_of({**TIER, "values": ["silver"]}),
            campaign_of({**TIER, "metadata_key": "level"}),
            campaign_of({**TIER, "conditional": "NOT_EQUAL", "metadata_key": "level"}),
        ]
        assert targets(payments, *variants) == [(0, 0), (1, 1), (3, 1), (4, 0)]

    def test_a_rule_that_many_campaigns_share_holds_for_each_of_them(self) -> None:
        payments = payments_of({}, {"amount_value": Decimal(1)})
        many = [campaign_of(COP, HIGH), campaign_of(HIGH, COP), campaign_of(COP, COP, inactive(HIGH))]
        assert targets(payments, *many) == [(0, 0), (1, 0), (2, 0), (2, 1)]

    def test_values_that_many_payments_share_and_missing_ones_find_their_payments(self) -> None:
        tiers = ("gold", None, "", "gold", "silver", None, "Gold")
        payments = payments_of(*({"metadata.tier": tier} for tier in tiers))
        negated = {**TIER, "conditional": "NOT_EQUAL"}
        assert targets(payments, campaign_of(TIER)) == [(0, 0), (0, 3)]
        assert targets(payments, campaign_of(negated)) == [(0, 1), (0, 2), (0, 4), (0, 5), (0, 6)]


class TestCandidates:
    def test_are_ordered_by_campaign_and_payment(self) -> None:
        payments = payments_of({}, {"country": "MX"}, {}, {"country": "MX"})
        campaigns = [campaign_of(UNIQUE, country=country) for country in ("MX", "CO", "MX", "CO")]
        assert targets(payments, *campaigns) == [
            (0, 1), (0, 3), (1, 0), (1, 2), (2, 1), (2, 3), (3, 0), (3, 2),
        ]  # fmt: skip

    def test_the_same_campaign_twice_matches_twice(self) -> None:
        assert targets(payments_of({}), campaign_of(UNIQUE), campaign_of(UNIQUE)) == [(0, 0), (1, 0)]

    @pytest.mark.parametrize("campaigns", [(), (campaign_of(COP), campaign_of())])
    def test_have_their_columns_even_if_there_are_none(self, campaigns: tuple[Campaign, ...]) -> None:
        for payments in (empty_payments(), payments_of({"country": "MX"})):
            found = evaluated(payments, *campaigns)
            assert found.candidates.schema == CANDIDATES
            assert found.candidates.is_empty()
            assert len(found.funnels) == len(campaigns)

    def test_columns_that_nobody_asked_for_change_nothing(self) -> None:
        payments = payments_of({"metadata.tier": "gold"}).with_columns(load_id=pl.lit(1))
        assert targets(payments, campaign_of(TIER)) == [(0, 0)]


class TestFunnels:
    def test_tell_each_condition_in_the_order_of_the_campaign(self) -> None:
        payments = payments_of(
            {"country": "MX"},
            {},
            {"created_at": END},
            {"status": "PAID"},
            {"amount_value": Decimal(500)},
            {"currency_code": "USD"},
            {"currency_code": "USD", "status": "PAID"},
        )
        (funnel,) = evaluated(payments, campaign_of(HIGH, inactive(TIER), UNIQUE, COP)).funnels
        assert funnel.campaign_no == 0
        assert funnel.steps == (
            FunnelStep("organization and country", 6, 6),
            FunnelStep("created from 2026-03-01T00:00:00Z to before 2026-04-01T00:00:00Z", 5, 5),
            FunnelStep("not a successful payment", 3, 4),
            FunnelStep("amount is above 500", 2, 5, "00000000-0000-4000-8000-000000000000"),
            FunnelStep("currency is COP", 1, 4, "00000000-0000-4000-8000-000000000003"),
        )

    @pytest.mark.parametrize("rules", [(), (inactive(COP),)])
    def test_say_that_a_campaign_has_no_active_rule(self, rules: tuple[dict[str, Any], ...]) -> None:
        (funnel,) = evaluated(payments_of({}, {}), campaign_of(*rules)).funnels
        assert funnel.steps[-1] == FunnelStep("at least one active rule", 0, 0)
        assert funnel.steps[-2].remaining == 2

    def test_of_rate_limits_alone_end_with_what_every_campaign_asks(self) -> None:
        (funnel,) = evaluated(payments_of({}), campaign_of(UNIQUE, DAILY)).funnels
        assert [step.label for step in funnel.steps][-1] == "not a successful payment"
        assert all(step.rule_id is None for step in funnel.steps)

    def test_keep_the_rule_of_each_campaign_that_shares_one(self) -> None:
        first = campaign_of(HIGH, COP)
        second = campaign_of(COP)
        funnels = evaluated(payments_of({}), first, second).funnels
        assert [step.rule_id for step in funnels[0].steps][-1] == first.rules[1].id
        assert [step.rule_id for step in funnels[1].steps][-1] == second.rules[0].id

    def test_come_one_a_campaign_in_their_order(self) -> None:
        campaigns = [campaign_of(UNIQUE, country=country) for country in ("MX", "CO", "MX")]
        funnels = evaluated(payments_of({}, {}), *campaigns).funnels
        assert [(funnel.campaign_no, funnel.steps[0].remaining) for funnel in funnels] == [(0, 0), (1, 2), (2, 0)]

    def test_come_only_when_asked_for(self) -> None:
        assert evaluate(payments_of({}), [campaign_of(COP)], successful_statuses=SUCCESSFUL).funnels == ()


class TestMetadataKeys:
    def test_are_those_of_active_rules_sorted_and_once(self) -> None:
        def of_key(key: str) -> dict[str, Any]:
            return {**TIER, "metadata_key": key}

        campaigns = [
            campaign_of(of_key("b"), of_key("a"), COP, UNIQUE),
            campaign_of(of_key("b"), inactive(of_key("c"))),
        ]
        assert metadata_keys(campaigns) == ("a", "b")
        assert metadata_keys([]) == ()

    def test_are_all_that_an_evaluation_needs(self) -> None:
        campaign = campaign_of(TIER, inactive({**TIER, "metadata_key": "level"}))
        assert targets(empty_payments(metadata_keys([campaign])), campaign) == []

    def test_an_empty_frame_has_the_columns(self) -> None:
        frame = empty_payments(["tier", "user id"])
        assert frame.schema == {**EVALUATION, "metadata.tier": pl.String(), "metadata.user id": pl.String()}
        assert frame.is_empty()
