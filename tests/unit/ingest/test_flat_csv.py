import codecs
import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.flat import cutting, tables
from recovery_batch.ingest.flat.headers import looks_like_csv, sniff_delimiter
from tests.unit.ingest.flat_samples import read_text

HEADER = "payment.id,payment.country,note\n"


def test_dotted_columns_become_the_documented_shape() -> None:
    read = read_text(
        "payment.id,payment.amount_value,payment.additional_data.user_id,transactions.0.card.card_iin,"
        "transactions.0.card.id,transactions.1.amount,customer_payer.phone_number\n"
        "p1,1.50,u1,411111,7,2.0,3005550101\n"
    )
    assert read.texts[1] == (
        '{"payment":{"id":"p1","amount_value":1.50,"additional_data":{"user_id":"u1"}},'
        '"transactions":[{"card":{"card_iin":"411111","id":7}},{"amount":2.0}],'
        '"customer_payer":{"phone_number":"3005550101"}}'
    )
    assert read.columns["/transactions/1/amount"] == "transactions.1.amount"


def test_names_of_columns_count_in_any_case_and_without_blanks() -> None:
    read = read_text(" PAYMENT.Id ;Payment.Additional_Data.userId;Note\np1;u1;n\n")
    assert read.one == {"payment": {"id": "p1", "additional_data": {"userId": "u1"}}, "Note": "n"}
    assert read.columns["/payment/id"] == "PAYMENT.Id"


def test_abandoned_flows_have_the_same_columns() -> None:
    read = read_text(
        "customer.full_name,session.flow_stage,cart.total_value,cart.items.0.sku,cart.items.1.quantity,"
        'engagement.metadata\nAna,checkout,10.0,A,3,"{""a"":1}"\n',
        model=AbandonedFlow,
    )
    assert read.texts[1] == (
        '{"customer":{"full_name":"Ana"},"session":{"flow_stage":"checkout"},'
        '"cart":{"total_value":10.0,"items":[{"sku":"A"},{"quantity":3}]},"engagement":{"metadata":{"a":1}}}'
    )


def test_what_is_empty_is_absent_and_transactions_close_up() -> None:
    read = read_text(
        "payment.id,transactions.0.id,transactions.1.id,transactions.1.card.card_type,customer_payer.name\n"
        "p1,,t2,,\np2,,,,\np3,t1,,DEBIT,Ana\n"
    )
    assert read.values == [
        {"payment": {"id": "p1"}, "transactions": [{"id": "t2"}]},
        {"payment": {"id": "p2"}},
        {
            "payment": {"id": "p3"},
            "transactions": [{"id": "t1"}, {"card": {"card_type": "DEBIT"}}],
            "customer_payer": {"name": "Ana"},
        },
    ]


def test_one_transaction_needs_no_place() -> None:
    assert read_text("payment.id,transactions.status\np1,D\n").one["transactions"] == [{"status": "D"}]


@pytest.mark.parametrize(
    ("cell", "spelled"),
    [
        ("999999999999.99", "999999999999.99"),
        ("1e2", "1e2"),
        ("-0", "-0"),
        ("+1.50", "1.50"),
        ("007.5", "7.5"),
        (".5", "0.5"),
        ("5.", "5"),
        ("-.5e3", "-0.5e3"),
        ("00", "0"),
        ("1,5", '"1,5"'),
        (" 1", '" 1"'),
        ("abc", '"abc"'),
        ("٣", '"٣"'),
        ("NaN", '"NaN"'),
        ("1e", '"1e"'),
        (".", '"."'),
    ],
)
def test_numbers_keep_their_digits_and_what_is_none_its_text(cell: str, spelled: str) -> None:
    assert (
        read_text(f'payment.amount_value;b\n"{cell}";1\n').texts[1]
        == f'{{"payment":{{"amount_value":{spelled}}},"b":"1"}}'
    )


def test_a_cell_of_json_stands_as_it_is() -> None:
    cells = ['{"a": [1.10, null]}', '[{"key": "k", "value": 1}]', "[1]", "no json", '{"a":01}', "12", '{"a":\n1}']
    texts = "".join('"' + cell.replace('"', '""') + '"\n' for cell in cells)
    read = read_text(f"payment.additional_data\n{texts}")
    assert [text.removeprefix('{"payment":{"additional_data":').removesuffix("}}") for text in read.texts.values()] == [
        '{"a": [1.10, null]}',
        '{"metadata":[{"key": "k", "value": 1}]}',
        "[1]",
        '"no json"',
        '"{\\"a\\":01}"',
        '"12"',
        '{"a": 1}',
    ]


