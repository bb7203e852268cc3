"""A sheet of a workbook is read as a CSV file would be: cells as texts, numbers as Excel shows them."""

from __future__ import annotations

import zipfile
from collections.abc import Sequence
from pathlib import Path
from xml.sax.saxutils import escape

import polars as pl
import pytest

from recovery_batch.contract.declined import Element
from recovery_batch.errors import ExportUnreadable
from recovery_batch.ingest.excel.sheets import MOST_COLUMNS
from recovery_batch.ingest.flat.tables import read_records
from recovery_batch.ingest.workbook import (
    BATCH_ROWS,
    SheetNotes,
    is_workbook,
    open_workbook,
    read_workbook,
    sheet_names,
)

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LINKS = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
STYLES = (
    f'<styleSheet xmlns="{MAIN}"><numFmts><numFmt numFmtId="164" formatCode="dd/mm/yyyy\\ hh:mm"/>'
    '<numFmt numFmtId="165" formatCode="[h]:mm:ss"/><numFmt numFmtId="166" formatCode="&quot;days &quot;0.00"/>'
    '</numFmts><cellStyleXfs><xf numFmtId="14"/></cellStyleXfs><cellXfs><xf numFmtId="0"/><xf numFmtId="164"/>'
    '<xf numFmtId="22"/><xf numFmtId="165"/><xf numFmtId="166"/><xf numFmtId="20"/></cellXfs></styleSheet>'
)


def text(value: str) -> str:
    return f'<c t="inlineStr"><is><t xml:space="preserve">{escape(value)}</t></is></c>'


def number(spelled: str, style: int = 0) -> str:
    return f'<c s="{style}"><v>{spelled}</v></c>'


def rows(*cells: Sequence[str]) -> str:
    return "".join(f"<row>{''.join(row)}</row>" for row in cells)


def workbook(
    path: Path,
    *sheets: tuple[str, str],
    shared: Sequence[str] = (),
    since_1904: bool = False,
    hidden: Sequence[str] = (),
    extra: dict[str, str] | None = None,
) -> Path:
    """Write a workbook by hand: sheets by name, each as the rows of its XML."""
    states = ("visible", "hidden")
    listed = "".join(
        f'<sheet name="{escape(name)}" sheetId="{at}" r:id="rId{at}" state="{states[name in hidden]}"/>'
        for at, (name, _) in enumerate(sheets, 1)
    )
    links = "".join(
        f'<Relationship Id="rId{at}" Type="{LINKS}/worksheet" Target="worksheets/sheet{at}.xml"/>'
        for at in range(1, len(sheets) + 1)
    )
    items = "".join(f"<si>{each}</si>" for each in shared)
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{MAIN}" xmlns:r="{LINKS}"><workbookPr date1904="{int(since_1904)}"/>'
        f"<sheets>{listed}</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f"<Relationships>{links}</Relationships>",
        "xl/styles.xml": STYLES,
        "xl/sharedStrings.xml": f'<sst xmlns="{MAIN}">{items}</sst>',
    }
    for at, (_, data) in enumerate(sheets, 1):
        parts[f"xl/worksheets/sheet{at}.xml"] = f'<worksheet xmlns="{MAIN}"><sheetData>{data}</sheetData></worksheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (parts | (extra or {})).items():
            archive.writestr(name, content)
    return path


def read(path: Path, sheet: str | None = None, header_row: int = 1, **more: object) -> pl.DataFrame:
    return pl.concat(read_workbook(path, sheet, header_row, **more))  # type: ignore[arg-type]


def column(path: Path, *cells: str, **more: object) -> list[str | None]:
    """What cells come out as."""
    book = workbook(path, ("S", rows([text("a"), text("b")], *([each, text("x")] for each in cells))), **more)  # type: ignore[arg-type]
    return read(book)["a"].to_list()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "named.csv"


