"""The fast road over several batches: every batch gets its own rows, and an end that comes early stays an end."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from datetime import UTC, datetime

import pytest

from recovery_batch.clock import parse_zone
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.lines import Lines, lines_of
from recovery_batch.ingest.plain import MACROS, PlainRoad, PlainRows
from recovery_batch.ingest.rows import ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store
from tests.unit.ingest.samples import as_json, transaction, with_transactions

OPTIONS = ReadingOptions(parse_zone("UTC"), "UTC", Sources(), False, datetime(2026, 9, 21, tzinfo=UTC))


def batch(*names: str) -> Lines:
    """Records by name; of one whose name begins with x the currency is none, so that it needs a closer look."""
    texts = []
    for name in names:
        made = with_transactions(*(transaction(f"{name}-{n}") for n in range(len(name) - 1)), payment_id=name)
        made["payment"]["currency_code"] = "???" if name.startswith("x") else "COP"
        texts.append(as_json(made))
    return lines_of(range(1, len(texts) + 1), texts)


def names(rows: PlainRows) -> list[tuple[int, str]]:
    if not rows.tables:
        return []
    return [(row["seq"], row["payment_id"]) for row in rows.tables["payments"].to_pylist()]


def transactions(rows: PlainRows) -> list[tuple[int, str, int]]:
    columns = ["seq", "transaction_id", "position"]
    return [tuple(row.values()) for row in rows.tables["transactions"].select(columns).to_pylist()]


def read(source: Iterator[Lines] | Sequence[Lines]) -> Generator[tuple[Lines, PlainRows], None, None]:
    with Store.scratch(MACROS) as scratch:
        yield from PlainRoad(scratch, OPTIONS).read(source, 100)


def test_each_batch_gets_its_own_rows() -> None:
    batches = [batch("a", "bb"), batch(), batch("xx", "ccc"), batch("d"), batch()]
    found = list(read(batches))
    assert [lines for lines, _ in found] == batches
    assert [names(rows) for _, rows in found] == [[(100, "a"), (101, "bb")], [], [(103, "ccc")], [(104, "d")], []]
    assert [list(rows.others) for _, rows in found] == [[], [], [0], [], []]
    assert transactions(found[0][1]) == [(101, "bb-0", 0)]
    assert transactions(found[2][1]) == [(103, "ccc-0", 0), (103, "ccc-1", 1)]


def test_many_batches_stay_in_order() -> None:
    batches = [batch(*(f"{chr(97 + n % 20)}{n}" for n in range(size))) for size in (5000, 1, 0, 9000, 4096)]
    found = list(read(batches))
    assert [seq for _, rows in found for seq, _ in names(rows)] == list(range(100, 100 + 18_097))
    assert [len(names(rows)) for _, rows in found] == [5000, 1, 0, 9000, 4096]


def test_what_reading_raises_comes_after_what_was_read_before() -> None:
    def source() -> Iterator[Lines]:
        yield batch("a")
        yield batch("b")
        raise ExportUnreadable("the file is damaged")

    found = []
    with pytest.raises(ExportUnreadable, match="damaged"):  # noqa: PT012  # what comes before is looked at
        for _, rows in read(source()):
            found += names(rows)
    assert found == [(100, "a"), (101, "b")]


def test_whoever_stops_early_is_not_kept_waiting() -> None:
    asked = []

    def source() -> Iterator[Lines]:
        for number in range(1000):
            asked.append(number)
            yield batch(*(f"p{each}" for each in range(2000)))

    reading = read(source())
    next(reading)
    reading.close()
    assert len(asked) < 100
