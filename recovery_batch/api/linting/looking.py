"""Lint that looks at a loaded store: what campaigns would find in it, and what they miss by a hair."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final

import polars as pl

from recovery_batch.api.frames import spread_metadata
from recovery_batch.api.linting.metadata import lint_numbers, lint_unknown_key, unknown_keys
from recovery_batch.api.linting.subjects import Basis, Population, Subject, described
from recovery_batch.api.linting.values import lint_values
from recovery_batch.api.linting.wholes import (
    lint_chased,
    lint_extent,
    lint_no_payments,
    lint_overlaps,
    lint_users,
    rule_steps,
)
from recovery_batch.campaigns import Campaign
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.evaluation import Funnel, evaluate, metadata_keys
from recovery_batch.reporting.formats import plural
from recovery_batch.rules import Rule, column_read
from recovery_batch.settings import Settings
from recovery_batch.store import Store

_PLACE: Final = "place"
_MOST_KEYS: Final = 2000
_OF_MATCHES: Final = ("has_user_id", "response_code", "iso_response_code")
_OF_ALL: Final = ("organization_code", "country", "status", "created_at", "amount_value", "currency_code")


def lint_data(
    store: Store,
    campaigns: Sequence[Campaign],
    settings: Settings,
    *,
    overlap_share: float = 0.5,
    do_not_chase: Sequence[str] = (),
) -> tuple[Finding, ...]:
    """What is remarkable about campaigns, given the payments of a store. Only active rules are looked at.

    The payments of a campaign are those of its organization, country and duration that are not successful.

    Args:
        store: An open store; without payments there are no findings.
        campaigns: Those to look at, whatever their status.
        settings: The installation's settings.
        overlap_share: The share of a campaign's matches that another may target without a remark.
        do_not_chase: Response codes, ISO 8583 ones too, whose payments are not worth a reminder.

    Returns:
        The findings, campaign by campaign: first its rules in their order, then the whole, then its overlaps.
    """
    totals = store.frame("lint/places")
    if totals.is_empty() or not campaigns:
        return ()
    looking = _Looking(store, campaigns, settings, totals, do_not_chase)
    overlaps = lint_overlaps(looking.subjects, looking.matched, looking.payments.height, overlap_share)
    return tuple(each for own, common in zip(looking.found, overlaps, strict=True) for each in (*own, *common))


def _alarmed(finding: Finding) -> Finding:
    """What is worth a look by itself is worth more where the campaign targets nobody because of it."""
    if finding.slug != "value_never_seen":
        return finding
    return replace(finding, severity=Severity.WARNING, reason=f"The campaign targets nobody. {finding.reason}")


class _Looking:
    """One look at a store. Campaigns that share organization, country and duration share the work."""

    def __init__(
        self,
        store: Store,
        campaigns: Sequence[Campaign],
        settings: Settings,
        totals: pl.DataFrame,
        do_not_chase: Sequence[str],
    ) -> None:
        self.store = store
        self.statuses = list(settings.payments.successful_statuses)
        self.totals = totals
        self.do_not_chase = do_not_chase
        self.payments = self._read(campaigns)
        self.found: list[list[Finding]] = [[] for _ in campaigns]
        self.matched = [pl.Series(dtype=pl.UInt32)] * len(campaigns)
        first, last = totals["first_created_at"].min(), totals["last_created_at"].max()
        assert isinstance(first, datetime)
        assert isinstance(last, datetime)
        bases: dict[Basis, list[int]] = {}
        for campaign_no, campaign in enumerate(campaigns):
            bases.setdefault(Basis.of(campaign, first, last), []).append(campaign_no)
        by_no: dict[int, Subject] = {}
        for basis, members in bases.items():
            population = self._population(basis, [campaigns[number] for number in members])
            subjects = [Subject(campaigns[number], population) for number in members]
            by_no.update(zip(members, subjects, strict=True))
            self._look(basis, members, subjects)
            population.forget()
        self.subjects = [by_no[number] for number in range(len(campaigns))]

    def _read(self, campaigns: Sequence[Campaign]) -> pl.DataFrame:
        keys = metadata_keys(campaigns)
        parameters = {
            "keys": list(keys),
            "organizations": sorted({campaign.organization_code for campaign in campaigns}),
            "statuses": self.statuses,
        }
        return spread_metadata(self.store.frame("lint/payments", parameters), keys).with_row_index(_PLACE)

    def _population(self, basis: Basis, campaigns: Sequence[Campaign]) -> Population:
        read = {column_read(rule) for each in campaigns for rule in each.targeting_rules}
        columns = dict.fromkeys((_PLACE, *_OF_ALL, *_OF_MATCHES, *sorted(filter(None, read))))
        return Population(self.payments.select(*columns).filter(basis.holds()))

    def _look(self, basis: Basis, members: Sequence[int], subjects: Sequence[Subject]) -> None:
        population = subjects[0].population
        if not population.size:
            for number, subject in zip(members, subjects, strict=True):
                self.found[number].append(lint_no_payments(subject, self.totals))
            return
        evaluation = evaluate(
            population.frame,
            [subject.campaign for subject in subjects],
            successful_statuses=self.statuses,
            with_funnels=True,
        )
        by_campaign = evaluation.candidates.partition_by("campaign_no", as_dict=True)
        known = self._known_keys(basis, subjects)
        for place, (number, subject) in enumerate(zip(members, subjects, strict=True)):
            own = by_campaign.get((place,))
            rows = pl.Series(dtype=pl.UInt32) if own is None else own["payment_no"]
            matches = population.frame.select(_PLACE, *_OF_MATCHES)[rows]
            self.matched[number] = matches[_PLACE]
            funnel = evaluation.funnels[place]
            of_rules = _lint_rules(subject, funnel, known)
            self.found[number] += [
                *(map(_alarmed, of_rules) if matches.is_empty() else of_rules),
                *lint_extent(subject, funnel, matches.height),
                *lint_users(subject, matches),
                *lint_chased(subject, matches, self.do_not_chase),
            ]

    def _known_keys(self, basis: Basis, subjects: Sequence[Subject]) -> pl.DataFrame | None:
        """The metadata keys that there are, read only where a rule reads one that is not."""
        if not any(unknown_keys(subject) for subject in subjects):
            return None
        parameters = {
            "organization_code": basis.organization_code,
            "country": basis.country,
            "since": basis.since,
            "until": basis.until,
            "statuses": self.statuses,
            "most": _MOST_KEYS,
        }
        return self.store.frame("lint/metadata_keys", parameters)


def _lint_rules(subject: Subject, funnel: Funnel, known: pl.DataFrame | None) -> list[Finding]:
    unknown = unknown_keys(subject)
    rules = subject.campaign.targeting_rules
    found: list[Finding] = []
    for rule, step in zip(rules, rule_steps(funnel, rules), strict=True):
        if rule.metadata_key in unknown:
            assert known is not None
            found.append(lint_unknown_key(subject, rule, known))
            continue
        own = [*lint_values(subject, rule), *lint_numbers(subject, rule)]
        found += own
        if not step.alone and not own:
            found.append(_matches_none(subject, rule))
    return found


def _matches_none(subject: Subject, rule: Rule) -> Finding:
    """A rule whose values are there, or are bounds, and that still matches nothing."""
    texts = (
        f"{described(rule)}: the rule matches 0 of {plural(subject.population.size, 'payment')}.",
        "Check the values, and the unit of a number.",
    )
    return subject.remark("value_never_seen", Severity.INFO, [rule], texts, {"values": 1, "matched": 0})
