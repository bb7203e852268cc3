"""Documents in every shape, in blocks so small that each thing stands across two of them somewhere."""

from __future__ import annotations

import contextlib
import io
import itertools
import json
import time
import tracemalloc
from collections.abc import Callable

import pytest

from recovery_batch.ingest import splitting
from recovery_batch.ingest.splitting import DocumentBroken, Members, Split, split_document

BLOCKS = (1, 2, 3, 5, 8, 13, 64, 1 << 19)
ELEMENTS = (
    b'{"a":"b"}',
    b"{}",
    b"[]",
    b"[1,[2,{}]]",
    b"1",
    b"-1.50e3",
    b"null",
    b'""',
    b'"a, b"',
    b'{"a":"]}\\"{[,"}',
    b'{"\\\\":"\\\\\\"\\\\"}',
    b'"\\\\"',
    b'"   "',
    '{"é€":"𝄞 \\u20ac"}'.encode(),
    b'{\n  "a" : [ 1 ,\t2 ]\r\n}',
    b'{"a":"' + b"x" * 200 + b'"}',
)
BOTH = b",".join(ELEMENTS)


def parts(text: bytes, block: int = 7, head: int = 0, run: int = 100) -> list[Split | Members]:
    return list(split_document(io.BytesIO(text[head:]).read, text[:head], block=block, run=run))


def elements(text: bytes, block: int = 7, head: int = 0) -> list[bytes]:
    """The elements of a document, whose numbers follow one another."""
    found: list[bytes] = []
    for part in parts(text, block, head):
        if isinstance(part, Split):
            assert part.first_number == len(found) + 1
            found += part.texts
    return found


def members(text: bytes, block: int = 7) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for part in parts(text, block):
        if isinstance(part, Members):
            found |= part.values
    return found


def broken(text: bytes, block: int) -> DocumentBroken:
    with pytest.raises(DocumentBroken) as caught:
        parts(text, block)
    return caught.value


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("comma", [b",", b", ", b"\n  ,", b"\r\n,\r\n\t"])
@pytest.mark.parametrize(
    ("before", "after"),
    [
        (b"[", b"]"),
        (b" \n[ ", b"\n]\n\n"),
        (b'{"external_data":[', b"]}"),
        (b'{ "organization_code" : "o" ,\n "external_data" :\n[\n', b'\n]\n, "page" : {} }\n'),
        (b'{"a":[{"external_data":[0]}],"b":"external_data","external_data":[', b'],"external_data":[1,2]}'),
        (b'{"external\\u005fdata":[', b"]}"),
    ],
)
def test_elements_come_as_they_stand(before: bytes, after: bytes, comma: bytes, block: int) -> None:
    text = before + comma.join(ELEMENTS) + after
    assert elements(text, block) == list(ELEMENTS)
    assert elements(text, block, head=len(before) + 5) == list(ELEMENTS)
    assert elements(text, block, head=len(text)) == list(ELEMENTS)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("element", ELEMENTS)
def test_one_element_is_all_there_is(element: bytes, block: int) -> None:
    assert elements(b"[" + element + b"]", block) == [element]
    assert elements(b'{"external_data": [\n' + element + b" ]\n}", block) == [element]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("text", [b"[]", b" [ \n ] ", b'{"external_data":[]}', b'{"external_data" : [ ] }'])
def test_an_empty_array_gives_one_empty_split(text: bytes, block: int) -> None:
    assert parts(text, block) == [Split([], 1)]


@pytest.mark.parametrize("block", BLOCKS)
def test_members_come_before_and_after_the_elements(block: int) -> None:
    text = b'{"organization_code" : "o\\"" , "a": [1, 2],"external_data": [{"x":1}, 2] ,"b":null, "c" : {"d" : "]"} }'
    assert parts(text, block) == [
        Members({"organization_code": b'"o\\""', "a": b"[1, 2]"}),
        Split([b'{"x":1}', b"2"], 1),
        Members({"b": b"null", "c": b'{"d" : "]"}'}),
    ]
    assert parts(b'{"external_data":[1],"a":-1}', block) == [Split([b"1"], 1), Members({"a": b"-1"})]
    assert parts(b'{"a":-1,"external_data":[1]}', block) == [Members({"a": b"-1"}), Split([b"1"], 1)]