@pytest.mark.parametrize(
    ("stored", "shown"),
    [
        ("23.79", "23.79"),
        ("23.789999999999999", "23.79"),
        ("0.30000000000000004", "0.3"),
        ("1500", "1500"),
        ("1500.0", "1500"),
        ("1.5E3", "1500"),
        ("1E-3", "0.001"),
        ("4.0000000000000001E-3", "0.004"),
        ("-12.5", "-12.5"),
        ("-0", "0"),
        ("0", "0"),
        ("999999999999.99", "999999999999.99"),
        ("999999999999.98999", "999999999999.99"),
        ("1.2345678901234501E19", "12345678901234500000"),
        ("1234567890123456789", "1234567890123456789"),
        ("100000000000000.1", "100000000000000"),
        ("abc", "abc"),
        ("1_000", "1_000"),
        ("nan", "nan"),
        ("1E999", "1E999"),
    ],
)
def test_numbers_are_spelled_without_the_noise_of_doubles(path: Path, stored: str, shown: str) -> None:
    assert column(path, number(stored)) == [shown]


@pytest.mark.parametrize(
    ("stored", "style", "shown"),
    [
        ("46290.4243055556", 1, "2026-09-25 10:11:00"),
        ("46290", 2, "2026-09-25 00:00:00"),
        ("46290.999999999", 2, "2026-09-26 00:00:00"),
        ("61", 2, "1900-03-01 00:00:00"),
        ("59", 2, "1900-02-28 00:00:00"),
        ("0.5", 5, "12:00:00"),
        ("1.5", 3, "1.5"),
        ("46290", 4, "46290"),
        ("-3", 2, "-3"),
        ("99999999", 2, "99999999"),
    ],
)
def test_dates_are_those_that_excel_shows(path: Path, stored: str, style: int, shown: str) -> None:
    assert column(path, number(stored, style)) == [shown]


def test_days_may_count_from_1904(path: Path) -> None:
    assert column(path, number("44828", 2), since_1904=True) == ["2026-09-25 00:00:00"]


def test_other_cells(path: Path) -> None:
    cells = (
        text("05"),
        text(" two\nlines <&> ñ "),
        '<c t="b"><v>1</v></c>',
        '<c t="b"><v>0</v></c>',
        '<c t="e"><v>#N/A</v></c>',
        "<c/>",
        '<c t="str"><f>A1&amp;"x"</f><v>made</v></c>',
        "<c><f>1+1</f><v>2</v></c>",
        '<c t="d"><v>2026-09-25T10:11:12</v></c>',
        '<c t="d"><v>2026-09-25</v></c>',
        text("a_x000D_b_x005F_c"),
    )
    assert column(path, *cells) == [
        "05",
        " two\nlines <&> ñ ",
        "true",
        "false",
        None,
        None,
        "made",
        "2",
        "2026-09-25 10:11:12",
        "2026-09-25 00:00:00",
        "a\rb_c",
    ]


def test_shared_texts(path: Path) -> None:
    shared = ["<t>plain</t>", "<r><t>two </t></r><r><t>parts</t></r>", "<t>kanji</t><rPh><t>sound</t></rPh>"]
    cells = (f'<c t="s"><v>{at}</v></c>' for at in (2, 1, 0, 1))
    assert column(path, *cells, shared=shared) == ["kanji", "two parts", "plain", "two parts"]


def test_cells_and_rows_that_are_left_out_are_empty(path: Path) -> None:
    data = (
        '<row r="1"><c r="A1" t="str"><v>id</v></c><c r="C1" t="str"><v> amount </v></c></row>'
        '<row r="2"><c r="C2"><v>1</v></c></row><row r="5"><c r="A5"><v>2</v></c><c r="B5"><v>3</v></c></row>'
        '<row r="6"><c r="A6"/></row><row r="900000"/>'
    )
    frame = read(workbook(path, ("S", data)))
    assert frame.columns == ["id", "column 2", "amount"]
    assert frame.rows() == [(None, None, "1"), (None, None, None), (None, None, None), ("2", "3", None)]


def test_prefixed_xml_is_read(path: Path) -> None:
    sheet = (
        f'<x:worksheet xmlns:x="{MAIN}"><x:sheetData><x:row><x:c t="inlineStr"><x:is><x:t>a</x:t></x:is></x:c></x:row>'
        "\n <x:row>\n <x:c>\n <x:v>7</x:v>\n </x:c>\n </x:row></x:sheetData></x:worksheet>"
    )
    assert read(workbook(path, ("S", ""), extra={"xl/worksheets/sheet1.xml": sheet})).rows() == [("7",)]


