import re
from decimal import Context, Decimal
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.clock import parse_instant, parse_zone
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.flat.numbers import JSON_NUMBER, json_numbers, marked_numbers, minor_unit_digits, scaled
from recovery_batch.ingest.flat.times import spelled_times
from recovery_batch.ingest.mapping import Column, DecimalMark, Mapping, MappingInvalid, ThousandsMark, read_mapping
from tests.unit.ingest.flat_samples import mapping_of, read_text

DOCS = Path(__file__).parents[3] / "docs" / "mappings.md"
WIDE = Context(prec=200)


def amounts(cells: list[str], entry: str, before: str = "", more: str = "") -> list[str]:
    """How the amounts of cells are spelled in the records."""
    text = "m;c\n" + "".join(f'"{cell}";{more or "x"}\n' for cell in cells)
    read = read_text(text, f'{before}\n[columns]\n"payment.amount_value" = {entry}\n')
    return [re.sub(r'.*"amount_value":([^}]*)}.*', r"\1", each) for each in read.texts.values()]


# ---- what a mapping file may say


def test_the_example_of_the_documentation_is_a_mapping_that_works() -> None:
    text = DOCS.read_text(encoding="utf-8")
    blocks = re.findall(r"```(\w+)\n(.*?)```", text, re.DOTALL)
    mapping, _ = [block for language, block in blocks if language == "toml" and block.startswith("version")]
    (table,) = [block for language, block in blocks if language == "csv"]
    (record,) = [block for language, block in blocks if language == "json"]
    import msgspec

    read = read_text(table.encode("latin-1"), mapping.removeprefix("version = 1\n"))
    assert [msgspec.json.decode(each) for each in read.texts.values()] == [msgspec.json.decode(record)]


def test_a_column_may_be_a_name_or_a_table() -> None:
    mapping = mapping_of('[columns]\n"a.b" = "X"\nc = { column = "Y", json = true }')
    assert mapping.columns == {"a.b": Column(column="X"), "c": Column(column="Y", json=True)}


def test_every_problem_of_a_file_is_named_at_once_with_its_place(tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    path.write_text(
        """version = 2
bogus = 3
[file]
delimiter = ";;"
encoding = "latin-9x"
header_row = 0
[numbers]
decimal = ","
thousands = ","
[times]
formats = ["%d/%m/%Y", "%Q", "%H", "%d.%m.%Y %H", "%d.%m.%Y %I:%M", "%d.%m.%Y %H:%M:%S,%f"]
zone = "Mars"
[columns]
"payment..id" = "A"
"payment.amount_value" = { column = "M", factor = "x" }
"a" = { column = "c", json = true, prefix = "1" }
"b" = { column = "c", factor = "1", minor_units_of = "d" }
"payment.country" = { column = "P", words = { x = ["DE"] }, colour = 1 }
[constants]
"y" = [1]
"""
    )
    with pytest.raises(MappingInvalid) as raised:
        read_mapping(path)
    for place in (
        "version:",
        "bogus:",
        "file.delimiter:",
        "file.encoding:",
        "file.header_row:",
        "numbers:",
        "times.formats.1:",
        "times.formats.2:",
        "times.formats.3:",
        "times.formats.4:",
        "times.formats.5:",
        "times.zone:",
        'columns."payment..id":',
        'columns."payment.amount_value".factor:',
        "columns.a:",
        "columns.b:",
        'columns."payment.country".words.x:',
        'columns."payment.country".colour:',
        "constants.y:",
    ):
        assert place in raised.value.message, raised.value.message
    assert raised.value.exit_status == 2
    assert "docs/mappings.md" in raised.value.hint


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[columns]\na = "x"\n[constants]\na = 1', "constants.a: columns fills it too"),
        ("[constants]\na = 1\n[defaults]\na = 1", "defaults.a: constants fills it too"),
        ("[columns\n", "mapping.toml:"),
        ('[columns]\na = { column = "x", factor = "-1" }', "positive"),
        ('[columns]\na = { column = "x", factor = "1e400" }', "positive number of at most"),
        ("[constants]\na = nan", "finite"),
    ],
)
def test_mappings_that_contradict_themselves(text: str, said: str) -> None:
    with pytest.raises(MappingInvalid, match=re.escape(said)):
        mapping_of(text)