@pytest.mark.parametrize("block", BLOCKS)
def test_an_object_without_external_data_gives_its_members_alone(block: int) -> None:
    text = b'{\n  "payment": {"id": "p"},\n  "transactions": [\n    {"a": 1}\n  ],\n  "customer_payer": {}\n}\n'
    values = {"payment": b'{"id": "p"}', "transactions": b'[\n    {"a": 1}\n  ]', "customer_payer": b"{}"}
    assert parts(text, block) == [Members(values)]
    assert parts(b" { } ", block) == [Members()]


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("value", [b"null", b"{}", b'{"a": [1]}', b'"[1]"', b"1"])
def test_external_data_that_is_no_array_is_a_member(value: bytes, block: int) -> None:
    text = b'{"external_data": ' + value + b', "external_data": [1], "a": 1}'
    assert parts(text, block) == [Members({"external_data": value, "a": b"1"})]


@pytest.mark.parametrize("block", BLOCKS)
def test_of_a_repeated_key_the_first_counts(block: int) -> None:
    text = b'{"a":1,"a":2,"external_data":[1],"a":3,"external_data":[2],"external_data":{},"b":4,"b":5}'
    assert elements(text, block) == [b"1"]
    assert members(text, block) == {"a": b"1", "b": b"4"}
    assert members(b'{"\\u0061":1,"a":2}', block) == {"a": b"1"}