def test_metadata_of_a_payment_may_be_a_list_of_pairs() -> None:
    read = read_text('payment.metadata;payment.id\n"[{""key"":""k"",""value"":""v""}]";p1\n')
    assert read.one["payment"]["metadata"] == [{"key": "k", "value": "v"}]


def test_whole_parts_of_a_record_may_be_json() -> None:
    read = read_text('payment;transactions\n"{""id"":""p1""}";"[{""amount"":1.0}]"\n')
    assert read.texts[1] == '{"payment":{"id":"p1"},"transactions":[{"amount":1.0}]}'


def test_a_column_of_an_object_and_columns_of_its_keys_become_one() -> None:
    read = read_text(
        'payment.additional_data;payment.additional_data.user_id\n"{""a"":1}";u1\n{};u2\n;u3\n"{ ""a"":1}";\nnone;u5\n'
    )
    assert [each["payment"]["additional_data"] for each in read.values] == [
        {"user_id": "u1", "a": 1},
        {"user_id": "u2"},
        {"user_id": "u3"},
        {"a": 1},
        "none",
    ]


def test_columns_that_are_not_documented_stay_with_the_record() -> None:
    read = read_text(
        "payment.id,payment.new,other.deep.x,other.list.0,other.list.1,plain,plain.x,a..b\np,1,2,3,4,5,6,7\n"
    )
    assert read.one == {
        "payment": {"id": "p", "new": "1"},
        "other": {"deep": {"x": "2"}, "list": ["3", "4"]},
        "plain": "5",
        "plain.x": "6",
        "a..b": "7",
    }


def test_text_is_escaped_as_json_wants_it() -> None:
    texts = ['a"b', "a\\b", "é\u2028😀", "a\tb", "".join(map(chr, range(1, 32))), "\x7f", "\x00"]
    rows = io.StringIO()
    csv.writer(rows, lineterminator="\n").writerows([["payment.id", "payment.code"], *([text, "x"] for text in texts)])
    read = read_text(rows.getvalue().replace("x\n", "x\n"))
    assert [each["payment"]["id"] for each in read.values] == texts


_CELLS = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ['"', '""', "\n", "\r\n", ",", "", "a"]
)


@given(
    st.lists(st.tuples(_CELLS, _CELLS, _CELLS), max_size=12), st.sampled_from([",", ";", "\t", "|"]), st.integers(1, 40)
)
def test_any_cells_come_back_as_they_were(rows: list[tuple[str, str, str]], delimiter: str, drip: int) -> None:
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=csv.QUOTE_ALL, lineterminator="\r\n")
    writer.writerows([["payment.id", "payment.code", "payment.status"], *rows])
    read = read_text(text.getvalue(), f"[file]\ndelimiter = {delimiter!r}\n" if delimiter != "\t" else None, drip=drip)
    assert not read.unread
    names = ("id", "code", "status")
    expected = {
        number: {name: cell for name, cell in zip(names, row, strict=True) if cell}
        for number, row in enumerate(rows, 1)
        if any(row)
    }
    assert {number: value["payment"] for number, value in zip(read.texts, read.values, strict=True)} == expected


def test_line_ends_blank_lines_and_a_last_line_without_an_end() -> None:
    read = read_text(b'payment.id;b\r\n\r\np1;"1"\r\n\n"p2";"a\r\nb"\r\n \t \r\np3;3')
    assert list(read.texts) == [1, 2, 3]
    assert read.values[1] == {"payment": {"id": "p2"}, "b": "a\r\nb"}


def test_lines_that_end_in_a_return_alone() -> None:
    assert [each["payment"]["id"] for each in read_text(b"payment.id,b\rp1,1\rp2,2\r").values] == ["p1", "p2"]


def test_one_column_is_enough() -> None:
    assert list(read_text("payment.id\np1\n\np2").texts) == [1, 2]


def test_a_row_without_any_value_counts_but_holds_no_record() -> None:
    read = read_text(HEADER + 'p1,CO,\n,,\n"","",\np4,,\n')
    assert list(read.texts) == [1, 4]
    assert not read.unread


def test_a_row_with_another_number_of_cells_is_bad_and_no_other() -> None:
    read = read_text(HEADER + 'p1,CO,x\np2,CO\np3,CO,x,\n\np4,"a,b",x\n')
    assert list(read.texts) == [1, 4]
    assert read.unread == {
        2: ("bad_row", "3 cells", "2 cells", "p2,CO"),
        3: ("bad_row", "3 cells", "4 cells", "p3,CO,x,"),
    }


