"""The tables are enough: each entry is true to its examples, and a thirteenth conditional needs one entry only."""

from __future__ import annotations

import importlib
import json
from dataclasses import fields
from datetime import UTC, datetime
from decimal import Decimal
from types import MappingProxyType
from typing import Any

import polars as pl
import pytest
from jsonschema import Draft202012Validator

from recovery_batch.campaigns import campaign_file_schema, parse_campaigns
from recovery_batch.campaigns.linting import lint_campaign
from recovery_batch.errors import ProblemsFound
from recovery_batch.money import AMOUNT
from recovery_batch.rules import (
    CONDITIONALS,
    RULE_TYPES,
    Conditional,
    Kind,
    Rule,
    catalogue,
    column_read,
    compile_rule,
    sentence,
    summary,
)
from recovery_batch.rules.catalogue import Example, Part
from recovery_batch.rules.nearness import near_miss_of
from tests.unit.campaigns.bodies import BODY

VALUED = [each for each in RULE_TYPES.values() if each.kind is not Kind.RATE_LIMIT]


def example_of(name: str) -> Rule:
    shown = RULE_TYPES[name].example
    return Rule(
        rule_type=name, conditional=shown.conditional, values=shown.values or None, metadata_key=shown.metadata_key
    )


def answer(rule: Rule, value: str | None) -> bool:
    """What a rule says of one value, with the currency behind it where it takes one."""
    column = column_read(rule)
    assert column is not None
    amount, _, currency = (value or "").partition(" ")
    if column == "amount_value":
        frame = pl.DataFrame({column: pl.Series([Decimal(amount)], dtype=AMOUNT), "currency_code": [currency]})
    else:
        frame = pl.DataFrame({column: pl.Series([value], dtype=pl.String)})
    return bool(frame.select(compile_rule(rule)).item())


@pytest.mark.parametrize("rule_type", VALUED, ids=lambda each: each.name)
def test_rule_types_are_true_to_their_examples(rule_type: Any) -> None:
    rule, shown = example_of(rule_type.name), rule_type.example
    assert answer(rule, shown.true)
    assert not answer(rule, shown.false)
    if shown.missing in ("true", "false"):
        assert answer(rule, None) == (shown.missing == "true")


@pytest.mark.parametrize("name", RULE_TYPES)
def test_no_part_of_an_example_is_left_out(name: str) -> None:
    shown = RULE_TYPES[name].example
    assert shown.true
    assert shown.false
    assert shown.true != shown.false
    assert shown.missing
    assert sentence(example_of(name))


def test_a_campaign_reads_as_one_sentence() -> None:
    rules = [
        example_of(name) for name in ("PAYMENT_METHOD", "AMOUNT_AND_CURRENCY", "ISO_RESPONSE_CODE", "UNIQUE_BY_USER")
    ]
    assert summary("MX", rules) == (
        "payments in MX whose payment method is one of CARD, PSE, whose amount is above 500 MXN and whose ISO 8583 "
        "response code is none of 14, 43, 59; at most one for each user, ever, from this campaign"
    )
    assert summary("MX", rules[:1]) == "payments in MX whose payment method is one of CARD, PSE"
    assert summary("MX", []) == "nobody: it has no active rule"


THIRTEENTH = Conditional(
    name="NOT_BETWEEN",
    kinds=frozenset({Kind.AMOUNT, Kind.AMOUNT_AND_CURRENCY, Kind.METADATA}),
    fewest=2,
    most=2,
    numeric=True,
    ordered=True,
    part=Part.WHOLE,
    when_missing=False,
    test=lambda x, v: ~(x.reaches(v[0]) & ~x.exceeds(v[1])),
    phrase="is not between {values}",
    example=Example(("10", "20"), "21", "20"),
)


@pytest.fixture
def thirteen(monkeypatch: pytest.MonkeyPatch) -> None:
    """One more entry in the table, wherever the table is known by its name."""
    table = MappingProxyType({**CONDITIONALS, THIRTEENTH.name: THIRTEENTH})
    for module in (
        "rules",
        "rules.catalogue",
        "rules.compiling",
        "rules.model",
        "rules.nearness",
        "rules.wording",
        "campaigns.json_schema",
        "campaigns.linting.cases",
    ):
        monkeypatch.setattr(importlib.import_module(f"recovery_batch.{module}"), "CONDITIONALS", table)
    monkeypatch.setattr("docs.generate.CONDITIONALS", table)


@pytest.mark.usefixtures("thirteen")
def test_a_thirteenth_conditional_needs_one_entry() -> None:
    body = {"rule_type": "AMOUNT", "conditional": "NOT_BETWEEN", "values": ["10", "20"]}
    document = {**BODY, "rules": [body]}
    Draft202012Validator(campaign_file_schema()).validate(document)
    (campaign,) = parse_campaigns(json.dumps(document))
    (rule,) = campaign.rules
    assert [answer(rule, value) for value in ("9.99", "10", "20", "20.01")] == [True, False, False, True]
    assert sentence(rule) == "amount is not between 10 and 20"
    with pytest.raises(ProblemsFound, match="min not above max"):
        parse_campaigns(json.dumps({**BODY, "rules": [{**body, "values": ["20", "10"]}]}))
    with pytest.raises(ProblemsFound, match="conditional"):
        parse_campaigns(json.dumps({**BODY, "rules": [{**body, "rule_type": "CURRENCY"}]}))
    inside = {"rule_type": "AMOUNT", "conditional": "BETWEEN", "values": ["12", "15"]}
    (contradicted,) = parse_campaigns(json.dumps({**BODY, "rules": [body, inside]}))
    slugs = {finding.slug for finding in lint_campaign(contradicted, datetime(2026, 9, 2, tzinfo=UTC))}
    assert "rules_contradict" in slugs
    keyed = Rule.model_validate({**body, "rule_type": "METADATA", "metadata_key": "score"})
    assert near_miss_of(keyed, "12") is None
    page = importlib.import_module("docs.generate").rules_page()
    assert "| `NOT_BETWEEN` | 2 | numbers | [10, 20] | `21` | `20` | false |" in page


@pytest.mark.parametrize("part", [field.name for field in fields(Conditional)])
def test_an_entry_that_lacks_a_part_is_none(part: str) -> None:
    parts = {field.name: getattr(THIRTEENTH, field.name) for field in fields(Conditional) if field.name != part}
    with pytest.raises(TypeError, match=part):
        Conditional(**parts)
    assert catalogue.Conditional is Conditional