@pytest.mark.parametrize("block", [1, 7, 200, 1 << 19])
def test_a_member_that_is_too_long_is_named_but_left_out(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MEMBER_BYTES", 40)
    long = [b'"' + b"x" * 99 + b'"', b"[" + b"1," * 99 + b"1]"]
    text = b'{"a": %b, "b": 1, "external_data": [%b], "c": %b, "d": 2}' % (long[0], long[0], long[1])
    assert parts(text, block) == [
        Members({"b": b"1"}, {"a"}),
        Split([long[0]], 1),
        Members({"d": b"2"}, {"c"}),
    ]
    assert parts(b'{"external_data": {"a": %b}}' % long[0], block) == [Members({}, {"external_data"})]


def test_members_that_are_too_long_together_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MEMBERS_BYTES", 10)
    assert parts(b'{"a":123456,"b":123456,"c":1}') == [Members({"a": b"123456", "c": b"1"}, {"b"})]


@pytest.mark.parametrize("block", BLOCKS)
def test_every_way_to_cut_a_document_is_cut_off(block: int) -> None:
    around = b'{"organization_code" : "o\\\\" , "a" : [{}] ,\n"external_data" : [ ' + BOTH[:150] + b'"}] , "b" : 1 }'
    for text in (b" [" + b",\n ".join(ELEMENTS[:-1]) + b" ]", around, b'{"payment" : {"a":[1]},"b" : "c" }'):
        json.loads(text)
        for end in range(len(text)):
            error = broken(text[:end], block)
            assert (error.cut_off, error.offset) == (True, end)


BROKEN = {
    b"[1,,2]": 3,
    b"[,1]": 1,
    b"[1,]": 3,
    b"[{},{},]": 7,
    b"[ , ]": 2,
    b"[{} {}]": 4,
    b"[1,{}{},2]": 5,
    b"[{}[]]": 3,
    b"[{},{}x,{}]": 6,
    b"[{},{}, x{}]": 9,
    b"[1 {}]": 3,
    b"[{} 1]": 4,
    b'[{} "a"]': 4,
    b"[1}": 2,
    b"[]]": 2,
    b"[] []": 3,
    b"[1],": 3,
    b'{"external_data":[1]]': 20,
    b'{"external_data":[1}': 19,
    b'{"external_data":[1]} 2': 22,
    b'{"external_data":[1]"a":2}': 20,
    b'{"external_data":[1],}': 21,
    b'{"external_data":[1],"a"}': 24,
    b'{"external_data" [1]}': 17,
    b'{"a":1 "external_data":[1]}': 23,
    b'{"a":"b" "external_data":[1]}': 25,
    b'{"a":{} "external_data":[1]}': 8,
    b'{,"a":1}': 1,
    b'{"a":1,,"b":2}': 7,
    b'{"a":1]': 6,
    b'{"a":}': 5,
    b"{a:1}": 4,
    b'{"a":1,"b"}': 10,
    b'{"a" 1}': 6,
    b'{"a":{}1}': 7,
    b'{"a":1 2}': 8,
    b'{"a":[1,}],"b":1}': 9,
    b'{"a":{"b":[}]}}': 13,
    b'{"a":NaN}': 8,
    b'{"\x01":1}': 6,
    b'{"\\x":1}': 7,
    b'{"a":"\x01"}': 8,
    b'{"a":1,"a":tru}': 14,
    b"text": 0,
    b" 1": 1,
    b'"text"': 0,
    b"}": 0,
    b",": 0,
}


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("text", BROKEN)
def test_what_is_amiss_around_the_elements_is_found(text: bytes, block: int) -> None:
    error = broken(text, block)
    assert (error.cut_off, error.offset) == (False, BROKEN[text])


@pytest.mark.parametrize("block", [1, 4, 1 << 19])
@pytest.mark.parametrize("text", [b"", b" ", b"\n \t\r\n"])
def test_blanks_alone_are_a_document_cut_off(text: bytes, block: int) -> None:
    error = broken(text, block)
    assert (error.cut_off, error.offset) == (True, len(text))


def test_an_error_tells_where_and_quotes_nothing() -> None:
    error = broken(b'{"ana@example.com":"3101234567" x}', 4)
    assert str(error) == f"{error.message} (byte {error.offset})"
    assert "ana" not in str(error)
    assert "310" not in str(error)


@pytest.mark.parametrize("block", BLOCKS)
@pytest.mark.parametrize("element", [b"1 2", b"tru", b'{"a":}', b'{"a":1]', b'"a" "b"', b"\x01", b'{"a":[1}}', b"\xff"])
def test_elements_are_not_judged(element: bytes, block: int) -> None:
    assert elements(b"[1," + element + b",{}]", block) == [b"1", element, b"{}"]


def test_members_are_not_judged_for_their_utf8() -> None:
    assert members(b'{"\xff":"\xff"}') == {"\ufffd": b'"\xff"'}


def test_a_member_that_is_nested_too_deep_is_refused() -> None:
    assert "deep" in str(broken(b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", 1 << 19))


def test_an_element_may_nest_as_deep_as_it_likes() -> None:
    deep = b"[" * 100_000 + b"]" * 100_000
    assert elements(b"[1," + deep + b",2]", 1000) == [b"1", deep, b"2"]


def test_an_object_of_very_many_members_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MEMBERS", 3)
    assert members(b'{"a":1,"external_data":[1,2,3,4],"b":2}').keys() == {"a", "b"}
    error = broken(b'{"a":1,"external_data":[],"b":2,"c":3}', 7)
    assert (error.cut_off, error.offset) == (False, 37)


@pytest.mark.parametrize("block", [1, 3, 8])
def test_blanks_within_what_is_no_json_never_mend_it(block: int) -> None:
    (element,) = elements(b"[tru" + b" " * 20 + b"e]", block)
    assert element.split() == [b"tru", b"e"]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6, 7])
def test_backslashes_across_blocks(count: int) -> None:
    inner = b"\\" * count + (b'"' if count % 2 else b"")
    element = b'{"a":"' + inner + b'","b":"]"}'
    for block in range(1, 40):
        assert elements(b"[" + element + b"," + element + b"]", block) == [element, element]


def test_a_source_may_give_as_little_as_it_likes() -> None:
    text = b'{"a":1,"external_data":[' + BOTH + b"]}"
    source = io.BytesIO(text)
    sizes = itertools.cycle([1, 2, 5])
    found = list(split_document(lambda size: source.read(min(size, next(sizes))), b"", block=16))
    assert found == [Members({"a": b"1"}), Split(list(ELEMENTS), 1)]


def test_splits_are_of_about_the_size_asked_for() -> None:
    text = b"[" + b",".join(b'{"n":%d}' % number for number in range(10_000)) + b"]"
    splits = [part for part in parts(text, 512, run=4096) if isinstance(part, Split)]
    sizes = [sum(map(len, split.texts)) for split in splits]
    assert all(4096 <= size < 4096 + 512 for size in sizes[:-1])
    assert [json.loads(each)["n"] for split in splits for each in split.texts] == list(range(10_000))


def test_a_split_has_no_more_texts_than_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "RUN_TEXTS", 100)
    text = b"[" + b",".join([b"1"] * 1050) + b"]"
    for block in (64, 1 << 19):
        splits = [part for part in parts(text, block, run=1 << 20) if isinstance(part, Split)]
        assert max(len(split.texts) for split in splits) == 100
        assert [split.first_number for split in splits] == [
            1 + sum(len(before.texts) for before in splits[:place]) for place in range(len(splits))
        ]
        assert sum(len(split.texts) for split in splits) == 1050