def test_a_quote_that_stays_open_is_one_bad_row() -> None:
    read = read_text(HEADER + 'p1,CO,x\np2,CO,"open\np3,CO,x\n"p4",CO,"y"\np5,CO,z\n')
    assert list(read.texts) == [1, 3, 4, 5]
    assert read.unread[2][0] == "bad_row"
    assert read.unread[2][3] == 'p2,CO,"open'


def test_a_quote_that_stays_open_to_the_end_is_one_bad_row() -> None:
    read = read_text(HEADER + 'p1,CO,x\np2,CO,"open\np3,CO,x\np4,CO,y')
    assert list(read.texts) == [1, 3, 4]
    assert read.unread == {2: ("bad_row", "quotes that close", "a quote that stays open", 'p2,CO,"open')}


def test_quotes_within_a_cell_without_quotes_are_text() -> None:
    read = read_text(HEADER + 'p1,5" pipe,x\n"p2","6"" pipe",x\n')
    assert [each["payment"]["country"] for each in read.values] == ['5" pipe', '6" pipe']


def test_text_behind_a_closing_quote_is_a_bad_row() -> None:
    read = read_text(HEADER + '"p1"x,CO,1\np2,CO,2\n')
    assert read.unread[1] == (
        "bad_row",
        "quotes around a whole cell, or doubled in it",
        "a quote elsewhere",
        '"p1"x,CO,1',
    )
    assert list(read.texts) == [2]


def test_a_row_with_bad_utf8_is_bad_and_no_other() -> None:
    read = read_text(
        HEADER.encode() + "p1,Ñ,x\n".encode() + b"p2,\xd1,x\np3,C,\xff\n" + b'"p4","5"" \xd1",x\np5,CO,x\n'
    )
    assert list(read.texts) == [1, 5]
    assert {number: (each[0], each[2]) for number, each in read.unread.items()} == {
        2: ("not_utf8", "byte 0xd1"),
        3: ("not_utf8", "byte 0xff"),
        4: ("not_utf8", "byte 0xd1"),
    }


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings_that_show_themselves(encoding: str) -> None:
    read = read_text("payment.id;País\np1;Ñandú 😀\np2;x\n".encode(encoding))
    assert read.values == [{"payment": {"id": "p1"}, "País": "Ñandú 😀"}, {"payment": {"id": "p2"}, "País": "x"}]


@pytest.mark.parametrize("mark", [codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE])
def test_utf16_in_small_reads(mark: bytes) -> None:
    encoding = "utf-16-le" if mark == codecs.BOM_UTF16_LE else "utf-16-be"
    read = read_text(mark + "payment.id;b\np1;😀\n".encode(encoding), drip=3)
    assert read.one == {"payment": {"id": "p1"}, "b": "😀"}


def test_utf16_that_is_cut_off_is_one_bad_row() -> None:
    read = read_text("payment.id;b\np1;1\np2;2".encode("utf-16")[:-1])
    assert list(read.texts) == [1]
    assert read.unread[2][0] == "not_utf8"


def test_another_encoding_is_named_by_a_mapping() -> None:
    text = "payment.id;País\np1;Ñandú\n".encode("cp1252")
    assert read_text(text, '[file]\nencoding = "latin-1"').one["País"] == "Ñandú"
    with pytest.raises(ExportUnreadable, match="0xed") as raised:
        read_text(text)
    assert "latin-1" in raised.value.hint


def test_a_byte_that_means_nothing_in_the_encoding_is_one_bad_row() -> None:
    read = read_text(b"payment.id;b\np1;\x81\np2;\xf1\n", '[file]\nencoding = "cp1252"')
    assert read.unread[1][0] == "not_utf8"
    assert read.one["b"] == "ñ"


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(delimiter: str) -> None:
    header = delimiter.join(["payment.id", '"a,b;c"', "x"])
    assert sniff_delimiter(header.encode()) == delimiter.encode()
    assert read_text(f"{header}\np1{delimiter}2{delimiter}3\n").one == {"payment": {"id": "p1"}, "a,b;c": "2", "x": "3"}


def test_titles_above_the_header_and_a_line_for_excel_are_passed_over() -> None:
    assert read_text("Report, of\n\npayment.id,b\np1,1\n", "[file]\nheader_row = 3").one["b"] == "1"
    assert read_text("sep=;\r\npayment.id;b,c\r\np1;1\r\n").one["b,c"] == "1"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no header line"),
        ("\n \n", "no header line"),
        ("payment.id,b, payment.id \n1,2,3\n", "more than once: 'payment.id'"),
        ("payment.id,Payment.ID\n1,2\n", "both fill payment.id"),
        ("transactions,transactions.0.id\n1,2\n", "both fill transactions"),
        ("payment.id,payment.id.x,payment.id.x.y\n1,2,3\n", None),
        ("a,b\n1,2\n", "no column is called by a path that is ours"),
        ('"payment.id,b\n1,2\n', "quotes of the header line do not close"),
    ],
)
def test_headers_that_cannot_be_read(text: str, said: str | None) -> None:
    if said is None:
        assert read_text(text).one["payment"] == {"id": "1"}
        return
    with pytest.raises(ExportUnreadable, match=said):
        read_text(text)


