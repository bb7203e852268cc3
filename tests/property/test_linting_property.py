"""Lint says of rules only what is so: held against the slow reference and the compiled rules, over hostile values."""

from collections import Counter

import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from recovery_batch.campaigns.linting import lint_campaign
from recovery_batch.campaigns.linting.notes import said
from recovery_batch.campaigns.models import Campaign
from recovery_batch.rules import Rule, column_read, compile_rule
from recovery_batch.schema import EVALUATION
from tests.reference import drawing
from tests.reference.rules import ALLOWED

ALL = settings().max_examples
GROUPS = {
    "amount": ("AMOUNT", "AMOUNT_AND_CURRENCY", "CURRENCY"),
    "status": ("PAYMENT_STATUS",),
    "bin": ("CARD_BIN",),
    "metadata": ("METADATA",),
    "numbers in metadata": ("METADATA",),
}
BASE = {
    "id": "00000000-0000-4000-8000-000000000099",
    "name": "drawn",
    "account_id": drawing.ACCOUNT,
    "organization_code": drawing.ORGANIZATIONS[0],
    "country": "MX",
    "channel": "PHONE_CALL",
    "schedule": {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "America/Mexico_City"},
    "duration": {"start_at": drawing.TIMES[0], "end_at": drawing.TIMES[1]},
}


def drawn_rules(data: DataObject, rule_types: tuple[str, ...], pool: drawing.Pool) -> list[Rule]:
    drawn: list[Rule] = []
    for place in range(data.draw(st.sampled_from((2, 2, 3)))):
        rule_type = data.draw(st.sampled_from(rule_types))
        conditional = data.draw(st.sampled_from(ALLOWED[rule_type]))
        rule = data.draw(drawing.rules(rule_type, conditional, pool))
        drawn.append(rule.model_copy(update={"id": f"00000000-0000-4000-8000-{place:012}"}))
    return drawn


def payments_for(data: DataObject, rules: list[Rule], pool: drawing.Pool, *, numbers: bool) -> pl.DataFrame:
    """Payments about the pool, and about the rules' own values, joined, cut and missing."""
    columns = list(dict.fromkeys(["currency_code", *(column_read(rule) or "" for rule in rules)]))
    frame = data.draw(drawing.frames(columns, pool, fewest=12, mostly_numbers=numbers))
    own = list(dict.fromkeys(value for rule in rules for value in rule.values or ()))[:6]
    pieces = ["", *own, *(value.swapcase() for value in own), *(f"{value}.0" for value in own)]
    texts = [None, *pieces, *(one + other for one in own for other in ("x", *own)), *(f"0{value}" for value in own)]
    spread = {
        column: st.sampled_from(texts) if EVALUATION.get(column, pl.String()) == pl.String() else drawing.amounts(pool)
        for column in columns
    }
    rows = data.draw(st.lists(st.tuples(*spread.values()), min_size=15, max_size=25))
    more = [(text,) * len(columns) for text in texts] if "amount_value" not in columns else []
    return pl.concat([frame, pl.DataFrame([*rows, *more], schema=frame.schema, orient="row")])


@pytest.mark.parametrize("group", GROUPS)
def test_lint_claims_nothing_that_a_payment_refutes(group: str) -> None:
    counted: Counter[str] = Counter()

    @settings(max_examples=ALL * 2)
    @given(st.data(), drawing.pools())
    def check(data: DataObject, pool: drawing.Pool) -> None:
        pool = drawing.Pool(pool.texts, pool.numbers, pool.amounts, pool.keys[:1])
        rules = drawn_rules(data, GROUPS[group], pool)
        campaign = Campaign.model_validate({**BASE, "rules": [rule.model_dump() for rule in rules]})
        findings = lint_campaign(campaign, drawing.TIMES[0], successful_statuses=drawing.SUCCESSFUL)
        payments = payments_for(data, rules, pool, numbers=group.startswith("numbers"))
        answers = payments.select(compile_rule(rule).alias(rule.id or "") for rule in rules)
        for finding in findings:
            counted[finding.slug] += 1
            about = [pl.col(name) for name in finding.rule_ids]
            if finding.slug == "rules_contradict":
                assert answers.filter(*about).is_empty(), finding
            elif finding.slug == "rule_repeated":
                assert answers.filter(about[0] != about[1]).is_empty(), finding
            elif finding.slug == "rule_implied":
                _check_implied(answers, finding.rule_ids, finding.reason, rules)
            elif finding.slug == "only_successful_statuses":
                paid = payments["status"].is_in(list(drawing.SUCCESSFUL)).fill_null(False)
                assert answers.filter(~paid).filter(*about).is_empty(), finding

    check()

    # a lint that says nothing would be as true
    assert counted["rules_contradict"] >= 0.05 * ALL, counted
    assert counted["rule_implied"] >= 0.05 * ALL, counted


def _check_implied(answers: pl.DataFrame, names: tuple[str, ...], reason: str, rules: list[Rule]) -> None:
    """The rule that the reason begins with is true wherever the others are."""
    needless = [
        rule.id or "" for rule in rules if rule.id in names and reason.startswith(f"{said([rule])} is true whenever")
    ]
    # two rules may read the same in a sentence, though not mean the same: one of them it is
    assert needless, reason
    others = {name: [pl.col(other) for other in names if other != name] for name in needless}
    assert any(answers.filter(~pl.col(name), *others[name]).is_empty() for name in needless), (reason, rules)