@pytest.mark.parametrize("content", [None, b"\xff"])
def test_files_that_are_no_text(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "m.toml"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MappingInvalid, match=r"m\.toml"):
        read_mapping(path)


def test_a_factor_may_be_a_number_and_is_kept_as_a_plain_decimal() -> None:
    assert mapping_of("[columns]\na = { column = 'x', factor = 0.0100 }").columns["a"].factor == "0.0100"
    assert mapping_of("[columns]\na = { column = 'x', factor = '1e-4' }").columns["a"].factor == "0.0001"


# ---- a mapping and the table


def test_columns_that_the_file_lacks_are_one_error_that_names_them_all() -> None:
    with pytest.raises(MappingInvalid) as raised:
        read_text("id;Monto\n1;2\n", '[columns]\n"payment.id" = "ID"\n"payment.a" = "X"\n"payment.b" = "Mont"')
    assert "'X' (payment.a), 'Mont' (payment.b)" in raised.value.message
    assert "'id', 'Monto'" in raised.value.message


def test_a_name_that_may_be_two_columns_is_the_one_in_its_case() -> None:
    assert read_text("ID;id\n1;2\n", '[columns]\n"payment.id" = "id"').one == {"payment": {"id": "2"}, "ID": "1"}
    with pytest.raises(MappingInvalid, match="may be 'ID', 'id'"):
        read_text("ID;id\n1;2\n", '[columns]\n"payment.id" = "Id"')


def test_other_columns_stay_at_the_root_or_at_their_documented_path() -> None:
    text, columns = "n;x.y;payment.code;payment.id;payment.new\n1;2;3;4;5\n", '[columns]\n"payment.id" = "n"\n'
    read = read_text(text, columns)
    assert read.one == {"payment": {"id": "1", "code": "3", "new": "5"}, "x": {"y": "2"}, "payment.id": "4"}
    assert read_text(text, columns + "[extra]\nkeep = false").one == {"payment": {"id": "1"}}
    assert read.columns["/payment/id"] == "n"


def test_words_constants_defaults_prefixes_and_texts_that_mean_nothing() -> None:
    read = read_text(
        "p;s;o;d;n\nAlemania;0;7;;-\n GERMANY ;1;;text;1\nde;9;N/A;x;2\n",
        """
        [file]
        null_texts = ["N/A", "-"]
        [columns]
        "payment.country" = { column = "p", words = { Alemania = "DE", Germany = "DE", DE = "XX", de = "YY" } }
        "payment.status" = { column = "s", words = { 0 = "DECLINED", 1 = "APPROVED" } }
        "payment.order_id" = { column = "o", prefix = "ord-" }
        "payment.description" = "d"
        "transactions.0.card.id" = "n"
        [constants]
        "payment.organization_code" = "org"
        "payment.amount_value" = "010.50"
        "customer_payer.phone_country_code" = 57
        "payment.additional_data.test" = true
        [defaults]
        "payment.description" = ""
        "transactions.0.type" = "PURCHASE"
        """,
    )
    assert read.texts[1] == (
        '{"payment":{"country":"DE","status":"DECLINED","order_id":"ord-7","description":"",'
        '"organization_code":"org","amount_value":10.50,"additional_data":{"test":true}},'
        '"customer_payer":{"phone_country_code":"57"}}'
    )
    assert [each["payment"]["country"] for each in read.values] == ["DE", "DE", "YY"]
    assert [each["payment"]["status"] for each in read.values] == ["DECLINED", "APPROVED", "9"]
    assert [each["payment"].get("order_id") for each in read.values] == ["ord-7", None, None]
    assert read.values[1]["transactions"] == [{"card": {"id": 1}, "type": "PURCHASE"}]


def test_a_word_may_be_a_number() -> None:
    assert amounts(["free", "2,5"], '{ column = "m", words = { FREE = 0 }, decimal = "," }') == ["0", "2.5"]


