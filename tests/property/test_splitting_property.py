"""Whatever a document holds, and wherever its blocks begin: the same elements as json.loads, or cut off."""

from __future__ import annotations

import io
import json
from typing import Any

import msgspec
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from recovery_batch.ingest.splitting import DocumentBroken, Members, Split, split_document

BLANKS = " \t\r\n"

# what a scan could trip over, more often than chance would have it
characters = st.sampled_from(list('"\\[]{},:u/ \n é€𝄞')) | st.characters(exclude_categories=["Cs"])
texts = st.text(characters, max_size=8)
scalars = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | texts
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(texts, inner, max_size=4), max_leaves=12
)
arrays = st.lists(values, max_size=6)
blanks = st.text(BLANKS, max_size=3)
blocks = st.integers(1, 64) | st.just(1 << 19)


@st.composite
def spelled(draw: st.DrawFn, value: object) -> str:
    """A value as JSON text, with blanks anywhere they may stand."""

    def blank() -> str:
        return draw(blanks) if spacious else ""

    def write(each: object) -> str:
        if isinstance(each, dict):
            inner = ",".join(
                f"{blank()}{write(key)}{blank()}:{blank()}{write(item)}{blank()}" for key, item in each.items()
            )
            return "{" + (inner or blank()) + "}"
        if isinstance(each, list):
            return "[" + (",".join(f"{blank()}{write(item)}{blank()}" for item in each) or blank()) + "]"
        return json.dumps(each, ensure_ascii=ascii_only)

    spacious, ascii_only = draw(st.booleans()), draw(st.booleans())
    return blank() + write(value) + blank()


@st.composite
def spelled_arrays(draw: st.DrawFn) -> tuple[list[Any], str]:
    array: list[Any] = draw(arrays)
    return array, draw(spelled(array))


@st.composite
def spelled_objects(draw: st.DrawFn) -> tuple[dict[str, Any], str]:
    """An object with or without external_data, which is or is not an array, and its members in any order."""
    members: list[tuple[str, object]] = list(draw(st.dictionaries(texts, values, max_size=4)).items())
    if draw(st.integers(0, 9)):
        place = draw(st.integers(0, len(members)))
        members.insert(place, ("external_data", draw(arrays if draw(st.integers(0, 9)) else values)))
    document = dict(members)
    return document, draw(spelled(document))


def split(text: bytes, block: int, head: int = 0, run: int = 100) -> tuple[list[bytes], dict[str, bytes], bool]:
    """The elements and members of a document, and whether it has an array of elements."""
    elements: list[bytes] = []
    members: dict[str, bytes] = {}
    source = io.BytesIO(text[head:])
    is_split = False
    for part in split_document(source.read, text[:head], block=block, run=run):
        if isinstance(part, Split):
            assert part.first_number == len(elements) + 1
            elements += part.texts
            is_split = True
        else:
            assert isinstance(part, Members)
            assert not part.omitted
            assert not part.values.keys() & members.keys()
            members |= part.values
    return elements, members, is_split


@given(spelled_arrays(), blocks, st.integers(0, 100))
def test_an_array_gives_its_elements(made: tuple[list[Any], str], block: int, head: int) -> None:
    array, text = made
    elements, members, is_split = split(text.encode(), block, head)
    assert is_split
    assert not members
    assert [json.loads(each) for each in elements] == array
    assert all(each == each.strip() and each in text.encode() for each in elements)


@given(spelled_objects(), blocks, st.integers(0, 100))
def test_an_object_gives_its_elements_and_its_members(made: tuple[dict[str, Any], str], block: int, head: int) -> None:
    document, text = made
    elements, members, is_split = split(text.encode(), block, head)
    expected = document.get("external_data")
    assert is_split is isinstance(expected, list)
    if is_split:
        document = {key: value for key, value in document.items() if key != "external_data"}
        assert [json.loads(each) for each in elements] == expected
    assert {key: json.loads(value) for key, value in members.items()} == document


@given(spelled_arrays() | spelled_objects(), blocks, st.data())
def test_a_text_that_is_cut_is_cut_off(made: tuple[Any, str], block: int, data: st.DataObject) -> None:
    text = made[1].encode()
    kept = text[: data.draw(st.integers(0, len(text.rstrip()) - 1))]
    with pytest.raises(DocumentBroken) as caught:
        split(kept, block)
    assert (caught.value.cut_off, caught.value.offset) == (True, len(kept))


@given(spelled_arrays() | spelled_objects(), blocks, st.data())
def test_a_text_that_is_damaged_never_passes_for_json(made: tuple[Any, str], block: int, data: st.DataObject) -> None:
    text = made[1]
    for _ in range(data.draw(st.integers(1, 2))):
        place = data.draw(st.integers(0, len(text)))
        end = place + data.draw(st.integers(0, 2))
        text = text[:place] + data.draw(st.sampled_from('"\\[]{},: 1x')) + text[end:]
    judge(text.encode(), block)


@given(st.text('[]{}",:\\1 ', max_size=30), blocks)
@example("[1 2]", 3)
@example("[{}{}]", 1)
@example('{"a":[] "external_data":[]}', 4)
@example('{"external_data":[]"a":1}', 2)
@example("[tru                  e]", 5)
def test_an_odd_text_never_passes_for_json(text: str, block: int) -> None:
    judge(text.encode(), block)


def judge(text: bytes, block: int) -> None:
    """A text splits into JSON exactly if it is an array or object of JSON."""
    try:
        elements, members, _ = split(text, block)
        for each in [*elements, *members.values()]:
            msgspec.json.decode(each)
    except (DocumentBroken, msgspec.DecodeError):
        with pytest.raises((msgspec.DecodeError, AssertionError)):
            assert isinstance(msgspec.json.decode(text), dict | list)
    else:
        assert isinstance(msgspec.json.decode(text), dict | list)
