"""The decision about each candidate: sent, or suppressed for the first reason of SPEC 4 that holds."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Final, Literal

import numpy as np
import numpy.typing as npt
import polars as pl

from recovery_batch.campaigns.models import Campaign
from recovery_batch.clock import FIRST_US, LAST_US, Micros, to_micros
from recovery_batch.rules import RULE_TYPES
from recovery_batch.simulation.history import HISTORY, sent_by_campaign, sent_that_day
from recovery_batch.simulation.limits import (
    NO_LIMIT,
    NO_ORDER,
    PER_DAY,
    SAME_ORDER,
    UNIQUE,
    Chains,
    day_spans,
    decide,
)
from recovery_batch.simulation.windows import clock_for, open_spans, plan

SEND: Final = "SEND"
SUPPRESS: Final = "SUPPRESS"

REASONS: Final = MappingProxyType(
    {
        "campaign_ended": "the campaign is over before the communication could go out",
        "outside_window": "it falls outside the daily window",
        "opted_out": "the customer is on the suppression list",
        "already_paid": "it was paid before the communication",
        "too_old": "it is too long ago",
        "not_submittable": "a field that the request needs is missing",
        "invalid_phone": "the phone number is not a possible one",
        "holdout": "the customer is kept out for comparison",
        "missing_user_id": "a rate limit needs a user_id, and the payment has none",
        "same_order": "the campaign contacts the customer about another attempt at the order",
        "unique_by_user": "this campaign has contacted the user before",
        "user_comms_per_day": "the user has had the day's communications",
        "repeated_flow": "the customer is contacted about another flow",
    }
)
"""Why a candidate is suppressed, in the order of SPEC 4: slug, and the reason in plain words.

