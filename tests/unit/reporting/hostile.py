"""Text that tries to be more than text, and a report that has it in every place that data can reach."""

from __future__ import annotations

from dataclasses import replace

import polars as pl

from recovery_batch.campaigns.models import Campaign
from recovery_batch.reporting.figures import ReportFigures
from tests.unit.reporting.samples import build_campaign, build_sample

TEXTS = (
    "<script>alert('script')</script>",
    '"><img src=x onerror=alert("image")>',
    "</style></title></textarea><script>alert('end')</script>",
    "<!-- ]]> <svg/onload=alert('svg')>",
    "{{ 7 * 7 }}{% raw %}${7*7}",
    "javascript:alert('link')",
    "' onmouseover='alert(1)' style='position:fixed",
    "&lt;script&gt; &#x3c;b&#x3e; &amp;amp;",
    "\u202egpj.exe\u202c \u2066inside\u2069 \u200f",
    "two\nlines\tand a\x00null",
)


def build_hostile_figures() -> ReportFigures:
    """Hostile names, rules, reasons, descriptions and identifiers, all shown."""
    campaigns = _build_hostile_campaigns()
    base = build_sample(120, [build_campaign(number + 1) for number in range(len(campaigns))])
    texts = pl.Series(TEXTS)
    turn = pl.int_range(base.decisions.height, eager=True) % len(TEXTS)
    hostile = texts[turn]
    decisions = base.decisions.with_columns(
        hostile.alias("reject_reason"),
        hostile.alias("currency_code"),
        hostile.alias("country"),
        pl.when(pl.col("decision") == "SUPPRESS").then(hostile).alias("reason"),
        texts[base.decisions["campaign_no"]].alias("campaign_name"),
    )
    targets = decisions.head(3 * len(TEXTS)).with_columns(
        *(
            hostile.head(3 * len(TEXTS)).alias(name)
            for name in ("payment_id", "order_id", "description", "payer_name", "payer_phone")
        )
    )
    provenance = replace(
        base.provenance,
        title=TEXTS[0] + TEXTS[8],
        rules_sha256=TEXTS[1],
        data_sha256=TEXTS[2],
        tool_version=TEXTS[3],
        run_id=TEXTS[4],
        settings=dict(zip(TEXTS, reversed(TEXTS), strict=True)),
    )
    sample = replace(base, campaigns=tuple(campaigns), decisions=decisions, targets=targets, provenance=provenance)
    return sample.figures()


def _build_hostile_campaigns() -> list[Campaign]:
    return [
        build_campaign(
            number,
            name=text,
            focus=text,
            rules=[
                {
                    "rule_type": "METADATA",
                    "metadata_key": text,
                    "conditional": "NOT_EQUAL",
                    "values": [text],
                },
                {"rule_type": "UNIQUE_BY_USER"},
            ],
        )
        for number, text in enumerate(TEXTS, start=1)
    ]