def test_long_numbers_are_counted(path: Path) -> None:
    notes = SheetNotes()
    cells = [[number("1234567890123456"), number("0.1")], [number("12"), number("1.2345678901234501E19")]]
    book = workbook(path, ("Pagos", rows([text("id"), text("n")], *cells, *cells)))
    read(book, notes=notes)
    assert notes == SheetNotes("Pagos", {"id": 2, "n": 2}, 0)


def test_the_first_sheet_that_is_not_empty(path: Path) -> None:
    named = rows([text("a")], [text("1")])
    hidden = rows([text("h")], [text("2")])
    book = workbook(path, ("Empty", "<row/>"), ("Lists", hidden), ("Data", named), hidden=["Lists"])
    assert sheet_names(book) == ["Empty", "Lists", "Data"]
    assert read(book).rows() == [("1",)]
    assert read(book, " data").rows() == [("1",)]
    assert read(book, "Lists").columns == ["h"]
    with pytest.raises(ExportUnreadable, match="the sheet 'Empty' is empty"):
        read(book, "Empty")
    with pytest.raises(ExportUnreadable, match="there is no sheet 'Other'") as raised:
        read(book, "Other")
    assert raised.value.hint == "The workbook has: 'Empty', 'Lists', 'Data'."


def test_a_header_further_down(path: Path) -> None:
    book = workbook(
        path, ("S", rows([text("A report of a wide title"), text("x"), text("y")], [], [text("a")], [text("1")]))
    )
    assert read(book, header_row=3).to_dict(as_series=False) == {"a": ["1"]}
    with pytest.raises(ExportUnreadable, match=r"row 2 is empty.*first row with a value is 1"):
        read(book, header_row=2)
    with pytest.raises(ExportUnreadable, match="row 90 is empty"):
        read(book, header_row=90)


def test_a_header_alone_has_no_rows(path: Path) -> None:
    frames = list(read_workbook(workbook(path, ("S", rows([text("a"), text("b")])))))
    assert [(frame.columns, frame.height) for frame in frames] == [(["a", "b"], 0)]
    assert frames[0].dtypes == [pl.String, pl.String]


def test_a_name_that_stands_twice(path: Path) -> None:
    with pytest.raises(ExportUnreadable, match="more than once: 'a'"):
        read(workbook(path, ("S", rows([text("a"), text("a ")], [text("1")]))))


def test_a_sheet_becomes_records(path: Path) -> None:
    header = [text("payment.id"), text("payment.amount_value")]
    book = workbook(
        path, ("S", rows(header, [text("p1"), number("23.789999999999999")], [], [text("p3"), number("5")]))
    )
    records = read_records(open_workbook(book), None, Element)
    (lines,) = records.lines
    assert lines.numbers.to_pylist() == [1, 3]
    assert lines.texts.to_pylist() == [
        '{"payment":{"id":"p1","amount_value":23.79}}',
        '{"payment":{"id":"p3","amount_value":5}}',
    ]


@pytest.mark.slow
def test_many_rows_come_in_batches(path: Path) -> None:
    count = 2 * BATCH_ROWS + 10
    data = "".join(f"<row><c><v>{at}</v></c></row>" for at in range(count))
    book = workbook(path, ("S", rows([text("n")]) + data))
    seen: list[int] = []
    frames = list(read_workbook(book, progress=seen.append))
    assert max(frame.height for frame in frames) <= BATCH_ROWS
    assert pl.concat(frames)["n"].cast(pl.Int64).to_list() == list(range(count))
    assert seen == sorted(seen)
    assert 0 < seen[-1] <= book.stat().st_size


def test_cells_far_apart_fill_no_memory(path: Path) -> None:
    data = '<row r="1"><c r="A1" t="str"><v>a</v></c></row><row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'
    notes = SheetNotes()
    book = workbook(path, ("S", data))
    assert sum(frame.height for frame in read_workbook(book, notes=notes)) == 1_048_575
    assert notes.beyond == 1
    wide = '<row r="1"><c r="XFD1" t="str"><v>a</v></c></row><row r="1048576"><c><v>1</v></c></row>'
    with pytest.raises(ExportUnreadable, match=f"16,384 columns; allowed: {MOST_COLUMNS:,}"):
        read(workbook(path, ("S", wide)))