The last one is of abandoned flows alone, which know some of the others too (`outreach.flows`).
"""

FINAL_REASONS: Final = frozenset(
    {"campaign_ended", "outside_window", "holdout", "same_order", "unique_by_user", "user_comms_per_day"}
)
"""What a nightly run decides once and for all (SPEC 4); the other reasons are judged anew each run."""

DECISION_COLUMNS: Final = (
    "campaign_id",
    "campaign_name",
    "channel",
    "organization_code",
    "payment_id",
    "order_id",
    "user_id",
    "payment_created_at",
    "planned_at",
    "decision",
    "reason",
    "amount_value",
    "currency_code",
    "country",
    "reject_reason",
)
"""The columns of a decisions file, in order (DESIGN 4)."""

_FLAGS: Final = ("opted_out", "not_submittable", "invalid_phone", "holdout")
_NIGHTLY_ONLY: Final = ("not_submittable", "invalid_phone")
_CHAINED: Final = (
    "organization_code", "user_id", "campaign_no", "campaign_id", "campaign_rank", "planned_at", "created_at",
    "payment_id", "order_id",
)  # fmt: skip
"""What rate limits read of a candidate."""


@dataclass(frozen=True, slots=True)
class Policy:
    """What a simulation assumes.

    Attributes:
        outside_window: Whether a match outside the daily window is deferred to its next opening, or dropped.
        as_of: For a nightly run, its instant: nothing is planned before it. None in a backtest.
        too_old_after: For a nightly run: the greatest age of a decline at `as_of`. None: no limit.
        exclude_paid: Whether an order that was paid before the planned time is left out.
        one_per_order: Whether a campaign contacts somebody about one failed attempt at an order only, the first in the
            order of SPEC 4 that is sent. Exact where an order is one user's; an attempt of another user may have
            counted towards that user's limits before it is left out.
    """

    outside_window: Literal["defer", "drop"] = "defer"
    as_of: datetime | None = None
    too_old_after: timedelta | None = None
    exclude_paid: bool = False
    one_per_order: bool = False

    def as_settings(self) -> dict[str, str]:
        """The policy in words, for reports and manifests."""
        hours = None if self.too_old_after is None else self.too_old_after / timedelta(hours=1)
        return {
            "outside-window": self.outside_window,
            "already-paid": "exclude" if self.exclude_paid else "ignore",
            **({"one-per-order": "yes"} if self.one_per_order else {}),
            **({"too-old-after": f"{hours:g} hours"} if hours is not None else {}),
        }


def simulate(
    payments: pl.DataFrame,
    candidates: pl.DataFrame,
    campaigns: Sequence[Campaign],
    policy: Policy,
    history: pl.DataFrame | None = None,
) -> pl.DataFrame:
    """Decide about every candidate.

    Args:
        payments: The frame that was evaluated. Besides its columns it may have the flags `opted_out`,
            `not_submittable`, `invalid_phone`, `holdout` (Boolean, missing means false; the two in the middle count
            in a nightly run only) and `paid_at` (when the earliest successful payment of the same order that is known
            was created; null when there is none).
        candidates: What `evaluate` gave for them. Flags that depend on the campaign stand here instead; so does
            `order_contacted` (whether it has contacted somebody about the order before), which `one_per_order` reads.
        campaigns: The sequence that was evaluated.
        policy: What to assume.
        history: What was sent before, with the columns of `HISTORY`; None for nothing.

    Returns:
        One row a candidate, sorted by campaign_id and payment_id: `campaign_no`, `payment_no`, the columns of
        `DECISION_COLUMNS` (`reason` null for SEND), `planned_local` (the wall clock of the campaign's zone at
        `planned_at`) and `window_closes_at` (the end of the window, or of the campaign, that `planned_at` lies in).
    """
    flags = [name for name in (*_FLAGS, "paid_at") if name in payments.columns and name not in candidates.columns]
    facts = payments.select(
        "organization_code", "payment_id", "order_id", "user_id", "created_at", "amount_value", "currency_code",
        "country", "reject_reason", *flags,
    )[candidates["payment_no"]]  # fmt: skip
    frame = pl.concat([candidates, facts], how="horizontal").with_columns(_campaign_columns(candidates, campaigns))
    frame = _planned(frame, campaigns, policy)
    frame = frame.with_columns(_reason_before_limits(frame, campaigns, policy).alias("reason"))
    frame = _limited(frame, campaigns, policy, pl.DataFrame(schema=HISTORY) if history is None else history)
    if policy.one_per_order:
        frame = _one_per_order(frame)
    decision = pl.when(pl.col("reason").is_null()).then(pl.lit(SEND)).otherwise(pl.lit(SUPPRESS))
    return (
        frame.rename({"created_at": "payment_created_at"})
        .with_columns(decision.alias("decision"))
        .select("campaign_no", "payment_no", *DECISION_COLUMNS, "planned_local", "window_closes_at")
        .sort("campaign_id", "payment_id", maintain_order=True)
    )


def _campaign_columns(candidates: pl.DataFrame, campaigns: Sequence[Campaign]) -> list[pl.Series]:
    """What each candidate's campaign says, and its rank in the order of SPEC 4 (created_at, missing last, then id)."""
    numbers = candidates["campaign_no"]
    ordered = sorted(range(len(campaigns)), key=lambda campaign_no: campaigns[campaign_no].seniority)
    rank = {campaign_no: place for place, campaign_no in enumerate(ordered)}
    table = pl.DataFrame(
        {
            "campaign_id": [campaign.identity for campaign in campaigns],
            "campaign_name": [campaign.name for campaign in campaigns],
            "channel": [campaign.channel for campaign in campaigns],
            "campaign_rank": [rank[n] for n in range(len(campaigns))],
        },
        schema={
            "campaign_id": pl.String,
            "campaign_name": pl.String,
            "channel": pl.String,
            "campaign_rank": pl.Int64,
        },
    )
    return table[numbers].get_columns()


def _instant_column(name: str, micros: Micros, zone: str | None = "UTC") -> pl.Series:
    return pl.Series(name, micros).cast(pl.Datetime("us", zone))


