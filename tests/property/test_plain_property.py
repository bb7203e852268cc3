"""The fast road to typed rows and the slow one: what the fast one takes, both take alike; it takes what is ordinary."""

from __future__ import annotations

import json
import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from recovery_batch import assets
from recovery_batch.clock import parse_zone
from recovery_batch.ingest import decoding
from recovery_batch.ingest.files import describe
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.plain import MACROS, PlainRoad
from recovery_batch.ingest.reading import read_lines
from recovery_batch.ingest.rows import PaymentBatch, Read, ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store
from tests.property.records import ENCODE, broken_records, decoded, json_values, sound_records
from tests.property.spelling import organizations, spelled, tinkered
from tests.unit.ingest.samples import Record, record, transaction

ZONES = ("UTC", "America/New_York", "America/Bogota", "-05:00")
TABLES = ("payments", "transactions", "payers", "records")
FIRST = 7
"""The place in the file of the first record: not 0, so that it shows where it is forgotten."""

_TYPICAL = 60
"""Records of an example: what it takes to plan a query is the same for one as for many."""


def reading(zone: str = "UTC", *, strict: bool = False) -> ReadingOptions:
    return ReadingOptions(parse_zone(zone), zone, Sources(), strict, datetime(2026, 11, 3, tzinfo=UTC))


@pytest.fixture(scope="module")
def scratch() -> Iterator[Store]:
    """A database in memory, set up for the fast road."""
    with Store.scratch(MACROS) as opened:
        yield opened


def lines_of(texts: list[str], roots: list[str | None] | None = None) -> Lines:
    numbers = pa.array(range(11, 11 + len(texts)), pa.int64())
    return Lines(numbers, pa.array(texts, pa.string()), roots=None if roots is None else pa.array(roots, pa.string()))


def rows_of(table: Any) -> dict[int, list[Record]]:
    """The rows of a table by the place of their record, without what only the fast road knows."""
    rows: dict[int, list[Record]] = defaultdict(list)
    for row in table.to_pylist():
        rows[row["seq"]].append({name: value for name, value in row.items() if name != "content_hash"})
    return rows


def by_the_slow_road(lines: Lines, options: ReadingOptions) -> dict[str, Any]:
    batch = PaymentBatch(options)
    roots = [None] * len(lines) if lines.roots is None else lines.roots.to_pylist()
    for place, (number, text, root) in enumerate(
        zip(lines.numbers.to_pylist(), lines.texts.to_pylist(), roots, strict=True)
    ):
        organization = None if root is None else decoding.decoded(root.encode())[0]
        batch.add(Read(number, text, FIRST + place, root=organization))
    return batch.tables()


def check_alike(scratch: Store, lines: Lines, options: ReadingOptions) -> int:
    """Compare the two roads; gives how many records the fast one took."""
    ((_, fast),) = PlainRoad(scratch, options).read([lines], FIRST)
    slow = by_the_slow_road(lines, options)
    texts = lines.texts.to_pylist()
    taken = {FIRST + place for place in range(len(lines))} - {FIRST + int(place) for place in fast.others}
    for name in TABLES:
        assert fast.tables[name].schema == slow[name].schema
        ours, theirs = rows_of(fast.tables[name]), rows_of(slow[name])
        assert set(ours) <= taken if name == "transactions" else set(ours) == taken
        for seq in taken:
            text = texts[seq - FIRST]
            if name == "records" and decoding.has_repeated_keys(
                text.encode(), decoding.encoded(decoding.decoded(text.encode())[0])
            ):
                # the slow road takes the second value out, whatever it is; the fast one has seen that it is harmless
                assert ours[seq][0]["record"] == text
                assert decoding.canonical(theirs[seq][0]["record"].encode()) == decoding.canonical(text.encode())
            else:
                assert (text, ours[seq]) == (text, theirs[seq])
    return len(taken)


def typical(number: int, random: Random) -> Record:
    """A record as exports have them, complete but for what an export may lack."""
    payment = record(
        f"p{number}",
        created_at=random.choice((None, "2026-09-20 15:00:00", "2026-09-20T15:00:00Z", "2026-09-20T15:00:00.5-05:00")),
        description=random.choice(("una cosa", "Lámpara de pie", "台灯 \U0001f4a1", 'a "quoted" thing', "")),
        order_id=random.choice(("order", "", None)),
        internal=random.choice((None, 1, 0.5, [1, {"x": "y"}])),
        metadata=random.choice((None, {"campaign": "x"}, [{"key": "user_id", "value": "u-2"}])),
        additional_data=random.choice(
            (
                None,
                {},
                {"user_id": f"u-{number}", "channel": "web", "items": 3, "first": True, "rate": 0.10, "none": None},
                {"metadata": {"user_id": "u-1", "device": "ios"}, "response_code": "05"},
                {"metadata": [{"key": "user_id", "value": "u-1"}, {"key": "n", "value": 7}], "error_code": 51},
            )
        ),
    )
    payment["transactions"] = [
        transaction(
            f"t{place}",
            card=random.choice((None, {}, {"id": 450_000_001, "card_iin": "411111", "card_lfd": "1111"})),
            created_at=random.choice((None, "2026-09-20 15:00:00", "2026-09-20 15:00:01")),
            response_code=random.choice((None, "05", 5)),
            additional_data=random.choice((None, {}, {"iso8583_response_code": "51", "provider_response_code": "n"})),
        )
        for place in range(random.randrange(4))
    ]
    return payment


