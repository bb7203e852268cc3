"""Compiled rules: missing values, texts that are compared as they stand, and thresholds that no column could hold."""
# ruff: noqa: RUF001 - letters and digits that look like others are what this is about

from decimal import Decimal

import polars as pl
import pytest

from recovery_batch.money import AMOUNT
from recovery_batch.rules import CONDITIONALS, Rule, column_read, compile_rule, metadata_column
from tests.reference.rules import ALLOWED, ARITY, COLUMNS, COMPARISONS, TARGETING

LARGEST = "999999999999999999.999999"


def of_metadata(conditional: str, *values: str) -> Rule:
    return Rule(rule_type="METADATA", conditional=conditional, values=values, metadata_key="tier")


def of_amount(conditional: str, *values: str) -> Rule:
    return Rule(rule_type="AMOUNT", conditional=conditional, values=values)


def said_of_texts(rule: Rule, *texts: str | None) -> list[bool]:
    column = column_read(rule)
    assert column is not None
    return pl.DataFrame({column: texts}, schema={column: pl.String}).select(compile_rule(rule)).to_series().to_list()


def said_of_amounts(rule: Rule, *amounts: str) -> list[bool]:
    frame = pl.DataFrame({"amount_value": [Decimal(each) for each in amounts]}, schema={"amount_value": AMOUNT})
    return frame.select(compile_rule(rule)).to_series().to_list()


def any_rule(rule_type: str, conditional: str) -> Rule:
    values = ["5"] * (ARITY[conditional][0] + (rule_type == "AMOUNT_AND_CURRENCY"))
    key = "tier" if rule_type == "METADATA" else None
    return Rule(rule_type=rule_type, conditional=conditional, values=tuple(values), metadata_key=key)


@pytest.mark.parametrize(("rule_type", "conditional"), [(t, c) for t in TARGETING for c in ALLOWED[t]])
def test_a_rule_reads_its_column_and_no_other(rule_type: str, conditional: str) -> None:
    rule = any_rule(rule_type, conditional)
    column = COLUMNS.get(rule_type, "metadata.tier")
    assert column_read(rule) == column
    currency = {"currency_code"} if rule_type == "AMOUNT_AND_CURRENCY" else set()
    assert set(compile_rule(rule).meta.root_names()) == {column} | currency


@pytest.mark.parametrize("key", ["tier", "user id", "a.b", "metadata.", "ключ", "^.*$", "*", "{0}"])
def test_a_metadata_key_is_a_name_and_no_pattern(key: str) -> None:
    rule = Rule(rule_type="METADATA", conditional="EQUAL", values=("x",), metadata_key=key)
    assert column_read(rule) == metadata_column(key) == "metadata." + key
    frame = pl.DataFrame({"metadata.": ["no"], "metadata.tier": ["no"], "metadata." + key: ["x"]})
    assert frame.select(answer=compile_rule(rule))["answer"].to_list() == [True]


@pytest.mark.parametrize(
    "rule", [Rule(rule_type="UNIQUE_BY_USER"), Rule(rule_type="USER_COMMS_PER_DAY", values=("1",))]
)
def test_a_rate_limit_is_not_a_question_about_a_payment(rule: Rule) -> None:
    assert column_read(rule) is None
    with pytest.raises(ValueError, match=rule.rule_type):
        compile_rule(rule)


@pytest.mark.parametrize(
    ("rule_type", "conditional"), [(t, c) for t in TARGETING if not t.startswith("AMOUNT") for c in ALLOWED[t]]
)
def test_only_the_negations_hold_for_a_missing_value(rule_type: str, conditional: str) -> None:
    answers = said_of_texts(any_rule(rule_type, conditional), None, None)
    assert answers == [conditional in ("NOT_EQUAL", "NOT_ONE_OF")] * 2
    assert answers[0] == CONDITIONALS[conditional].when_missing


def test_an_empty_text_is_a_value() -> None:
    for conditional in ALLOWED["METADATA"]:
        answers = said_of_texts(any_rule("METADATA", conditional), "")
        assert answers == [conditional in ("NOT_EQUAL", "NOT_ONE_OF")]


@pytest.mark.parametrize("conditional", COMPARISONS)
@pytest.mark.parametrize("text", ["5 ", " 5", "5\n", "５", "5,0", "five", "", "nan", "inf", "0x5"])
def test_a_text_that_is_no_number_fails_every_comparison(conditional: str, text: str) -> None:
    wide = {"BETWEEN": ("-1e9", "1e9"), "LESS_THAN": ("1e9",), "LESS_THAN_OR_EQUAL": ("1e9",)}
    assert said_of_texts(of_metadata(conditional, *wide.get(conditional, ("-1e9",))), text, "5") == [False, True]


