import datetime as dt
import random
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from recovery_batch.contract.declined import Element
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.flat.tables import open_parquet, read_records
from tests.unit.ingest.flat_samples import Read, read_parquet

MAP = pa.map_(pa.string(), pa.int64())
wall = dt.datetime.fromisoformat


def flat(folder: Path, values: Any, name: str = "x", mapping: str | None = None) -> Read:
    """Read a table of payment.id and one more column."""
    count = len(values)
    return read_parquet(pa.table({"payment.id": [f"p{n}" for n in range(count)], name: values}), folder, mapping)


def spelled(read: Read, name: str = "x") -> list[str | None]:
    """How the values at the root's `name` are spelled."""
    decoder = msgspec.json.Decoder(dict[str, msgspec.Raw])
    found = [decoder.decode(text).get(name) for text in read.texts.values()]
    return [None if each is None else bytes(each).decode() for each in found]


def test_flat_columns_are_those_of_csv(tmp_path: Path) -> None:
    table = pa.table(
        {
            "Payment.ID": ["p1", "p2"],
            "payment.amount_value": ["1.50", "abc"],
            "payment.additional_data": ['{"a":1}', ""],
            "transactions.0.id": [None, "t1"],
            "transactions.1.id": ["t2", ""],
            "note": ['a"b', None],
        }
    )
    read = read_parquet(table, tmp_path)
    assert list(read.texts.values()) == [
        '{"payment":{"id":"p1","amount_value":1.50,"additional_data":{"a":1}},"transactions":[{"id":"t2"}],'
        '"note":"a\\"b"}',
        '{"payment":{"id":"p2","amount_value":"abc"},"transactions":[{"id":"t1"}]}',
    ]


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (pa.array([1, None, -(2**63)]), ["1", None, str(-(2**63))]),
        (pa.array([2**64 - 1], pa.uint64()), [str(2**64 - 1)]),
        (pa.array([Decimal("1.50"), None], pa.decimal128(20, 2)), ["1.50", None]),
        (pa.array([Decimal("999999999999999999.000001")], pa.decimal128(38, 6)), ["999999999999999999.000001"]),
        (pa.array([0.1, 1e21, float("nan"), None, 3.0]), ["0.1", "1e+21", None, None, "3.0"]),
        (pa.array([float("inf")]), ['"inf"']),
        (pa.array([0.1], pa.float32()), ["0.1"]),
        (pa.array([True, False, None]), ["true", "false", None]),
        (pa.array([dt.date(2026, 9, 1), None]), ['"2026-09-01"', None]),
        (pa.array([wall("2026-09-01 10:00:00")], pa.timestamp("ms")), ['"2026-09-01 10:00:00"']),
        (pa.array([wall("2026-09-01 10:00:00.000005")], pa.timestamp("us")), ['"2026-09-01 10:00:00.000005"']),
        (pa.array([1790000000123456789], pa.timestamp("ns")), ['"2026-09-21 14:13:20.123456"']),
        (pa.array([0], pa.timestamp("s", tz="America/Bogota")), ['"1970-01-01 00:00:00+00:00"']),
        (pa.array([dt.time(1, 2, 3)]), ['"01:02:03"']),
        (pa.array(["a", None, "a"]).dictionary_encode(), ['"a"', None, '"a"']),
        (pa.array([b"abc", b"\xff"]), ['"abc"', '"ff"']),
        (pa.nulls(2), [None, None]),
        (pa.array([["a", None], [], None]), ['["a",null]', "[]", None]),
        (pa.array([[[1], []], None]), ["[[1],[]]", None]),
        (pa.array([{"a": 1, "b": None}, None]), ['{"a":1}', None]),
        (pa.array([[("k", 1), ('"', None)], [], None], MAP), ['{"k":1,"\\"":null}', "{}", None]),
        (pa.array([[{"m": [("k", 1)]}]], pa.list_(pa.struct([("m", MAP)]))), ['[{"m":{"k":1}}]']),
        (pa.array(["a", ""], pa.large_string()), ['"a"', None]),
    ],
)  # fmt: skip
def test_types(values: Any, expected: list[str | None], tmp_path: Path) -> None:
    assert spelled(flat(tmp_path, values)) == expected


def test_numbers_become_texts_where_texts_are_documented(tmp_path: Path) -> None:
    read = read_parquet(
        pa.table(
            {
                "payment.id": pa.array([17, None]),
                "payment.order_id": [1.5, None],
                "transactions.0.card.card_expiration_year": [2030.0, None],
                "payment.created_at": [dt.date(2026, 9, 1), None],
            }
        ),
        tmp_path,
    )
    assert read.texts[1] == (
        '{"payment":{"id":"17","order_id":1.5,"created_at":"2026-09-01 00:00:00"},'
        '"transactions":[{"card":{"card_expiration_year":2030}}]}'
    )
    assert read.texts[2] == "{}"