@st.composite
def spelled_texts(draw: st.DrawFn) -> list[tuple[str, str | None]]:
    """Records as texts, each with the organization of its request: ordinary ones, strange ones, anything at all."""
    random = Random(draw(st.integers(0, 2**32)))
    drawn = draw(st.lists(sound_records().map(decoded) | broken_records() | json_values, max_size=4))
    made: list[Any] = drawn + [decoded(typical(number, random)) for number in range(_TYPICAL)]
    texts = [spelled(tinkered(each, random) if isinstance(each, dict) else each, random) for each in made]
    random.shuffle(texts)
    with_roots = random.random() < 0.3
    return [(text, organizations(random) if with_roots else None) for text in texts]


@settings(max_examples=25, deadline=None)
@given(st.data(), st.sampled_from(ZONES), st.booleans())
def test_both_roads_give_the_same_rows(scratch: Store, data: st.DataObject, zone: str, strict: bool) -> None:
    texts, roots = zip(*data.draw(spelled_texts()), strict=True)
    check_alike(scratch, lines_of(list(texts), list(roots)), reading(zone, strict=strict))


NOTHING: list[tuple[str, list[Any]]] = [
    ("no transactions", [record() | {"transactions": []}]),
    ("no transactions at all", [record() | {"transactions": None}] * 2),
    ("no records", ["", 1, [], {}]),
    ("only the last", [None, record()]),
    ("more than one thread takes", [record(f"p{number}") for number in range(5000)]),
]


@pytest.mark.parametrize("made", [made for _, made in NOTHING], ids=[name for name, _ in NOTHING])
def test_whatever_a_batch_consists_of(scratch: Store, made: list[Any]) -> None:
    check_alike(scratch, lines_of([ENCODE(each).decode() for each in made]), reading())


def sound_with(place: str, value: str) -> str:
    """The text of an ordinary record with one more member, which is spelled so, in one of its objects."""
    text = ENCODE(record()).decode()
    beginning = {"payment": '{"payment":{', "transaction": '"transactions":[{', "payer": '"customer_payer":{'}[place]
    return text.replace(beginning, beginning + value + ",")


@pytest.mark.parametrize("place", ["payment", "transaction", "payer"])
@pytest.mark.parametrize(
    ("value", "reason"),
    [
        (r'"x":[{"key":"\u0063vv","value":"123"}]', None),
        (r'"x":[{"key":"nu\u006dber","value":"4111111111111111"}]', "card_number"),
        (r'"nu\u006dber":"4111111111111111"', "card_number"),
        (r'"c\u0061rd":{"x":"4111111111111111"}', "card_number"),
        (r'"card_iin":"1234567\"89"', "card_number"),
        (r'"Card-IIN":"41111122\u0032"', "card_number"),
        ('"x":{"card":{"y":"4111111111111111"}}', "card_number"),
        ('"C_V_V":1', None),
    ],
)
def test_card_data_is_left_to_the_slow_road(scratch: Store, place: str, value: str, reason: str | None) -> None:
    text = sound_with(place, value)
    lines = lines_of([text])
    assert check_alike(scratch, lines, reading()) == 0
    slow = by_the_slow_road(lines, reading())
    assert slow["rejects"]["reason"].to_pylist() == ([] if reason is None else [reason])
    assert "4111111111111111" not in str(slow)


@pytest.mark.parametrize("zone", ZONES)
def test_ordinary_records_take_the_fast_road(scratch: Store, zone: str) -> None:
    random = Random(1)
    made = [typical(number, random) for number in range(400)]
    for texts in (
        [ENCODE(each).decode() for each in made],
        [json.dumps(json.loads(ENCODE(each)), ensure_ascii=False) for each in made],
        [json.dumps(json.loads(ENCODE(each)), indent=2) for each in made],  # with escapes
    ):
        assert check_alike(scratch, lines_of(texts), reading(zone)) == len(texts)


EXPONENT = re.compile(r":-?[0-9.]+[eE]")
EXPORTS = sorted(path for path in assets.path("fixtures").joinpath("exports").iterdir() if path.name != "broken.ndjson")


@pytest.mark.parametrize("path", EXPORTS, ids=lambda path: path.name)
def test_the_example_exports_take_the_fast_road(scratch: Store, path: Path) -> None:
    taken = total = quirks = 0
    for lines in read_lines(describe(path), 10**9):
        taken += check_alike(scratch, lines, reading("America/Bogota"))
        total += len(lines)
        # exponents are what these exports have on purpose: they are not plain
        quirks += sum(EXPONENT.search(text) is not None for text in lines.texts.to_pylist())
    assert taken >= 0.95 * total
    assert taken >= 0.99 * (total - quirks)
