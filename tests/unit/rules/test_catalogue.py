"""The one table of rule types and conditionals: complete, as described, and true to its own examples."""

from dataclasses import fields
from decimal import Decimal

import polars as pl
import pytest
from pydantic import ValidationError

from recovery_batch.money import AMOUNT, is_number
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Conditional, Kind, Rule, RuleType, compile_rule, sentence
from recovery_batch.rules.catalogue import allowed_conditionals
from recovery_batch.schema import EVALUATION
from tests.reference import rules as reference

RATE_LIMITS = ("USER_COMMS_PER_DAY", "UNIQUE_BY_USER")
MATRIX = [(rule_type, conditional) for rule_type in RULE_TYPES for conditional in CONDITIONALS]
PAIRS = [(rule_type, conditional) for rule_type, conditional in MATRIX if conditional in reference.ALLOWED[rule_type]]


def key_for(rule_type: str) -> str | None:
    return "tier" if rule_type == "METADATA" else None


def rule_of(rule_type: str, conditional: str, count: int) -> Rule:
    """A rule with a number of values that fit every conditional; AMOUNT_AND_CURRENCY's currency is one of them."""
    values = [str(number) for number in range(1, count + 1)]
    if rule_type == "AMOUNT_AND_CURRENCY" and values:
        values[-1] = "COP"
    return Rule(rule_type=rule_type, conditional=conditional, values=tuple(values), metadata_key=key_for(rule_type))


def fewest_of(rule_type: str, conditional: str) -> int:
    return reference.ARITY[conditional][0] + (rule_type == "AMOUNT_AND_CURRENCY")


def test_there_are_the_thirteen_rule_types_and_the_twelve_conditionals() -> None:
    assert set(RULE_TYPES) == set(reference.ALLOWED)
    assert set(CONDITIONALS) == set(reference.ARITY)
    assert (len(RULE_TYPES), len(CONDITIONALS)) == (13, 12)


@pytest.mark.parametrize(("rule_type", "conditional"), MATRIX)
def test_each_rule_type_takes_the_conditionals_that_it_is_said_to_take(rule_type: str, conditional: str) -> None:
    if conditional in reference.ALLOWED[rule_type]:
        assert conditional in allowed_conditionals(RULE_TYPES[rule_type])
        assert rule_of(rule_type, conditional, fewest_of(rule_type, conditional)).conditional == conditional
        return

    assert conditional not in allowed_conditionals(RULE_TYPES[rule_type])
    with pytest.raises(ValidationError) as caught:
        rule_of(rule_type, conditional, fewest_of(rule_type, conditional))
    refused = next(error for error in caught.value.errors() if error["loc"] == ("conditional",))
    allowed = ", ".join(allowed_conditionals(RULE_TYPES[rule_type])) or "no conditional"
    assert refused["ctx"]["allowed"] == allowed
    assert refused["ctx"]["code"] == 422


@pytest.mark.parametrize("count", range(5))
@pytest.mark.parametrize(("rule_type", "conditional"), PAIRS)
def test_each_conditional_takes_as_many_values_as_it_is_said_to_take(
    rule_type: str, conditional: str, count: int
) -> None:
    fewest, most = reference.ARITY[conditional]
    extra = rule_type == "AMOUNT_AND_CURRENCY"

    if fewest + extra <= count and (most is None or count <= most + extra):
        assert len(rule_of(rule_type, conditional, count).values or ()) == count
        return

    with pytest.raises(ValidationError) as caught:
        rule_of(rule_type, conditional, count)
    (refused,) = caught.value.errors()
    assert refused["loc"] == ("values",)
    assert str(count) in refused["msg"]
    assert str(fewest + extra) in refused["ctx"]["allowed"]
    assert ("currency" in refused["ctx"]["allowed"]) == extra


@pytest.mark.parametrize("entry", [*RULE_TYPES.values(), *CONDITIONALS.values()], ids=lambda entry: entry.name)
def test_no_entry_has_an_empty_part(entry: RuleType | Conditional) -> None:
    for part in fields(entry):
        value = getattr(entry, part.name)
        assert not isinstance(value, str) or value == value.strip() != "", part.name


@pytest.mark.parametrize("name", RULE_TYPES)
def test_every_rule_type_reads_a_column_that_there_is(name: str) -> None:
    entry = RULE_TYPES[name]
    assert entry.name == name
    assert entry.column == reference.COLUMNS.get(name)
    assert entry.column is None or EVALUATION[entry.column] == (AMOUNT if name.startswith("AMOUNT") else pl.String)
    assert (entry.column is None) == (name == "METADATA" or name in RATE_LIMITS)
    assert ("{key}" in entry.noun) == (name == "METADATA")
    assert (entry.kind is Kind.RATE_LIMIT) == (name in RATE_LIMITS)
    assert entry.daily_limit == (name == "USER_COMMS_PER_DAY")


