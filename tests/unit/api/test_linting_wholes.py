"""What lint says of whole campaigns on loaded payments, and how it keeps what names people to itself."""

from functools import partial
from pathlib import Path

import pytest

from recovery_batch.campaigns.findings import Severity
from tests.unit.api.test_linting import DECLINED, Lint, linted, payment, rule, slugs
from tests.unit.ingest.samples import Record

DAILY = rule("USER_COMMS_PER_DAY", None, "1")
OTHER = "9c1d6a52-0c1e-4c9c-8f0a-2f6f5d2b7a19"


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    return partial(linted, tmp_path)


def of_codes(**times: int) -> list[list[Record]]:
    """Payments by response code: `c05=3` are three with the code 05."""
    return [payment(n, response_code=code[1:], times=many) for n, (code, many) in enumerate(times.items())]


def test_rules_that_hold_alone_and_not_together_match_nothing(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE", response_code="05", times=4), payment(2, provider="KUSHKI", times=2)]
    contradiction = [rule("RESPONSE_CODE", "EQUAL", "05"), rule("PROVIDER", "EQUAL", "KUSHKI")]
    (found,) = lint(payments, {"rules": [DECLINED, *contradiction]})
    assert (found.slug, found.severity) == ("matches_nothing", Severity.WARNING)
    assert "0 of 6 payments" in found.reason
    assert "The one that narrows most is “provider is KUSHKI”, which alone matches 2." in found.reason
    assert found.counts == {"payments": 6, "matched": 0, "alone": 2}
    assert len(found.rule_ids) == 1


def test_a_rule_that_matches_nothing_alone_is_told_and_not_the_campaign(lint: Lint) -> None:
    found = lint(of_codes(c05=3), {"rules": [DECLINED, rule("RESPONSE_CODE", "EQUAL", "5")]})
    assert slugs(found) == ["near_miss"]


def test_rules_that_leave_nothing_out_match_everything(lint: Lint) -> None:
    (found,) = lint(of_codes(c05=10), DECLINED)
    assert (found.slug, found.severity) == ("matches_everything", Severity.WARNING)
    assert found.counts == {"payments": 10, "matched": 10}


def test_few_payments_or_one_left_out_are_not_everything(lint: Lint) -> None:
    assert lint(of_codes(c05=9), DECLINED) == ()
    assert lint(of_codes(c05=10, c14=1), rule("RESPONSE_CODE", "EQUAL", "05")) == ()


def test_rate_limits_alone_and_no_rules_leave_nothing_to_say_of_the_extent(lint: Lint) -> None:
    assert lint([payment(1, metadata={"user_id": "u"}, times=12)], {"rules": [DAILY]}) == ()
    assert lint(of_codes(c05=12), {"rules": []}) == ()


def test_payments_that_are_not_there_are_no_fault_of_the_rules(lint: Lint) -> None:
    stripe = [rule("PROVIDER", "EQUAL", "stripe")]
    found = lint(
        [payment(1, times=3), payment(2, status="PAID", country="MX")],
        {"rules": stripe, "organization_code": OTHER},
        {"rules": stripe, "country": "PE"},
        {"rules": stripe, "country": "MX"},
        {"rules": stripe, "duration": {"start_at": "2030-01-01", "end_at": "2031-01-01"}},
    )
    assert [(each.slug, each.severity, each.counts) for each in found] == [
        ("no_payments", Severity.INFO, {"payments": 0})
    ] * 4
    assert [each.campaign_name for each in found] == ["c0", "c1", "c2", "c3"]
    assert found[0].reason == "The store holds no payment of its organization."
    assert found[1].reason == "Its organization has no payment in PE, but in CO (3), MX (1)."
    assert found[2].reason.startswith("Of the 1 payment of its organization and country none")
    assert found[3].reason.startswith("Of the 3 payments of its organization and country none")


@pytest.mark.parametrize("limit", [DAILY, rule("UNIQUE_BY_USER")])
def test_matches_without_a_user_are_counted_where_there_is_a_rate_limit(lint: Lint, limit: Record) -> None:
    payments = [payment(1, metadata={"user_id": "u"}, times=3), payment(2), payment(3, metadata={"user_id": ""})]
    (found,) = lint(payments, {"rules": [DECLINED, limit]})
    assert (found.slug, found.severity) == ("missing_user_id", Severity.WARNING)
    assert found.counts == {"payments": 5, "matched": 5, "without_user_id": 2}
    assert found.reason.startswith("40.0\u00a0% of the 5 payments that it matches have no user_id (2).")
    assert lint(payments, DECLINED) == ()


def test_users_of_payments_that_do_not_match_do_not_count(lint: Lint) -> None:
    payments = [payment(1, metadata={"user_id": "u"}, response_code="05"), payment(2, response_code="14")]
    assert lint(payments, {"rules": [rule("RESPONSE_CODE", "EQUAL", "05"), DAILY]}) == ()


def test_codes_that_should_not_be_chased_are_counted_by_code(lint: Lint) -> None:
    payments = of_codes(c43=3, c14=2, c05=4)
    payments.append(payment(9, response_code="43", iso_response_code="43"))
    (found,) = lint(payments, rule("RESPONSE_CODE", "NOT_EQUAL", "05"), do_not_chase=("14", "43", "05", "62"))
    assert (found.slug, found.severity) == ("chases_do_not_chase", Severity.WARNING)
    assert found.counts == {
        "payments": 10,
        "matched": 6,
        "chased": 6,
        "response_code 43": 4,
        "response_code 14": 2,
        "iso_response_code 43": 1,
    }
    assert "response_code 43 (4), response_code 14 (2), iso_response_code 43 (1)" in found.reason


def test_codes_that_are_left_out_or_not_listed_are_no_finding(lint: Lint) -> None:
    payments = of_codes(c43=3, c05=4)
    assert lint(payments, rule("RESPONSE_CODE", "NOT_ONE_OF", "43"), do_not_chase=("43",)) == ()
    assert lint(payments, rule("RESPONSE_CODE", "EQUAL", "43")) == ()


def test_an_overlap_belongs_to_the_campaign_whose_share_is_exceeded(lint: Lint) -> None:
    payments = of_codes(c05=6, c51=3, c14=1)
    made = (rule("RESPONSE_CODE", "ONE_OF", "05", "51"), rule("RESPONSE_CODE", "ONE_OF", "51", "14"))
    (found,) = lint(payments, *made)
    assert (found.slug, found.severity, found.campaign_name) == ("overlap", Severity.INFO, "c1")
    assert found.counts == {"payments": 10, "matched": 4, "matched_by_other": 9, "matched_by_both": 3}
    assert found.reason == ("75.0\u00a0% of the 4 payments that “c1” matches are matched by “c0” too (3 of its 9).")
    assert lint(payments, *made, overlap_share=0.75) == ()
    assert [each.campaign_name for each in lint(payments, *made, overlap_share=0.3)] == ["c0", "c1"]


def test_campaigns_that_share_nothing_do_not_overlap(lint: Lint) -> None:
    payments = [*of_codes(c05=2, c51=2), payment(8, response_code="05", country="MX", times=2)]
    made = rule("RESPONSE_CODE", "EQUAL", "05")
    apart = lint(payments, made, rule("RESPONSE_CODE", "EQUAL", "51"), {"rules": [made, DECLINED], "country": "MX"})
    assert "overlap" not in slugs(apart)


def test_campaigns_of_other_durations_overlap_where_they_share_payments(lint: Lint) -> None:
    short = {"start_at": "2026-09-01", "end_at": "2026-10-01"}
    payments = [*of_codes(c05=2, c51=2), payment(8, response_code="05", created_at="2026-10-02 00:00:00", times=9)]
    made = [rule("RESPONSE_CODE", "EQUAL", "05")]
    (found,) = lint(payments, {"rules": made}, {"rules": made, "duration": short})
    assert (found.slug, found.campaign_name) == ("overlap", "c1")
    assert (found.counts["matched_by_both"], found.counts["matched_by_other"]) == (2, 11)


def test_findings_come_campaign_by_campaign_and_are_the_same_each_time(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE", times=12)]
    both = [rule("PROVIDER", "NOT_EQUAL", "stripe"), rule("METADATA", "NOT_EQUAL", "x", key="k")]
    made = ({"rules": [*both, DAILY]}, {"rules": [DECLINED], "country": "MX"}, {"rules": [DECLINED]})
    found = lint(payments, *made)
    assert [(each.campaign_name, each.slug) for each in found] == [
        ("c0", "near_miss"),
        ("c0", "metadata_key_unknown"),
        ("c0", "matches_everything"),
        ("c0", "missing_user_id"),
        ("c0", "overlap"),
        ("c1", "no_payments"),
        ("c2", "matches_everything"),
        ("c2", "overlap"),
    ]
    assert lint(payments, *made) == found


@pytest.mark.parametrize(
    ("key", "there", "wanted"),
    [
        ("user_id", "Walter-17", "walter-17"),
        ("email", "Ana@Example.com", "ana@example.com"),
        ("contact", "Ana@Example.com", "ana@example.com"),
        ("phone", "0573101234567", "573101234567"),
        ("customerName", "ANA NOGAL", "ana nogal"),
    ],
)
def test_what_names_people_is_masked(lint: Lint, key: str, there: str, wanted: str) -> None:
    payments = [payment(1, metadata={key: there}), payment(2, metadata={key: "Ana-99@example.org"})]
    for body in (rule("METADATA", "EQUAL", wanted, key=key), rule("METADATA", "NOT_EQUAL", wanted, key=key)):
        found = [each for each in lint(payments, body) if each.slug == "near_miss"]
        assert len(found) == 1
        for secret in (there, wanted, "Ana-99"):
            assert secret not in str(found[0].as_json())


def test_no_existing_user_is_guessed_at_or_named_among_what_is_no_number(lint: Lint) -> None:
    payments = [payment(1, metadata={"user_id": "walter-18"}, times=3)]
    (found,) = lint(payments, rule("METADATA", "EQUAL", "walter-17", key="user_id"))
    assert found.slug == "value_never_seen"
    assert "walter" not in found.reason
    (found,) = lint(payments, rule("METADATA", "GREATER_THAN", "5", key="user_id"))
    assert found.slug == "not_numbers"
    assert "walter" not in found.reason


def test_what_data_holds_cannot_disturb_a_screen(lint: Lint) -> None:
    payments = [payment(1, metadata={"tier": "GOLD\u202e\n" + "x" * 200})]
    (found,) = lint(payments, rule("METADATA", "EQUAL", "gold\u202e\n" + "x" * 200, key="tier"))
    assert found.slug == "near_miss"
    assert "\u202e" not in found.reason
    assert "\n" not in found.reason
    assert len(found.reason) < 800