def _planned(frame: pl.DataFrame, campaigns: Sequence[Campaign], policy: Policy) -> pl.DataFrame:
    """Add `planned_at`, `planned_local`, `window_closes_at`, `in_window`: campaign by campaign, each vectorised."""
    instants = frame["created_at"].dt.epoch("us").to_numpy()
    if policy.as_of is not None:
        instants = np.maximum(instants, to_micros(policy.as_of))
    planned, closing, local = instants.copy(), instants.copy(), instants.copy()
    inside = np.ones(len(instants), dtype=np.bool_)
    numbers = frame["campaign_no"].to_numpy()
    earliest, latest = (int(instants.min()), int(instants.max())) if len(instants) else (0, 0)
    for begin, finish in _runs(numbers):
        rows, campaign = slice(begin, finish), campaigns[numbers[begin]]
        clock = clock_for(campaign.schedule, earliest, latest)
        deferred, closing[rows] = plan(instants[rows], *open_spans(campaign.schedule, clock))
        inside[rows] = deferred == instants[rows]
        # nothing is planned beyond what a datetime holds; no campaign lasts that long
        planned[rows] = np.minimum(instants[rows] if policy.outside_window == "drop" else deferred, LAST_US)
        closing[rows] = np.minimum(closing[rows], to_micros(campaign.duration.end_at))
        local[rows] = np.clip(clock.local(planned[rows]), FIRST_US, LAST_US)
    return frame.with_columns(
        _instant_column("planned_at", planned),
        _instant_column("window_closes_at", closing),
        _instant_column("planned_local", local, None),
        pl.Series("in_window", inside),
    )


def _runs(numbers: npt.NDArray[np.uint32]) -> list[tuple[int, int]]:
    """First place, and place after the last, of each run of equal numbers."""
    if not len(numbers):
        return []
    edges = np.flatnonzero(np.append(True, numbers[1:] != numbers[:-1])).tolist()
    return list(zip(edges, [*edges[1:], len(numbers)], strict=True))


def _reason_before_limits(frame: pl.DataFrame, campaigns: Sequence[Campaign], policy: Policy) -> pl.Series:
    """The first reason of SPEC 4, 1 to 5, that holds for each candidate; null where none does."""
    ends = pl.Series([campaign.duration.end_at for campaign in campaigns], dtype=pl.Datetime("us", "UTC"))
    limited = pl.Series([bool(campaign.rate_limits) for campaign in campaigns], dtype=pl.Boolean)
    campaign_no = frame["campaign_no"]
    tests: dict[str, pl.Expr | pl.Series] = {"campaign_ended": frame["planned_at"] >= ends[campaign_no]}
    if policy.outside_window == "drop":
        tests["outside_window"] = ~frame["in_window"]
    if policy.exclude_paid and "paid_at" in frame.columns:
        tests["already_paid"] = pl.col("paid_at") < pl.col("planned_at")
    if policy.as_of is not None and policy.too_old_after is not None:
        tests["too_old"] = pl.col("created_at") < pl.lit(policy.as_of - policy.too_old_after)
    flags = [name for name in _FLAGS if policy.as_of is not None or name not in _NIGHTLY_ONLY]
    tests |= {name: pl.col(name) for name in flags if name in frame.columns}
    tests["missing_user_id"] = limited[campaign_no] & frame["user_id"].is_null()
    if policy.one_per_order and "order_contacted" in frame.columns:
        tests["same_order"] = pl.col("order_contacted")
    first = pl.coalesce(
        pl.when(pl.lit(tests[name]) if isinstance(tests[name], pl.Series) else tests[name]).then(pl.lit(name))
        for name in REASONS
        if name in tests
    )
    return frame.select(first.alias("reason")).to_series()


def _one_per_order(frame: pl.DataFrame) -> pl.DataFrame:
    """Of the attempts at an order that a campaign would send, suppress all but the first in the order of SPEC 4.

    Those of one user are decided with the limits already; this is about several users of an order, and about none.
    """
    order = ["campaign_no", "organization_code", "order_id"]
    is_sent = pl.col("reason").is_null() & pl.col("order_id").is_not_null()
    turn = pl.struct("planned_at", "created_at", "payment_id").rank("ordinal").over(*order, is_sent)
    repeated = is_sent & (turn > 1)
    return frame.with_columns(pl.when(repeated).then(pl.lit("same_order")).otherwise("reason").alias("reason"))


