"""Whole campaigns: those that match nothing or everything, whom they reach in vain, and how they overlap."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Final

import numpy as np
import numpy.typing as npt
import polars as pl

from recovery_batch.api.linting.subjects import Subject, described, listed, value_words
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.evaluation import Funnel, FunnelStep
from recovery_batch.reporting.formats import count, percent, plural
from recovery_batch.rules import Rule

FEWEST_FOR_EVERYTHING: Final = 10
_CODES: Final = ("response_code", "iso_response_code")


def lint_no_payments(subject: Subject, places: pl.DataFrame) -> Finding:
    """`no_payments`: there is nothing to look at. `places` counts the payments of the store by place."""
    campaign = subject.campaign
    own = places.filter(pl.col("organization_code") == campaign.organization_code)
    here = own.filter(pl.col("country") == campaign.country)
    if own.is_empty():
        reason = "The store holds no payment of its organization."
    elif here.is_empty():
        others = [f"{country} ({count(payments)})" for country, payments in own.select("country", "payments").rows()]
        reason = f"Its organization has no payment in {campaign.country}, but in {listed(others)}."
    else:
        held = plural(int(here["payments"].sum()), "payment")
        reason = f"Of the {held} of its organization and country none is unsuccessful and was created in its duration."
    advice = "Check organization_code, country and duration; the rules were not looked at."
    return subject.remark("no_payments", Severity.INFO, [], (reason, advice), {})


def lint_extent(subject: Subject, funnel: Funnel, matched: int) -> Iterator[Finding]:
    """`matches_nothing` and `matches_everything`: all rules together."""
    rules, size = subject.campaign.targeting_rules, subject.population.size
    if not rules:
        return
    steps = rule_steps(funnel, rules)
    if not matched and all(step.alone for step in steps):
        narrowest = min(range(len(steps)), key=lambda place: steps[place].alone)
        rule, alone = rules[narrowest], steps[narrowest].alone
        texts = (
            f"The campaign targets nobody: its rules together match 0 of {plural(size, 'payment')}, though each of "
            "them alone matches some. The one that narrows most is "
            f"“{described(rule)}”, which alone matches {count(alone)}.",
            "Check whether rules contradict each other; alternatives belong into one ONE_OF, or into another campaign.",
        )
        yield subject.remark("matches_nothing", Severity.WARNING, [rule], texts, {"matched": 0, "alone": alone})
    if matched == size >= FEWEST_FOR_EVERYTHING:
        texts = (
            f"The rules match all of {plural(size, 'payment')}: they leave nothing out.",
            "Check whether the rules say what was meant.",
        )
        yield subject.remark("matches_everything", Severity.WARNING, rules, texts, {"matched": matched})


def lint_users(subject: Subject, matches: pl.DataFrame) -> Iterator[Finding]:
    """`missing_user_id`: matches that a rate limit suppresses, because nobody knows whose they are."""
    limits = subject.campaign.rate_limits
    missing = int((~matches["has_user_id"]).sum())
    if not limits or not missing:
        return
    texts = (
        f"{percent(missing, matches.height)} of the {plural(matches.height, 'payment')} that it matches have no "
        f"user_id ({count(missing)}). With a rate limit they are suppressed as missing_user_id.",
        "Have user_id exported in the metadata, or do without the rate limit.",
    )
    counts = {"matched": matches.height, "without_user_id": missing}
    yield subject.remark("missing_user_id", Severity.WARNING, limits, texts, counts)


def lint_chased(subject: Subject, matches: pl.DataFrame, codes: Sequence[str]) -> Iterator[Finding]:
    """`chases_do_not_chase`: matches that were declined for a reason that no reminder changes."""
    listing = pl.Series(list(codes), dtype=pl.String).implode()
    chased = matches.filter(pl.any_horizontal(pl.col(name).is_in(listing) for name in _CODES))
    if chased.is_empty():
        return
    counts: dict[str, int] = {"matched": matches.height, "chased": chased.height}
    by_code = []
    for name in _CODES:
        found = chased.group_by(name).len().filter(pl.col(name).is_in(listing))
        for code, payments in found.sort(["len", name], descending=[True, False]).rows():
            counts[f"{name} {code}"] = payments
            by_code.append(f"{name} {value_words(code)} ({count(payments)})")
    texts = (
        f"{count(chased.height)} of the {plural(matches.height, 'payment')} that it matches have a code "
        f"that should not be chased: {listed(by_code)}.",
        "Leave these codes out with NOT_ONE_OF.",
    )
    yield subject.remark("chases_do_not_chase", Severity.WARNING, [], texts, counts)


def lint_overlaps(
    subjects: Sequence[Subject], places: Sequence[pl.Series], total: int, share: float
) -> list[list[Finding]]:
    """`overlap`, for each campaign: others that target more than a share of its payments.

    Args:
        subjects: The campaigns.
        places: For each the places of its matches among all payments.
        total: How many payments there are in all.
        share: The share from which on it is worth a remark.
    """
    found: list[list[Finding]] = [[] for _ in subjects]
    bits = [_bits(each, total) for each in places]
    for one, other in combinations(range(len(subjects)), 2):
        a, b = subjects[one].campaign, subjects[other].campaign
        if not len(places[one]) or not len(places[other]):
            continue
        if (a.organization_code, a.country) != (b.organization_code, b.country):
            continue
        common = int(np.bitwise_count(bits[one] & bits[other]).sum(dtype=np.int64))
        for own, rival in ((one, other), (other, one)):
            if common > share * len(places[own]):
                found[own].append(
                    _overlap(subjects[own], subjects[rival], common, len(places[own]), len(places[rival]))
                )
    return found


def _overlap(own: Subject, rival: Subject, common: int, size: int, rival_size: int) -> Finding:
    own_name, name = value_words(own.campaign.name), value_words(rival.campaign.name)
    texts = (
        f"{percent(common, size)} of the {plural(size, 'payment')} that “{own_name}” matches are matched by “{name}” "
        f"too ({count(common)} of its {count(rival_size)}).",
        "Check whether the same payment should be followed up twice, or add a rate limit.",
    )
    counts = {"matched": size, "matched_by_other": rival_size, "matched_by_both": common}
    return own.remark("overlap", Severity.INFO, [], texts, counts)


def _bits(places: pl.Series, total: int) -> npt.NDArray[np.uint8]:
    mask = np.zeros(total, dtype=np.bool_)
    mask[places.to_numpy()] = True
    return np.packbits(mask)


def rule_steps(funnel: Funnel, rules: Sequence[Rule]) -> tuple[FunnelStep, ...]:
    """The steps of a funnel that are rules: its last ones."""
    return funnel.steps[len(funnel.steps) - len(rules) :]
