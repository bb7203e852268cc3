"""Rules against one another: never true together, the same twice, implied by others. Read off `cases`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations

import numpy as np

from recovery_batch.campaigns.findings import Finding
from recovery_batch.campaigns.linting.cases import Answers, Cases, cases_of, rules_by_field
from recovery_batch.campaigns.linting.notes import Notes, joined, said
from recovery_batch.rules import RULE_TYPES, Rule

_STATUS = "PAYMENT_STATUS"


def find_conflicts(notes: Notes, successful_statuses: Sequence[str]) -> Iterator[Finding]:
    """What there is to say about the active rules against one another, field by field."""
    for rules in rules_by_field(notes.campaign.targeting_rules):
        cases = cases_of(rules)
        if cases is not None:
            yield from _of_field(notes, cases, successful_statuses)
    yield from _of_limits(notes)


def _of_field(notes: Notes, cases: Cases, successful_statuses: Sequence[str]) -> Iterator[Finding]:
    cores = list(_contradictions(cases.answers))
    for core in cores:
        yield _contradiction(notes, [cases.rules[place] for place in core])
    if not cores and cases.rules[0].rule_type == _STATUS:
        yield from _only_successful(notes, cases, successful_statuses)
    # what contradicts itself implies anything; the rules of a contradiction are not worth more words
    yield from _needless(notes, cases.rules, cases.answers, with_implied=not cores)


def _contradictions(answers: Answers) -> Iterator[tuple[int, ...]]:
    """The smallest sets of rules that no case fulfils: rules alone, pairs, or else one larger set."""
    possible = answers.any(axis=0)
    yield from ((int(place),) for place in np.flatnonzero(~possible))
    places = [int(place) for place in np.flatnonzero(possible)]
    together = answers.T.astype(np.float32) @ answers.astype(np.float32)  # in how many cases two rules hold
    pairs = [pair for pair in combinations(places, 2) if not together[pair]]
    yield from pairs
    if not pairs and not answers[:, places].all(axis=1).any():
        yield _core(answers, places)


def _core(answers: Answers, places: Sequence[int]) -> tuple[int, ...]:
    """Of rules that no case fulfils, some of which none can be spared."""
    core = list(places)
    for place in places:
        without = [each for each in core if each != place]
        if not answers[:, without].all(axis=1).any():
            core = without
    return tuple(core)


def _contradiction(notes: Notes, rules: Sequence[Rule]) -> Finding:
    if len(rules) == 1:
        reason = f"The rule {said(rules)} is true for no payment at all, so the campaign targets nobody."
        return notes.error("rules_contradict", reason, "Change the rule, or make it INACTIVE.", rules)
    reason = f"The rules {said(rules)} are never true for the same payment, so the campaign targets nobody."
    advice = "Every rule of a campaign must be true. Keep one of them, or make two campaigns."
    return notes.error("rules_contradict", reason, advice, rules)


def _only_successful(notes: Notes, cases: Cases, successful_statuses: Sequence[str]) -> Iterator[Finding]:
    fulfilled = np.asarray(cases.answers.all(axis=1))
    paid = np.array([value in successful_statuses for value in cases.values], dtype=np.bool_)
    if not (fulfilled & ~paid).any():
        answers = cases.answers[~paid]
        core = _core(answers, range(len(cases.rules)))
        rules = [cases.rules[place] for place in core]
        named = [value for value, holds in zip(cases.values, fulfilled, strict=True) if holds and value is not None]
        reason = (
            f"{said(rules)} can be true only for payments whose status means that they were paid ({joined(named)}), "
            "and a paid payment matches no campaign."
        )
        advice = "Name the statuses of payments that were not paid, such as DECLINED, or leave the rule out."
        yield notes.error("only_successful_statuses", reason, advice, rules)


def _needless(notes: Notes, rules: Sequence[Rule], answers: Answers, *, with_implied: bool) -> Iterator[Finding]:
    """The rules that could be left out, each after what makes it needless. All of them can be left out together."""
    kept: list[int] = []
    for place, rule in enumerate(rules):
        twin = next((each for each in kept if (answers[:, each] == answers[:, place]).all()), None)
        if twin is None:
            kept.append(place)
        else:
            yield _repetition(notes, rules[twin], rule)
    for place in tuple(kept) if with_implied else ():
        others = [each for each in kept if each != place]
        by = _implied_by(answers, place, others)
        if by:
            kept = others
            yield _implication(notes, rules[place], [rules[each] for each in by])


def _implied_by(answers: Answers, place: int, others: Sequence[int]) -> tuple[int, ...]:
    """The fewest of some rules that are true only when the rule at `place` is; none when it is not implied."""
    failing = answers[~answers[:, place]]
    alone = next((each for each in others if not failing[:, each].any()), None)
    if alone is not None:
        return (alone,)
    if not others or failing[:, others].all(axis=1).any():
        return ()
    return _core(failing, others)


def _repetition(notes: Notes, first: Rule, again: Rule) -> Finding:
    reason = f"The rules {said([first, again])} mean the same: one of them changes nothing."
    advice = "Leave one of them out, or correct the one that was meant to say something else."
    return notes.warning("rule_repeated", reason, advice, [first, again])


def _implication(notes: Notes, rule: Rule, by: Sequence[Rule]) -> Finding:
    verb = "is" if len(by) == 1 else "are"
    reason = f"{said([rule])} is true whenever {said(by)} {verb}: it changes nothing."
    advice = f"Leave {said([rule])} out, or correct it if it was meant to say something else."
    return notes.info("rule_implied", reason, advice, [rule, *by])


def _of_limits(notes: Notes) -> Iterator[Finding]:
    """The same for rate limits: the cases are how many communications a user has already."""
    for daily in (True, False):
        limits = [rule for rule in notes.campaign.rate_limits if RULE_TYPES[rule.rule_type].daily_limit is daily]
        most = [int((rule.values or ("1",))[0]) for rule in limits]
        already = np.array(sorted({0, *most, *(number - 1 for number in most)}), dtype=np.int64)
        answers: Answers = already[:, None] < np.array(most, dtype=np.int64)
        yield from _needless(notes, limits, answers, with_implied=True)