def _limited(frame: pl.DataFrame, campaigns: Sequence[Campaign], policy: Policy, history: pl.DataFrame) -> pl.DataFrame:
    """Fill `reason` for the candidates that a rate limit stops (SPEC 4, 6 and 7), or an attempt that is sent."""
    candidates = (
        frame.lazy()
        .with_row_index("row")
        .filter(pl.col("reason").is_null() & pl.col("user_id").is_not_null())
        .select("row", *_CHAINED)
        .collect()
    )
    if candidates.is_empty() or not (policy.one_per_order or any(campaign.rate_limits for campaign in campaigns)):
        return frame
    users = candidates.select("organization_code", "user_id").unique(maintain_order=True).with_row_index("user_no")
    chained = candidates.join(users, on=["organization_code", "user_id"], maintain_order="left").sort(
        "user_no", "planned_at", "created_at", "payment_id", "campaign_rank"
    )
    outcome = decide(_chains(chained, campaigns, history, one_per_order=policy.one_per_order))
    rows, reasons = chained["row"].to_numpy(), frame["reason"]
    for code, reason in ((SAME_ORDER, "same_order"), (UNIQUE, "unique_by_user"), (PER_DAY, "user_comms_per_day")):
        reasons = reasons.scatter(rows[outcome == code], reason)
    return frame.with_columns(reasons)


def _chains(
    chained: pl.DataFrame, campaigns: Sequence[Campaign], history: pl.DataFrame, *, one_per_order: bool
) -> Chains:
    numbers = chained["campaign_no"].to_numpy().astype(np.int64)
    planned = chained["planned_at"].dt.epoch("us").to_numpy()
    unique = np.array([any(not RULE_TYPES[r.rule_type].daily_limit for r in c.rate_limits) for c in campaigns])
    return Chains(
        user=chained["user_no"].to_numpy().astype(np.int64),
        planned=planned,
        campaign=numbers,
        unique=unique[numbers],
        per_day=np.array([_daily_limit(campaign) for campaign in campaigns], dtype=np.int64)[numbers],
        order=_orders(chained) if one_per_order else np.full(len(numbers), NO_ORDER, dtype=np.int64),
        sent_that_day=sent_that_day(chained, history, campaigns),
        sent_by_campaign=sent_by_campaign(chained, history),
        day_spans=_spans_by_zone(campaigns, numbers, planned),
    )


def _orders(chained: pl.DataFrame) -> npt.NDArray[np.int64]:
    """A number for each campaign and order; `NO_ORDER` for a payment without one."""
    numbers = chained.select(pl.struct("campaign_no", "order_id").rank("dense")).to_series().cast(pl.Int64)
    return (
        chained.select(pl.when(pl.col("order_id").is_null()).then(NO_ORDER).otherwise(numbers)).to_series().to_numpy()
    )


def _daily_limit(campaign: Campaign) -> int:
    limits = [int(rule.values[0]) for rule in campaign.rate_limits if rule.values]
    return min(limits, default=NO_LIMIT)


def _spans_by_zone(
    campaigns: Sequence[Campaign], numbers: npt.NDArray[np.int64], planned: Micros
) -> tuple[tuple[Micros, Micros], ...]:
    """The calendar day of each candidate in its campaign's zone, as spans of instants."""
    names = [campaign.schedule.time_zone for campaign in campaigns]
    zones = sorted(set(names))
    zone_no = np.array([zones.index(name) for name in names])[numbers]
    spans: list[tuple[Micros, Micros]] = []
    for number, zone in enumerate(zones):
        rows = np.flatnonzero(zone_no == number)
        if not len(rows):
            continue
        schedule = next(c.schedule for c in campaigns if c.schedule.time_zone == zone)
        clock = clock_for(schedule, int(planned.min()), int(planned.max()))
        for place, (begin, finish) in enumerate(day_spans(clock, planned[rows])):
            if place == len(spans):
                spans.append((planned.copy(), planned.copy()))
            spans[place][0][rows], spans[place][1][rows] = begin, finish
    return tuple(spans)
