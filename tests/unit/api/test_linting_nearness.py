"""What lint and explanations call close: one rule, one value that it failed on, and why it failed by a hair."""

import pytest

from recovery_batch.privacy import is_personal
from recovery_batch.rules import Rule
from recovery_batch.rules.nearness import near_miss_of, part_of, shown


def made(rule_type: str, conditional: str | None, *values: str, key: str | None = None) -> Rule:
    return Rule(rule_type=rule_type, conditional=conditional, values=values or None, metadata_key=key)


@pytest.mark.parametrize(
    ("rule", "seen", "words"),
    [
        (made("PROVIDER", "EQUAL", "stripe"), "STRIPE", "STRIPE differs from stripe in case only"),
        (made("RESPONSE_CODE", "ONE_OF", "14", "5"), "05", "05 differs from 5 in leading zeros"),
        (made("RESPONSE_CODE", "EQUAL", "00"), "0", "0 differs from 00 in leading zeros"),
        (made("PROVIDER", "EQUAL", "STRIPE"), "STRIPE ", "“STRIPE ” differs from STRIPE in blanks at the ends"),
        (
            made("PROVIDER", "EQUAL", "stripe"),
            " STRIPE",
            "“ STRIPE” differs from stripe in case and blanks at the ends",
        ),
        (made("CARD_BIN", "EQUAL", "411111"), "41111122", "41111122 starts with 411111"),
        (made("CARD_BIN", "IN", "41111122"), "411111", "41111122 starts with 411111"),
        (made("CARD_BIN", "STARTS_WITH", "41111122"), "411111", "41111122 starts with 411111"),
        (made("METADATA", "EQUAL", "5.0", key="k"), "5", "5 differs from 5.0 in how the same number is written"),
        (made("METADATA", "STARTS_WITH", "ab", key="k"), "ABC", "ABC would start with ab but for case"),
        (made("METADATA", "STARTS_WITH", "5", key="k"), "051", "051 would start with 5 but for leading zeros"),
        (
            made("METADATA", "CONTAINS", " gold", key="k"),
            "Golden",
            "Golden would contain “ gold” but for blanks at the ends",
        ),
        (made("METADATA", "BETWEEN", "1", "2", key="k"), "1,5", "“1,5” is not a number"),
    ],
)
def test_a_near_miss_is_said_in_plain_words(rule: Rule, seen: str, words: str) -> None:
    assert near_miss_of(rule, seen) == words


@pytest.mark.parametrize(
    ("rule", "seen"),
    [
        (made("PROVIDER", "EQUAL", "stripe"), None),
        (made("PROVIDER", "EQUAL", "stripe"), "KUSHKI"),
        (made("PROVIDER", "EQUAL", " "), "KUSHKI"),
        (made("PROVIDER", "NOT_EQUAL", "STRIPE"), "STRIPE"),
        (made("RESPONSE_CODE", "EQUAL", "05"), "51"),
        (made("RESPONSE_CODE", "EQUAL", "411111"), "41111122"),  # no card number: the length means something
        (made("CARD_BIN", "EQUAL", "4111"), "41111122"),
        (made("CARD_BIN", "STARTS_WITH", "5"), "411111"),
        (made("METADATA", "GREATER_THAN", "100", key="k"), "99"),
        (made("AMOUNT", "EQUAL", "100"), "99"),
        (made("AMOUNT_AND_CURRENCY", "EQUAL", "100", "COP"), "100 USD"),
        (made("UNIQUE_BY_USER", None), "u"),
        (made("USER_COMMS_PER_DAY", None, "1"), "u"),
    ],
)
def test_what_is_not_close_is_no_near_miss(rule: Rule, seen: str | None) -> None:
    assert near_miss_of(rule, seen) is None


def test_what_names_people_is_masked_in_a_near_miss() -> None:
    said = near_miss_of(made("METADATA", "EQUAL", "ana@example.com", key="contact"), "ANA@EXAMPLE.COM")
    assert said == "A•••@EXAMPLE.COM differs from a•••@example.com in case only"
    assert near_miss_of(made("METADATA", "EQUAL", "u-1", key="userId"), "U-1") == "U••• differs from u••• in case only"
    assert near_miss_of(made("METADATA", "LESS_THAN", "1", key="user_id"), "walter") == "w••• is not a number"


@pytest.mark.parametrize(
    "key", ["user_id", "userId", "USER-ID", "name", "customer_full_name_1", "e-mail", "teléfono", "nombre", "celular"]
)
def test_keys_that_name_people(key: str) -> None:
    assert is_personal(key)
    assert "walter" not in shown("walter", key)


@pytest.mark.parametrize("key", ["tier", "product_name", "user_segment", "email_opt_in"])
def test_keys_that_do_not(key: str) -> None:
    assert not is_personal(key)
    assert shown("walter", key) == "walter"


def test_rules_that_compare_numbers_have_no_texts_to_miss() -> None:
    assert part_of(made("METADATA", "LESS_THAN", "1", key="k")) is None
    assert part_of(made("AMOUNT", "EQUAL", "1")) is None
    assert part_of(made("UNIQUE_BY_USER", None)) is None