HOSTILE: dict[str, tuple[bytes, bytes, bytes]] = {
    "opening brackets": (b"", b"[", b""),
    "closing brackets": (b"[", b"]", b""),
    "nested objects": (b"", b'{"a":', b""),
    "pairs of brackets": (b"[[", b"[]", b"]]"),
    "quotes": (b"[", b'"', b"]"),
    "backslashes": (b"[", b"\\", b"]"),
    "backslashes in a string": (b'["', b"\\\\", b'"]'),
    "escaped quotes": (b'["', b'\\"', b'"]'),
    "commas": (b"[", b",", b"]"),
    "blanks": (b"", b" ", b"[]"),
    "blanks in an array": (b"[", b"\n", b"]"),
    "blanks after an element": (b"[1", b" ", b"]"),
    "blanks after an object": (b"[{}", b"\t", b"]"),
    "blanks after a key": (b'{"a"', b" ", b":1}"),
    "blanks at the end": (b"[]", b" ", b""),
    "blanks between numbers": (b"[1", b" 1", b"]"),
    "numbers": (b"[1", b",1", b"]"),
    "empty objects": (b"[{}", b",{}", b"]"),
    "digits": (b"[", b"1", b"]"),
    "a long element": (b'[{"a":[0', b',{"b":"c"}', b"]}]"),
    "a long member": (b'{"a":[0', b",1", b"]}"),
    "a long key": (b'{"', b"\\n", b'":1}'),
    "a long key, unfinished": (b'{"', b"a", b""),
    "members": (b"{", b'"a":1,', b"}"),
    "colons": (b'{"a"', b":", b"}"),
}


LONG = {  # those that are one long element
    "opening brackets",
    "nested objects",
    "pairs of brackets",
    "quotes",
    "backslashes",
    "backslashes in a string",
    "escaped quotes",
    "blanks between numbers",
    "digits",
    "a long element",
}


def repeated(begin: bytes, unit: bytes, end: bytes, kilobytes: int) -> Callable[[int], bytes]:
    """A text that is never held as a whole."""
    chunk = unit * (16_384 // len(unit))
    chunks = itertools.chain([begin], itertools.repeat(chunk, kilobytes // 16), [end])
    rest = b""

    def read(size: int) -> bytes:
        nonlocal rest
        rest = rest or next(filter(None, chunks), b"")
        given, rest = rest[:size], rest[size:]
        return given

    return read


def exhaust(read: Callable[[int], bytes], block: int) -> None:
    with contextlib.suppress(DocumentBroken):
        for _ in split_document(read, block=block):
            pass


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_hostile_takes_time_in_proportion(name: str) -> None:
    started = time.perf_counter()
    exhaust(repeated(*HOSTILE[name], 4096), 1 << 14)
    assert time.perf_counter() - started < 10  # less than a second; many minutes, were anything quadratic


@pytest.mark.parametrize("name", sorted(HOSTILE.keys() - LONG))
def test_only_a_long_element_takes_memory_in_proportion(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(splitting, "MEMBER_BYTES", 10_000)
    monkeypatch.setattr(splitting, "RUN_TEXTS", 1000)
    peaks = []
    for kilobytes in (256, 1024):
        tracemalloc.start()
        exhaust(repeated(*HOSTILE[name], kilobytes), 1 << 14)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < peaks[0] + (256 << 10)
