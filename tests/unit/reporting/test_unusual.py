"""What is unusual about a run: each rule by a case in which it speaks, and one in which it must not."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.reporting.unusual import Comparison, Measure, compare
from tests.unit.reporting.manifests import build_manifest

NIGHTS = range(1, 15)


def nights(sent: Sequence[int]) -> list[dict[str, Any]]:
    """Nights of one campaign that sent so much."""
    return [build_manifest(night, sent={"c-1": number}) for night, number in enumerate(sent, start=1)]


def measure(comparison: Comparison, part: str, key: str) -> Measure:
    (found,) = [each for each in comparison.measures if (each.part, each.key) == (part, key)]
    return found


def unusual(comparison: Comparison) -> list[str]:
    return [f"{each.part} {each.key}" for each in comparison.unusual]


def test_equal_nights_are_nothing_to_look_at() -> None:
    comparison = compare(build_manifest(15), [build_manifest(night) for night in NIGHTS])
    assert comparison.runs == 14
    assert comparison.judged
    assert unusual(comparison) == []
    assert [(each.title, str(each.value), str(each.median), each.verdict) for each in comparison.measures] == [
        ("Matches", "300", "300", "usual"),
        ("Sent", "180", "180", "usual"),
        ("Sent, of all matches", "60.00", "60.00", "usual"),
        ("Files", "3", "3", "usual"),
        ("Abandoned flows sent", "20", "20", "usual"),
        ("Sent in COP", "1840000.10", "1840000.10", "usual"),
        ("Sent in MXN", "92000", "92000", "usual"),
        ("Sent by Large declines, Colombia", "120", "120", "usual"),
        ("Sent by Card retries by phone", "60", "60", "usual"),
        ("Suppressed as already_paid", "30", "30", "usual"),
        ("Suppressed as too_old", "90", "90", "usual"),
    ]


def test_far_more_than_the_nights_before_is_unusual_and_says_so() -> None:
    comparison = compare(nights([0] * 14 + [260])[-1], nights([100, 110, 120, 130, 140]))
    found = measure(comparison, "campaign", "c-1")
    assert (found.verdict, found.earlier) == ("unusual", 5)
    assert found.why == "more than usual: the 5 runs before had 100 to 140, in the middle 120"


@pytest.mark.parametrize(
    ("value", "verdict"),
    # 1.4826 * MAD = 14.826 is more than sqrt(120) and a twentieth of 120; 3.5 times that is 51.891
    [(171, "usual"), (172, "unusual"), (69, "usual"), (68, "unusual")],
)
def test_the_limit_is_three_and_a_half_robust_deviations(value: int, verdict: str) -> None:
    before = nights([100, 110, 110, 110, 120, 130, 130, 130, 140])
    run = build_manifest(30, sent={"c-1": value})
    assert measure(compare(run, before), "campaign", "c-1").verdict == verdict


@pytest.mark.parametrize(
    ("usually", "now", "verdict"),
    [
        (2, 3, "usual"),
        (2, 6, "usual"),  # 3.5 * sqrt(2) = 4.9
        (2, 7, "unusual"),
        (10_000, 11_750, "usual"),  # 3.5 twentieths
        (10_000, 11_751, "unusual"),
        (10_000, 8_249, "unusual"),
        (0, 3, "usual"),
        (0, 4, "unusual"),
    ],
)
def test_small_numbers_and_steady_ones_have_a_floor(usually: int, now: int, verdict: str) -> None:
    comparison = compare(build_manifest(30, sent={"c-1": now}), nights([usually] * 14))
    assert measure(comparison, "campaign", "c-1").verdict == verdict


def test_what_two_earlier_nights_reached_is_usual() -> None:
    weekdays, quiet = [500, 505, 495, 500, 510], [80, 90]
    assert measure(compare(nights([0] * 29 + [85])[-1], nights(weekdays * 2 + quiet)), "run", "sent").why
    two_weeks = (weekdays + quiet) * 2
    assert measure(compare(nights([0] * 29 + [85])[-1], nights(two_weeks)), "run", "sent").verdict == "usual"
    assert measure(compare(nights([0] * 29 + [5000])[-1], nights([500] * 13 + [5000])), "run", "sent").why


def test_nothing_where_there_always_was_something() -> None:
    before = [build_manifest(night) for night in NIGHTS]
    comparison = compare(build_manifest(15, sent={"c-1": 120, "c-2": 0}, amounts={"COP": "1840000.10"}), before)
    why = "nothing, though each of the 14 runs before had some"
    assert measure(comparison, "campaign", "c-2").why == why
    assert measure(comparison, "amount", "MXN").why == why
    assert measure(comparison, "amount", "MXN").value == 0
    assert (
        measure(compare(build_manifest(15, suppressed={"too_old": 120}), before), "reason", "already_paid").why == why
    )
    sometimes = nights([1, 0, 2, 1, 1])
    assert measure(compare(build_manifest(30, sent={"c-1": 0}), sometimes), "campaign", "c-1").verdict == "usual"


def test_what_was_never_seen_is_unusual() -> None:
    before = [build_manifest(night) for night in NIGHTS]
    run = build_manifest(
        15,
        sent={"c-1": 120, "c-2": 60, "c-3": 1},
        suppressed={"already_paid": 30, "too_old": 90, "invalid_phone": 4, "a_new_slug": 4},
        amounts={"COP": "1840000.10", "MXN": "92000", "CLP": "100"},
    )
    comparison = compare(run, before)
    assert unusual(comparison) == ["amount CLP", "campaign c-3", "reason invalid_phone", "reason a_new_slug"]
    assert measure(comparison, "campaign", "c-3").why == "new: none of the 14 runs before had this campaign"
    assert measure(comparison, "campaign", "c-3").median is None
    assert measure(comparison, "reason", "invalid_phone").why == "new: none of the 14 runs before had any"


@pytest.mark.parametrize("runs", [3, 14])
def test_a_few_of_a_new_reason_are_chance(runs: int) -> None:
    before = [build_manifest(night) for night in range(1, runs + 1)]
    run = build_manifest(15, suppressed={"already_paid": 30, "too_old": 90, "invalid_phone": 3, "holdout": 1})
    assert unusual(compare(run, before)) == []


def test_a_young_campaign_is_shown_and_not_judged() -> None:
    before = [build_manifest(night) for night in range(1, 13)]
    before += [build_manifest(night, sent={"c-1": 120, "c-2": 60, "c-3": 5}) for night in (13, 14)]
    comparison = compare(build_manifest(15, sent={"c-1": 120, "c-2": 60, "c-3": 9000}), before)
    found = measure(comparison, "campaign", "c-3")
    assert (found.verdict, found.earlier, found.why) == ("not judged", 2, "")


def test_a_campaign_that_is_gone_is_news_once() -> None:
    before = [build_manifest(night) for night in range(1, 14)]
    left = build_manifest(14, sent={"c-1": 120})
    found = measure(compare(left, before), "campaign", "c-2")
    assert (found.value, found.title) == (None, "Sent by Card retries by phone")
    assert found.why == "gone: the run before had this campaign, this one does not"
    again = compare(build_manifest(15, sent={"c-1": 120}), [*before, left])
    assert "c-2" not in {each.key for each in again.measures}


@pytest.mark.parametrize("runs", [0, 1, 2])
def test_fewer_than_three_nights_judge_nothing(runs: int) -> None:
    before = [build_manifest(night, sent={"c-9": 1}, suppressed={}, amounts={}) for night in range(1, runs + 1)]
    comparison = compare(build_manifest(15), before)
    assert not comparison.judged
    assert {each.verdict for each in comparison.measures} == {"not judged"}


def test_the_fifteenth_night_before_counts_no_more() -> None:
    before = [build_manifest(1, sent={"c-1": 9000}), *(build_manifest(night) for night in range(2, 16))]
    assert measure(compare(build_manifest(16), before), "campaign", "c-1").highest == 120


def test_flows_of_old_manifests_are_unknown_not_none() -> None:
    old = [build_manifest(night, flows=None) for night in range(1, 13)]
    found = measure(compare(build_manifest(15), [*old, build_manifest(13), build_manifest(14)]), "run", "flows")
    assert (found.earlier, found.verdict) == (2, "not judged")
    assert "flows" not in {each.key for each in compare(build_manifest(15, flows=None), old).measures}


def test_carts_are_no_declined_amounts() -> None:
    comparison = compare(build_manifest(15, flows=900), [build_manifest(night, flows=0) for night in NIGHTS])
    assert measure(comparison, "amount", "COP").verdict == "usual"
    assert measure(comparison, "run", "flows").verdict == "unusual"


def test_amounts_are_exact_however_long() -> None:
    long = "999999999999999999.999999"
    before = [build_manifest(night, amounts={"COP": long}) for night in range(1, 4)]
    before.append(build_manifest(4, amounts={"COP": "999999999999999999.999998"}))
    run = build_manifest(15)
    run["files"] = [{"path": str(n), "records": 1, "amounts": {"COP": long}} for n in range(3)]
    found = measure(compare(run, before[2:]), "amount", "COP")
    assert found.value == Decimal("2999999999999999999.999997")
    assert found.median == Decimal("999999999999999999.9999985")
    assert found.in_words(found.value) == "2,999,999,999,999,999,999.999997 COP"


def test_few_payments_may_be_worth_more_or_less_by_chance() -> None:
    few = [build_manifest(night, sent={"c-1": 2}, amounts={"COP": "100"}) for night in NIGHTS]
    # two payments of 50 vary by about 50 * sqrt(2) = 70.71; 3.5 times that is 247.49
    for amount, verdict in (("347", "usual"), ("348", "unusual")):
        run = build_manifest(15, sent={"c-1": 2}, amounts={"COP": amount})
        assert measure(compare(run, few), "amount", "COP").verdict == verdict


def test_a_share_of_few_matches_varies_by_chance() -> None:
    few = [build_manifest(night, sent={"c-1": 2}, suppressed={"too_old": 2}) for night in NIGHTS]
    run = build_manifest(15, sent={"c-1": 4}, suppressed={})
    assert measure(compare(run, few), "run", "share").verdict == "usual"
    many = [build_manifest(night, sent={"c-1": 2000}, suppressed={"too_old": 2000}) for night in NIGHTS]
    run = build_manifest(15, sent={"c-1": 2400}, suppressed={"too_old": 1600})
    found = measure(compare(run, many), "run", "share")
    assert found.why == "more than usual: each of the 14 runs before had 50.00\u00a0%"


@pytest.mark.parametrize(
    ("sent", "left", "share"),
    [(1, 0, "100"), (0, 1, "0"), (1, 2, "33.33"), (2, 1, "66.67"), (1, 99_999, "0.01"), (99_999, 1, "99.99")],
)
def test_only_all_is_a_hundred_per_cent(sent: int, left: int, share: str) -> None:
    run = build_manifest(1, sent={"c-1": sent}, suppressed={"too_old": left})
    assert str(measure(compare(run, []), "run", "share").value) == share


def test_without_matches_there_is_no_share() -> None:
    run = build_manifest(1, sent={}, suppressed={}, amounts={}, flows=0)
    assert {each.key for each in compare(run, []).measures} == {"matched", "sent", "files", "flows"}
