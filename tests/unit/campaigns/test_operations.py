"""The operations of SPEC 2.1 that change something: what they store, what they refuse, and the history they leave."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from recovery_batch import assets
from recovery_batch.campaigns import (
    campaign_at,
    campaign_file_schema,
    campaign_history,
    create_campaign,
    create_rules,
    get_campaign,
    get_rule,
    import_campaigns,
    parse_campaigns,
    read_document,
    update_campaign_status,
    update_rule,
    update_rule_status,
)
from recovery_batch.campaigns.differences import differences
from recovery_batch.errors import NotFound, Problem, ProblemsFound
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind
from recovery_batch.rules.catalogue import allowed_conditionals
from recovery_batch.store import Store
from tests.unit.campaigns.bodies import BODY, NOBODY

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(hours=1)
LAST = NOW + timedelta(hours=2)
CAMPAIGNS = assets.path("fixtures").joinpath("campaigns")
AMOUNT = {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["50000"]}
KEYED = {"metadata_key": "tier"}


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "s.duckdb", write=True) as opened:
        yield opened


def refused(error: pytest.ExceptionInfo[ProblemsFound]) -> list[tuple[str, int]]:
    return [(problem.place, problem.code) for problem in error.value.problems]


def problems_of(document: dict[str, Any]) -> tuple[Problem, ...]:
    try:
        parse_campaigns(json.dumps(document))
    except ProblemsFound as error:
        return error.problems
    return ()


def rule_of(name: str, conditional: str | None, count: int | None = None) -> dict[str, Any]:
    """A rule with as many values as its conditional takes, or so many."""
    rule_type = RULE_TYPES[name]
    number = rule_type.kind in (Kind.AMOUNT, Kind.AMOUNT_AND_CURRENCY)
    fewest = CONDITIONALS[conditional].arity(rule_type.kind)[0] if conditional else 0
    amount = fewest if count is None else count
    values = [str(n + 1) for n in range(amount)] if number or conditional else []
    if rule_type.daily_limit and count is None:
        values = ["1"]
    return {
        "rule_type": name,
        "values": values or None,
        "conditional": conditional,
        **(KEYED if rule_type.kind is Kind.METADATA else {}),
    }


def test_a_campaign_is_created_with_its_rules(store: Store) -> None:
    made = create_campaign(store, {**BODY, "rules": [AMOUNT]}, NOW)
    assert made == get_campaign(store, made.identity)
    assert made.status == "ACTIVE"
    assert made.created_at == made.updated_at == NOW
    assert made.rules[0].created_at == NOW
    assert made.rules[0].campaign_id == made.id
    assert parse_campaigns('{"data": ' + made.model_dump_json() + "}") == (made,)


def test_a_campaign_is_created_once(store: Store) -> None:
    made = create_campaign(store, BODY, NOW)
    with pytest.raises(ProblemsFound, match="stored already") as caught:
        create_campaign(store, BODY, LATER)
    assert refused(caught) == [("/id", 422)]
    another = create_campaign(store, {**BODY, "id": NOBODY}, LATER)
    assert {made.identity, another.identity} == {made.identity, NOBODY}


@pytest.mark.parametrize(
    ("change", "place", "code"),
    [
        ({"name": None}, "/name", 422),
        ({"name": " "}, "/name", 422),
        ({"account_id": "42"}, "/account_id", 400),
        ({"id": "e4c03f29b0f6403a88149aee1a88d60e"}, "/id", 400),
        ({"country": "Colombia"}, "/country", 422),
        ({"channel": "SMS"}, "/channel", 422),
        ({"status": "DONE"}, "/status", 422),
        ({"colour": "red"}, "/colour", 422),
        ({"schedule": {**BODY["schedule"], "daily_start_time": "8:00"}}, "/schedule/daily_start_time", 422),
        ({"schedule": {**BODY["schedule"], "daily_end_time": "08:00"}}, "/schedule/daily_end_time", 422),
        ({"schedule": {**BODY["schedule"], "time_zone": "Bogota"}}, "/schedule/time_zone", 422),
        ({"duration": {"start_at": "2026-09-02", "end_at": "2026-09-02"}}, "/duration/end_at", 422),
        ({"duration": {"start_at": "soon", "end_at": "2026-09-02"}}, "/duration/start_at", 422),
        ({"rules": [{"rule_type": "AGE"}]}, "/rules/0/rule_type", 422),
    ],
)
def test_a_campaign_is_refused_with_the_place(store: Store, change: dict[str, Any], place: str, code: int) -> None:
    with pytest.raises(ProblemsFound) as caught:
        create_campaign(store, {**BODY, **change}, NOW)
    assert (place, code) in refused(caught)
    assert all(problem.allowed and problem.message for problem in caught.value.problems)
    assert caught.value.as_json()["code"] == code


@pytest.mark.parametrize("field", sorted(BODY))
def test_a_missing_field_is_named(store: Store, field: str) -> None:
    with pytest.raises(ProblemsFound, match=f"{field} is missing") as caught:
        create_campaign(store, {name: value for name, value in BODY.items() if name != field}, NOW)
    assert refused(caught) == [(f"/{field}", 400)]


@pytest.mark.parametrize("body", [None, [], "x", 5, {}])
def test_a_body_that_is_no_campaign_is_refused(store: Store, body: Any) -> None:
    with pytest.raises(ProblemsFound):
        create_campaign(store, body, NOW)


def test_a_status_changes_and_what_is_final_stays(store: Store) -> None:
    made = create_campaign(store, BODY, NOW)
    paused = update_campaign_status(store, made.identity.upper(), "PAUSED", LATER)
    assert (paused.status, paused.created_at, paused.updated_at) == ("PAUSED", NOW, LATER)
    assert update_campaign_status(store, made.identity, "PAUSED", LAST) == paused
    done = update_campaign_status(store, made.identity, "COMPLETED", LAST)
    for status in ("ACTIVE", "PAUSED", "CANCELLED"):
        with pytest.raises(ProblemsFound, match="invalid status transition") as caught:
            update_campaign_status(store, made.identity, status, LAST)
        assert refused(caught) == [("/status", 422)]
    assert get_campaign(store, made.identity) == done


def test_an_unknown_status_and_unknown_ids_are_refused(store: Store) -> None:
    made = create_campaign(store, {**BODY, "rules": [AMOUNT]}, NOW)
    rule = made.rules[0].id or ""
    with pytest.raises(ProblemsFound, match="allowed: ACTIVE, PAUSED, COMPLETED, CANCELLED"):
        update_campaign_status(store, made.identity, "active", NOW)
    with pytest.raises(ProblemsFound, match="allowed: ACTIVE, INACTIVE"):
        update_rule_status(store, made.identity, rule, "PAUSED", NOW)
    for call in (
        lambda: update_campaign_status(store, NOBODY, "PAUSED", NOW),
        lambda: create_rules(store, NOBODY, AMOUNT, NOW),
        lambda: get_rule(store, made.identity, NOBODY),
        lambda: update_rule(store, made.identity, NOBODY, {}, NOW),
        lambda: update_rule_status(store, NOBODY, rule, "INACTIVE", NOW),
    ):
        with pytest.raises(NotFound):
            call()
    for malformed in ("", "1", made.identity + "0", "g" * 36):
        with pytest.raises(ProblemsFound) as caught:
            get_rule(store, made.identity, malformed)
        assert caught.value.as_json()["code"] == 400


@pytest.mark.parametrize("wrap", [lambda rules: {"rules": rules}, lambda rules: rules])
def test_rules_are_created_all_or_none(store: Store, wrap: Any) -> None:
    made = create_campaign(store, BODY, NOW)
    bad = {"rule_type": "AMOUNT", "conditional": "BETWEEN", "values": ["9", "1"]}
    with pytest.raises(ProblemsFound, match="above the second") as caught:
        create_rules(store, made.identity, wrap([AMOUNT, bad]), LATER)
    assert refused(caught) == [("/rules/1/values", 422)]
    assert get_campaign(store, made.identity) == made
    rules = create_rules(store, made.identity, wrap([AMOUNT, AMOUNT]), LATER)
    assert len({rule.id for rule in rules}) == 2
    stored = get_campaign(store, made.identity)
    assert stored.rules == rules
    assert (stored.created_at, stored.updated_at) == (NOW, LATER)
    assert create_rules(store, made.identity, AMOUNT, LAST)[0].id not in {rule.id for rule in rules}


@pytest.mark.parametrize(
    "body", [{}, [], {"rules": []}, {"rules": AMOUNT}, {"rules": [AMOUNT], "more": 1}, None, "x", [5]]
)
def test_a_body_without_rules_is_refused(store: Store, body: Any) -> None:
    made = create_campaign(store, BODY, NOW)
    with pytest.raises(ProblemsFound):
        create_rules(store, made.identity, body, NOW)
    assert get_campaign(store, made.identity) == made


@pytest.mark.parametrize("name", RULE_TYPES)
@pytest.mark.parametrize("conditional", [None, *CONDITIONALS])
def test_every_rule_type_takes_its_conditionals_and_no_other(name: str, conditional: str | None) -> None:
    """The whole matrix; the schema for editors says the same."""
    rule_type = RULE_TYPES[name]
    names = allowed_conditionals(rule_type)
    is_allowed = conditional in names if names else conditional is None
    body = rule_of(name, conditional)
    document = {**BODY, "rules": [body]}
    assert Draft202012Validator(campaign_file_schema()).is_valid(document) == is_allowed
    places = {each.place: each for each in problems_of(document)}
    assert is_allowed == (not places)
    if not is_allowed:
        problem = places["/rules/0/conditional"]
        assert (problem.code, problem.allowed) == (422, ", ".join(names) or "no conditional")


@pytest.mark.parametrize("name", RULE_TYPES)
@pytest.mark.parametrize("conditional", CONDITIONALS)
@pytest.mark.parametrize("count", [0, 1, 2, 3, 4])
def test_every_conditional_takes_its_number_of_values(name: str, conditional: str, count: int) -> None:
    if conditional not in allowed_conditionals(RULE_TYPES[name]):
        return
    fewest, most = CONDITIONALS[conditional].arity(RULE_TYPES[name].kind)
    is_allowed = fewest <= count and (most is None or count <= most)
    document = {**BODY, "rules": [rule_of(name, conditional, count)]}
    assert Draft202012Validator(campaign_file_schema()).is_valid(document) == is_allowed
    found = [(each.place, each.code) for each in problems_of(document)]
    assert found == ([] if is_allowed else [("/rules/0/values", 422)])


@pytest.mark.parametrize(
    ("body", "place", "code"),
    [
        ({"conditional": "EQUAL", "values": ["1"]}, "/rule_type", 400),
        ({**AMOUNT, "values": ["many"]}, "/values", 422),
        ({**AMOUNT, "values": [50000]}, "/values/0", 422),
        ({**AMOUNT, "values": "50000"}, "/values", 422),
        ({**AMOUNT, "values": [""]}, "/values", 422),
        ({**AMOUNT, "metadata_key": "tier"}, "/metadata_key", 422),
        ({"rule_type": "METADATA", "conditional": "EQUAL", "values": ["x"]}, "/metadata_key", 422),
        ({"rule_type": "METADATA", "conditional": "EQUAL", "values": ["x"], "metadata_key": ""}, "/metadata_key", 422),
        ({"rule_type": "USER_COMMS_PER_DAY", "values": ["0"]}, "/values", 422),
        ({"rule_type": "USER_COMMS_PER_DAY", "values": ["1.5"]}, "/values", 422),
        ({"rule_type": "UNIQUE_BY_USER", "values": ["1"]}, "/values", 422),
        ({**AMOUNT, "status": "PAUSED"}, "/status", 422),
        ({**AMOUNT, "priority": 1}, "/priority", 422),
        ({**AMOUNT, "id": "7"}, "/id", 400),
    ],
)
def test_a_rule_is_refused_with_the_place(store: Store, body: dict[str, Any], place: str, code: int) -> None:
    made = create_campaign(store, BODY, NOW)
    with pytest.raises(ProblemsFound) as caught:
        create_rules(store, made.identity, body, NOW)
    assert (f"/rules/0{place}", code) in refused(caught)


def test_an_update_is_merged_and_then_validated_whole(store: Store) -> None:
    made = create_campaign(store, {**BODY, "rules": [AMOUNT]}, NOW)
    rule = made.rules[0]
    assert rule.id
    changed = update_rule(store, made.identity, rule.id, {"values": ["60000"], "conditional": None}, LATER)
    assert (changed.values, changed.conditional) == (("60000",), "GREATER_THAN")
    assert (changed.created_at, changed.updated_at) == (NOW, LATER)
    assert get_rule(store, made.identity, rule.id) == changed
    assert get_campaign(store, made.identity).updated_at == LATER
    assert update_rule(store, made.identity, rule.id, changed.as_json(), LAST) == changed
    with pytest.raises(ProblemsFound) as caught:
        update_rule(store, made.identity, rule.id, {"rule_type": "PROVIDER"}, LAST)
    assert refused(caught) == [("/conditional", 422)]
    with pytest.raises(ProblemsFound) as caught:
        update_rule(store, made.identity, rule.id, {"conditional": "BETWEEN"}, LAST)
    assert refused(caught) == [("/values", 422)]
    for body, place in (({"id": NOBODY}, "/id"), ({"campaign_id": NOBODY}, "/campaign_id"), ({"colour": 1}, "/colour")):
        with pytest.raises(ProblemsFound) as caught:
            update_rule(store, made.identity, rule.id, body, LAST)
        assert refused(caught) == [(place, 422)]
    with pytest.raises(ProblemsFound):
        update_rule(store, made.identity, rule.id, [], LAST)
    assert get_rule(store, made.identity, rule.id) == changed


def test_a_rule_can_be_switched_off(store: Store) -> None:
    made = create_campaign(store, {**BODY, "rules": [AMOUNT]}, NOW)
    rule = made.rules[0].id or ""
    assert update_rule_status(store, made.identity, rule, "INACTIVE", LATER).status == "INACTIVE"
    assert get_campaign(store, made.identity).active_rules == ()


def test_every_change_is_kept(store: Store) -> None:
    made = create_campaign(store, BODY, NOW)
    (rule,) = create_rules(store, made.identity, AMOUNT, LATER)
    update_rule_status(store, made.identity, rule.id or "", "INACTIVE", LAST)
    update_rule_status(store, made.identity, rule.id or "", "INACTIVE", LAST)  # which changes nothing
    import_campaigns(store, parse_campaigns(get_campaign(store, made.identity).model_dump_json()), LAST)
    versions = campaign_history(store, made.identity.upper())
    assert [(each.changed_at, each.change) for each in versions] == [
        (NOW, "created"),
        (LATER, "rule created"),
        (LAST, "rule status ACTIVE to INACTIVE"),
    ]
    assert campaign_at(store, made.identity, NOW) == made
    assert campaign_at(store, made.identity, LAST - timedelta(seconds=1)).rules == (rule,)
    assert campaign_at(store, made.identity, LAST) == get_campaign(store, made.identity)
    with pytest.raises(NotFound, match="2026-08-31"):
        campaign_at(store, made.identity, NOW - timedelta(days=1))


def test_a_campaign_from_before_histories_is_what_it_is_since_its_last_change(store: Store) -> None:
    made = create_campaign(store, BODY, NOW)
    store._connection.execute("DELETE FROM campaign_history")
    assert campaign_at(store, made.identity, LATER) == made
    with pytest.raises(NotFound):
        campaign_at(store, made.identity, NOW - timedelta(seconds=1))


def test_a_dry_run_says_what_would_change_and_changes_nothing(store: Store) -> None:
    made = create_campaign(store, {**BODY, "rules": [AMOUNT]}, NOW)
    body = {**BODY, "focus": "carts", "rules": [{**AMOUNT, "values": ["1"]}]}
    (result,) = import_campaigns(store, parse_campaigns(json.dumps(body)), LATER, dry_run=True)
    assert result.change == "updated"
    assert [(each.field, each.before, each.after) for each in differences(result.before, result.campaign)] == [
        ("focus", None, "carts"),
        ("rule", "amount is above 50000", None),
        ("rule", None, "amount is above 1"),
    ]
    assert get_campaign(store, made.identity) == made
    assert len(campaign_history(store, made.identity)) == 1


@pytest.mark.parametrize("path", sorted(CAMPAIGNS.glob("recovery.*")), ids=lambda path: path.name)
def test_the_example_files_are_as_the_schema_says(path: Path) -> None:
    document = read_document(path.read_text(encoding="utf-8"), source=path.name, is_yaml=path.suffix == ".yaml")
    Draft202012Validator(campaign_file_schema()).validate(document)
