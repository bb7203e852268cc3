"""Manifests of made-up nightly runs: no more of them than what is compared."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

CAMPAIGNS = {"c-1": "Large declines, Colombia", "c-2": "Card retries by phone"}


def build_manifest(
    night: int,
    *,
    sent: Mapping[str, int] | None = None,
    suppressed: Mapping[str, int] | None = None,
    amounts: Mapping[str, str] | None = None,
    flows: int | None = 20,
) -> dict[str, Any]:
    """The manifest of a night, each campaign's file beside it; `flows` None: one of an old version, without kinds."""
    by_campaign = {"c-1": 120, "c-2": 60} if sent is None else sent
    reasons = {"already_paid": 30, "too_old": 90} if suppressed is None else suppressed
    sums = {"COP": "1840000.10", "MXN": "92000"} if amounts is None else amounts
    records = sum(by_campaign.values())
    files: list[dict[str, Any]] = [
        {"path": f"{currency}.json", "kind": "declined", "records": records, "amounts": {currency: amount}}
        for currency, amount in sums.items()
    ]
    if flows:
        files.append({"path": "flows.ndjson", "kind": "abandoned", "records": flows, "amounts": {"COP": "5"}})
    manifest: dict[str, Any] = {
        "run_id": f"run-{night:03d}",
        "as_of": f"2026-10-{night:02d}T03:00:00Z",
        "files": files,
        "totals": {"matched": records + sum(reasons.values())},
        "suppressed": dict(reasons),
        "campaigns": [
            {"sent": number, "campaign": {"id": key, "name": CAMPAIGNS.get(key, f"Campaign {key}")}}
            for key, number in by_campaign.items()
        ],
    }
    if flows is None:
        for file in files:
            del file["kind"]
        return manifest
    return manifest | {"flows": {"considered": flows + 5, "sent": flows, "suppressed": {}}}


def total(manifest: Mapping[str, Any], currency: str) -> Decimal:
    """What a manifest says is sent of declined payments in a currency."""
    return sum(
        (Decimal(file["amounts"].get(currency, "0")) for file in manifest["files"] if file.get("kind") != "abandoned"),
        Decimal(0),
    )
