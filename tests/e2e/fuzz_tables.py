"""Small valid tables (CSV, Parquet, workbooks) with something wrong in them, for the fuzz test."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final
from xml.sax.saxutils import escape

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq

from recovery_batch.ingest.mapping import MappingInvalid, parse_mapping
from tests.e2e.fuzz_exports import NAME, ORGANIZATION, PHONE, Maker, among_good, payment
from tests.e2e.fuzzing import Mutant
from tests.e2e.mutations import CARDS, CODE, Mutator

COLUMNS: Final = (
    "payment.id", "payment.organization_code", "payment.order_id", "payment.country", "payment.status",
    "payment.amount_value", "payment.currency_code", "payment.created_at", "payment.additional_data",
    "payment.additional_data.card_number", "payment.additional_data.cvv", "transactions.0.id",
    "transactions.0.amount", "transactions.0.card.card_iin", "transactions.0.card.number", "payment.reject_reason",
    "payment.description", "customer_payer.name", "customer_payer.phone_number", "customer_payer.phone_country_code",
)  # fmt: skip
_CARD_COLUMNS: Final = (9, 14)
_CODE_COLUMN: Final = 10
FLOW_COLUMNS: Final = (
    "session.session_id", "session.abandonment_timestamp", "session.flow_stage", "session.platform", "cart.total_value",
    "cart.currency", "cart.items.0.name", "cart.items.0.quantity", "engagement.metadata", "customer.country_code",
    "customer.full_name", "customer.phone_number", "customer.email",
)  # fmt: skip
MAPPING: Final = """
version = 1
[file]
delimiter = ";"
null_texts = ["-"]
[numbers]
decimal = ","
thousands = "."
[times]
formats = ["%d/%m/%Y %H:%M"]
zone = "America/Bogota"
[columns]
"payment.id" = "Id"
"payment.country" = { column = "País", words = { "Alemania" = "DE", "Colombia" = "CO" } }
"payment.status" = { column = "ok", words = { "0" = "DECLINED", "1" = "APPROVED" } }
"payment.amount_value" = "Monto"
"payment.additional_data.fee" = { column = "Comisión", factor = "0.0001" }
"payment.additional_data.tax" = { column = "IVA", minor_units_of = "payment.currency_code" }
"payment.additional_data" = { column = "meta", json = true }
"payment.created_at" = "Fecha"
"customer_payer.name" = "Nombre"
"customer_payer.phone_number" = { column = "Teléfono", prefix = "" }
[constants]
"payment.organization_code" = "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b001"
"payment.currency_code" = "COP"
"customer_payer.phone_country_code" = 57
[defaults]
"payment.description" = ""
"""
MAPPED: Final = ("Id", "País", "ok", "Monto", "Comisión", "IVA", "meta", "Fecha", "Nota", "Nombre", "Teléfono")


def row(payment_id: str) -> list[str]:
    return [
        *(payment_id, ORGANIZATION, "order", "CO", "DECLINED", "1234.56", "COP", "2026-10-01 15:00:00"),
        *('{"user_id":"u-1"}', "", "", "t1", "1234.56", "411111", "", "a, b", "shoes", NAME, PHONE, "57"),
    ]


def mapped_row(payment_id: str) -> list[str]:
    meta = '{"user_id":"u-1","cvv":null}'
    row = [payment_id, "Colombia", "0", "1.234,56", "12345000", "1900", meta, "01/10/2026 10:00", "-", NAME, PHONE]
    return row


def flow_row(session_id: str) -> list[str]:
    return [
        *(session_id, "2026-09-20T15:00:00Z", "checkout", "web", "1234.56", "COP", "Lamp", "2", '{"utm":[1]}', "CO"),
        *(NAME, f"+57{PHONE}", "quill.feather@example.com"),
    ]


def _csv(cells: Sequence[str], delimiter: str, *, quoted: bool = True) -> str:
    """A row; the name is quoted in any case, so that what is quoted before it ends there at the latest."""
    if not quoted:
        return delimiter.join(cells)
    doubled = (each.replace('"', '""') for each in cells)
    return delimiter.join(
        f'"{each}"' if each.startswith("Quill") or any(one in each for one in '"\r\n' + delimiter) else each
        for each in doubled
    )


def csv(
    row: Callable[[str], list[str]], columns: Sequence[str], delimiter: str, encoding: str = "utf-8", mapping: str = ""
) -> Maker:
    """CSV with damaged rows, each between good ones."""
    used = parse_mapping(mapping, "mapping.toml") if mapping else None
    inner = "utf-8" if encoding == "utf-16" else encoding  # whose bytes are out of step from a byte too many on

    def text(cells: Sequence[str], *, quoted: bool = True) -> bytes:
        return _csv(cells, delimiter, quoted=quoted).encode(inner, "replace")

    def bad(mutator: Mutator, own_id: str) -> bytes:
        cells = row(own_id)
        match mutator.any(4, 2, 4):
            case 0:
                return text(mutator.cells(cells), quoted=mutator.random.random() < 0.7)
            case 1:
                return text(_with_card(mutator, cells, columns))
            case _:
                return mutator.damaged(text(cells), times=mutator.random.choice((1, 1, 2)))

    def mutant(mutator: Mutator, number: int) -> Mutant:
        head = text(columns) + b"\n"
        made = among_good("csv", number, mutator, lambda own_id: text(row(own_id)), bad, head)
        files = {name: _recoded(content, encoding) for name, content in made.files.items()}
        return replace(made, files=files, mapping=used)

    return mutant


def _recoded(content: bytes, encoding: str) -> bytes:
    return content.decode("utf-8", "replace").encode("utf-16") if encoding == "utf-16" else content


def _with_card(mutator: Mutator, cells: Sequence[str], columns: Sequence[str]) -> list[str]:
    planted = list(cells)
    card = mutator.random.choice(CARDS)
    if "meta" in columns:
        planted[6] = json.dumps({"card_number": card, "cvv": CODE})
    elif columns[0] == "payment.id":
        planted[mutator.random.choice(_CARD_COLUMNS)] = mutator.random.choice((card, f" {card[:4]} {card[4:]}"))
        planted[_CODE_COLUMN] = CODE
    return planted


def any_csv(mutator: Mutator, number: int) -> Mutant:
    """A CSV text with damage anywhere, its header too."""
    delimiter, encoding = (
        mutator.random.choice(",;\t|"),
        mutator.random.choice(("utf-8", "utf-16", "utf-16-le", "latin-1")),
    )
    rows = [row(f"b{number}-{place}") for place in range(3)]
    columns = list(COLUMNS)
    match mutator.any(2, 2, 1, 1, 1):
        case 0:
            columns = mutator.cells(columns)
        case 1:
            columns[mutator.random.randrange(len(columns))] = mutator.random.choice(columns)
        case 2:
            columns = []  # the first row is where the names should be
        case 3:
            columns = [each.replace("payment.", "") for each in columns]
        case _:
            pass
    lines = [_csv(each, delimiter, quoted=mutator.random.random() < 0.9) for each in (columns, *rows) if each]
    text = mutator.random.choice(("\n", "\r\n", "\r")).join(lines).encode(encoding, "replace")
    return Mutant(f"any_csv/{number}", {"any.csv": mutator.damaged(text, times=mutator.random.randrange(4))})


def mapped(mutator: Mutator, number: int) -> Mutant:
    """A sound table, and a damaged mapping file, if it is one still."""
    rows = "\n".join(_csv(each, ";") for each in (MAPPED, *(mapped_row(f"b{number}-{at}") for at in range(2))))
    for _ in range(20):
        text = mutator.damaged(MAPPING.encode(), times=mutator.random.randrange(1, 4)).decode("utf-8", "replace")
        try:
            return Mutant(f"mapped/{number}", {"mapped.csv": rows.encode()}, mapping=parse_mapping(text, "m.toml"))
        except MappingInvalid:
            continue
    return Mutant(f"mapped/{number}", {"mapped.csv": rows.encode()})


def pair(mutator: Mutator, number: int) -> Mutant:
    """Payments and their transactions, either of them damaged."""
    ids = [f"p{number}-{place}" for place in range(4)]
    columns = [each for each in COLUMNS if not each.startswith("transactions")]
    places = [COLUMNS.index(each) for each in columns]
    payments = [_csv([row(each)[place] for place in places], ",") for each in ids]
    transactions = [f'{each},t{at},9.5,DECLINED,CARD,"a thing",411111' for each in ids for at in range(2)]
    heads = ",".join(columns), "payment_id,id,amount,status,payment_method_type,description,card.card_iin"
    is_first = mutator.random.random() < 0.5
    hurt = payments if is_first else transactions
    at = mutator.random.randrange(len(hurt))
    texts = ["\n".join([head, *lines]).encode() for head, lines in zip(heads, (payments, transactions), strict=True)]
    if mutator.random.random() < 0.7:  # a row, else anything
        damaged = mutator.damaged(hurt[at].encode())
        texts[not is_first] = texts[not is_first].replace(hurt[at].encode(), damaged)
        hurt_id = ids[at if is_first else at // 2]
        good = frozenset(ids) - {hurt_id}
        files = dict(zip(("payments.csv", "transactions.csv"), texts, strict=True))
        return Mutant(f"pair/{number}", _in_any_order(mutator, files), good, loads=True)
    texts[not is_first] = mutator.damaged(texts[not is_first])
    files = dict(zip(("payments.csv", "transactions.csv"), texts, strict=True))
    return Mutant(f"pair/{number}", _in_any_order(mutator, files))


def _in_any_order(mutator: Mutator, files: dict[str, bytes]) -> dict[str, bytes]:
    return dict(mutator.random.sample(list(files.items()), len(files)))


def parquet(mutator: Mutator, number: int) -> Mutant:
    """A Parquet file, flat or nested, with a column of another kind, or with bytes that are not as they were."""
    ids = [f"b{number}-{place}" for place in range(4)]
    if mutator.random.random() < 0.5:
        table = pa.table(dict(zip(COLUMNS, map(list, zip(*map(row, ids), strict=True)), strict=True)))
    else:
        table = pa.Table.from_pylist([_plain(payment(each)) for each in ids])
    times = mutator.random.randrange(3)
    for _ in range(times):
        table = _other_column(mutator, table)
    sink = io.BytesIO()
    codec = mutator.random.choice(("none", "snappy", "zstd", "gzip"))
    pq.write_table(table, sink, compression=codec, use_dictionary=mutator.random.random() < 0.5)
    content = sink.getvalue()
    if not times or mutator.random.random() < 0.5:
        rows = max(4, len(content) - 8 - int.from_bytes(content[-8:-4], "little"))
        cut = rows if mutator.random.random() < 0.7 else len(content)  # behind it stands what says where everything is
        content = mutator.damaged(content[:cut], times=mutator.random.choice((1, 1, 2, 8))) + content[cut:]
    return Mutant(f"parquet/{number}", {"table.parquet": content})


def _plain(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _plain(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return Decimal(bytes(value).decode()) if isinstance(value, msgspec.Raw) else value


def _other_column(mutator: Mutator, table: Any) -> Any:
    kinds: list[Callable[[], list[Any]]] = [
        lambda: [float("nan"), float("inf"), -0.0, 1e308],
        lambda: [None, True, False, None],
        lambda: [b"\xff\x00", b"", b"x", None],
        lambda: [2**63 - 1, -(2**63), 0, None],
        lambda: [Decimal("1e-30"), Decimal("9" * 30), None, Decimal(0)],
        lambda: [datetime(1, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999999), None, datetime(2026, 1, 1)],  # noqa: DTZ001
        lambda: [datetime(2026, 1, 1, tzinfo=UTC)] * 4,
        lambda: [date(1, 1, 1), None, date(9999, 12, 31), date(2026, 2, 3)],
        lambda: [time(1, 2, 3), None, time(), time(23, 59, 59, 999999)],
        lambda: [timedelta(days=-1), None, timedelta(), timedelta(days=10**6)],
        lambda: [[], [None], ["a", ""], None],
        lambda: [{"a": 1, "b": [{"c": "x"}]}, None, {"a": None, "b": None}, {"a": 0, "b": []}],
        lambda: [[{"key": "cvv", "value": CODE}, {"key": "pan", "value": CARDS[0]}]] * 4,
        lambda: ["5500005555555559", "x5500005555555559", "", None],  # not planted: free text is not looked at
        lambda: [mutator.cell() for _ in range(4)],
        lambda: [None] * 4,
    ]
    at = mutator.random.randrange(table.num_columns)
    names = [*table.column_names, "card_number", "payment", "payment.additional_data", "", "a.b", "payment.id.x"]
    name = mutator.random.choice((table.column_names[at], mutator.random.choice(names)))
    match mutator.any(6, 1, 1, 1):
        case 0:
            return table.set_column(at, name, pa.array(mutator.random.choice(kinds)()))
        case 1:
            return table.remove_column(at) if table.num_columns > 1 else table
        case 2:
            return table.append_column("card_number", pa.array([CARDS[1], f"x{CARDS[2]}", "", None]))
        case _:
            return table.append_column(name, pa.array(mutator.random.choice(kinds)()))


def workbook(mutator: Mutator, number: int) -> Mutant:
    """A workbook with odd cells, with XML that is none, or a damaged zip."""
    ids = [f"g{number}-{place}" for place in range(3)]
    rows = [_cells(COLUMNS), *(_cells(row(each)) for each in ids)]
    how = mutator.any(3, 3, 2)
    if how == 0:
        rows.insert(mutator.random.randrange(1, 4), _odd_cells(mutator, row(f"b{number}")))
    parts = _parts("".join(f"<row>{each}</row>" for each in rows))
    if how == 1:
        name = mutator.random.choice(list(parts))
        hurt = mutator.random.choice(("xl/worksheets/sheet1.xml", name))
        parts[hurt] = mutator.damaged(parts[hurt], times=mutator.random.choice((1, 1, 3)))
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, part in parts.items():
            archive.writestr(zipfile.ZipInfo(name), part, zipfile.ZIP_DEFLATED)
    content = sink.getvalue() if how < 2 else mutator.damaged(sink.getvalue(), times=mutator.random.choice((1, 1, 3)))
    return Mutant(f"workbook/{number}", {"book.xlsx": content}, frozenset(ids if how == 0 else ()), loads=how == 0)


def _cells(cells: Sequence[str]) -> str:
    return "".join(f'<c t="inlineStr"><is><t xml:space="preserve">{escape(each)}</t></is></c>' for each in cells)


def _odd_cells(mutator: Mutator, cells: Sequence[str]) -> str:
    odd = [each if all(" " <= one < "\ufffe" for one in each) else "x" for each in mutator.cells(cells)]
    written = [_cells([each]) for each in odd]
    kinds = ('t="n"', 't="b"', 't="e"', 't="d"', 't="str"', 's="1"', 's="99"', 'r="C3"', 't="zz"')
    for _ in range(mutator.random.randrange(3)):
        at = mutator.random.randrange(len(written))
        value = mutator.random.choice(
            ("1", "-1", "1e999", "99999999", "2958466", "", "x", "0.1", "NaN", "inf", "1" * 400)
        )
        written[at] = f"<c {mutator.random.choice(kinds)}><v>{value}</v></c>"
    return "".join(written)


def _parts(data: str) -> dict[str, bytes]:
    main = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
    links = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "[Content_Types].xml": "<Types/>",
        "xl/workbook.xml": f'<workbook xmlns="{main}" xmlns:r="{links}"><sheets><sheet name="S" sheetId="1" r:id="r1"/>'
        "</sheets></workbook>",
        "xl/_rels/workbook.xml.rels": f'<Relationships><Relationship Id="r1" Type="{links}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/styles.xml": f'<styleSheet xmlns="{main}"><cellXfs><xf numFmtId="0"/><xf numFmtId="22"/></cellXfs>'
        "</styleSheet>",
        "xl/sharedStrings.xml": f'<sst xmlns="{main}"><si><t>a</t></si></sst>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{main}"><sheetData>{data}</sheetData></worksheet>',
    }
    return {name: text.encode() for name, text in parts.items()}


CSV: Final[dict[str, Maker]] = {
    "csv": csv(row, COLUMNS, ","),
    "csv_with_a_mapping": csv(mapped_row, MAPPED, ";", mapping=MAPPING),
    "latin_1": csv(mapped_row, MAPPED, ";", "latin-1", MAPPING.replace("[file]", '[file]\nencoding = "latin-1"')),
    "utf_16": csv(row, COLUMNS, "\t", "utf-16"),
    "csv_of_flows": csv(flow_row, FLOW_COLUMNS, "|"),
}
"""What makes CSV in which the rows around the damaged ones must load."""