class TestTexts:
    def test_case_and_blanks_and_zeros_count(self) -> None:
        texts = ("05", "5", "5.0", " 5", "5 ", "5\n", "５")
        for text in texts:
            assert said_of_texts(of_metadata("EQUAL", text), *texts) == [each == text for each in texts]
        assert (
            said_of_texts(of_metadata("EQUAL", "gold"), "gold", "Gold", "GOLD", "gol", "golden") == [True] + [False] * 4
        )

    def test_letters_that_look_alike_are_not_equal(self) -> None:
        assert said_of_texts(of_metadata("EQUAL", "é"), "é", "e\u0301") == [True, False]

    def test_a_short_bin_does_not_equal_a_long_one(self) -> None:
        rule = Rule(rule_type="CARD_BIN", conditional="EQUAL", values=("411111",))
        assert said_of_texts(rule, "411111", "41111122", "4111") == [True, False, False]

    def test_a_value_is_no_pattern(self) -> None:
        for value in (".*", "a|b", "^a", "[a]", "(?i)a", "\\w", "a{1}", "(", "*", "+"):
            for conditional in ("EQUAL", "ONE_OF", "CONTAINS", "STARTS_WITH"):
                assert said_of_texts(of_metadata(conditional, value), value, "a", "b", "aa") == [True] + [False] * 3

    def test_contains_ignores_case_of_both_sides(self) -> None:
        texts = ("Golden", "GOLD", "marigold", "gol d", "silver")
        for value in ("gold", "GOLD", "Gold"):
            assert said_of_texts(of_metadata("CONTAINS", value), *texts) == [True, True, True, False, False]

    def test_contains_compares_what_lower_gives(self) -> None:
        # a final sigma is another letter than one in the middle; ß is not ss; İ is i and a dot
        for value, text in (
            ("σ", "ΑΣ"),
            ("ς", "ΑΣ"),
            ("ΑΣ", "ασε"),
            ("ss", "ß"),
            ("ẞ", "ß"),
            ("i", "İ"),
            ("İ", "i̇"),
            ("I", "ı"),
        ):
            expected = value.lower() in text.lower()
            assert said_of_texts(of_metadata("CONTAINS", value), text) == [expected], (value, text)

    def test_contains_takes_any_of_several(self) -> None:
        texts = ("xbx", "xcX", "x", "bc", "")
        assert said_of_texts(of_metadata("CONTAINS", "B", "c"), *texts) == [True, True, False, True, False]
        # one value inside another, and values that overlap in the text
        assert said_of_texts(of_metadata("CONTAINS", "abcd", "bc"), "abce", "bc", "abd") == [True, True, False]

    def test_starts_with_counts_case_and_place(self) -> None:
        rule = Rule(rule_type="CARD_BIN", conditional="STARTS_WITH", values=("4111", "55"))
        assert said_of_texts(rule, "411111", "4111", "411", "5512", "14111", None) == [
            True,
            True,
            False,
            True,
            False,
            False,
        ]
        assert said_of_texts(of_metadata("STARTS_WITH", "Ab"), "Abc", "abc", " Abc") == [True, False, False]


