"""Which payments each campaign targets (SPEC 2.4): a payments frame and campaigns in, candidates out. Pure.

Payments are cut by organization and country once; in each part every distinct rule is evaluated once, however many
campaigns share it, and a campaign is then the conjunction of Boolean columns. No payment is looked at by Python.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import accumulate
from operator import and_
from typing import Final

import polars as pl

from recovery_batch.campaigns.models import Campaign
from recovery_batch.clock import iso
from recovery_batch.rules import METADATA_PREFIX, Rule, column_read, compile_rule, sentence
from recovery_batch.schema import EVALUATION

_ALWAYS_READ: Final = frozenset({"organization_code", "country", "status", "created_at"})

SETTLED: Final = "not decided for good by an earlier run"
"""The last step of a funnel where a nightly run leaves out what earlier ones have decided."""

CANDIDATES: Final = pl.Schema({"campaign_no": pl.UInt32, "payment_no": pl.UInt32})


@dataclass(frozen=True, slots=True)
class FunnelStep:
    """One condition of a campaign and how many payments are left after it.

    Attributes:
        label: The condition in plain words.
        remaining: Payments for which this and every earlier condition hold.
        alone: Payments of the first step for which this condition holds by itself.
        rule_id: The rule; None for a condition that every campaign has.
    """

    label: str
    remaining: int
    alone: int
    rule_id: str | None = None


@dataclass(frozen=True, slots=True)
class Funnel:
    """How one campaign narrows the payments down, condition by condition."""

    campaign_no: int
    steps: tuple[FunnelStep, ...]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """What `evaluate` found.

    Attributes:
        candidates: One row a (campaign, payment) match: `campaign_no`, the place of the campaign in the sequence
            given, and `payment_no`, the row of the payment in the frame given. Ordered by both.
        funnels: One a campaign, in order; empty unless asked for.
    """

    candidates: pl.DataFrame
    funnels: tuple[Funnel, ...]


@dataclass(frozen=True, slots=True)
class _Condition:
    label: str
    holds: pl.Series
    rule_id: str | None = None


def metadata_keys(campaigns: Iterable[Campaign]) -> tuple[str, ...]:
    """The metadata keys that the active rules of campaigns read, sorted: the `metadata.` columns they need."""
    return tuple(
        sorted({rule.metadata_key for each in campaigns for rule in each.active_rules if rule.metadata_key is not None})
    )


def evaluate(
    payments: pl.DataFrame,
    campaigns: Sequence[Campaign],
    *,
    successful_statuses: Sequence[str],
    with_funnels: bool = False,
) -> Evaluation:
    """Match every payment with every campaign.

    Args:
        payments: One row a payment: `organization_code`, `country`, `status`, `currency_code` (text), `amount_value`
            (`money.AMOUNT`), `created_at` (UTC), and the text columns that rules read, null meaning missing; a
            `metadata.KEY` column for each key of `metadata_keys(campaigns)`.
        campaigns: Those to evaluate; their status is not looked at.
        successful_statuses: Statuses of payments that were paid, which match no campaign. Case counts.
        with_funnels: Also count how far each condition narrows the payments down.
    """
    parts: dict[tuple[str, str], list[int]] = {}
    for campaign_no, campaign in enumerate(campaigns):
        parts.setdefault((campaign.organization_code, campaign.country), []).append(campaign_no)
    matches: list[tuple[int, pl.Series]] = []
    funnels: list[Funnel] = []
    columns = {column for each in campaigns for rule in each.targeting_rules for column in _columns(rule)}
    numbered = payments.select(_ALWAYS_READ | columns).with_row_index("payment_no")
    for (organization, country), members in parts.items():
        part = numbered.filter(pl.col("organization_code") == organization, pl.col("country") == country)
        for campaign_no, conditions in _conditions(part, campaigns, members, successful_statuses):
            mask = reduce(and_, (condition.holds for condition in conditions))
            matches.append((campaign_no, part["payment_no"].filter(mask)))
            if with_funnels:
                funnels.append(_funnel(campaign_no, part.height, conditions))
    candidates = [
        pl.DataFrame({"payment_no": found}).select(
            pl.lit(campaign_no, dtype=pl.UInt32).alias("campaign_no"), pl.col("payment_no").cast(pl.UInt32)
        )
        for campaign_no, found in sorted(matches, key=lambda match: match[0])
        if len(found)
    ]
    return Evaluation(
        pl.concat(candidates) if candidates else pl.DataFrame(schema=CANDIDATES),
        tuple(sorted(funnels, key=lambda funnel: funnel.campaign_no)),
    )


def without_settled(evaluation: Evaluation, is_settled: pl.Series) -> Evaluation:
    """An evaluation without what earlier runs have decided; the funnels of their campaigns get one more step.

    Args:
        evaluation: What `evaluate` found.
        is_settled: A Boolean for each row of its candidates.
    """
    if not is_settled.any():
        return evaluation
    out = dict(evaluation.candidates.filter(is_settled)["campaign_no"].value_counts().iter_rows())
    funnels = (
        _narrowed(each, out[each.campaign_no]) if each.campaign_no in out else each for each in evaluation.funnels
    )
    return Evaluation(evaluation.candidates.filter(~is_settled), tuple(funnels))


def _narrowed(funnel: Funnel, out: int) -> Funnel:
    step = FunnelStep(SETTLED, funnel.steps[-1].remaining - out, funnel.steps[0].remaining - out)
    return Funnel(funnel.campaign_no, (*funnel.steps, step))


def _conditions(
    part: pl.DataFrame, campaigns: Sequence[Campaign], members: Sequence[int], successful: Sequence[str]
) -> Iterator[tuple[int, list[_Condition]]]:
    """For each campaign of a part its conditions, every distinct rule evaluated once."""
    answers = _answers(part, [rule for campaign_no in members for rule in campaigns[campaign_no].targeting_rules])
    unpaid = ~part["status"].is_in(pl.Series(successful, dtype=pl.String).implode())
    for campaign_no in members:
        campaign = campaigns[campaign_no]
        duration = campaign.duration
        created = part["created_at"].is_between(duration.start_at, duration.end_at, closed="left")
        period = f"created from {iso(duration.start_at)} to before {iso(duration.end_at)}"
        conditions = [_Condition(period, created), _Condition("not a successful payment", unpaid)]
        if not campaign.active_rules:
            nobody = pl.repeat(False, part.height, dtype=pl.Boolean, eager=True)
            conditions.append(_Condition("at least one active rule", nobody))
        conditions += [
            _Condition(sentence(rule), answers[_essence(rule)], rule.id) for rule in campaign.targeting_rules
        ]
        yield campaign_no, conditions


def _answers(part: pl.DataFrame, rules: Iterable[Rule]) -> dict[tuple[object, ...], pl.Series]:
    """Which payments of a part each distinct rule holds for.

    A rule that reads one text column is evaluated on the distinct values of that column, which are few, and its answers
    are then looked up by value: the same expression and the same answer, at a fraction of the work.
    """
    by_column: dict[str | None, dict[tuple[object, ...], pl.Expr]] = {}
    for rule in rules:
        column = column_read(rule)
        is_text = column is not None and part.schema[column] == pl.String
        by_column.setdefault(column if is_text else None, {})[_essence(rule)] = compile_rule(rule)
    answers: dict[tuple[object, ...], pl.Series] = {}
    for column, tests in by_column.items():
        named = [test.alias(str(number)) for number, test in enumerate(tests.values())]
        if column is None:
            found = part.select(named)
        else:
            distinct = part.select(pl.col(column).unique())
            known = distinct.with_columns(named)
            found = part.select(column).join(known, on=column, how="left", nulls_equal=True, maintain_order="left")
        answers.update({essence: found[str(number)] for number, essence in enumerate(tests)})
    return answers


def _columns(rule: Rule) -> set[str]:
    return set(compile_rule(rule).meta.root_names())


def _essence(rule: Rule) -> tuple[object, ...]:
    return rule.rule_type, rule.conditional, rule.values, rule.metadata_key


def _funnel(campaign_no: int, size: int, conditions: Sequence[_Condition]) -> Funnel:
    so_far = accumulate((condition.holds for condition in conditions), and_)
    steps = [
        FunnelStep(condition.label, int(remaining.sum()), int(condition.holds.sum()), condition.rule_id)
        for condition, remaining in zip(conditions, so_far, strict=True)
    ]
    return Funnel(campaign_no, (FunnelStep("organization and country", size, size), *steps))


def empty_payments(keys: Iterable[str] = ()) -> pl.DataFrame:
    """A payments frame without rows, with the columns that `evaluate` reads."""
    return pl.DataFrame(schema={**EVALUATION, **{METADATA_PREFIX + key: pl.String() for key in keys}})
