from __future__ import annotations

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.ingest.erased import dialled
from recovery_batch.phones import payer_keys


def spellings(country: str | None, code: str | None, number: str | None) -> list[str]:
    row = {"seq": [1], "country": [country], "phone_country_code": [code], "phone_number": [number]}
    types = {"seq": pl.Int64, "country": pl.String, "phone_country_code": pl.String, "phone_number": pl.String}
    frame = dialled(pl.DataFrame(row, schema=types))
    assert frame.columns == ["seq", "value"]
    return sorted(frame["value"])


@pytest.mark.parametrize(
    ("country", "code", "number", "expected"),
    [
        ("CO", "57", "3101234567", ["573101234567"]),
        ("CO", "+57", "(310) 123-4567", ["573101234567"]),
        ("CO", "0057", "03101234567", ["573101234567"]),
        ("CO", None, "3101234567", ["573101234567"]),
        ("CO", "", "3101234567", ["573101234567"]),
        (None, None, "+57 3101234567", ["573101234567", "573101234567"]),
        (None, None, "3101234567", ["3101234567", "3101234567"]),
        ("CO", "57", "+573101234567", ["573101234567", "57573101234567"]),
        ("CO", "57", "573101234567", ["573101234567", "57573101234567"]),
        ("US", "1", "4712345678", ["14712345678"]),
        ("CO", "57", None, []),
        ("CO", "57", "n/a", []),
        ("CO", "57", "000", []),
    ],
)
def test_a_number_is_spelled_with_its_country_code(
    country: str | None, code: str | None, number: str | None, expected: list[str]
) -> None:
    assert spellings(country, code, number) == expected


@given(
    national=st.from_regex(r"3[0-9]{9}", fullmatch=True),
    code=st.sampled_from(["57", "+57", "0057", None]),
    separators=st.lists(st.sampled_from(["", " ", "-", ".", "/", " ("]), min_size=2, max_size=2),
    prefix=st.sampled_from(["", "0", "+57 ", "57", "0057"]),
)
def test_a_load_spells_a_number_as_an_erasure_does(
    national: str, code: str | None, separators: list[str], prefix: str
) -> None:
    written = f"{prefix}{national[:3]}{separators[0]}{national[3:6]}{separators[1]}{national[6:]}"
    assert f"57{national}" in spellings("CO", code, written)
    assert f"+57{national}" in payer_keys("57", written)
