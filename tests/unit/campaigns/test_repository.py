"""Campaigns in the store: what an import creates, updates and leaves alone, and that it does all of it or nothing."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from recovery_batch.campaigns import Campaign, all_campaigns, get_campaign, import_campaigns, list_campaigns
from recovery_batch.campaigns import parse_campaigns as parse
from recovery_batch.errors import NotFound, ProblemsFound
from recovery_batch.store import Store
from tests.e2e.exports import campaign

NOW = datetime(2026, 9, 1, 12, tzinfo=UTC)
LATER = NOW + timedelta(days=1)
A, B, C = (f"0f5b6c1a-1d7e-4a55-9a10-0000000000{letter * 2}" for letter in "abc")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.duckdb", write=True) as opened:
        yield opened


def made(*documents: dict[str, Any]) -> tuple[Campaign, ...]:
    return parse(json.dumps(documents))


def change(store: Store, *documents: dict[str, Any], now: datetime = NOW) -> list[str]:
    return [each.change for each in import_campaigns(store, made(*documents), now)]


def names(store: Store) -> dict[str, str]:
    found = all_campaigns(store)
    assert len({each.id for each in found}) == len(found)
    return {each.identity[-1]: each.name for each in found}


def test_what_has_no_times_gets_those_of_the_import(store: Store) -> None:
    bare = {key: value for key, value in campaign().items() if key != "created_at"}
    assert (
        change(store, bare | {"id": A}, bare | {"id": B, "name": "two", "created_at": "2026-01-01"}) == ["created"] * 2
    )
    two, one = all_campaigns(store)  # oldest first
    assert (one.created_at, one.updated_at) == (NOW, NOW)
    assert (two.created_at, two.updated_at) == (datetime(2026, 1, 1, tzinfo=UTC), NOW)
    assert {(rule.created_at, rule.updated_at) for rule in one.rules} == {(NOW, NOW)}
    assert {(rule.created_at, rule.updated_at) for rule in two.rules} == {(two.created_at, NOW)}
    assert [rule.campaign_id for rule in one.rules] == [A]


def test_the_same_again_is_unchanged_and_a_change_keeps_the_creation(store: Store) -> None:
    bare = {key: value for key, value in campaign(id=A).items() if key != "created_at"}
    change(store, bare)
    before = all_campaigns(store)
    assert change(store, bare, now=LATER) == ["unchanged"]
    assert all_campaigns(store) == before
    more = [*bare["rules"], {"rule_type": "UNIQUE_BY_USER"}]
    assert change(store, bare | {"rules": more}, now=LATER) == ["updated"]
    (one,) = all_campaigns(store)
    assert (one.created_at, one.updated_at) == (NOW, LATER)
    assert [(rule.rule_type, rule.created_at) for rule in one.rules] == [
        ("PAYMENT_STATUS", NOW),
        ("UNIQUE_BY_USER", LATER),
    ]
    assert change(store, bare | {"rules": []}, now=LATER) == ["updated"]
    assert all_campaigns(store)[0].rules == ()


def test_rules_keep_their_order_and_their_values(store: Store) -> None:
    rules: list[dict[str, Any]] = [
        {"rule_type": "RESPONSE_CODE", "conditional": "ONE_OF", "values": ["51", "05", "é"]},
        {"rule_type": "METADATA", "metadata_key": "k", "conditional": "EQUAL", "values": ["1"], "status": "INACTIVE"},
        {"rule_type": "USER_COMMS_PER_DAY", "values": ["2"]},
        {"rule_type": "UNIQUE_BY_USER"},
    ]
    change(store, campaign(id=A, rules=rules))
    (one,) = all_campaigns(store)
    shown = [
        {key: value for key, value in rule.as_json().items() if key in ("rule_type", "values")} for rule in one.rules
    ]
    assert shown == [{"rule_type": rule["rule_type"], "values": rule.get("values")} for rule in rules]
    assert [rule.status for rule in one.rules] == ["ACTIVE", "INACTIVE", "ACTIVE", "ACTIVE"]
    assert one == made(one.as_json())[0]


def test_a_campaign_is_the_stored_one_with_its_id_else_with_its_name(store: Store) -> None:
    change(store, campaign(id=A, name="one"))
    assert change(store, campaign(id=A.upper(), name="renamed")) == ["updated"]
    assert names(store) == {"a": "renamed"}
    assert change(store, campaign(id=None, name="renamed", focus="x")) == ["updated"]
    assert names(store) == {"a": "renamed"}
    other = campaign(id=None, name="renamed", organization_code="5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b002")
    assert change(store, other) == ["created"]
    assert len(all_campaigns(store)) == 2


def test_two_of_a_file_never_become_one(store: Store) -> None:
    change(store, campaign(id=A, name="one"))
    # B has the name of A, and A itself is in the file under a new name
    assert change(store, campaign(id=B, name="one"), campaign(id=A, name="two")) == ["created", "updated"]
    assert names(store) == {"a": "two", "b": "one"}
    with pytest.raises(ProblemsFound, match="the campaign 'one' stands twice") as caught:
        change(store, campaign(id=None, name="one"), campaign(id=None, name="one"))
    assert caught.value.problems[0].allowed == f"once, as {B}"
    assert names(store) == {"a": "two", "b": "one"}


def test_an_id_that_a_file_gives_is_kept_whatever_the_name(store: Store) -> None:
    change(store, campaign(id=A, name="one"))
    assert change(store, campaign(id=C, name="one")) == ["created"]
    assert {each.id for each in all_campaigns(store)} == {A, C}


@pytest.mark.parametrize("status", ["COMPLETED", "CANCELLED"])
def test_a_final_status_stays_and_then_nothing_is_imported(store: Store, status: str) -> None:
    change(store, campaign(id=A, name="one", status=status))
    with pytest.raises(ProblemsFound, match="invalid status transition") as caught:
        change(store, campaign(id=A, name="one"), campaign(id=B, name="two"))
    assert caught.value.as_json()["code"] == 422
    assert caught.value.problems[0].allowed == f"{status}, which is final"
    assert names(store) == {"a": "one"}
    assert change(store, campaign(id=A, name="one", status=status, focus="x")) == ["updated"]


def test_an_import_that_fails_in_the_middle_changes_nothing(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    change(store, campaign(id=A, name="one"))
    before = all_campaigns(store)
    append = Store.append

    def fail(self: Store, query: str, rows: Any) -> None:
        if query == "campaigns/append_rules":
            raise RuntimeError("the disk is full")
        append(self, query, rows)

    monkeypatch.setattr(Store, "append", fail)
    with pytest.raises(RuntimeError):
        change(store, campaign(id=A, name="renamed"), campaign(id=B, name="two"))
    assert all_campaigns(store) == before


def test_get_finds_by_id_whatever_its_case(store: Store) -> None:
    change(store, campaign(id=A), campaign(id=B, name="two"))
    assert get_campaign(store, A.upper()).id == A
    with pytest.raises(NotFound, match=f"no campaign {C}"):
        get_campaign(store, C)
    with pytest.raises(ProblemsFound):
        get_campaign(store, "x")


def test_list_gives_pages_in_the_order_of_creation(store: Store) -> None:
    days = [f"2026-01-0{n}" for n in (3, 1, 2)]
    change(store, *(campaign(id=i, name=i, created_at=d) for i, d in zip((A, B, C), days, strict=True)))

    def ids(**options: Any) -> tuple[list[str], int]:
        page, total = list_campaigns(store, **{"limit": 10, "offset": 0} | options)
        return [each.identity for each in page], total

    assert ids() == ([B, C, A], 3)
    assert ids(limit=1, offset=1) == ([C], 3)
    assert ids(offset=3) == ([], 3)
    second = datetime(2026, 1, 2, tzinfo=UTC)
    assert ids(start=second) == ([C, A], 2)
    assert ids(end=second) == ([B], 1)


def test_nothing_to_import_is_nothing(store: Store) -> None:
    assert import_campaigns(store, (), NOW) == []
    assert all_campaigns(store) == ()
