"""The manifest of a run: what is in its folder, what was left out, and all that is needed to make it again (SPEC 5)."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import polars as pl

from recovery_batch.campaigns import Campaign
from recovery_batch.clock import iso
from recovery_batch.outreach.batches import ENDPOINT, BatchFile
from recovery_batch.reporting.formats import exact_amount
from recovery_batch.simulation import REASONS, SEND

FORMAT_VERSION: Final = 1


@dataclass(frozen=True, slots=True)
class RunInputs:
    """What a run was made from; its id follows from it.

    Attributes:
        as_of: The instant of the run.
        rules_sha256: SHA-256 of the campaigns with their rules.
        data_sha256: SHA-256 of the payments.
        settings: What was chosen, in words.
        tool_version: The version of this tool.
    """

    as_of: datetime
    rules_sha256: str
    data_sha256: str
    settings: Mapping[str, str]
    tool_version: str

    @property
    def run_id(self) -> str:
        """The as-of time, and twelve digits of a hash of everything else."""
        essence = json.dumps(
            [self.rules_sha256, self.data_sha256, dict(sorted(self.settings.items())), iso(self.as_of)]
        )
        digest = hashlib.sha256(f"{self.tool_version}\n{essence}".encode()).hexdigest()
        return f"{self.as_of:%Y%m%dT%H%M%SZ}-{digest[:12]}"


def make_manifest(
    inputs: RunInputs,
    campaigns: Sequence[Campaign],
    decisions: pl.DataFrame,
    batches: Sequence[BatchFile],
    others: Mapping[str, bytes],
    warnings: Sequence[str] = (),
) -> dict[str, Any]:
    """The manifest as a plain document.

    Args:
        inputs: What the run was made from.
        campaigns: Those that were evaluated.
        decisions: As `simulate` gives them.
        batches: The request bodies.
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
        "settings": dict(sorted(inputs.settings.items())),
        "files": [_file(batch) for batch in batches],
        "totals": _totals(decisions, batches),
        "suppressed": _suppressed(decisions),
        "other_files": [
            {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
            for path, content in sorted(others.items())
        ],
        "warnings": list(warnings),
        "campaigns": [_campaign(campaign, number, decisions) for number, campaign in enumerate(campaigns)],
    }


def _file(batch: BatchFile) -> dict[str, Any]:
    return {
        "path": batch.path,
        "sha256": hashlib.sha256(batch.content).hexdigest(),
        "bytes": len(batch.content),
        "records": batch.records,
        "organization_code": batch.organization_code,
        "campaign_id": batch.campaign_id,
        "channel": batch.channel,
        "method": "POST",
        "endpoint": ENDPOINT,
        "not_before": iso(batch.not_before),
        "not_after": iso(batch.not_after),
        "amounts": _texts(batch.amounts),
    }


def _totals(decisions: pl.DataFrame, batches: Sequence[BatchFile]) -> dict[str, Any]:
    sent = decisions.filter(pl.col("decision") == SEND)
    by_currency = sent.group_by("currency_code").agg(pl.col("amount_value").sum()).sort("currency_code")
    distinct = sent.select("organization_code", "payment_id").n_unique() if sent.height else 0
    if sent.height != sum(batch.records for batch in batches):
        raise AssertionError("the files do not hold exactly what is sent")
    return {
        "files": len(batches),
        "records": sent.height,
        "repeated_records": sent.height - distinct,
        "bytes": sum(len(batch.content) for batch in batches),
        "matched": decisions.height,
        "suppressed": decisions.height - sent.height,
        "amounts": _texts(dict(by_currency.iter_rows())),
    }


def _suppressed(decisions: pl.DataFrame) -> dict[str, int]:
    """Counts by reason, in the order of SPEC 4; only those that occur."""
    counts = dict(decisions["reason"].drop_nulls().value_counts().iter_rows())
    return {reason: counts[reason] for reason in REASONS if reason in counts}


def _campaign(campaign: Campaign, number: int, decisions: pl.DataFrame) -> dict[str, Any]:
    own = decisions.filter(pl.col("campaign_no") == number)
    sent = int((own["decision"] == SEND).sum())
    return {"matched": own.height, "sent": sent, "suppressed": _suppressed(own), "campaign": campaign.undated()}


def _texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    return {currency: exact_amount(amount, currency) for currency, amount in sorted(amounts.items())}