def test_nested_columns_keep_their_shape(tmp_path: Path) -> None:
    payment = pa.struct(
        [
            ("id", pa.string()),
            ("amount_value", pa.decimal128(20, 2)),
            ("description", pa.string()),
            ("additional_data", pa.map_(pa.string(), pa.string())),
        ]
    )
    card = pa.struct([("card_iin", pa.int32()), ("id", pa.int64())])
    transaction = pa.struct([("id", pa.int64()), ("amount", pa.float64()), ("card", card)])
    table = pa.table(
        {
            "payment": pa.array(
                [
                    {
                        "id": "p1",
                        "amount_value": Decimal("1.50"),
                        "description": "",
                        "additional_data": [("user_id", "u")],
                    },
                    {"id": "p2"},
                    None,
                ],
                payment,
            ),
            "transactions": pa.array(
                [[{"id": 1, "amount": 0.1, "card": {"card_iin": 411111, "id": 7}}, None], [], None],
                pa.list_(transaction),
            ),
            "payment.country": ["CO", None, None],
        }
    )
    read = read_parquet(table, tmp_path)
    assert list(read.texts.values()) == [
        '{"payment":{"country":"CO","id":"p1","amount_value":1.50,"description":"","additional_data":{"user_id":"u"}},'
        '"transactions":[{"id":"1","amount":0.1,"card":{"card_iin":"411111","id":7}},null]}',
        '{"payment":{"id":"p2"},"transactions":[]}',
        "{}",
    ]


def test_a_mapping_reads_typed_columns_as_texts(tmp_path: Path) -> None:
    table = pa.table(
        {
            "n": pa.array([917, None]),
            "ok": pa.array([0, 1], pa.int8()),
            "cents": pa.array([Decimal("123450"), Decimal("1.5")], pa.decimal128(20, 1)),
            "at": pa.array([wall("2026-09-01 10:00:00"), None], pa.timestamp("us")),
            "phone": [3005550101.0, None],
            "flag": [True, False],
        }
    )
    read = read_parquet(
        table,
        tmp_path,
        """
        [numbers]
        decimal = ","
        thousands = "."
        [times]
        formats = ["%d/%m/%Y"]
        zone = "America/Bogota"
        [columns]
        "payment.id" = "N"
        "payment.status" = { column = "ok", words = { 0 = "DECLINED", 1 = "APPROVED" } }
        "payment.amount_value" = { column = "cents", factor = "0.01" }
        "payment.created_at" = "at"
        "customer_payer.phone_number" = "phone"
        "payment.additional_data.flag" = { column = "flag", words = { true = "yes" } }
        """,
    )
    assert list(read.texts.values()) == [
        '{"payment":{"id":"917","status":"DECLINED","amount_value":1234.500,"created_at":"2026-09-01 15:00:00+00:00",'
        '"additional_data":{"flag":"yes"}},"customer_payer":{"phone_number":"3005550101"}}',
        '{"payment":{"status":"APPROVED","amount_value":0.015,"additional_data":{"flag":"false"}}}',
    ]


def test_a_zone_of_a_mapping_counts_for_typed_times_that_no_entry_names(tmp_path: Path) -> None:
    moments = pa.array([wall("2026-09-01 10:00:00")], pa.timestamp("us"))
    read = flat(tmp_path, moments, "payment.created_at", '[times]\nzone = "-05:00"')
    assert read.one["payment"]["created_at"] == "2026-09-01 15:00:00+00:00"


def test_folders_add_their_columns(tmp_path: Path) -> None:
    folders = {"payment.country": "CO", "day": "2026-09-01"}
    read = read_parquet(pa.table({"payment.id": ["p1"]}), tmp_path, folders=folders)
    assert read.one == {"payment": {"id": "p1", "country": "CO"}, "day": "2026-09-01"}


def test_rows_are_numbered_through_row_groups(tmp_path: Path) -> None:
    assert list(flat(tmp_path, list(range(7))).texts) == list(range(1, 8))


def test_a_parquet_file_without_rows(tmp_path: Path) -> None:
    assert flat(tmp_path, pa.array([], pa.string())).texts == {}


def test_progress_reaches_the_end(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table({"payment.id": ["p"] * 10}), path)
    seen: list[int] = []
    for _ in read_records(open_parquet(path, progress=seen.append), None, Element).lines:
        pass
    assert seen[-1] == path.stat().st_size


def test_a_damaged_file_is_one_error(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    frame = pl.DataFrame({"payment.id": [f"p{n}" for n in range(500)], "x": [[{"a": n}] for n in range(500)]})
    frame.write_parquet(path)
    whole = path.read_bytes()
    chance = random.Random(5)
    errors: list[str] = []
    for turn in range(120):
        damaged = bytearray(whole)
        for _ in range(3):
            damaged[chance.randrange(len(damaged))] = chance.randrange(256)
        path.write_bytes(damaged[: chance.randrange(len(damaged))] if turn % 4 == 0 else damaged)
        try:
            for lines in read_records(open_parquet(path), None, Element).lines:
                lines.texts.validate(full=True)
        except ExportUnreadable as error:
            errors.append(error.message)
    assert len(errors) > 60
    assert all("table.parquet" in message and "\n" not in message for message in errors)


def test_columns_of_one_name_are_an_error(tmp_path: Path) -> None:
    path = tmp_path / "table.parquet"
    pq.write_table(pa.table([["1"], ["2"]], names=["payment.id", "payment.id"]), path)
    with pytest.raises(ExportUnreadable, match="more than once"):
        open_parquet(path)