# ---- numbers


@pytest.mark.parametrize(
    ("decimal", "thousands", "cell", "spelled"),
    [
        (",", ".", "1.234,50", "1234.50"),
        (",", ".", "1.234.567,89", "1234567.89"),
        (",", ".", "-1.234", "-1234"),
        (",", ".", "12,5", "12.5"),
        (",", ".", " 1.234,5\u00a0", "1234.5"),
        (",", ".", "12,34,5", None),
        (",", ".", "12.34", None),
        (",", ".", "1.2345,6", None),
        (",", ".", "1,234.5", None),
        (",", ".", "1234567,8", "1234567.8"),
        (",", "", "1.5", None),
        (",", "", "1,5", "1.5"),
        (".", ",", "1,234.50", "1234.50"),
        (".", ",", "12,34", None),
        (",", " ", "1 234\u00a0567\u202f890,1", "1234567890.1"),
        (".", "'", "1'234’567.8", "1234567.8"),
        (".", "_", "1_000", "1000"),
        (",", ".", "", None),
        (",", ".", "+0.012,5", "12.5"),
        (",", ".", "1.5e3", None),
        (",", "", "1,5e3", "1.5e3"),
    ],
)
def test_numbers_with_marks(decimal: DecimalMark, thousands: ThousandsMark, cell: str, spelled: str | None) -> None:
    assert marked_numbers(pl.Series([cell, None]), decimal, thousands).to_list() == [spelled, None]


_PLAIN = st.from_regex(
    r"[+-]?([0-9]{1,12}(\.[0-9]{0,8})?|\.[0-9]{1,8})([eE][+-]?[0-9]{1,2})?",
    fullmatch=True,
    alphabet=st.characters(codec="ascii"),
)


@given(st.lists(_PLAIN | st.text(max_size=5), max_size=30))
def test_numbers_are_those_of_decimal(cells: list[str]) -> None:
    found = json_numbers(pl.Series(cells, dtype=pl.String)).to_list()
    for cell, number in zip(cells, found, strict=True):
        if re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
            assert number is not None
            assert re.search(JSON_NUMBER, number)
            assert str(Decimal(number)) == str(Decimal(cell))  # the digits too
        else:
            assert number is None


@given(
    st.lists(
        st.decimals(allow_nan=False, allow_infinity=False, places=2, min_value=-(10**15), max_value=10**15), max_size=20
    )
)
def test_numbers_with_thousands_come_back(numbers: list[Decimal]) -> None:
    cells = [f"{number:,.2f}".replace(",", "\0").replace(".", ",").replace("\0", ".") for number in numbers]
    found = marked_numbers(pl.Series(cells, dtype=pl.String), ",", ".").to_list()
    assert [Decimal(each) for each in found] == numbers


@given(st.lists(_PLAIN, max_size=20), st.decimals(min_value="0.000001", max_value=10**9, allow_nan=False))
def test_factors_are_those_of_decimal(cells: list[str], factor: Decimal) -> None:
    numbers = json_numbers(pl.Series(cells, dtype=pl.String))
    spelled = f"{factor:f}"
    found = scaled(numbers, spelled).to_list()
    assert found == [f"{WIDE.multiply(Decimal(cell), Decimal(spelled)):f}" for cell in cells]


def test_a_factor_keeps_the_digits() -> None:
    assert amounts(["12345000", "1", "1.5", "", "x", "1e3"], '{ column = "m", factor = "0.0001" }')[:6] == [
        "1234.5000",
        "0.0001",
        "0.00015",
        '{"c":"x"}',
        '"x"',
        "0.1",
    ]


def test_numbers_beyond_64_bits_are_exact_too() -> None:
    long = "9" * 30 + ".125"
    assert amounts([long, "1e2000", "0" * 2000 + "1"], '{ column = "m", factor = "0.1" }') == [
        "9" * 29 + ".9125",
        '"1e2000"',
        "0.1",
    ]


