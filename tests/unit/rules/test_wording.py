"""Rules in plain English."""

import pytest

from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Rule, sentence


@pytest.mark.parametrize(
    ("conditional", "values", "words"),
    [
        ("EQUAL", ("gold",), "metadata “tier” is gold"),
        ("NOT_EQUAL", ("gold",), "metadata “tier” is not gold"),
        ("ONE_OF", ("gold", "silver"), "metadata “tier” is one of gold, silver"),
        ("NOT_ONE_OF", ("gold", "silver"), "metadata “tier” is none of gold, silver"),
        ("IN", ("gold", "silver"), "metadata “tier” is one of gold, silver"),
        ("GREATER_THAN", ("5",), "metadata “tier” is above 5"),
        ("GREATER_THAN_OR_EQUAL", ("5",), "metadata “tier” is 5 or more"),
        ("LESS_THAN", ("5",), "metadata “tier” is below 5"),
        ("LESS_THAN_OR_EQUAL", ("5",), "metadata “tier” is 5 or less"),
        ("BETWEEN", ("5", "9"), "metadata “tier” is between 5 and 9"),
        ("CONTAINS", ("gold",), "metadata “tier” contains gold (case ignored)"),
        ("STARTS_WITH", ("gold",), "metadata “tier” starts with gold"),
    ],
)
def test_each_conditional(conditional: str, values: tuple[str, ...], words: str) -> None:
    rule = Rule(rule_type="METADATA", conditional=conditional, values=values, metadata_key="tier")
    assert sentence(rule) == words


@pytest.mark.parametrize(
    ("rule_type", "words"),
    [
        ("AMOUNT", "amount is 5"),
        ("CURRENCY", "currency is 5"),
        ("PAYMENT_STATUS", "payment status is 5"),
        ("PAYMENT_METHOD", "payment method is 5"),
        ("PROVIDER", "provider is 5"),
        ("CARD_BIN", "card BIN is 5"),
        ("CATEGORY", "category is 5"),
        ("RESPONSE_CODE", "response code is 5"),
        ("ISO_RESPONSE_CODE", "ISO 8583 response code is 5"),
    ],
)
def test_each_rule_type(rule_type: str, words: str) -> None:
    assert sentence(Rule(rule_type=rule_type, conditional="EQUAL", values=("5",))) == words


@pytest.mark.parametrize(
    ("conditional", "values", "words"),
    [
        ("GREATER_THAN", ("500", "USD"), "amount is above 500 USD"),
        ("BETWEEN", ("10", "20", "USD"), "amount is between 10 and 20 USD"),
        ("ONE_OF", ("10", "20", "USD"), "amount is one of 10, 20 USD"),
        # not "is not 500 USD": that would hold for 500 EUR, and the rule does not
        ("NOT_EQUAL", ("500", "USD"), "amount is not 500 and currency is USD"),
        ("NOT_ONE_OF", ("10", "20", "USD"), "amount is none of 10, 20 and currency is USD"),
        ("EQUAL", ("10", "U, S"), "amount is 10 “U, S”"),
    ],
)
def test_an_amount_and_its_currency(conditional: str, values: tuple[str, ...], words: str) -> None:
    assert sentence(Rule(rule_type="AMOUNT_AND_CURRENCY", conditional=conditional, values=values)) == words


def test_rate_limits() -> None:
    daily = sentence(Rule(rule_type="USER_COMMS_PER_DAY", values=("3",)))
    assert daily == "at most 3 a day for each user, from all campaigns"
    assert sentence(Rule(rule_type="UNIQUE_BY_USER")) == "at most one for each user, ever, from this campaign"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (" 05", "“ 05”"),
        ("05 ", "“05 ”"),
        ("\n", "“\n”"),
        ("a,b", "“a,b”"),
        ("a b", "a b"),
        ("{values}", "{values}"),
        ("{0}", "{0}"),
        ("%s", "%s"),
    ],
)
def test_a_value_is_shown_so_that_one_sees_where_it_ends(value: str, shown: str) -> None:
    rule = Rule(rule_type="CATEGORY", conditional="ONE_OF", values=("x", value))
    assert sentence(rule) == f"category is one of x, {shown}"


@pytest.mark.parametrize("key", ["{key}", "{}", "{0", "a}b", "user id"])
def test_a_metadata_key_is_shown_as_it_stands(key: str) -> None:
    rule = Rule(rule_type="METADATA", conditional="EQUAL", values=("x",), metadata_key=key)
    assert sentence(rule) == f"metadata “{key}” is x"


def test_the_tables_above_leave_nothing_out() -> None:
    assert len(CONDITIONALS) == 12
    assert len(RULE_TYPES) == 9 + len({"METADATA", "AMOUNT_AND_CURRENCY", "USER_COMMS_PER_DAY", "UNIQUE_BY_USER"})
