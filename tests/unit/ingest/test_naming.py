from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.ingest.naming import Named, named_in, token


def tokens(raw: str) -> set[str]:
    return {each.value for each in named_in(raw, None) if each.kind == "token"}


@pytest.mark.parametrize(
    "written",
    [
        "3101234567",
        "310 123 4567",
        "(310) 123-4567",
        "310.123.4567",
        "310/123/4567",
        "310\u00a0123\u20114567",
        "03101234567",
    ],
)
@pytest.mark.parametrize(
    "text", ['{{"phone": "{}"', "ANA;{};2026-10-01", "{}\t20.00\t17", "a,{},b", '{{"phone": "{}"}}']
)
def test_a_number_is_found_however_it_is_written(written: str, text: str) -> None:
    assert "3101234567" in tokens(text.format(written))


def test_a_number_is_found_beside_another() -> None:
    assert "3101234567" in tokens("20 310 123 4567 99 1")
    assert "573101234567" in tokens("+57 310 123 4567")
    assert "3101234567" in tokens("+57 310 123 4567")


def test_short_digits_are_no_number() -> None:
    assert tokens("12 34") == set()
    assert "12345" not in tokens("00012 345 ")


@pytest.mark.parametrize(
    "raw",
    [
        '{"a": {"user_id": "u-1"}}',
        '{"a": [{"key": "user_id", "value": "u-1"}]}',
        '{"user_id": "u-1", broken',
        '{"key": "user_id", "value": "u-1"',
        "user_id=u-1;x",
        '"userId": "u-1", ',
        '{"additional_data": "{\\"user_id\\": \\"u-1\\"}"}',
        '{"user_id": "\\u0075-1"}',
    ],
)
def test_a_short_user_id_is_found_where_it_is_called_so(raw: str) -> None:
    assert "u-1" in tokens(raw)


def test_a_short_text_elsewhere_is_nobody() -> None:
    assert "u-1" not in tokens('{"code": "u-1"}')
    assert "user-77" in tokens('{"customer": "user-77"}')
    assert "77777" in tokens('{"customer": 77777}')
    assert "ana@example.com" in tokens("x;ANA@example.com;y")


def test_a_record_is_named_by_its_payment_or_flow() -> None:
    raw = '{"payment": {"id": "p", "organization_code": "o"}, "session": {"session_id": "s1"}}'
    assert {Named("payment", "o", "p"), Named("flow", "", "s:s1")} <= named_in(raw, None)
    assert Named("payment", "root", "p") in named_in('{"payment": {"id": "p"}}', '"root"')
    odd = named_in('{"payment": {"id": 5}, "session": [], "n": null}', "5")
    assert {each.kind for each in odd} == {"token"}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(value=JSON, user=st.text(min_size=5).filter(str.strip))
def test_a_text_of_a_record_is_found_whatever_is_around_it(value: object, user: str) -> None:
    record = {"other": value, "somebody": user}
    for ascii_only in (True, False):
        raw = json.dumps(record, ensure_ascii=ascii_only)
        if "\\ud" not in raw:  # half of a pair is no text that a record could hold
            assert token(user) in named_in(raw, None)


@given(text=st.text())
def test_any_text_can_be_looked_at(text: str) -> None:
    named_in(text, text)