@pytest.mark.parametrize(
    ("currency", "spelled"),
    [("COP", "12.34"), ("JPY", "1234"), ("KWD", "1.234"), ("CLP", "1234"), ("UYU", "12.34"), ("HUF", "12.34")],
)
def test_minor_units_by_currency(currency: str, spelled: str) -> None:
    entry = '{ column = "m", minor_units_of = "payment.currency_code" }\n"payment.currency_code" = "c"'
    assert amounts(["1234"], entry, more=currency)[0].startswith(spelled + ",")


def test_minor_units_of_a_constant_and_of_words() -> None:
    constant = (
        '{ column = "m", minor_units_of = "payment.currency_code" }\n[constants]\n"payment.currency_code" = "CLF"'
    )
    assert amounts(["5"], constant)[0].startswith("0.0005,")
    currency = '"payment.currency_code" = { column = "c", words = { x = "ISK" } }'
    words = '{ column = "m", minor_units_of = "payment.currency_code" }\n' + currency
    assert amounts(["5"], words)[0].startswith("5,")


def test_minor_units_of_no_currency_in_use_are_not_guessed() -> None:
    assert minor_unit_digits(pl.Series(["XAU", "DEM", "cop", None])).to_list() == [None] * 4
    entry = '{ column = "m", minor_units_of = "payment.currency_code" }\n"payment.currency_code" = "c"'
    assert amounts(["1234"], entry, more="XAU")[0].startswith('"1234",')
    with pytest.raises(MappingInvalid, match="no column and no constant fills payment"):
        amounts(["1"], '{ column = "m", minor_units_of = "payment.currency_code" }')


def test_marks_of_one_column_alone() -> None:
    read = read_text(
        "a;b\n1,5;1.5\n",
        '[numbers]\ndecimal = ","\n[columns]\n"payment.amount_value" = "a"\n'
        '"transactions.0.amount" = { column = "b", decimal = "." }',
    )
    assert read.texts[1] == '{"payment":{"amount_value":1.5},"transactions":[{"amount":1.5}]}'


# ---- times


@pytest.mark.parametrize(
    ("spelled", "zone", "cell", "expected"),
    [
        ("%d/%m/%Y %H:%M", None, "01/09/2026 10:05", "2026-09-01 10:05:00"),
        ("%d/%m/%Y %H:%M", "America/Bogota", "1/9/2026 10:05", "2026-09-01 15:05:00+00:00"),
        ("%d/%m/%Y", "-05:00", "01/09/2026", "2026-09-01 05:00:00+00:00"),
        ("%d/%m/%Y", None, "31/02/2026", None),
        ("%d/%m/%Y", None, "01/09/26", None),
        ("%d/%m/%y", None, "01/09/26", "2026-09-01 00:00:00"),
        ("%d/%m/%Y", None, "01/09/2026 10:00", None),
        ("%Y-%m-%dT%H:%M:%S%z", "America/Bogota", "2026-09-01T10:00:00Z", "2026-09-01 10:00:00+00:00"),
        ("%Y-%m-%dT%H:%M:%S%z", None, "2026-09-01T10:00:00+0530", "2026-09-01 04:30:00+00:00"),
        ("%Y-%m-%dT%H:%M:%S.%f%z", None, "2026-09-01T10:00:00.5-03:00", "2026-09-01 13:00:00.500000+00:00"),
        ("%Y%m%d%H%M%S", None, "20260901100500", "2026-09-01 10:05:00"),
        ("%d %b %Y, %I:%M %p", None, "01 Sep 2026, 01:05 PM", "2026-09-01 13:05:00"),
        ("%H:%M 100%% %d.%m.%Y", None, "10:05 100% 01.09.2026", "2026-09-01 10:05:00"),
        ("%j %Y", None, "032 2026", "2026-02-01 00:00:00"),
        ("epoch_s", None, "1790000000", "2026-09-21 14:13:20+00:00"),
        ("epoch_s", "America/Bogota", "1790000000.25", "2026-09-21 14:13:20.250000+00:00"),
        ("epoch_ms", None, "1790000000123", "2026-09-21 14:13:20.123000+00:00"),
        ("epoch_us", None, "1790000000123456", "2026-09-21 14:13:20.123456+00:00"),
        ("epoch_s", None, "-1.5", "1969-12-31 23:59:58.500000+00:00"),
        ("epoch_s", None, "1790000000123", None),
        ("epoch_s", None, "x", None),
        ("%d/%m/%Y %H:%M", "America/Bogota", "31/12/9999 23:00", None),
    ],
)
def test_times_of_a_format(spelled: str, zone: str | None, cell: str, expected: str | None) -> None:
    where = parse_zone(zone) if zone else None
    assert spelled_times(pl.Series([cell, None, ""]), [spelled], where).to_list() == [expected, None, None]


