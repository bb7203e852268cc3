"""Campaigns, payments and their matches, as a test about windows and limits needs them: short, with defaults."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl

from recovery_batch.campaigns.models import Campaign, Schedule
from recovery_batch.clock import parse_instant
from recovery_batch.schema import EVALUATION
from recovery_batch.simulation import HISTORY, Policy, simulate

ORGANIZATION = "7b0a4f6e-6a55-4b53-9c0e-0d6b1f0a9a11"
OTHER_ORGANIZATION = "c4e5d3a2-1b0f-4e6d-8c7b-9a8f7e6d5c4b"
FLAGS = ("opted_out", "not_submittable", "invalid_phone", "holdout")
UNIQUE: Mapping[str, Any] = {"rule_type": "UNIQUE_BY_USER"}
BACKTEST = Policy()

_ANYTHING: Mapping[str, Any] = {
    "rule_type": "AMOUNT",
    "conditional": "GREATER_THAN_OR_EQUAL",
    "values": ["0"],
}


def per_day(limit: int, status: str = "ACTIVE") -> Mapping[str, Any]:
    """The rule that a user gets at most `limit` communications a day."""
    return {"rule_type": "USER_COMMS_PER_DAY", "values": [str(limit)], "status": status}


def at(text: str) -> datetime:
    """An instant: `2026-10-25 00:30` is UTC."""
    return parse_instant(text)


def build_schedule(window: str = "00:00-23:59", zone: str = "UTC") -> Schedule:
    """A daily window such as `09:00-18:00`."""
    start, end = window.split("-")
    return Schedule(daily_start_time=start, daily_end_time=end, time_zone=zone)


def campaign_id(number: int) -> str:
    """The id of the campaign `number`; they sort by number."""
    return f"00000000-0000-4000-8000-{number:012d}"


def build_campaign(
    number: int = 1,
    window: str = "00:00-23:59",
    zone: str = "UTC",
    limits: Iterable[Mapping[str, Any]] = (),
    **changes: Any,
) -> Campaign:
    """A campaign that targets everything of its organization and country; its window is open all day by default."""
    known: dict[str, Any] = {
        "id": campaign_id(number),
        "name": f"Campaign {number}",
        "account_id": ORGANIZATION,
        "organization_code": ORGANIZATION,
        "country": "CO",
        "channel": "WHATSAPP_MESSAGE",
        "schedule": build_schedule(window, zone),
        "duration": {"start_at": "1800-01-01T00:00:00Z", "end_at": "2100-01-01T00:00:00Z"},
        "rules": [_ANYTHING, *limits],
        "created_at": "2026-01-01T00:00:00Z",
    }
    return Campaign.model_validate(known | changes)


def build_payment(
    payment_id: str, created_at: datetime | str, user_id: str | None = "u1", **changes: Any
) -> dict[str, Any]:
    """A declined payment with everything that `simulate` reads of one."""
    moment = at(created_at) if isinstance(created_at, str) else created_at
    known: dict[str, Any] = {
        "organization_code": ORGANIZATION,
        "payment_id": payment_id,
        "order_id": f"order of {payment_id}",
        "country": "CO",
        "status": "DECLINED",
        "amount_value": Decimal(12),
        "currency_code": "COP",
        "created_at": moment,
        "user_id": user_id,
        "paid_at": None,
        **dict.fromkeys(FLAGS, False),
    }
    return known | changes


def payments_frame(payments: Sequence[Mapping[str, Any]]) -> pl.DataFrame:
    """The frame that `evaluate` and `simulate` take."""
    schema = {**EVALUATION, **dict.fromkeys(FLAGS, pl.Boolean()), "paid_at": pl.Datetime("us", "UTC")}
    columns = {
        name: pl.Series(name, [payment.get(name) for payment in payments], dtype=dtype)
        for name, dtype in schema.items()
    }
    return pl.DataFrame(columns)


def history_frame(*sent: tuple[str, str, str, datetime]) -> pl.DataFrame:
    """The ledger: (organization, user, campaign id, instant) of each communication."""
    return pl.DataFrame(sent, schema=HISTORY, orient="row")


def match(payments: Sequence[Mapping[str, Any]], campaigns: Sequence[Campaign]) -> list[tuple[int, int]]:
    """The matches of payments and campaigns whose rules let everything through, ordered as `evaluate` does."""
    return [
        (campaign_no, payment_no)
        for campaign_no, campaign in enumerate(campaigns)
        for payment_no, payment in enumerate(payments)
        if payment["organization_code"] == campaign.organization_code
        and payment["country"] == campaign.country
        and campaign.duration.start_at <= payment["created_at"] < campaign.duration.end_at
    ]


def candidates_frame(pairs: Sequence[tuple[int, int]]) -> pl.DataFrame:
    """Matches as `evaluate` gives them."""
    return pl.DataFrame(pairs, schema={"campaign_no": pl.UInt32, "payment_no": pl.UInt32}, orient="row")


def decide(
    payments: Sequence[Mapping[str, Any]],
    campaigns: Sequence[Campaign],
    policy: Policy = BACKTEST,
    history: pl.DataFrame | None = None,
    **flags: bool,
) -> pl.DataFrame:
    """The decisions about every match; flags are those of every candidate."""
    candidates = candidates_frame(match(payments, campaigns)).with_columns(**{n: pl.lit(v) for n, v in flags.items()})
    return simulate(payments_frame(payments), candidates, campaigns, policy, history)


def outcomes(decisions: pl.DataFrame) -> dict[str, str]:
    """For decisions of one campaign: what became of each payment, `SEND` or the reason why not."""
    return dict(decisions.select("payment_id", pl.coalesce("reason", "decision")).iter_rows())


def planned(decisions: pl.DataFrame) -> list[str]:
    """When each goes out, in UTC: `2026-10-25 00:30`, with seconds only where there are any."""
    moments = decisions["planned_at"].to_list()
    return [
        f"{moment.astimezone(UTC):%Y-%m-%d %H:%M:%S.%f}".removesuffix(".000000").removesuffix(":00")
        for moment in moments
    ]
