"""What lint says about the rules of a campaign against one another, and what it must not say."""

from datetime import UTC, datetime
from typing import Any

import pytest

from recovery_batch.campaigns import Campaign
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.campaigns.linting import lint_campaign

NOW = datetime(2026, 9, 10, tzinfo=UTC)
CONTRADICT, IMPLIED, REPEATED = "rules_contradict", "rule_implied", "rule_repeated"
ABOUT_RULES = (CONTRADICT, IMPLIED, REPEATED, "only_successful_statuses")
LONG = "1e999999999999999"


def rule(text: str, **changes: Any) -> dict[str, Any]:
    """A rule of a line such as `AMOUNT GREATER_THAN 100`, or `METADATA:tier EQUAL gold`."""
    name, conditional, *values = text.split()
    rule_type, _, key = name.partition(":")
    return {"rule_type": rule_type, "conditional": conditional, "values": values, "metadata_key": key or None} | changes


def identity(place: int) -> str:
    return f"00000000-0000-4000-8000-{place:012}"


def campaign_of(*rules: dict[str, Any]) -> Campaign:
    return Campaign.model_validate(
        {
            "id": identity(99),
            "name": "linted",
            "account_id": "33333333-3333-4333-8333-333333333333",
            "organization_code": "11111111-1111-4111-8111-111111111111",
            "country": "MX",
            "channel": "PHONE_CALL",
            "schedule": {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "America/Mexico_City"},
            "duration": {"start_at": "2026-09-01", "end_at": "2026-12-01"},
            "rules": [{"id": identity(place), **each} for place, each in enumerate(rules, start=1)],
        }
    )


def found(*rules: str | dict[str, Any], **options: Any) -> list[Finding]:
    campaign = campaign_of(*(rule(each) if isinstance(each, str) else each for each in rules))
    return [each for each in lint_campaign(campaign, NOW, **options) if each.slug in ABOUT_RULES]


def brief(findings: list[Finding]) -> list[tuple[str, list[int]]]:
    return [(each.slug, [int(name[-4:]) for name in each.rule_ids]) for each in findings]


@pytest.mark.parametrize(
    "rules",
    [
        ["AMOUNT GREATER_THAN 100", "AMOUNT LESS_THAN 50"],
        ["AMOUNT GREATER_THAN 100", "AMOUNT LESS_THAN 100.000001"],
        ["AMOUNT GREATER_THAN 100", "AMOUNT LESS_THAN_OR_EQUAL 1e2"],
        ["AMOUNT BETWEEN 5 5", "AMOUNT NOT_EQUAL 5.00"],
        ["AMOUNT BETWEEN 1 2", "AMOUNT BETWEEN 3 4"],
        [f"AMOUNT LESS_THAN 1e-{'9' * 15}", "AMOUNT GREATER_THAN 0"],
        ["AMOUNT EQUAL 5", "AMOUNT ONE_OF 6 7"],
        ["CURRENCY EQUAL USD", "CURRENCY EQUAL usd"],
        ["CURRENCY EQUAL USD", "AMOUNT_AND_CURRENCY GREATER_THAN 5 COP"],
        ["CURRENCY NOT_ONE_OF USD COP", "AMOUNT_AND_CURRENCY GREATER_THAN 5 COP"],
        ["AMOUNT_AND_CURRENCY GREATER_THAN 5 COP", "AMOUNT_AND_CURRENCY GREATER_THAN 5 USD"],
        ["AMOUNT_AND_CURRENCY GREATER_THAN 5 COP", "AMOUNT LESS_THAN 5"],
        ["PROVIDER EQUAL A", "PROVIDER EQUAL B"],
        ["PROVIDER ONE_OF A B", "PROVIDER NOT_ONE_OF B A C"],
        ["PROVIDER IN A", "PROVIDER NOT_EQUAL A"],
        ["CARD_BIN STARTS_WITH 41", "CARD_BIN EQUAL 551111"],
        ["CARD_BIN STARTS_WITH 41 42", "CARD_BIN ONE_OF 551111 431111"],
        ["CARD_BIN STARTS_WITH 41", "CARD_BIN STARTS_WITH 42 5"],
        ["METADATA:k EQUAL abc", "METADATA:k GREATER_THAN 5"],
        ["METADATA:k ONE_OF 1 2.0 x", "METADATA:k GREATER_THAN 2"],
        ["METADATA:k GREATER_THAN 5", "METADATA:k LESS_THAN 5.0"],
        ["METADATA:k BETWEEN 1 2", "METADATA:k BETWEEN 2.1 3"],
        [f"METADATA:k GREATER_THAN {LONG}", f"METADATA:k LESS_THAN_OR_EQUAL {LONG}"],
        ["METADATA:k CONTAINS gold", "METADATA:k EQUAL silver"],
        ["METADATA:k CONTAINS gold vip", "METADATA:k ONE_OF silver bronze"],
        ["METADATA:k STARTS_WITH Go", "METADATA:k EQUAL gold"],
        ["METADATA:k STARTS_WITH go", "METADATA:k GREATER_THAN 5"],
        ["METADATA:k CONTAINS gold", "METADATA:k BETWEEN 1 9"],
    ],
    ids=" and ".join,
)
def test_two_rules_that_are_never_true_together(rules: list[str]) -> None:
    (one,) = found(*rules)
    assert brief([one]) == [(CONTRADICT, [1, 2])]
    assert one.severity is Severity.ERROR
    assert all(value in one.reason for each in rules for value in each.split()[2:])
    assert brief(found(*reversed(rules))) == [(CONTRADICT, [1, 2])]


