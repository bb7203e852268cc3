"""What is looked at: the payments that a campaign may target before any rule, and how remarks on it are made."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, TypeVar

import polars as pl

from recovery_batch.campaigns import Campaign
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.privacy import is_personal
from recovery_batch.reporting.formats import count, plural, shortened, visible
from recovery_batch.rules import RULE_TYPES, Kind, Rule, sentence
from recovery_batch.rules.nearness import EXISTING, shown

T = TypeVar("T")

_LISTED: Final = 5
_LONGEST: Final = 60
_INSTANT: Final = timedelta(microseconds=1)


@dataclass(frozen=True, slots=True)
class Basis:
    """What decides, besides the rules, which payments a campaign may target; campaigns share it."""

    organization_code: str
    country: str
    since: datetime
    until: datetime

    @classmethod
    def of(cls, campaign: Campaign, first: datetime, last: datetime) -> Basis:
        """The basis of a campaign, given when the first and the last payment of all were created.

        Durations that begin before the first, or end after the last, are the same to the payments: they share a basis.
        """
        duration = campaign.duration
        since, until = max(duration.start_at, first), min(duration.end_at, last + _INSTANT)
        return cls(campaign.organization_code, campaign.country, since, until)

    def holds(self) -> pl.Expr:
        """Whether a payment is among them; successful ones were left out before."""
        return (
            (pl.col("organization_code") == self.organization_code)
            & (pl.col("country") == self.country)
            & pl.col("created_at").is_between(self.since, self.until, closed="left")
        )


@dataclass(slots=True)
class Population:
    """The payments of a basis; what several rules or campaigns ask of them is worked out once."""

    frame: pl.DataFrame
    size: int = field(init=False)
    _known: dict[Hashable, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.size = self.frame.height

    def forget(self) -> None:
        """Let go of the payments, and keep how many there were."""
        self.frame = self.frame.clear()
        self._known.clear()

    def once(self, key: Hashable, make: Callable[[], T]) -> T:
        """What `make` gives, made once for each key."""
        if key not in self._known:
            self._known[key] = make()
        made: T = self._known[key]
        return made

    def values(self, column: str) -> pl.DataFrame:
        """The distinct values of a text column as rows of `EXISTING`, the most frequent first; missing ones not."""

        def group() -> pl.DataFrame:
            found = self.frame.select(pl.col(column).alias("value")).drop_nulls().group_by("value").len("payments")
            return found.cast(EXISTING).sort(["payments", "value"], descending=[True, False])

        return self.once(("values", column), group)

    def amounts(self, currency: str | None) -> pl.DataFrame:
        """The distinct amounts in a currency, or in any, and how many payments have each."""

        def group() -> pl.DataFrame:
            rows = self.frame if currency is None else self.frame.filter(pl.col("currency_code") == currency)
            return rows.group_by(pl.col("amount_value").alias("value")).len("payments")

        return self.once(("amounts", currency), group)


@dataclass(frozen=True, slots=True)
class Subject:
    """One campaign and its payments."""

    campaign: Campaign
    population: Population

    def remark(
        self,
        slug: str,
        severity: Severity,
        about: Sequence[Rule],
        texts: tuple[str, str],
        counts: Mapping[str, int],
    ) -> Finding:
        """A finding about the campaign.

        Args:
            slug: What kind it is.
            severity: How grave.
            about: The rules that it is about.
            texts: The reason, and the advice.
            counts: Figures, besides the number of the campaign's payments.
        """
        return Finding(
            slug,
            severity,
            self.campaign.identity,
            self.campaign.name,
            tuple(rule.id for rule in about if rule.id is not None),
            *texts,
            {"payments": self.population.size, **counts},
        )


def described(rule: Rule) -> str:
    """A rule as a person would say it: long lists cut short, personal values masked, nothing invisible."""
    values = list(rule.values or ())
    with_currency = RULE_TYPES[rule.rule_type].kind is Kind.AMOUNT_AND_CURRENCY
    compared, currency = (values[:-1], values[-1:]) if with_currency else (values, [])
    more = len(compared) - _LISTED
    masked = [_masked(value, rule.metadata_key) for value in compared[:_LISTED]]
    text = sentence(rule.model_copy(update={"values": (*masked, *currency)}))
    return visible(text) + (f" and {plural(more, 'more value')}" if more > 0 else "")


def value_words(value: str, key: str | None = None) -> str:
    """A value of a rule or of the data as it is shown."""
    return visible(shortened(shown(value, key), _LONGEST))


def listed(texts: Sequence[str]) -> str:
    """The first few of a list, and how many more there are."""
    more = len(texts) - _LISTED
    return ", ".join(texts[:_LISTED]) + (f" and {count(more)} more" if more > 0 else "")


def may_be_listed(rule: Rule) -> bool:
    """Whether values of the data may be shown beside a rule: not where they name people."""
    return rule.metadata_key is None or not is_personal(rule.metadata_key)


def _masked(value: str, key: str | None) -> str:
    # the sentence puts its own quotes around blanks and commas
    masked = shown(value, key)
    return shortened(masked[1:-1] if masked.startswith("“") and masked.endswith("”") else masked, _LONGEST)
