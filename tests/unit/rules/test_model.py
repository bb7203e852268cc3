"""One rule: what is refused, where, with what code and what is said to be allowed."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import ValidationError

from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind, Rule
from tests.reference.drawing import BEYOND, NOT_NUMBERS
from tests.reference.rules import ALLOWED, COMPARISONS, EQUALITIES

Place = tuple[int | str, ...]
UUID = "e4c03f29-b0f6-403a-8814-9aee1a88d60e"
METADATA = {"rule_type": "METADATA", "metadata_key": "tier"}


def faults_of(given: object) -> dict[Place, str]:
    """What is refused of a rule, by its place."""
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate(given)
    return {error["loc"]: error["msg"] for error in caught.value.errors()}


def context_of(given: object, place: Place) -> dict[str, Any]:
    with pytest.raises(ValidationError) as caught:
        Rule.model_validate(given)
    return next(error["ctx"] for error in caught.value.errors() if error["loc"] == place)


class TestWhereNumbersAreNeeded:
    @pytest.mark.parametrize("conditional", COMPARISONS)
    @pytest.mark.parametrize("rule_type", ["AMOUNT", "AMOUNT_AND_CURRENCY", "METADATA"])
    def test_comparisons_take_no_other_text(self, rule_type: str, conditional: str) -> None:
        for text in filter(None, NOT_NUMBERS):
            values = ["1", text] if conditional == "BETWEEN" else [text]
            currency = ["COP"] if rule_type == "AMOUNT_AND_CURRENCY" else []
            key = "tier" if rule_type == "METADATA" else None
            given = {
                "rule_type": rule_type,
                "conditional": conditional,
                "values": [*values, *currency],
                "metadata_key": key,
            }
            assert faults_of(given) == {("values",): f"not a number: {json.dumps(text, ensure_ascii=False)}"}

    @pytest.mark.parametrize("conditional", EQUALITIES)
    @pytest.mark.parametrize("rule_type", ["AMOUNT", "AMOUNT_AND_CURRENCY"])
    def test_amounts_take_no_other_text_even_to_be_equal(self, rule_type: str, conditional: str) -> None:
        currency = ["COP"] if rule_type == "AMOUNT_AND_CURRENCY" else []
        given = {"rule_type": rule_type, "conditional": conditional, "values": ["1,5", *currency]}
        assert faults_of(given) == {("values",): 'not a number: "1,5"'}

    @pytest.mark.parametrize("conditional", [*EQUALITIES, "CONTAINS", "STARTS_WITH"])
    def test_metadata_takes_any_text_to_be_equal_to(self, conditional: str) -> None:
        given = {**METADATA, "conditional": conditional, "values": ["1,5"]}
        assert Rule.model_validate(given).values == ("1,5",)

    def test_a_currency_is_no_number(self) -> None:
        given = {"rule_type": "AMOUNT_AND_CURRENCY", "conditional": "EQUAL", "values": ["5", "COP"]}
        assert Rule.model_validate(given).values == ("5", "COP")

    def test_every_wrong_value_is_named_and_a_long_one_is_cut(self) -> None:
        given = {"rule_type": "AMOUNT", "conditional": "ONE_OF", "values": ["1", "x" * 1_000_000, "2", "y"]}
        message = faults_of(given)["values",]
        assert '"y"' in message
        assert "x" * 40 in message
        assert len(message) < 100

    @pytest.mark.parametrize("text", BEYOND)
    def test_an_exponent_that_is_too_long_is_refused(self, text: str) -> None:
        given = {**METADATA, "conditional": "GREATER_THAN", "values": [text]}
        assert "15 digits" in faults_of(given)["values",]

    @pytest.mark.parametrize(
        "text",
        ["50000", "0.5", ".5", "5.", "+5", "-5", "1e3", "1E-3", "0" * 9 + "1", "1e" + "0" * 5000 + "5", "9" * 5000],
    )
    def test_numbers_in_every_spelling_are_taken_as_they_are(self, text: str) -> None:
        given = {"rule_type": "AMOUNT", "conditional": "EQUAL", "values": [text]}
        assert Rule.model_validate(given).values == (text,)


class TestBetween:
    @pytest.mark.parametrize(
        ("low", "high"),
        [
            ("2", "1"),
            ("0.1", "0.09999999999999999999999"),
            ("1e2", "99.99"),
            ("10", "9"),
            ("-1", "-2"),
            ("1", "-1"),
            ("0", "-0.0000001"),
            ("-1e-9", "-1"),
            ("1e999999999999999", "9e999999999999998"),
            ("1e-999999999999998", "1e-999999999999999"),
        ],
    )
    def test_min_above_max_is_refused(self, low: str, high: str) -> None:
        for given in (
            {"rule_type": "AMOUNT", "values": [low, high]},
            {"rule_type": "AMOUNT_AND_CURRENCY", "values": [low, high, "COP"]},
            {**METADATA, "values": [low, high]},
        ):
            faults = faults_of({**given, "conditional": "BETWEEN"})
            assert faults == {("values",): "the first value of BETWEEN is above the second"}
        turned = Rule.model_validate({**METADATA, "conditional": "BETWEEN", "values": [high, low]})
        assert turned.values == (high, low)

    @pytest.mark.parametrize(
        ("low", "high"), [("1", "1"), ("1", "1.0"), ("1e2", "100"), ("-0", "0"), ("9", "10"), ("-2", "-1"), ("-1", "1")]
    )
    def test_min_may_equal_max_in_any_spelling(self, low: str, high: str) -> None:
        given = {"rule_type": "AMOUNT", "conditional": "BETWEEN", "values": [low, high]}
        assert Rule.model_validate(given).values == (low, high)

    def test_a_list_of_amounts_needs_no_order(self) -> None:
        given = {"rule_type": "AMOUNT", "conditional": "ONE_OF", "values": ["9", "1"]}
        assert Rule.model_validate(given).values == ("9", "1")


class TestMetadataKey:
    @pytest.mark.parametrize("key", [None, ""])
    def test_metadata_needs_one(self, key: str | None) -> None:
        given = {"rule_type": "METADATA", "conditional": "EQUAL", "values": ["x"], "metadata_key": key}
        assert faults_of(given) == {("metadata_key",): "METADATA needs a metadata_key"}
        del given["metadata_key"]
        assert faults_of(given) == {("metadata_key",): "METADATA needs a metadata_key"}

    @pytest.mark.parametrize("rule_type", [name for name in RULE_TYPES if name != "METADATA"])
    @pytest.mark.parametrize("key", ["tier", ""])
    def test_no_other_rule_takes_one(self, rule_type: str, key: str) -> None:
        given: dict[str, object] = {"rule_type": rule_type, "metadata_key": key}
        if ALLOWED[rule_type]:
            given |= {"conditional": "ONE_OF", "values": ["5", "5"]}
        elif rule_type == "USER_COMMS_PER_DAY":
            given |= {"values": ["1"]}
        assert faults_of(given) == {("metadata_key",): f"{rule_type} takes no metadata_key"}
        assert Rule.model_validate({**given, "metadata_key": None}).metadata_key is None

    @pytest.mark.parametrize("key", [5, True, ["tier"], {"a": 1}])
    def test_it_is_a_text(self, key: object) -> None:
        given = {"rule_type": "METADATA", "conditional": "EQUAL", "values": ["x"], "metadata_key": key}
        assert set(faults_of(given)) == {("metadata_key",)}


class TestValues:
    @pytest.mark.parametrize("value", [5, 5.0, True, None, ["5"], {"a": "5"}, b"5"])
    def test_each_is_a_text(self, value: object) -> None:
        given = {"rule_type": "AMOUNT", "conditional": "ONE_OF", "values": ["5", value, 6]}
        assert set(faults_of(given)) == {("values", 1), ("values", 2)}

    @pytest.mark.parametrize("values", ["COP", 5, True, {"COP": 1}, {"0": "COP"}])
    def test_they_are_an_array(self, values: object) -> None:
        given = {"rule_type": "CURRENCY", "conditional": "EQUAL", "values": values}
        assert set(faults_of(given)) == {("values",)}

    @pytest.mark.parametrize(
        ("rule_type", "conditional", "values"),
        [
            ("CURRENCY", "EQUAL", [""]),
            ("CATEGORY", "NOT_ONE_OF", ["x", ""]),
            ("METADATA", "CONTAINS", ["", "x"]),
            ("CARD_BIN", "STARTS_WITH", [""]),
            ("AMOUNT", "EQUAL", [""]),
            ("AMOUNT_AND_CURRENCY", "EQUAL", ["5", ""]),
            ("AMOUNT_AND_CURRENCY", "EQUAL", ["", "COP"]),
        ],
    )
    def test_none_is_empty(self, rule_type: str, conditional: str, values: list[str]) -> None:
        key = "tier" if rule_type == "METADATA" else None
        given = {"rule_type": rule_type, "conditional": conditional, "values": values, "metadata_key": key}
        assert faults_of(given) == {("values",): "an empty value"}

    def test_a_blank_is_a_value(self) -> None:
        given = {"rule_type": "CATEGORY", "conditional": "EQUAL", "values": [" "]}
        assert Rule.model_validate(given).values == (" ",)

    @pytest.mark.parametrize("given", [{"values": None}, {"values": []}, {}])
    @pytest.mark.parametrize("conditional", CONDITIONALS)
    def test_none_at_all_is_a_wrong_number(self, conditional: str, given: dict[str, object]) -> None:
        message = faults_of({**METADATA, "conditional": conditional, **given})["values",]
        assert message.endswith("not 0")

    @pytest.mark.parametrize("text", ["\ud800", "a\udfff", "\udc00\ud800"])
    def test_half_a_surrogate_pair_is_no_text(self, text: str) -> None:
        given = {"rule_type": "METADATA", "conditional": "EQUAL", "values": ["x", text], "metadata_key": text}
        faults = faults_of(given)
        assert set(faults) == {("values", 1), ("metadata_key",)}
        assert all(message.isprintable() for message in faults.values())


class TestRateLimits:
    @pytest.mark.parametrize("limit", ["1", "3", "03", "999999999"])
    def test_a_daily_limit_is_a_whole_number(self, limit: str) -> None:
        rule = Rule(rule_type="USER_COMMS_PER_DAY", values=(limit,))
        assert rule.values == (limit,)
        assert rule.is_rate_limit

    @pytest.mark.parametrize(
        "limit", ["0", "00", "-1", "+1", "1.0", "1e1", "", " 1", "1 ", "1\n", "x", "٣", "²", "1" * 10]
    )
    def test_a_daily_limit_is_nothing_else(self, limit: str) -> None:
        assert set(faults_of({"rule_type": "USER_COMMS_PER_DAY", "values": [limit]})) == {("values",)}

    @pytest.mark.parametrize("values", [None, [], ["1", "2"]])
    def test_a_daily_limit_is_one_value(self, values: object) -> None:
        message = faults_of({"rule_type": "USER_COMMS_PER_DAY", "values": values})["values",]
        assert message.startswith("USER_COMMS_PER_DAY takes 1 value, not")

    @pytest.mark.parametrize("values", [["1"], [""]])
    def test_once_a_user_takes_no_values(self, values: list[str]) -> None:
        faults = faults_of({"rule_type": "UNIQUE_BY_USER", "values": values})
        assert faults == {("values",): "UNIQUE_BY_USER takes no values"}

    def test_no_values_are_none(self) -> None:
        assert Rule(rule_type="UNIQUE_BY_USER", values=()).values is None

    def test_they_are_the_only_ones_of_their_kind(self) -> None:
        kinds = {name: entry.kind is Kind.RATE_LIMIT for name, entry in RULE_TYPES.items()}
        assert {name for name, limits in kinds.items() if limits} == {"USER_COMMS_PER_DAY", "UNIQUE_BY_USER"}
        assert not Rule(rule_type="CURRENCY", conditional="EQUAL", values=("COP",)).is_rate_limit


class TestConditional:
    @pytest.mark.parametrize("rule_type", [name for name in RULE_TYPES if ALLOWED[name]])
    def test_a_rule_about_a_payment_needs_one(self, rule_type: str) -> None:
        for given in ({}, {"conditional": None}):
            faults = faults_of({"rule_type": rule_type, "values": ["5"], **given})
            assert faults["conditional",] == f"{rule_type} needs a conditional"

    @pytest.mark.parametrize("word", ["equal", "EQUALS", " EQUAL", "EQUAL\n", "", "=="])
    def test_a_word_that_is_none_is_refused(self, word: str) -> None:
        given = {"rule_type": "CURRENCY", "conditional": word, "values": ["COP"]}
        assert faults_of(given) == {("conditional",): "unknown conditional"}
        assert context_of(given, ("conditional",))["allowed"] == ", ".join(EQUALITIES)

    @pytest.mark.parametrize("word", [5, ["EQUAL"], True])
    def test_it_is_a_text(self, word: object) -> None:
        given = {"rule_type": "CURRENCY", "conditional": word, "values": ["COP"]}
        assert set(faults_of(given)) == {("conditional",)}


class TestTheRest:
    @pytest.mark.parametrize("word", ["amount", "AMOUNTS", "", " AMOUNT", "RISK"])
    def test_a_rule_type_that_is_none_is_refused(self, word: str) -> None:
        given = {"rule_type": word, "conditional": "EQUAL", "values": ["5"]}
        assert faults_of(given) == {("rule_type",): "unknown rule_type"}
        assert context_of(given, ("rule_type",))["allowed"] == ", ".join(RULE_TYPES)

    def test_a_rule_type_is_mandatory(self) -> None:
        with pytest.raises(ValidationError) as caught:
            Rule.model_validate({})
        (error,) = caught.value.errors()
        assert (error["loc"], error["type"]) == (("rule_type",), "missing")

    @pytest.mark.parametrize("word", ["active", "PAUSED", "", 1, True])
    def test_a_status_that_is_none_is_refused(self, word: object) -> None:
        assert set(faults_of({"rule_type": "UNIQUE_BY_USER", "status": word})) == {("status",)}

    @pytest.mark.parametrize("given", [{}, {"status": None}, {"status": "ACTIVE"}])
    def test_a_rule_is_active_unless_it_says_otherwise(self, given: dict[str, object]) -> None:
        assert Rule.model_validate({"rule_type": "UNIQUE_BY_USER", **given}).is_active

    def test_an_inactive_rule_is_not_active(self) -> None:
        assert not Rule(rule_type="UNIQUE_BY_USER", status="INACTIVE").is_active

    @pytest.mark.parametrize("name", ["id", "campaign_id"])
    @pytest.mark.parametrize("text", ["", "abc", UUID[:-1], UUID + "\n", f"{{{UUID}}}", UUID.replace("-", "")])
    def test_a_malformed_uuid_is_a_bad_request(self, name: str, text: str) -> None:
        given = {"rule_type": "UNIQUE_BY_USER", name: text}
        assert set(faults_of(given)) == {(name,)}
        assert context_of(given, (name,))["code"] == 400

    @pytest.mark.parametrize("name", ["value", "Status", "rule-type", ""])
    def test_an_unknown_key_is_refused(self, name: str) -> None:
        assert set(faults_of({"rule_type": "UNIQUE_BY_USER", name: "x"})) == {(name,)}

    @pytest.mark.parametrize("given", [None, [], "UNIQUE_BY_USER", 5])
    def test_a_rule_is_an_object(self, given: object) -> None:
        assert set(faults_of(given)) == {()}

    def test_several_faults_at_once_are_all_listed(self) -> None:
        given = {
            "id": "x",
            "rule_type": "METADATA",
            "conditional": "GREATER_THAN",
            "values": ["many"],
            "status": "ON",
            "created_at": "yesterday",
            "colour": "red",
        }
        wrong = {"id", "values", "metadata_key", "status", "created_at", "colour"}
        assert set(faults_of(given)) == {(name,) for name in wrong}

    def test_faults_beside_an_unknown_rule_type_are_listed_too(self) -> None:
        given = {"rule_type": "RISK", "conditional": "MORE", "values": [5], "metadata_key": 5, "status": "ON"}
        assert set(faults_of(given)) == {
            ("rule_type",),
            ("conditional",),
            ("values", 0),
            ("metadata_key",),
            ("status",),
        }

    def test_a_rule_cannot_be_changed(self) -> None:
        rule = Rule(rule_type="UNIQUE_BY_USER")
        with pytest.raises(ValidationError, match="frozen"):
            rule.status = "INACTIVE"  # type: ignore[misc]

    def test_the_way_out_and_in_changes_nothing(self) -> None:
        rule = Rule(
            id=UUID,
            campaign_id=UUID,
            rule_type="METADATA",
            conditional="ONE_OF",
            values=("a", "\n", "é"),
            metadata_key="user id",
            status="INACTIVE",
            created_at=datetime(2026, 3, 1, 4, 5, 6, 7, tzinfo=UTC),
        )
        shape = json.loads(json.dumps(rule.as_json()))
        assert shape == {
            "id": UUID,
            "campaign_id": UUID,
            "rule_type": "METADATA",
            "conditional": "ONE_OF",
            "values": ["a", "\n", "é"],
            "metadata_key": "user id",
            "status": "INACTIVE",
            "created_at": "2026-03-01T04:05:06.000007Z",
            "updated_at": None,
        }
        assert Rule.model_validate(shape) == rule