@pytest.mark.parametrize(
    "rules",
    [
        ["AMOUNT GREATER_THAN 100", "AMOUNT LESS_THAN 100.000002"],
        ["AMOUNT GREATER_THAN_OR_EQUAL 100", "AMOUNT LESS_THAN_OR_EQUAL 200"],
        ["CURRENCY ONE_OF USD COP", "CURRENCY ONE_OF COP MXN"],
        ["AMOUNT LESS_THAN 10", "AMOUNT_AND_CURRENCY GREATER_THAN 5 COP"],
        ["PROVIDER NOT_EQUAL A", "PROVIDER NOT_EQUAL B"],
        ["PROVIDER EQUAL A", "CATEGORY EQUAL B"],
        ["CARD_BIN STARTS_WITH 41", "CARD_BIN NOT_ONE_OF 41 411111"],
        ["CARD_BIN STARTS_WITH 41 5", "CARD_BIN STARTS_WITH 411 6"],
        ["METADATA:k EQUAL gold", "METADATA:other EQUAL silver"],
        ["METADATA:k BETWEEN 5 5", "METADATA:k NOT_EQUAL 5"],  # 5.0 is another text
        ["METADATA:k GREATER_THAN 5", "METADATA:k LESS_THAN 5.0000000001"],
        ["METADATA:k STARTS_WITH 9", "METADATA:k LESS_THAN 5"],  # 9e-1
        ["METADATA:k CONTAINS e", "METADATA:k GREATER_THAN 5"],  # 6e0
        ["METADATA:k STARTS_WITH Go", "METADATA:k CONTAINS gold"],
        ["METADATA:k CONTAINS gold", "METADATA:k CONTAINS silver"],
        ["METADATA:k STARTS_WITH ΑΣ", "METADATA:k CONTAINS ΑΣ"],  # what is lower case depends on what follows
        ["PAYMENT_STATUS NOT_EQUAL APPROVED", "PAYMENT_STATUS NOT_EQUAL PAID"],
        ["PAYMENT_STATUS ONE_OF APPROVED DECLINED"],
    ],
    ids=" and ".join,
)
def test_rules_that_say_something_each_are_in_order(rules: list[str]) -> None:
    assert found(*rules) == []


