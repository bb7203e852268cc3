"""The suppression list in the store: what is one entry, and what it is read from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from recovery_batch.errors import BadRequest, ExportUnreadable, NotFound, Problem
from recovery_batch.outreach.opt_out_files import import_opt_outs
from recovery_batch.outreach.opt_outs import (
    FIELDS,
    OptOut,
    add_opt_outs,
    list_opt_outs,
    read_opt_outs,
    remove_opt_out,
    unknown_organizations,
)
from recovery_batch.phones import WrittenPhone
from recovery_batch.store import Store

NOW = datetime(2026, 10, 1, tzinfo=UTC)
LATER = datetime(2026, 10, 2, tzinfo=UTC)
CAMPAIGN = "0f5b6c1a-1d7e-4a55-9a10-0000000000a1"
OWNER = "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b001"
PHONE = WrittenPhone("573101234567", True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.duckdb", write=True) as opened:
        yield opened


def opt_out(
    phone: WrittenPhone | None = PHONE,
    user_id: str | None = None,
    organization_code: str | None = None,
    campaign_id: str | None = None,
    source: str | None = None,
    added_at: datetime = NOW,
) -> OptOut:
    return OptOut(phone, user_id, organization_code, campaign_id, source, added_at)


def read(**fields: str | None) -> tuple[list[OptOut], list[Problem]]:
    problems: list[Problem] = []
    return read_opt_outs(fields, {CAMPAIGN: OWNER}, NOW, problems), problems


def test_what_says_the_same_is_one_entry(store: Store) -> None:
    ((change, identity),) = add_opt_outs(store, [opt_out()])
    assert change == "added"
    assert re.fullmatch("[0-9a-f]{16}", identity)
    assert add_opt_outs(store, [opt_out(source="letter", added_at=LATER)]) == [("already there", identity)]
    others = [
        opt_out(WrittenPhone(PHONE.digits, False)),
        opt_out(None, "573101234567"),
        opt_out(organization_code="o"),
        opt_out(campaign_id=CAMPAIGN),
        opt_out(organization_code=CAMPAIGN),
    ]
    outcomes = add_opt_outs(store, [*others, *others])
    assert [change for change, _ in outcomes] == ["added"] * 5 + ["already there"] * 5
    assert outcomes[0][1] == outcomes[5][1]
    assert len({each for _, each in outcomes}) == 5
    assert list_opt_outs(store, limit=1, offset=0)[1] == 6
    assert add_opt_outs(store, []) == []


def test_an_id_says_nothing_of_the_number(store: Store, tmp_path: Path) -> None:
    with Store.open(tmp_path / "other.duckdb", write=True) as other:
        assert add_opt_outs(store, [opt_out()]) != add_opt_outs(other, [opt_out()])


def test_an_entry_that_is_removed_is_gone(store: Store) -> None:
    (_, gone), (_, kept) = add_opt_outs(store, [opt_out(), opt_out(None, "u1")])
    assert remove_opt_out(store, gone)["phone"] == PHONE.digits
    assert list_opt_outs(store, limit=9, offset=0)[0]["opt_out_id"].to_list() == [kept]
    with pytest.raises(NotFound):
        remove_opt_out(store, gone)
    with pytest.raises(BadRequest) as refused:
        remove_opt_out(store, "3101234567")
    assert "310" not in str(refused.value)


def test_the_newest_entries_stand_first(store: Store) -> None:
    add_opt_outs(store, [opt_out(), opt_out(None, "u1", added_at=LATER)])
    assert list_opt_outs(store, limit=2, offset=0)[0]["user_id"].to_list() == ["u1", None]


def test_fields_are_read() -> None:
    fields = {"phone": " 310 123 4567 ", "country": "co", "organization_code": " ", "source": "letter"}
    assert read(**fields) == ([opt_out(source="letter")], [])
    assert read(user_id="u1", campaign_id=CAMPAIGN.upper(), added_at="2026-10-02") == (
        [opt_out(None, "u1", campaign_id=CAMPAIGN, added_at=LATER)],
        [],
    )
    assert read(phone="+573101234567", user_id="u1", organization_code="o")[0] == [
        opt_out(organization_code="o"),
        opt_out(None, "u1", organization_code="o"),
    ]
    assert read(user_id="u1", campaign_id=CAMPAIGN, organization_code=OWNER.upper())[0] == [
        opt_out(None, "u1", campaign_id=CAMPAIGN)
    ]


def test_every_field_that_is_wrong_is_named_without_what_stood_there() -> None:
    found, problems = read(phone="310 x", campaign_id="y", added_at="soon")
    assert found == []
    assert [(each.place, each.found) for each in problems] == [
        ("/phone", None),
        ("/campaign_id", None),
        ("/added_at", None),
    ]
    assert [each.place for each in read(country="CO")[1]] == [""]
    assert [each.place for each in read(phone="3101234567", country="12")[1]] == ["/country"]


def test_organizations_that_the_store_does_not_know(store: Store) -> None:
    assert unknown_organizations(store, ["b", "a", "b"]) == ["a", "b"]
    assert unknown_organizations(store, []) == []


cells = st.sampled_from(("", "310 123 4567", "u1", "CO", "x", '"', '"a"', "\x00", "é", "\u2028", "2026-01-01", "a,b"))
rows = st.lists(cells, max_size=4).map(",".join)
headers = st.lists(st.sampled_from((*FIELDS, "name")), max_size=3).map(",".join)
files = st.one_of(
    st.binary(max_size=80),
    st.tuples(headers, st.lists(rows, max_size=4)).map(lambda each: "\r\n".join((each[0], *each[1])).encode()),
    st.lists(st.dictionaries(st.sampled_from(FIELDS), cells | st.none() | st.integers(), max_size=3).map(repr)).map(
        lambda each: "\n".join(each).replace("'", '"').replace("None", "null").encode()
    ),
)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files)
def test_any_file_is_imported_line_by_line_or_refused(store: Store, content: bytes) -> None:
    before = list_opt_outs(store, limit=1, offset=0)[1]
    try:
        report = import_opt_outs(store, content, "file", NOW)
    except ExportUnreadable:
        return
    assert list_opt_outs(store, limit=1, offset=0)[1] == before + report.counts["added"]
    assert report.counts["refused"] == len({each.line for each in report.problems})
    good = report.counts["lines"] - report.counts["refused"]
    assert good <= report.counts["added"] + report.counts["already_there"] <= 2 * good
    assert all(
        each.found is None and "310 123" not in str(each).replace("such as +57 310 123", "") for each in report.problems
    )
