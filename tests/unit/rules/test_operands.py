"""What an operand refuses: the catalogue lets no rule ask it, so asking is a bug and not an answer."""

import polars as pl
import pytest

from recovery_batch.rules.operands import AmountOperand


def test_an_amount_has_no_text() -> None:
    amount = AmountOperand(pl.col("amount_value"))
    with pytest.raises(TypeError, match="no text"):
        amount.contains_one_of(["5"])
    with pytest.raises(TypeError, match="no text"):
        amount.starts_with_one_of(["5"])