def test_three_rules_may_contradict_where_no_two_do() -> None:
    rules = ["PROVIDER ONE_OF A B", "PROVIDER ONE_OF B C", "PROVIDER NOT_EQUAL Z", "PROVIDER ONE_OF A C"]
    assert brief(found(*rules)) == [(CONTRADICT, [1, 2, 4])]


def test_every_pair_that_contradicts_is_named() -> None:
    rules = ["AMOUNT GREATER_THAN 100", "AMOUNT LESS_THAN 50", "AMOUNT LESS_THAN 40"]
    assert brief(found(*rules)) == [(CONTRADICT, [1, 2]), (CONTRADICT, [1, 3])]


@pytest.mark.parametrize("text", ["AMOUNT LESS_THAN 0", "AMOUNT EQUAL 0.0000001", "AMOUNT_AND_CURRENCY EQUAL -1 COP"])
def test_a_rule_that_is_never_true_is_named_alone(text: str) -> None:
    (one,) = found(text, "AMOUNT GREATER_THAN 5")
    assert brief([one]) == [(CONTRADICT, [1])]
    assert "no payment at all" in one.reason


@pytest.mark.parametrize(
    ("needless", "by"),
    [
        ("AMOUNT GREATER_THAN 50", "AMOUNT GREATER_THAN 100"),
        ("AMOUNT GREATER_THAN_OR_EQUAL 100", "AMOUNT GREATER_THAN 100"),
        ("AMOUNT BETWEEN 1 10", "AMOUNT BETWEEN 2 3"),
        ("PROVIDER ONE_OF A B", "PROVIDER EQUAL A"),
        ("PROVIDER NOT_EQUAL B", "PROVIDER EQUAL A"),
        ("PROVIDER NOT_EQUAL B", "PROVIDER NOT_ONE_OF A B"),
        ("CURRENCY EQUAL COP", "AMOUNT_AND_CURRENCY GREATER_THAN 5 COP"),
        ("AMOUNT GREATER_THAN 4", "AMOUNT_AND_CURRENCY GREATER_THAN 5 COP"),
        ("CARD_BIN STARTS_WITH 4", "CARD_BIN STARTS_WITH 41 42"),
        ("CARD_BIN STARTS_WITH 4", "CARD_BIN EQUAL 411111"),
        ("METADATA:k CONTAINS old", "METADATA:k STARTS_WITH Gold"),
        ("METADATA:k NOT_EQUAL abc", "METADATA:k GREATER_THAN 5"),
        ("METADATA:k GREATER_THAN 5", "METADATA:k EQUAL 6"),
    ],
)
def test_a_rule_that_another_implies(needless: str, by: str) -> None:
    (one,) = found(needless, by)
    assert brief([one]) == [(IMPLIED, [1, 2])]
    assert one.severity is Severity.INFO
    assert "“" in one.reason
    assert one.reason.endswith("it changes nothing.")
    (turned,) = found(by, needless)
    assert turned.reason == one.reason


def test_a_rule_may_take_two_to_imply() -> None:
    rules = ["PROVIDER ONE_OF A B", "PROVIDER NOT_ONE_OF B D", "PROVIDER ONE_OF A C D"]
    assert brief(found(*rules)) == [(IMPLIED, [1, 2, 3])]  # the second; without it the third is needed


@pytest.mark.parametrize(
    ("first", "again"),
    [
        ("PROVIDER ONE_OF A B", "PROVIDER IN B A"),
        ("PROVIDER ONE_OF A A", "PROVIDER EQUAL A"),
        ("AMOUNT EQUAL 100", "AMOUNT EQUAL 100.00"),
        ("AMOUNT GREATER_THAN 1e2", "AMOUNT GREATER_THAN 100.0000001"),  # no amount lies between
        ("AMOUNT_AND_CURRENCY LESS_THAN 5 COP", "AMOUNT_AND_CURRENCY LESS_THAN 5.0 COP"),
        ("METADATA:k BETWEEN 1 2", "METADATA:k BETWEEN 1.0 2e0"),
        ("METADATA:k CONTAINS Gold", "METADATA:k CONTAINS gOLD golden"),
    ],
)
def test_a_rule_that_stands_there_twice(first: str, again: str) -> None:
    (one,) = found(first, again)
    assert brief([one]) == [(REPEATED, [1, 2])]
    assert one.severity is Severity.WARNING


