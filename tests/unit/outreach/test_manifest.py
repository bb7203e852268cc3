"""The manifest, and the id of a run that follows from what it was made from."""

import hashlib
import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import polars as pl
import pytest

from recovery_batch.campaigns import parse_campaigns
from recovery_batch.money import AMOUNT
from recovery_batch.outreach.batches import BatchFile
from recovery_batch.outreach.manifest import RunInputs, RunOutcome, make_manifest
from tests.e2e.exports import campaign

AS_OF = datetime(2026, 10, 1, 15, tzinfo=UTC)
INPUTS = RunInputs(AS_OF, "rules", "data", "ledger", {"b": "2", "a": "1"}, "1.2.3")
NO_FLOWS = pl.DataFrame(schema={"decision": pl.String, "reason": pl.String})
(CAMPAIGN,) = parse_campaigns(json.dumps(campaign()))


def batch(content: bytes = b"{}", records: int = 2) -> BatchFile:
    return BatchFile(
        path="declined-payments/c/0001.json",
        content=content,
        records=records,
        campaign_id="c",
        channel="PHONE_CALL",
        organization_code="o",
        not_before=AS_OF,
        not_after=AS_OF.replace(hour=23),
        amounts={"USD": Decimal("1.500000"), "CLP": Decimal("10.000000")},
    )


def decided(*rows: tuple[str, str | None, str, str], **order_of: str) -> pl.DataFrame:
    return pl.DataFrame(
        [
            {
                "campaign_no": 0,
                "organization_code": "o",
                "payment_id": payment_id,
                "order_id": order_of.get(payment_id),
                "decision": "SEND" if reason is None else "SUPPRESS",
                "reason": reason,
                "amount_value": Decimal(amount),
                "currency_code": currency,
            }
            for payment_id, reason, amount, currency in rows
        ],
        schema_overrides={"amount_value": AMOUNT, "reason": pl.String, "order_id": pl.String},
    )


def outcome(decisions: pl.DataFrame, *batches: BatchFile, **changes: Any) -> RunOutcome:
    return RunOutcome(
        **{"decisions": decisions, "flows": NO_FLOWS, "batches": batches or [batch()], "settled": {}} | changes
    )


DECISIONS = decided(
    ("p1", None, "1.50", "USD"),
    ("p2", None, "10", "CLP"),
    ("p3", "too_old", "5", "CLP"),
    ("p4", "too_old", "5", "CLP"),
    ("p5", "campaign_ended", "5", "CLP"),
)


def test_the_id_is_the_instant_and_twelve_digits_of_a_hash() -> None:
    assert INPUTS.run_id.startswith("20261001T150000Z-")
    assert len(INPUTS.run_id) == len("20261001T150000Z-") + 12
    assert replace(INPUTS, settings={"a": "1", "b": "2"}).run_id == INPUTS.run_id