class TestAmounts:
    def test_equal_whatever_the_spelling(self) -> None:
        for text in ("50000", "50000.00", "5e4", "+5E+4", "0.5e5", "050000."):
            assert said_of_amounts(of_amount("EQUAL", text), "50000", "50000.000001") == [True, False]
            assert said_of_amounts(of_amount("NOT_EQUAL", text), "50000", "50000.000001") == [False, True]

    def test_exact_where_a_double_is_not(self) -> None:
        assert said_of_amounts(of_amount("EQUAL", "999999999999.99"), "999999999999.99", "999999999999.990016") == [
            True,
            False,
        ]
        assert said_of_amounts(of_amount("GREATER_THAN", "0.3"), "0.3", "0.300001") == [False, True]

    @pytest.mark.parametrize(
        ("conditional", "value", "answers"),
        [
            # between two amounts that a column can hold
            ("GREATER_THAN", "5.0000005", [False, False, True]),
            ("GREATER_THAN_OR_EQUAL", "5.0000005", [False, False, True]),
            ("LESS_THAN", "5.0000005", [True, True, False]),
            ("LESS_THAN_OR_EQUAL", "5.0000005", [True, True, False]),
            ("EQUAL", "5.0000005", [False, False, False]),
            ("NOT_EQUAL", "5.0000005", [True, True, True]),
            ("GREATER_THAN", "5", [False, False, True]),
            ("GREATER_THAN_OR_EQUAL", "5", [False, True, True]),
            ("LESS_THAN", "5", [True, False, False]),
            ("LESS_THAN_OR_EQUAL", "5", [True, True, False]),
            ("GREATER_THAN", "4.9999999999999999999999", [False, True, True]),
            ("LESS_THAN", "5.0000010000000000000001", [True, True, True]),
        ],
    )
    def test_a_threshold_of_more_digits_than_an_amount(self, conditional: str, value: str, answers: list[bool]) -> None:
        assert said_of_amounts(of_amount(conditional, value), "4.999999", "5", "5.000001") == answers

    @pytest.mark.parametrize("above", ["1e18", "1e999999999999999", "999999999999999999.9999991", "9" * 5000])
    def test_a_threshold_above_every_amount(self, above: str) -> None:
        for conditional, answer in (
            ("GREATER_THAN", False), ("GREATER_THAN_OR_EQUAL", False), ("LESS_THAN", True),
            ("LESS_THAN_OR_EQUAL", True), ("EQUAL", False), ("NOT_EQUAL", True),
        ):  # fmt: skip
            assert said_of_amounts(of_amount(conditional, above), "0", LARGEST) == [answer] * 2, conditional
        assert said_of_amounts(of_amount("BETWEEN", "1", above), "0.999999", "1", LARGEST) == [False, True, True]

    @pytest.mark.parametrize("below", ["-1", "-1e-999999999999999", "-1e999999999999999", "-0.0000001"])
    def test_a_threshold_below_every_amount(self, below: str) -> None:
        for conditional, answer in (
            ("GREATER_THAN", True), ("GREATER_THAN_OR_EQUAL", True), ("LESS_THAN", False),
            ("LESS_THAN_OR_EQUAL", False), ("EQUAL", False), ("NOT_EQUAL", True),
        ):  # fmt: skip
            assert said_of_amounts(of_amount(conditional, below), "0", LARGEST) == [answer] * 2, conditional
        assert said_of_amounts(of_amount("BETWEEN", below, "1"), "0", "1", "1.000001") == [True, True, False]
        assert said_of_amounts(of_amount("BETWEEN", below, below), "0", "1") == [False, False]

    @pytest.mark.parametrize("zero", ["0", "-0", "0.000", "0e-999999999999999", "-0E+999999999999999"])
    def test_zero_is_zero(self, zero: str) -> None:
        assert said_of_amounts(of_amount("EQUAL", zero), "0", "0.000001") == [True, False]
        assert said_of_amounts(of_amount("GREATER_THAN", zero), "0", "0.000001") == [False, True]
        assert said_of_amounts(of_amount("LESS_THAN_OR_EQUAL", zero), "0", "0.000001") == [True, False]

    def test_the_smallest_step_above_zero(self) -> None:
        tiny = "1e-999999999999999"
        assert said_of_amounts(of_amount("GREATER_THAN", tiny), "0", "0.000001") == [False, True]
        assert said_of_amounts(of_amount("GREATER_THAN_OR_EQUAL", tiny), "0", "0.000001") == [False, True]

    def test_between_takes_both_ends(self) -> None:
        amounts = ("9.999999", "10", "15", "20", "20.000001")
        assert said_of_amounts(of_amount("BETWEEN", "10", "20"), *amounts) == [False, True, True, True, False]

    def test_a_list_with_values_that_no_amount_can_be(self) -> None:
        assert said_of_amounts(of_amount("ONE_OF", "1e30", "5", "-5", "0.0000001"), "5", "0") == [True, False]
        assert said_of_amounts(of_amount("NOT_ONE_OF", "1e30", "-5"), "5", "0") == [True, True]

    @pytest.mark.parametrize(("conditional", "value"), [("EQUAL", "5"), ("NOT_EQUAL", "6"), ("LESS_THAN", "9")])
    def test_the_currency_is_equal_whatever_the_conditional(self, conditional: str, value: str) -> None:
        rule = Rule(rule_type="AMOUNT_AND_CURRENCY", conditional=conditional, values=(value, "COP"))
        frame = pl.DataFrame(
            {"amount_value": [Decimal(5)] * 3 + [Decimal(99)], "currency_code": ["COP", "cop", "USD", "USD"]},
            schema={"amount_value": AMOUNT, "currency_code": pl.String},
        )
        assert frame.select(compile_rule(rule)).to_series().to_list() == [True, False, False, False]


def test_a_frame_without_rows_has_no_answers() -> None:
    for conditional in ALLOWED["METADATA"]:
        assert said_of_texts(any_rule("METADATA", conditional)) == []
