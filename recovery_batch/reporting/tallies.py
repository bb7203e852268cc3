"""Decisions counted: one pass over the frame for each question, all campaigns at once.

Every function takes the decisions frame of the simulation and gives plain Python values of a size that
depends on the number of campaigns, days, reasons and currencies, never on the number of decisions.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from decimal import Context, Decimal, Inexact
from typing import Any

import polars as pl

from recovery_batch.simulation import SEND

_EXACT = Context(prec=80, traps=[Inexact])
"""Adds decimals without rounding, or raises: Python's default context would round sums past 28 digits silently."""

_IS_SENT = (pl.col("decision") == SEND).cast(pl.UInt32)
_SENT = _IS_SENT.sum().alias("sent")
_SUPPRESSED = (pl.len() - _IS_SENT.sum()).alias("suppressed")


@dataclass(frozen=True, slots=True)
class Tally:
    """How many matches were sent and how many suppressed."""

    sent: int = 0
    suppressed: int = 0

    @property
    def matched(self) -> int:
        """All of them."""
        return self.sent + self.suppressed

    def __add__(self, other: Tally) -> Tally:
        return Tally(self.sent + other.sent, self.suppressed + other.suppressed)


@dataclass(frozen=True, slots=True)
class Outcome:
    """One group of decisions.

    Attributes:
        campaign_no: Place of the campaign.
        currency_code: Currency of the amounts.
        decision: `SEND` or `SUPPRESS`.
        reason: Why suppressed; None for what is sent.
        matches: Number of decisions.
        amount: Exact sum of their amounts.
    """

    campaign_no: int
    currency_code: str
    decision: str
    reason: str | None
    matches: int
    amount: Decimal


DayTallies = dict[int, list[tuple[date | None, Tally]]]
HourTallies = dict[int, list[tuple[int | None, Tally]]]


def count_outcomes(decisions: pl.DataFrame) -> list[Outcome]:
    """Group decisions by campaign, currency, decision and reason; sorted by these.

    Polars adds decimals up as 38-digit integers: exact, unlike Python's default context of 28 digits.
    """
    keys = ["campaign_no", "currency_code", "decision", "reason"]
    groups = (
        decisions.lazy()
        .group_by(keys)
        .agg(pl.len().alias("matches"), pl.col("amount_value").sum())
        .with_columns(pl.col("currency_code", "decision", "reason").cast(pl.String))
        .sort(keys)
        .collect()
    )
    return [Outcome(*row) for row in groups.iter_rows()]


def count_days(decisions: pl.DataFrame) -> DayTallies:
    """Count each campaign's decisions by the calendar day, in its own zone, for which they are planned."""
    return _by_campaign(decisions, pl.col("planned_local").dt.date())


def count_hours(decisions: pl.DataFrame) -> HourTallies:
    """Count each campaign's decisions by the hour of the day, in its own zone, for which they are planned."""
    return _by_campaign(decisions, pl.col("planned_local").dt.hour())


def count_decline_reasons(
    decisions: pl.DataFrame, most: int
) -> tuple[list[tuple[str | None, Tally]], tuple[int, Tally]]:
    """Count decisions by the payment's reject_reason; None: no reason given.

    Returns:
        The `most` frequent reasons, most frequent first, ties by name; and the number of all others with
        their tally. An export may put anything there, so there may be as many reasons as payments.
    """
    groups = (
        decisions.lazy()
        .group_by(pl.col("reject_reason").cast(pl.String))
        .agg(_SENT, _SUPPRESSED, pl.len().alias("matched"))
        .sort("matched", "reject_reason", descending=[True, False], nulls_last=True)
        .collect()
    )
    frequent, others = groups.head(most), groups.slice(most)
    return (
        [(reason, Tally(sent, suppressed)) for reason, sent, suppressed, _ in frequent.iter_rows()],
        (others.height, Tally(int(others["sent"].sum()), int(others["suppressed"].sum()))),
    )


def count_payments(decisions: pl.DataFrame) -> tuple[int, int, int]:
    """Distinct payments that matched, distinct payments sent, and distinct users (with an id) sent to."""
    sent = decisions.lazy().filter(pl.col("decision") == SEND)
    users = sent.select("organization_code", "user_id").drop_nulls().unique()
    matched, sent_payments, sent_users = pl.collect_all(
        [
            decisions.lazy().select(pl.col("payment_no").n_unique()),
            sent.select(pl.col("payment_no").n_unique()),
            users.select(pl.len()),
        ]
    )
    return matched.item(), sent_payments.item(), sent_users.item()


def add_up_contacted(decisions: pl.DataFrame) -> list[tuple[str, int, Decimal]]:
    """Currency, number and exact amount of the payments sent at least once, each counted once; by currency."""
    groups = (
        decisions.lazy()
        .filter(pl.col("decision") == SEND)
        .unique("payment_no")
        .group_by(pl.col("currency_code").cast(pl.String))
        .agg(pl.len(), pl.col("amount_value").sum())
        .sort("currency_code")
        .collect()
    )
    return list(groups.iter_rows())


def add_up_by_currency(decisions: pl.DataFrame) -> dict[str, tuple[int, Decimal]]:
    """Number and exact amount of all decisions by currency: the other way round, to check the groups against."""
    groups = decisions.group_by(pl.col("currency_code").cast(pl.String)).agg(pl.len(), pl.col("amount_value").sum())
    return {currency: (matches, amount) for currency, matches, amount in groups.iter_rows()}


def total(tallies: Iterable[Tally]) -> Tally:
    """All tallies added up."""
    return sum(tallies, Tally())


def exact_sum(amounts: Iterable[Decimal]) -> Decimal:
    """Amounts added up to the last digit."""
    result = Decimal(0)
    for amount in amounts:
        result = _EXACT.add(result, amount)
    return result


def _by_campaign(decisions: pl.DataFrame, key: pl.Expr) -> dict[int, list[tuple[Any, Tally]]]:
    """Count decisions by campaign and key, in the order of the key; a key that is missing comes last."""
    groups = (
        decisions.lazy()
        .group_by("campaign_no", key.alias("key"))
        .agg(_SENT, _SUPPRESSED)
        .sort("campaign_no", "key", nulls_last=True)
        .collect()
    )
    found: dict[int, list[tuple[Any, Tally]]] = defaultdict(list)
    for campaign_no, value, sent, suppressed in groups.iter_rows():
        found[campaign_no].append((value, Tally(sent, suppressed)))
    return dict(found)