@pytest.mark.parametrize(
    "change",
    [
        {"as_of": AS_OF.replace(microsecond=1)},
        {"rules_sha256": "other"},
        {"data_sha256": "other"},
        {"ledger_sha256": "other"},
        {"settings": {"a": "1", "b": "3"}},
        {"tool_version": "1.2.4"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_whatever_it_was_made_from_changes_the_id(change: dict[str, Any]) -> None:
    assert replace(INPUTS, **change).run_id != INPUTS.run_id


def test_a_manifest_says_what_is_in_the_folder_and_what_was_left_out() -> None:
    others = {"z.csv": b"1", "report.html": b"<"}
    manifest = make_manifest(INPUTS, [CAMPAIGN], outcome(DECISIONS, settled={0: 7}), others, ["look at this"])
    assert json.loads(json.dumps(manifest)) == manifest
    assert manifest == {
        "format": 2,
        "run_id": INPUTS.run_id,
        "as_of": "2026-10-01T15:00:00Z",
        "tool": {"name": "recovery-batch", "version": "1.2.3"},
        "rules_sha256": "rules",
        "data_sha256": "data",
        "ledger_sha256": "ledger",
        "settings": {"a": "1", "b": "2"},
        "files": [
            {
                "path": "declined-payments/c/0001.json",
                "sha256": hashlib.sha256(b"{}").hexdigest(),
                "bytes": 2,
                "records": 2,
                "kind": "declined",
                "organization_code": "o",
                "campaign_id": "c",
                "channel": "PHONE_CALL",
                "method": "POST",
                "endpoint": "/declined-payments/external",
                "not_before": "2026-10-01T15:00:00Z",
                "not_after": "2026-10-01T23:00:00Z",
                "amounts": {"CLP": "10", "USD": "1.50"},
            }
        ],
        "totals": {
            "files": 1,
            "records": 2,
            "repeated_records": 0,
            "repeated_orders": 0,
            "bytes": 2,
            "matched": 5,
            "suppressed": 3,
            "settled_before": 7,
            "amounts": {"CLP": "10", "USD": "1.50"},
        },
        "suppressed": {"campaign_ended": 1, "too_old": 2},
        "other_files": [
            {"path": "report.html", "sha256": hashlib.sha256(b"<").hexdigest(), "bytes": 1},
            {"path": "z.csv", "sha256": hashlib.sha256(b"1").hexdigest(), "bytes": 1},
        ],
        "warnings": ["look at this"],
        "campaigns": [
            {
                "matched": 5,
                "sent": 2,
                "suppressed": {"campaign_ended": 1, "too_old": 2},
                "settled_before": 7,
                "campaign": CAMPAIGN.undated(),
            }
        ],
        "flows": {"considered": 0, "sent": 0, "suppressed": {}, "emails_left_out": 0},
    }
    assert list(manifest["suppressed"]) == ["campaign_ended", "too_old"]  # in the order of SPEC 4


def test_a_payment_that_two_campaigns_send_is_counted_as_repeated() -> None:
    twice = decided(("p1", None, "1", "USD"), ("p1", None, "1", "USD"), ("p2", None, "1", "USD"))
    manifest = make_manifest(INPUTS, [CAMPAIGN], outcome(twice, batch(records=3)), {})
    assert (manifest["totals"]["records"], manifest["totals"]["repeated_records"]) == (3, 1)


def test_further_attempts_at_an_order_are_counted() -> None:
    rows = [(f"p{n}", None, "1", "USD") for n in range(5)]
    tried = decided(*rows, p0="o1", p1="o1", p2="o2", p3="o1")
    manifest = make_manifest(INPUTS, [CAMPAIGN], outcome(tried, batch(records=5)), {})
    assert manifest["totals"]["repeated_orders"] == 2


def test_abandoned_flows_are_a_part_of_the_totals() -> None:
    flows = pl.DataFrame({"decision": ["SEND", "SUPPRESS", "SUPPRESS"], "reason": [None, "too_old", "opted_out"]})
    cart = replace(batch(b"{}\n", 1), kind="abandoned", campaign_id=None, organization_code=None)
    manifest = make_manifest(INPUTS, [CAMPAIGN], outcome(DECISIONS, batch(), cart, flows=flows), {})
    assert manifest["flows"] == {
        "considered": 3,
        "sent": 1,
        "suppressed": {"opted_out": 1, "too_old": 1},
        "emails_left_out": 0,
    }
    assert manifest["suppressed"] == {"campaign_ended": 1, "opted_out": 1, "too_old": 3}
    totals = manifest["totals"]
    assert (totals["matched"], totals["records"], totals["suppressed"]) == (8, 3, 5)
    assert totals["amounts"] == {"CLP": "20", "USD": "3.00"}
    assert [each["endpoint"] for each in manifest["files"]] == [
        "/declined-payments/external",
        "/smart-support/external/payments",
    ]


def test_files_that_do_not_hold_what_is_sent_are_a_bug() -> None:
    with pytest.raises(AssertionError, match="do not hold exactly what is sent"):
        make_manifest(INPUTS, [CAMPAIGN], outcome(DECISIONS, batch(records=3)), {})


def test_a_campaign_without_its_times_is_still_a_valid_campaign() -> None:
    stamped = CAMPAIGN.model_copy(update={"updated_at": AS_OF})
    shown = stamped.undated()
    assert shown == CAMPAIGN.undated()
    assert "created_at" not in json.dumps(shown)
    assert "updated_at" not in json.dumps(shown)
    (again,) = parse_campaigns(json.dumps(shown))
    assert again == CAMPAIGN.model_copy(update={"created_at": None})