def test_what_is_a_workbook(path: Path, tmp_path: Path) -> None:
    book = workbook(path, ("S", rows([text("a")])))
    assert is_workbook(book.read_bytes()[:100], book)
    cut = tmp_path / "cut"
    cut.write_bytes(book.read_bytes()[:400])
    assert is_workbook(cut.read_bytes()[:100], cut)
    with zipfile.ZipFile(tmp_path / "other", "w") as archive:
        archive.writestr("a.csv", "a,b\n1,2\n")
    assert not is_workbook((tmp_path / "other").read_bytes()[:100], tmp_path / "other")
    assert not is_workbook(b"a;b\n1;2\n", path)
    assert is_workbook(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 50, path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600), r"old form \(\.xls\), or one with a password"),
        (b"PK\x03\x04" + bytes(600), "damaged or cut off"),
        (b"", "damaged or cut off"),
    ],
)
def test_what_is_no_workbook_that_can_be_read(path: Path, content: bytes, message: str) -> None:
    path.write_bytes(content)
    with pytest.raises(ExportUnreadable, match=message):
        read(path)


def test_a_binary_workbook_and_another_zip(path: Path) -> None:
    for name, message in (("xl/workbook.bin", r"\.xlsb"), ("a.csv", "holds no workbook")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "x")
        with pytest.raises(ExportUnreadable, match=message):
            read(path)


def test_a_zip_bomb(path: Path) -> None:
    book = workbook(path, ("S", rows([text("a")], [text("x" * 1_000_000)])))
    with pytest.raises(ExportUnreadable, match="more than the limit of 500,000"):
        read(book, limit=500_000)
    assert read(book, limit=2_000_000).height == 1


SHEET = "xl/worksheets/sheet1.xml"
BROKEN = {
    "cut off": {SHEET: "<worksheet><sheetData><row><c><v>1"},
    "not XML": {SHEET: "a;b;c"},
    "a document type": {
        SHEET: '<!DOCTYPE a [<!ENTITY b "c">]><worksheet><row><c t="str"><v>&b;</v></c></row></worksheet>'
    },
    "a text that is not there": {SHEET: '<worksheet><row><c t="s"><v>7</v></c></row></worksheet>'},
    "no number of a text": {SHEET: '<worksheet><row><c t="s"><v>x</v></c></row></worksheet>'},
    "a row that goes back": {SHEET: '<w><row r="3"><c><v>1</v></c></row><row r="2"><c><v>1</v></c></row></w>'},
    "a row too far": {SHEET: '<w><row r="9999999999999"><c><v>1</v></c></row></w>'},
    "a row that is no number": {SHEET: '<w><row r="x"><c><v>1</v></c></row></w>'},
    "a column too far": {SHEET: '<w><row><c r="ZZZZ1"><v>1</v></c></row></w>'},
    "a column that is none": {SHEET: '<w><row><c r="é1"><v>1</v></c></row></w>'},
    "no list of sheets": {"xl/workbook.xml": "<workbook"},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=list(BROKEN))
def test_broken_parts(path: Path, broken: dict[str, str]) -> None:
    book = workbook(path, ("S", ""), extra=broken)
    with pytest.raises(ExportUnreadable, match="damaged or cut off"):
        read(book)


def test_damaged_bytes_never_end_in_a_traceback(path: Path) -> None:
    cells = [[text(f"p{at}"), number(f"{at}.5"), number("46290.5", 2)] for at in range(40)]
    whole = workbook(path, ("S", rows([text("a"), text("b"), text("c")], *cells))).read_bytes()
    for at in range(0, len(whole), 7):
        for damaged in (whole[:at], whole[:at] + bytes([whole[at] ^ 0xFF]) + whole[at + 1 :]):
            path.write_bytes(damaged)
            try:
                read(path)
            except ExportUnreadable:
                continue
