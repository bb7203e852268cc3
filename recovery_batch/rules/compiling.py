"""Rules to Polars expressions over the payments frame."""

from __future__ import annotations

import polars as pl

from recovery_batch.rules.catalogue import CONDITIONALS, RULE_TYPES, Kind
from recovery_batch.rules.model import Rule
from recovery_batch.rules.operands import AmountOperand, TextOperand

METADATA_PREFIX = "metadata."


def metadata_column(key: str) -> str:
    """The column of the payments frame that holds the text of one metadata key."""
    return METADATA_PREFIX + key


def column_read(rule: Rule) -> str | None:
    """The column whose value a rule compares; None for a rate limit."""
    if rule.metadata_key is not None:
        return metadata_column(rule.metadata_key)
    return RULE_TYPES[rule.rule_type].column


def compile_rule(rule: Rule) -> pl.Expr:
    """The expression that says for each payment whether a rule holds. Never null: missing values are decided here.

    Raises:
        ValueError: the rule is a rate limit, which looks at a user and not at a payment.
    """
    kind = RULE_TYPES[rule.rule_type].kind
    column = column_read(rule)
    if column is None or rule.conditional is None or rule.values is None:
        raise ValueError(f"{rule.rule_type} is decided by the simulation, not by a payment")
    conditional = CONDITIONALS[rule.conditional]
    if kind is Kind.AMOUNT:
        test = conditional.test(AmountOperand(pl.col(column)), rule.values)
    elif kind is Kind.AMOUNT_AND_CURRENCY:
        test = conditional.test(AmountOperand(pl.col(column)), rule.values[:-1])
        test &= pl.col("currency_code") == pl.lit(rule.values[-1])
    else:
        test = conditional.test(TextOperand(pl.col(column)), rule.values)
    return test.fill_null(conditional.when_missing)
