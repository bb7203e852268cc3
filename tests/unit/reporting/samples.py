"""Made-up payments and campaigns, evaluated and simulated for real, and the report of them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import polars as pl

from recovery_batch.campaigns.models import Campaign
from recovery_batch.evaluation import Funnel, evaluate
from recovery_batch.privacy import mask_name, mask_phone
from recovery_batch.reporting.figures import Provenance, ReportFigures, summarise
from recovery_batch.schema import EVALUATION
from recovery_batch.simulation import Policy, simulate

ORGANIZATION = "7b0a4f6e-6a55-4b53-9c0e-0d6b1f0a9a11"
START = datetime(2026, 7, 1, tzinfo=UTC)
MARKETS = {
    "CO": ("COP", "America/Bogota", Decimal("18450")),
    "MX": ("MXN", "America/Mexico_City", Decimal("489.9")),
    "CL": ("CLP", "America/Santiago", Decimal("23990")),
    "BR": ("BRL", "America/Sao_Paulo", Decimal("119.905")),
}
DECLINES = ("insufficient_funds", "do_not_honor", "expired_card", "3ds_failed", "suspected_fraud", None)
NAMES = ("Lucía Robles", "João Prado", "Ana Ferrer", "Mateo Quispe", "Inés Vidal", "Tomás Arce")


@dataclass(frozen=True)
class Sample:
    """Everything that `summarise` takes."""

    campaigns: tuple[Campaign, ...]
    payments: pl.DataFrame
    decisions: pl.DataFrame
    funnels: tuple[Funnel, ...]
    targets: pl.DataFrame
    provenance: Provenance

    def figures(self) -> ReportFigures:
        return summarise(self.campaigns, self.payments, self.decisions, self.funnels, self.targets, self.provenance)


def build_provenance(**changes: Any) -> Provenance:
    known: dict[str, Any] = {
        "title": "Third quarter, recovery campaigns",
        "period_from": START,
        "period_to": START + timedelta(days=92),
        "as_of": None,
        "rules_sha256": "9f2c" * 16,
        "data_sha256": "41d7" * 16,
        "tool_version": "0.1.0",
        "run_id": None,
        "settings": {"outside-window": "defer", "already-paid": "exclude", "history": "none"},
    }
    return Provenance(**(known | changes))


def build_campaign(number: int, country: str = "CO", **changes: Any) -> Campaign:
    known: dict[str, Any] = {
        "id": f"00000000-0000-4000-8000-{number:012d}",
        "name": f"Recovery {number}",
        "account_id": ORGANIZATION,
        "organization_code": ORGANIZATION,
        "country": country,
        "channel": "WHATSAPP_MESSAGE",
        "schedule": {
            "daily_start_time": "09:00",
            "daily_end_time": "19:00",
            "time_zone": MARKETS[country][1],
        },
        "duration": {"start_at": "2026-07-01T00:00:00Z", "end_at": "2026-10-01T00:00:00Z"},
        "rules": [{"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["0"]}],
    }
    return Campaign.model_validate(known | changes)


def build_campaigns() -> tuple[Campaign, ...]:
    """Six campaigns as people write them; the fifth targets nobody, the sixth is paused."""
    daily = {"rule_type": "USER_COMMS_PER_DAY", "values": ["1"]}
    once = {"rule_type": "UNIQUE_BY_USER"}
    above = {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["60000"]}
    cards = {"rule_type": "PAYMENT_METHOD", "conditional": "ONE_OF", "values": ["CARD", "WALLET"]}
    stale = {"rule_type": "PROVIDER", "conditional": "EQUAL", "values": ["ACME"], "status": "INACTIVE"}
    premium = {
        "rule_type": "METADATA",
        "metadata_key": "plan",
        "conditional": "EQUAL",
        "values": ["premium"],
    }
    night = {"daily_start_time": "20:00", "daily_end_time": "02:00", "time_zone": "-03:00"}
    return (
        build_campaign(1, "CO", name="Large declines, Colombia", rules=[above, daily], focus="card"),
        build_campaign(2, "MX", name="Card retries by phone", channel="PHONE_CALL", rules=[cards, once, stale]),
        build_campaign(3, "CL", name="Santiago daytime", rules=[cards, daily, once]),
        build_campaign(
            4,
            "BR",
            name="Última chamada: plano premium",
            schedule=night,
            rules=[premium],
            duration={"start_at": "2026-08-01T03:00:00Z", "end_at": "2026-09-01T03:00:00Z"},
        ),
        build_campaign(5, "CO", name="Draft without rules", rules=[]),
        build_campaign(6, "CO", name="All Colombian declines", status="PAUSED", channel="PHONE_CALL"),
    )


def build_payments(size: int, seed: int = 7, description: str | None = None) -> pl.DataFrame:
    """Payments of three months, most of them declined, of few users and in office hours more often than not."""
    chance = random.Random(seed)
    rows = []
    for number in range(size):
        country = chance.choices(tuple(MARKETS), (5, 4, 2, 3))[0]
        currency, _, price = MARKETS[country]
        hour = min(23, max(0, round(chance.gauss(18, 4.5))))
        created = START + timedelta(days=int(chance.triangular(0, 92, 70)), hours=hour)
        declined = chance.random() < 0.9
        rows.append(
            {
                "organization_code": ORGANIZATION,
                "payment_id": f"pay_{number:07d}",
                "order_id": f"ord_{number % max(1, size // 2):06d}",
                "country": country,
                "status": "DECLINED" if declined else "APPROVED",
                "amount_value": price * chance.randint(1, 9),
                "currency_code": currency,
                "reject_reason": chance.choices(DECLINES, (9, 5, 4, 3, 1, 1))[0] if declined else None,
                "description": description or f"Order {number}, monthly plan",
                "created_at": created + timedelta(seconds=chance.randint(0, 3599)),
                "user_id": f"user_{chance.randint(1, max(2, size // 3))}" if chance.random() < 0.97 else None,
                "payment_method": chance.choice(("CARD", "CARD", "WALLET", "BANK_TRANSFER")),
                "metadata.plan": chance.choice(("premium", "basic", None)),
                "holdout": chance.random() < 0.03,
                "opted_out": chance.random() < 0.02,
            }
        )
    schema = {
        **EVALUATION,
        "description": pl.String(),
        "metadata.plan": pl.String(),
        "holdout": pl.Boolean(),
        "opted_out": pl.Boolean(),
    }
    return pl.DataFrame(rows, schema=schema)


def build_targets(payments: pl.DataFrame, decisions: pl.DataFrame, most: int = 60) -> pl.DataFrame:
    """The first decisions with what the table of targeted payments shows besides."""
    shown = decisions.head(most)
    people = [NAMES[number % len(NAMES)] for number in range(shown.height)]
    return shown.with_columns(
        payments["description"][shown["payment_no"]],
        pl.Series("payer_name", [mask_name(name) for name in people], dtype=pl.String),
        pl.Series("payer_phone", [mask_phone(f"57318{n:07d}") for n in range(shown.height)], dtype=pl.String),
    )


def build_sample(
    size: int,
    campaigns: Sequence[Campaign] | None = None,
    *,
    seed: int = 7,
    description: str | None = None,
    **provenance: Any,
) -> Sample:
    """Evaluate and simulate campaigns on made-up payments."""
    chosen = tuple(build_campaigns() if campaigns is None else campaigns)
    payments = build_payments(size, seed, description)
    evaluation = evaluate(payments, chosen, successful_statuses=("APPROVED",), with_funnels=True)
    decisions = simulate(payments, evaluation.candidates, chosen, Policy())
    return Sample(
        campaigns=chosen,
        payments=payments,
        decisions=decisions,
        funnels=evaluation.funnels,
        targets=build_targets(payments, decisions),
        provenance=build_provenance(**provenance),
    )
