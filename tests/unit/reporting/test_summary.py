from __future__ import annotations

import json
from decimal import Decimal

from recovery_batch.reporting.summary import as_json
from tests.unit.reporting.samples import build_sample


def test_the_document_has_the_promised_shape_and_foots() -> None:
    sample = build_sample(2000)
    document = json.loads(json.dumps(as_json(sample.figures())))
    assert list(document) == [
        "payments",
        "period",
        "settings",
        "rules_sha256",
        "data_sha256",
        "matched",
        "sent",
        "suppressed",
        "campaigns",
        "tool_version",
    ]
    assert document["period"] == {"from": "2026-07-01T00:00:00Z", "to": "2026-10-01T00:00:00Z"}
    assert document["payments"] == 2000
    assert document["matched"] == document["sent"] + sum(document["suppressed"].values())
    assert document["matched"] == sum(campaign["matched"] for campaign in document["campaigns"])
    for campaign in document["campaigns"]:
        assert campaign["matched"] == campaign["sent"] + sum(campaign["suppressed"].values())
        assert campaign["funnel"][-1]["remaining"] == campaign["matched"]


def test_amounts_are_exact_texts_of_what_is_sent() -> None:
    sample = build_sample(1500)
    document = as_json(sample.figures())
    for campaign_no, campaign in enumerate(document["campaigns"]):
        amounts: dict[str, Decimal] = {}
        for row in sample.decisions.iter_rows(named=True):
            if row["campaign_no"] == campaign_no and row["decision"] == "SEND":
                currency = row["currency_code"]
                amounts[currency] = amounts.get(currency, Decimal(0)) + row["amount_value"]
        assert {key: Decimal(value) for key, value in campaign["amounts"].items()} == amounts
        assert all("." not in value for key, value in campaign["amounts"].items() if key == "CLP")


def test_an_open_period_is_null() -> None:
    document = as_json(build_sample(0, period_from=None, period_to=None).figures())
    assert document["period"] == {"from": None, "to": None}
    assert document["suppressed"] == {}
    assert document["campaigns"][0]["amounts"] == {}