def test_no_two_rule_types_are_alike() -> None:
    assert {entry.kind for entry in RULE_TYPES.values()} == set(Kind)
    columns = [entry.column for entry in RULE_TYPES.values() if entry.column and entry.name != "AMOUNT_AND_CURRENCY"]
    assert len(set(columns)) == len(columns)


@pytest.mark.parametrize("name", CONDITIONALS)
def test_every_conditional_has_all_its_parts(name: str) -> None:
    entry = CONDITIONALS[name]
    assert entry.name == name
    assert entry.kinds
    assert Kind.RATE_LIMIT not in entry.kinds
    assert (entry.fewest, entry.most) == reference.ARITY[name]
    assert entry.numeric == (name in reference.COMPARISONS)
    assert entry.ordered == (name == "BETWEEN")
    assert entry.when_missing == (name in ("NOT_EQUAL", "NOT_ONE_OF"))
    assert entry.phrase.count("{values}") == 1
    assert entry.phrase.format(values="") not in ("", " ")
    assert entry.fewest <= len(entry.example.values) <= (entry.most or 99)
    assert all(entry.example.values)
    assert entry.example.true != entry.example.false


def test_conditionals_that_mean_different_things_read_differently() -> None:
    phrases = {name: entry.phrase for name, entry in CONDITIONALS.items() if name != "IN"}
    assert len(set(phrases.values())) == len(phrases)
    assert CONDITIONALS["IN"].phrase == CONDITIONALS["ONE_OF"].phrase


@pytest.mark.parametrize(
    ("rule_type", "conditional"),
    [(kind, name) for kind, name in PAIRS if kind in ("METADATA", "CARD_BIN")],
)
def test_every_example_is_true_and_false_and_missing_as_it_says(rule_type: str, conditional: str) -> None:
    entry = CONDITIONALS[conditional]
    rule = Rule(
        rule_type=rule_type,
        conditional=conditional,
        values=entry.example.values,
        metadata_key=key_for(rule_type),
    )
    column = "metadata.tier" if rule_type == "METADATA" else "card_bin"
    texts = [entry.example.true, entry.example.false, None]

    answers = pl.DataFrame({column: texts}, schema={column: pl.String}).select(compile_rule(rule))

    assert answers.to_series().to_list() == [True, False, entry.when_missing]
    assert [reference.holds(rule, {column: text}) for text in texts] == [True, False, entry.when_missing]


@pytest.mark.parametrize("entry", [each for each in CONDITIONALS.values() if each.numeric], ids=lambda each: each.name)
@pytest.mark.parametrize("rule_type", ["AMOUNT", "AMOUNT_AND_CURRENCY"])
def test_every_example_in_numbers_is_true_and_false_of_amounts_too(rule_type: str, entry: Conditional) -> None:
    currency = ("COP",) if rule_type == "AMOUNT_AND_CURRENCY" else ()
    rule = Rule(rule_type=rule_type, conditional=entry.name, values=(*entry.example.values, *currency))
    amounts = [Decimal(entry.example.true), Decimal(entry.example.false)]
    frame = pl.DataFrame(
        {"amount_value": amounts, "currency_code": ["COP", "COP"]},
        schema={"amount_value": AMOUNT, "currency_code": pl.String},
    )

    assert frame.select(compile_rule(rule)).to_series().to_list() == [True, False]


def test_numeric_examples_are_numbers() -> None:
    for entry in CONDITIONALS.values():
        if entry.numeric:
            assert all(map(is_number, (*entry.example.values, entry.example.true, entry.example.false)))


@pytest.mark.parametrize(("rule_type", "conditional"), PAIRS)
def test_every_rule_type_with_every_conditional_has_a_sentence(rule_type: str, conditional: str) -> None:
    rule = rule_of(rule_type, conditional, fewest_of(rule_type, conditional))
    words = sentence(rule)
    assert words.startswith(RULE_TYPES[rule_type].noun.format(key="“tier”"))
    assert all(value in words for value in rule.values or ())
    assert not set("{}") & set(words)
    assert words == " ".join(words.split())


def test_the_tables_cannot_be_changed_by_accident() -> None:
    with pytest.raises(TypeError):
        CONDITIONALS["EQUAL"] = CONDITIONALS["IN"]  # type: ignore[index]
    with pytest.raises(TypeError):
        del RULE_TYPES["AMOUNT"]  # type: ignore[attr-defined]