@given(
    st.lists(st.datetimes(), max_size=20),
    st.sampled_from(["America/New_York", "Europe/Berlin", "America/Bogota", "Australia/Lord_Howe", "+05:45"]),
)
def test_times_of_a_zone_are_read_as_other_exports_are(moments: list[object], name: str) -> None:
    cells = [str(moment)[:19] for moment in moments]
    zone = parse_zone(name)
    found = spelled_times(pl.Series(cells, dtype=pl.String), ["%Y-%m-%d %H:%M:%S"], zone).to_list()
    for cell, text in zip(cells, found, strict=True):
        try:
            expected = parse_instant(cell, zone)
        except ValueError:
            assert text is None
            continue
        assert text is not None
        assert parse_instant(text) == expected


@pytest.mark.parametrize(
    "local", ["2026-03-29 02:30:00", "2026-10-25 02:30:00", "2026-10-25 01:59:59", "2026-03-29 03:00:00"]
)
def test_hours_that_a_clock_change_skips_or_repeats(local: str) -> None:
    zone = parse_zone("Europe/Berlin")
    (text,) = spelled_times(pl.Series([local]), ["%Y-%m-%d %H:%M:%S"], zone)
    assert parse_instant(text) == parse_instant(local, zone)


def test_times_of_a_record() -> None:
    read = read_text(
        "f;g;h\n01/09/2026 10:00;1.9.2026;x\n1790000000;2026-09-01 00:00:00;2026-09-01\n1790000000123;;\nsoon;;\n",
        """
        [times]
        formats = ["%d/%m/%Y %H:%M", "epoch_s", "epoch_ms"]
        zone = "America/Bogota"
        [columns]
        "payment.created_at" = "f"
        "transactions.0.created_at" = { column = "g", formats = ["%d.%m.%Y"], zone = "+00:00" }
        "payment.additional_data.day" = "h"
        """,
    )
    assert [each["payment"]["created_at"] for each in read.values] == [
        "2026-09-01 15:00:00+00:00",
        "2026-09-21 14:13:20+00:00",
        "2026-09-21 14:13:20.123000+00:00",
        "soon",
    ]
    transactions = [each.get("transactions", [{}])[0].get("created_at") for each in read.values]
    assert transactions == ["2026-09-01 00:00:00+00:00", "2026-09-01 00:00:00", None, None]
    assert read.values[0]["payment"]["additional_data"] == {"day": "x"}


def test_a_zone_without_formats_is_of_plain_times() -> None:
    text = "c\n2026-09-01 10:00:00\n2026-09-01T10:00:00.5\n2026-09-01T10:00:00Z\n2026-09-01\n"
    read = read_text(text, '[times]\nzone = "America/Bogota"\n[columns]\n"payment.created_at" = "c"')
    assert [each["payment"]["created_at"] for each in read.values] == [
        "2026-09-01 15:00:00+00:00",
        "2026-09-01 15:00:00.500000+00:00",
        "2026-09-01T10:00:00Z",
        "2026-09-01 05:00:00+00:00",
    ]


def test_a_mapping_of_transactions_needs_the_payment() -> None:
    with pytest.raises(ExportUnreadable, match="no column is called payment_id"):
        read_text("a;b\n1;2\n", 'part = "transactions"\n[columns]\nid = "a"')


def test_a_mapping_says_nothing_by_default() -> None:
    assert Mapping(version=1) == mapping_of("")