def test_texts_that_look_alike_are_not_the_same() -> None:
    assert brief(found("METADATA:k EQUAL 5", "METADATA:k EQUAL 5.0")) == [(CONTRADICT, [1, 2])]


def test_only_active_rules_are_looked_at() -> None:
    assert found("AMOUNT LESS_THAN 50", rule("AMOUNT GREATER_THAN 100", status="INACTIVE")) == []


def test_a_rule_without_an_id_is_named_by_its_place() -> None:
    findings = found(rule("PROVIDER EQUAL A", id=None), rule("PROVIDER EQUAL B", id=None))
    assert findings[0].rule_ids == ("rule 1", "rule 2")


@pytest.mark.parametrize(
    "text",
    ["PAYMENT_STATUS EQUAL APPROVED", "PAYMENT_STATUS ONE_OF SUCCEEDED APPROVED CAPTURED PAID"],
)
def test_rules_that_only_paid_payments_fulfil(text: str) -> None:
    (one,) = found(text)
    assert (one.slug, one.severity) == ("only_successful_statuses", Severity.ERROR)
    assert "APPROVED" in one.reason


def test_statuses_of_two_rules_may_leave_only_paid_payments() -> None:
    rules = ["PAYMENT_STATUS ONE_OF PAID DECLINED", "PAYMENT_STATUS ONE_OF PAID ERROR"]
    assert brief(found(*rules)) == [("only_successful_statuses", [1, 2])]


def test_only_the_paid_statuses_that_are_left_are_named() -> None:
    rules = ["PAYMENT_STATUS ONE_OF PAID APPROVED ERROR", "PAYMENT_STATUS NOT_ONE_OF APPROVED ERROR"]
    (one,) = found(*rules)
    assert "that they were paid (PAID)" in one.reason


def test_a_rule_of_thousands_of_values_is_shortened() -> None:
    bins = " ".join(str(411111 + number) for number in range(3000))
    (one,) = found(f"CARD_BIN ONE_OF {bins}", "CARD_BIN STARTS_WITH 5")
    assert one.slug == CONTRADICT
    assert len(one.reason) < 500


def test_which_statuses_are_successful_is_given() -> None:
    assert found("PAYMENT_STATUS EQUAL PAID", successful_statuses=("OK",)) == []
    assert len(found("PAYMENT_STATUS EQUAL OK", successful_statuses=("OK",))) == 1
    assert found("PAYMENT_STATUS EQUAL approved") == []  # case counts


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        (["2", "02"], [(REPEATED, [1, 2])]),
        (["2", "3"], [(IMPLIED, [1, 2])]),
        ([None, None], [(REPEATED, [1, 2])]),
        (["2", None], []),
    ],
)
def test_rate_limits_against_one_another(limits: list[str | None], expected: list[tuple[str, list[int]]]) -> None:
    rules: list[dict[str, Any]] = [
        {"rule_type": "UNIQUE_BY_USER"} if each is None else {"rule_type": "USER_COMMS_PER_DAY", "values": [each]}
        for each in limits
    ]
    assert brief(found(*rules)) == expected


def test_rules_with_too_many_cases_are_not_judged() -> None:
    rules = [f"METADATA:k CONTAINS {' '.join(f'{letter}{n}' for n in range(60))}" for letter in "abc"]
    assert found(*rules, "METADATA:k EQUAL x") == []
