"""Matching payments with campaigns against the slow reference, payment by payment."""

from collections import Counter

import polars as pl
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery_batch.evaluation import CANDIDATES, Evaluation, evaluate
from tests.reference import drawing
from tests.reference.drawing import Scene
from tests.reference.rules import TARGETING, Payment, conditions, funnel, matches

ALL = settings().max_examples


def payments_of(scene: Scene) -> list[Payment]:
    return list(scene.payments.iter_rows(named=True))


def evaluated(scene: Scene, *, with_funnels: bool = False) -> Evaluation:
    return evaluate(scene.payments, scene.campaigns, successful_statuses=scene.successful, with_funnels=with_funnels)


def test_candidates_and_funnels_are_those_of_the_reference() -> None:
    met: Counter[str] = Counter()

    @settings(max_examples=2 * ALL)
    @given(drawing.scenes())
    def check(scene: Scene) -> None:
        found = evaluated(scene, with_funnels=True)

        payments = payments_of(scene)
        assert found.candidates.schema == CANDIDATES
        assert found.candidates.rows() == [
            (campaign_no, payment_no)
            for campaign_no, campaign in enumerate(scene.campaigns)
            for payment_no, payment in enumerate(payments)
            if matches(campaign, payment, scene.successful)
        ]
        assert [each.campaign_no for each in found.funnels] == list(range(len(scene.campaigns)))
        for campaign, counted in zip(scene.campaigns, found.funnels, strict=True):
            assert [(step.remaining, step.alone) for step in counted.steps] == funnel(
                campaign, payments, scene.successful
            )
            targeting = [r.id for r in campaign.rules if r.status == "ACTIVE" and r.rule_type in TARGETING]
            assert [step.rule_id for step in counted.steps if step.rule_id] == targeting
        note(scene, payments)

    def note(scene: Scene, payments: list[Payment]) -> None:
        for campaign in scene.campaigns:
            active = [rule for rule in campaign.rules if rule.status == "ACTIVE"]
            only_limits = bool(active) and not any(rule.rule_type in TARGETING for rule in active)
            for payment in payments:
                place, in_time, unpaid, *rest = answers = conditions(campaign, payment, scene.successful)
                met["pairs"] += 1
                met["matches"] += all(answers)
                met["matches with two rules"] += all(answers) and len(rest) > 1
                met["matches with rate limits alone"] += all(answers) and only_limits
                met["matches with an inactive rule"] += all(answers) and len(active) < len(campaign.rules)
                met["matches at the very start"] += all(answers) and payment["created_at"] == campaign.duration.start_at
                at_the_end = payment["created_at"] == campaign.duration.end_at
                met["left out at the very end"] += at_the_end and all((place, unpaid, *rest))
                met["left out for the place"] += not place and all((in_time, unpaid, *rest))
                met["left out for its status"] += not unpaid and all((place, in_time, *rest))
                met["left out for one rule"] += all((place, in_time, unpaid)) and rest.count(False) == 1
                met["left out without any rule"] += all((place, in_time, unpaid)) and not active

    check()

    # everything that campaigns differ in was decisive often enough
    pairs = met.pop("pairs")
    assert 0.05 * pairs <= met["matches"] <= 0.5 * pairs, met
    assert min(met.values()) >= 10, met


@settings(max_examples=ALL * 2 // 5)
@given(drawing.scenes())
def test_candidates_do_not_depend_on_asking_for_funnels(scene: Scene) -> None:
    plain = evaluated(scene)
    assert plain.funnels == ()
    assert plain.candidates.equals(evaluated(scene, with_funnels=True).candidates)


@settings(max_examples=ALL * 2 // 5)
@given(drawing.scenes(), st.integers(0, 12))
def test_payments_in_two_parts_give_what_they_give_together(scene: Scene, cut: int) -> None:
    # any amount of data can be cut into parts that never need each other
    together = evaluated(scene).candidates
    first = evaluated(Scene(scene.payments[:cut], scene.campaigns, scene.successful)).candidates
    second = evaluated(Scene(scene.payments[cut:], scene.campaigns, scene.successful)).candidates

    shifted = second.with_columns(pl.col("payment_no") + pl.lit(min(cut, scene.payments.height), dtype=pl.UInt32))
    assert pl.concat([first, shifted]).sort("campaign_no", "payment_no").equals(together)


@settings(max_examples=ALL * 2 // 5)
@given(drawing.scenes())
def test_a_campaign_targets_the_same_payments_whoever_stands_beside_it(scene: Scene) -> None:
    together = evaluated(scene).candidates
    for campaign_no, campaign in enumerate(scene.campaigns):
        alone = evaluated(Scene(scene.payments, (campaign,), scene.successful)).candidates
        beside = together.filter(pl.col("campaign_no") == campaign_no)
        assert alone["payment_no"].to_list() == beside["payment_no"].to_list()


@settings(max_examples=ALL * 2 // 5)
@given(drawing.scenes())
def test_a_funnel_narrows_and_ends_at_the_candidates(scene: Scene) -> None:
    found = evaluated(scene, with_funnels=True)
    for counted in found.funnels:
        left = [step.remaining for step in counted.steps]
        assert left == sorted(left, reverse=True)
        assert all(step.remaining <= step.alone <= left[0] for step in counted.steps)
        assert left[-1] == found.candidates.filter(pl.col("campaign_no") == counted.campaign_no).height
        assert all(step.label for step in counted.steps)
