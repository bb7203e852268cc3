"""Compiled rules against the slow reference, over hostile payments and every spelling of a number."""

from collections import Counter, defaultdict

import polars as pl
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import DataObject

from recovery_batch.money import is_number
from recovery_batch.rules import column_read, compile_rule, sentence
from recovery_batch.rules.numbers import exceeds, key_of
from tests.reference import drawing
from tests.reference.rules import ALLOWED, ARITY, TARGETING, Number, compare, holds, number_of

ALL = settings().max_examples
HARDER = ("AMOUNT", "AMOUNT_AND_CURRENCY", "METADATA")
"""The rule types that compare more than texts."""


@pytest.mark.parametrize("rule_type", TARGETING)
def test_a_compiled_rule_says_what_the_reference_says(rule_type: str) -> None:
    answers: defaultdict[str, Counter[bool]] = defaultdict(Counter)

    @settings(max_examples=ALL * (8 if rule_type in HARDER else 5) // 10)
    @given(st.data(), drawing.pools(), st.booleans())
    def check(data: DataObject, pool: drawing.Pool, mostly_numbers: bool) -> None:
        rules = [data.draw(drawing.rules(rule_type, conditional, pool)) for conditional in ALLOWED[rule_type]]
        columns = dict.fromkeys(["currency_code", *(column_read(rule) or "" for rule in rules)])
        payments = data.draw(drawing.frames(tuple(columns), pool, mostly_numbers=mostly_numbers))

        compiled = payments.select(compile_rule(rule).alias(rule.conditional or "") for rule in rules)

        assert set(compiled.dtypes) == {pl.Boolean()}
        for rule, said in zip(rules, compiled.iter_columns(), strict=True):
            expected = [holds(rule, payment) for payment in payments.iter_rows(named=True)]
            assert said.to_list() == expected, rule
            answers[said.name].update(expected)

    check()

    # rules that are hardly ever true, or hardly ever false, would hold nothing against the code
    assert set(answers) == set(ALLOWED[rule_type])
    for conditional, counted in answers.items():
        assert min(counted[True], counted[False]) >= 0.05 * counted.total(), (conditional, counted)


def test_numbers_compare_as_the_reference_compares() -> None:
    orders: Counter[int] = Counter()

    @settings(max_examples=ALL)
    @given(st.data(), drawing.pools())
    def check(data: DataObject, pool: drawing.Pool) -> None:
        threshold = data.draw(drawing.numerals(pool))
        texts = data.draw(st.lists(drawing.metadata_cells(pool, mostly_numbers=True), min_size=3, max_size=20))

        answers = pl.DataFrame({"text": texts}, schema={"text": pl.String}).select(
            above=exceeds(pl.col("text"), threshold, or_equal=False),
            not_below=exceeds(pl.col("text"), threshold, or_equal=True),
        )

        wanted = number_of(threshold)
        assert wanted is not None
        for text, above, not_below in zip(texts, answers["above"], answers["not_below"], strict=True):
            number = None if text is None else number_of(text)
            if number is None:
                assert (above, not_below) == (None, None)
            else:
                order = compare(number, wanted)
                assert (above, not_below) == (order > 0, order >= 0)
                orders[order] += 1

    check()

    assert min(orders[-1], orders[0], orders[1]) >= 0.1 * orders.total(), orders


def test_only_equal_numbers_have_the_same_key() -> None:
    orders: Counter[int] = Counter()

    @given(st.data(), drawing.pools())
    def check(data: DataObject, pool: drawing.Pool) -> None:
        one, other = data.draw(drawing.numerals(pool)), data.draw(drawing.numerals(pool))
        first, second = number_of(one), number_of(other)
        assert first is not None
        assert second is not None

        order = compare(first, second)

        assert (key_of(one) == key_of(other)) == (order == 0)
        orders[order] += 1

    check()

    assert min(orders[0], orders[1] + orders[-1]) >= 0.1 * orders.total(), orders


def test_a_number_in_any_spelling_is_the_same_number() -> None:
    # of the drawing itself: what it spells is what it says it spells
    spelled: set[str] = set()

    @given(st.data(), drawing.pools())
    def check(data: DataObject, pool: drawing.Pool) -> None:
        number = data.draw(drawing.relatives(pool.numbers))
        text = data.draw(drawing.spellings(number))
        read = number_of(text)
        assert is_number(text)
        assert read is not None
        assert compare(read, number) == 0
        spelled.update(text)

    check()

    assert spelled == set("0123456789.+-eE")


@given(st.one_of(st.text(), st.text("0123456789.+-eE \n\uff11"), st.sampled_from(drawing.NOT_NUMBERS)))
@example("1\n")  # `$` would match before the line break
@example("\u0661")  # a digit, of another script
def test_what_is_a_number_is_one_question_with_one_answer(text: str) -> None:
    answer = pl.DataFrame({"text": [text]}).select(exceeds(pl.col("text"), "0", or_equal=True)).to_series()
    assert is_number(text) == (number_of(text) is not None) == (answer[0] is not None)


@given(st.data(), st.sampled_from(TARGETING), drawing.pools())
def test_every_rule_has_a_sentence_that_shows_what_it_compares_with(
    data: DataObject, rule_type: str, pool: drawing.Pool
) -> None:
    conditional = data.draw(st.sampled_from(ALLOWED[rule_type]))
    rule = data.draw(drawing.rules(rule_type, conditional, pool))
    assert rule.values is not None
    words = sentence(rule)
    assert all(value in words for value in rule.values)
    assert rule.metadata_key is None or rule.metadata_key in words


@given(st.data(), st.sampled_from(TARGETING), drawing.pools())
def test_a_rule_survives_the_way_out_and_in(data: DataObject, rule_type: str, pool: drawing.Pool) -> None:
    conditional = data.draw(st.sampled_from(ALLOWED[rule_type]))
    rule = data.draw(drawing.rules(rule_type, conditional, pool))
    assert type(rule).model_validate(rule.as_json()) == rule
    fewest, most = ARITY[conditional]
    extra = rule_type == "AMOUNT_AND_CURRENCY"
    assert fewest + extra <= len(rule.values or ()) <= (most or 3) + extra


@pytest.mark.parametrize(
    ("one", "other", "order"),
    [
        (Number(1, 0), Number(10, -1), 0),
        (Number(0, 5), Number(0, -5), 0),
        (Number(-1, 0), Number(0, 9), -1),
        (Number(2, 10**6), Number(3, 0), 1),
        (Number(-2, 10**6), Number(-3, 0), -1),
        (Number(9, -(10**6)), Number(1, 0), -1),
        (Number(12, 0), Number(119, -1), 1),
    ],
)
def test_the_reference_compares_as_one_learns_it_at_school(one: Number, other: Number, order: int) -> None:
    assert compare(one, other) == order
    assert compare(other, one) == -order