def test_an_error_does_not_show_data_that_stands_where_names_should() -> None:
    with pytest.raises(ExportUnreadable) as raised:
        read_text("p1,Ana Prado,3005550101\np2,b,c\n")
    assert "Ana" not in raised.value.message
    assert "300555" not in raised.value.message


def test_columns_without_a_name_are_called_by_their_number() -> None:
    assert read_text("payment.id,,\np1,1,\np2,,2\n").values == [
        {"payment": {"id": "p1"}, "column 2": "1"},
        {"payment": {"id": "p2"}, "column 3": "2"},
    ]


def test_folders_add_their_columns_but_for_those_of_the_file() -> None:
    folders = {"payment.country": "CO", "payment.id": "other", "day": "__HIVE_DEFAULT_PARTITION__", "q": 'a"b'}
    read = read_text("payment.id\np1\n", folders=folders)
    assert read.one == {"payment": {"id": "p1", "country": "CO"}, "q": 'a"b'}


@pytest.mark.parametrize("block", [1 << 10, 4 << 10])
def test_blocks_end_anywhere(block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK_BYTES", block)
    monkeypatch.setattr(cutting, "_DOUBTFUL", 256)
    kinds = [
        "p{0},CO,x\n",
        '"p{0}","C\r\n""O""",\r\n',
        "p{0},CO\n",
        'p{0},5" y,\n',
        '"p{0}"z,CO,\n',
        "\n",
        "p{0},Ñ\U0001f600,x\n",
    ]
    text = HEADER + "".join(kinds[number * number % 7].format(number) for number in range(2_000))
    read = read_text(text)
    kept = [kinds[number * number % 7] for number in range(2_000) if kinds[number * number % 7] != "\n"]
    assert len(read.texts) + len(read.unread) == len(kept)
    assert {number for number, kind in enumerate(kept, 1) if kind in (kinds[2], kinds[4])} == read.unread.keys()
    assert read.texts == read_text(text, drip=100).texts


def test_a_cell_longer_than_any_is_an_open_quote(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK_BYTES", 1 << 10)
    monkeypatch.setattr(cutting, "LONGEST_ROW", 4 << 10)
    rows = "".join(f"p{number},CO,x\n" for number in range(2, 2_000))
    read = read_text(HEADER + 'p1,CO,"open\n' + rows)
    assert read.unread.keys() == {1}
    assert list(read.texts) == list(range(2, 2_000))
    with pytest.raises(ExportUnreadable, match="row 1 has a line of more than"):
        read_text(HEADER + "x" * 10_000)


@given(
    st.lists(st.sampled_from(['"', ",", "\n", "\r", "a", '""', "é", "\\", "p,q,r\n", '"x","y","z"\n']), max_size=40),
    st.integers(1, 9),
)
def test_whatever_stands_there_every_row_is_read_or_bad(parts: list[str], drip: int) -> None:
    text = HEADER + "".join(parts)
    read = read_text(text)
    again = read_text(text, drip=drip)
    assert (read.texts, read.unread) == (again.texts, again.unread)
    numbers = sorted({*read.texts, *read.unread})
    assert not numbers or numbers[-1] <= text.count("\n")
    for number in range(1, (numbers or [0])[-1]):
        assert number in numbers or '""' in text or ",," in text  # a row without any value has no record


@pytest.mark.parametrize(
    ("head", "is_csv"),
    [
        (b"payment.id,payment.country\np1,CO\n", True),
        (b"payment.id\np1\n", True),
        ("País;Monto\nCO;1,5\n".encode("latin-1"), True),
        ("payment.id;b\n1;2\n".encode("utf-16"), True),
        (b"sep=;\na;b\n", True),
        (b'"payment.id";"b"\r\n"1";"2"\r\n', True),
        (b'{"payment": {}, "x": 1}\n', False),
        (b'[{"a":1},{"b":2}]\n', False),
        (b"not json, at all\n", True),
        (b"not json at all\n", False),
        (b"", False),
        (b"PK\x03\x04\0\0,\0,", False),
        (b'"just a text"', False),
    ],
)
def test_what_may_be_csv(head: bytes, is_csv: bool) -> None:
    assert looks_like_csv(head) is is_csv
