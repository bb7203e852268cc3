"""The manifest of a run: what is in its folder, what was left out, and all that is needed to make it again (SPEC 5)."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from recovery_batch.campaigns import Campaign
from recovery_batch.clock import iso
from recovery_batch.outreach.batches import BatchFile
from recovery_batch.reporting.formats import exact_amount
from recovery_batch.simulation import REASONS, SEND

FORMAT_VERSION: Final = 2


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run was made from; its id follows from it.

    Attributes:
        as_of: The instant of the run.
        rules_sha256: SHA-256 of the campaigns with their rules.
        data_sha256: SHA-256 of the payments and abandoned flows.
        ledger_sha256: SHA-256 of what happened before: earlier runs, and who asked to be left alone.
        settings: What was chosen, in words.
        tool_version: The version of this tool.
    """

    as_of: datetime
    rules_sha256: str
    data_sha256: str
    ledger_sha256: str
    settings: Mapping[str, str]
    tool_version: str

    @property
    def inputs_sha256(self) -> str:
        """A hash of all but what happened before, which a run itself changes: a repeated run is known by it."""
        essence = json.dumps(
            [self.rules_sha256, self.data_sha256, dict(sorted(self.settings.items())), iso(self.as_of)]
        )
        return _sha256(f"{self.tool_version}\n{essence}")

    @property
    def run_id(self) -> str:
        """The as-of time, and twelve digits of a hash of everything else."""
        return f"{self.as_of:%Y%m%dT%H%M%SZ}-{_sha256(f'{self.inputs_sha256} {self.ledger_sha256}')[:12]}"


def _sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


@dataclass(frozen=True, slots=True)
class RunOutcome:
    """What came out of a run.

    Attributes:
        decisions: One row a match, as `simulate` gives them.
        flows: One row an abandoned flow, as `decide_flows` gives them.
        batches: The requests.
        settled: By campaign_no, how many matches earlier runs had decided for good; they are not among the decisions.
        emails_left_out: How many abandoned flows go out without an e-mail address, since their record's is none.
    """

    decisions: pl.DataFrame
    flows: pl.DataFrame
    batches: Sequence[BatchFile]
    settled: Mapping[int, int]
    emails_left_out: int = 0

    @property
    def matched(self) -> int:
        """How many matches and abandoned flows were decided about."""
        return self.decisions.height + self.flows.height

    @property
    def sent(self) -> int:
        """How many of them are sent."""
        return _count_sent(self.decisions) + _count_sent(self.flows)


def make_manifest(
    inputs: RunInputs,
    campaigns: Sequence[Campaign],
    outcome: RunOutcome,
    others: Mapping[str, bytes],
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest as a plain document.

    Args:
        inputs: What the run was made from.
        campaigns: Those that were evaluated.
        outcome: What came out.
        others: Further files of the folder, by path.
        warnings: What a person should look at.
    """
    return {
        "format": FORMAT_VERSION,
        "run_id": inputs.run_id,
        "as_of": iso(inputs.as_of),
        "tool": {"name": "recovery-batch", "version": inputs.tool_version},
        "rules_sha256": inputs.rules_sha256,
        "data_sha256": inputs.data_sha256,
        "ledger_sha256": inputs.ledger_sha256,
        "settings": dict(sorted(inputs.settings.items())),
        "files": [_file(batch) for batch in outcome.batches],
        "totals": _totals(outcome),
        "suppressed": _suppressed(outcome.decisions, outcome.flows),
        "other_files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for path, content in sorted(others.items())
        ],
        "warnings": list(warnings),
        "campaigns": [_campaign(campaign, number, outcome) for number, campaign in enumerate(campaigns)],
        "flows": {
            "considered": outcome.flows.height,
            "sent": _count_sent(outcome.flows),
            "suppressed": _suppressed(outcome.flows),
            "emails_left_out": outcome.emails_left_out,
        },
    }


def _file(batch: BatchFile) -> dict[str, Any]:
    return {
        "path": batch.path,
        "sha256": hashlib.sha256(batch.content).hexdigest(),
        "bytes": len(batch.content),
        "records": batch.records,
        "kind": batch.kind,
        "organization_code": batch.organization_code,
        "campaign_id": batch.campaign_id,
        "channel": batch.channel,
        "method": "POST",
        "endpoint": batch.endpoint,
        "not_before": iso(batch.not_before),
        "not_after": iso(batch.not_after),
        "amounts": _texts(batch.amounts),
    }


def _totals(outcome: RunOutcome) -> dict[str, Any]:
    decisions, batches = outcome.decisions, outcome.batches
    sent = decisions.filter(pl.col("decision") == SEND)
    records = outcome.sent
    if records != sum(batch.records for batch in batches):
        raise AssertionError("the files do not hold exactly what is sent")
    amounts: dict[str, Decimal] = {}
    for batch in batches:
        for currency, amount in batch.amounts.items():
            amounts[currency] = amounts.get(currency, Decimal(0)) + amount
    return {
        "files": len(batches),
        "records": records,
        "repeated_records": sent.height - sent.n_unique(["organization_code", "payment_id"]),
        "repeated_orders": sent.height - _count_orders(sent),
        "bytes": sum(len(batch.content) for batch in batches),
        "matched": outcome.matched,
        "suppressed": outcome.matched - records,
        "settled_before": sum(outcome.settled.values()),
        "amounts": _texts(amounts),
    }


def _count_orders(sent: pl.DataFrame) -> int:
    """How many orders campaigns contact somebody about; a payment without one stands for itself."""
    itself = pl.when(pl.col("order_id").is_null()).then("payment_id")
    return sent.select("campaign_no", "organization_code", "order_id", itself).n_unique()


def _count_sent(rows: pl.DataFrame) -> int:
    return int((rows["decision"] == SEND).sum())


def _suppressed(*frames: pl.DataFrame) -> dict[str, int]:
    """Counts by reason, in the order of SPEC 4; only those that occur."""
    counts: Counter[str] = Counter()
    for frame in frames:
        counts.update(dict(frame["reason"].drop_nulls().value_counts().iter_rows()))
    return {reason: counts[reason] for reason in REASONS if counts[reason]}


def _campaign(campaign: Campaign, number: int, outcome: RunOutcome) -> dict[str, Any]:
    own = outcome.decisions.filter(pl.col("campaign_no") == number)
    return {
        "matched": own.height,
        "sent": _count_sent(own),
        "suppressed": _suppressed(own),
        "settled_before": outcome.settled.get(number, 0),
        "campaign": campaign.undated(),
    }


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: exact_amount(amount, currency) for currency, amount in sorted(amounts.items())}
