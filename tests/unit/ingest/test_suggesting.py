"""A first mapping is told from names and values of columns; it loads the file that it was made from."""

from __future__ import annotations

import io
import random
from datetime import UTC
from typing import Any, NamedTuple

import msgspec
import polars as pl
import pytest
from pydantic import BaseModel

from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.contract.declined import Element
from recovery_batch.ingest.checking import check_record
from recovery_batch.ingest.faults import exact_number
from recovery_batch.ingest.flat.tables import Batch, Table, open_csv, read_records
from recovery_batch.ingest.guessing.cells import country_code, guess_numbers, guess_times, status_for
from recovery_batch.ingest.guessing.headers import by_name, normalised
from recovery_batch.ingest.mapping import FileShape, Mapping, parse_mapping
from recovery_batch.ingest.suggesting import suggest_mapping

SPANISH = """Transacción;Nº Pedido;Comercio;Importe;Moneda;País;Estado;Fecha;Nombre cliente;Teléfono;Indicativo;Motivo
T-1;P1;acme;1.234,50;cop;Alemania;rechazado;25/09/2026 10:11;Ana Gómez;3183497646;57;sin fondos
T-2;P2;acme;99,90;COP;Colombia;aprobado;01/10/2026 23:59;Luis Ñato;3183497647;57;
T-3;P3;acme;1.234.567,89;COP;Perú;en revisión;02/10/2026 00:00;Eva Ruiz;3183497648;57;otra
"""
AMERICAN = """Payment ID,Order,Amount (USD),Country,Status,Created,Customer Name,Phone,Decline Reason,\
Merchant,Description
1,o1,"1,234.50",United States,failed,09/25/2026 10:11:12 PM,Ann Lee,5550100123,do not honor,acme,gift
2,o2,99.90,Canada,paid,10/01/2026 01:00:00 AM,Bob Ray,5550100124,,acme,"a, b"
"""
EPOCH = """id,merchant_id,order_id,country,status,amount,currency,created_at,user_id
a,m,o,CO,0,12.5,COP,1789000000000,u1
b,m,o,CO,1,99,COP,1789000000001,u2
"""
WITH_JSON = """payment_id|organization|pais|estado|valor|moneda|metadata|fecha
a|o|CO|DECLINED|10.5|COP|{"user_id":"u1","tier":2}|2026-09-25T10:11:12-05:00
b|o|CO|DECLINED|11.5|COP|[{"key":"user_id","value":"u2"}]|2026-09-25T10:11:13Z
"""
COUNTRIES = """id,org,country,status,amount,currency
1,o,Germany,DECLINED,1.5,EUR
2,o,Brasil,DECLINED,2.5,EUR
3,o,COL,DECLINED,3.5,EUR
4,o,Estados Unidos,DECLINED,4.5,EUR
5,o,mx,DECLINED,5.5,EUR
6,o,Atlantis,DECLINED,6.5,EUR
"""
MINOR = """reference\tamount_cents\tcurrency\tcountry\tstatus\tdate\torganization
r1\t123450\tEUR\tES\tDECLINED\t03/04/2026\to
r2\t5000\tCLP\tCL\tDECLINED\t05/06/2026\to
"""
DOTTED = """payment.id,payment.organization_code,payment.country,payment.status,payment.amount_value,\
payment.currency_code,transactions.0.id,transactions.0.amount,Customer_Payer.Name,payment.metadata.user_id
1,o,CO,DECLINED,23.79,COP,t,23.79,Ann Lee,u1
"""
FLOWS = """session id,Full name,Phone,Country,Abandoned at,Stage,Platform,Cart total,Currency,Email,Channel
s1,Ann Lee,+573183497646,Colombia,2026-09-01T10:00:00Z,Cart Review,iOS,1500.5,COP,ann@example.com,Whatsapp
s2,Bob Ray,+573183497647,Colombia,2026-09-01T10:00:01Z,checkout,web,1501.5,COP,bob@example.com,call
"""


class Suggested(NamedTuple):
    text: str
    mapping: Mapping
    records: list[Any]

    def column(self, path: str) -> str:
        return self.mapping.columns[path].column

    def at(self, path: str) -> list[Any]:
        """The values at a path of the records that the mapping makes of the file."""
        values = self.records
        for key in path.split("."):
            values = [each[int(key)] if isinstance(each, list) else each.get(key) for each in values]
        return values


def suggested(
    text: str, delimiter: str, model: type[BaseModel] = Element, encoding: str | None = None, **found: Any
) -> Suggested:
    """The mapping that is suggested for a CSV text, and what it makes of that text."""
    content = text.encode(encoding or "utf-8")
    shape = FileShape(delimiter=delimiter, encoding=encoding, **found)
    table = open_csv(io.BytesIO(content), "f.csv", shape)
    toml = suggest_mapping(list(table.columns), next(table.batches).frame, found=shape, model=model)
    mapping = parse_mapping(toml, "suggested")
    read = read_records(open_csv(io.BytesIO(content), "f.csv", mapping.file), mapping, model)
    decoder = msgspec.json.Decoder(float_hook=exact_number)
    return Suggested(toml, mapping, [decoder.decode(each) for lines in read.lines for each in lines.texts.to_pylist()])


def faults(records: list[Any]) -> list[str]:
    return [fault.pointer for each in records for fault in check_record(each, UTC).faults]


def spelled(values: list[Any]) -> list[str]:
    return [str(each) for each in values]


def test_spanish_with_decimal_commas_in_latin_1() -> None:
    made = suggested(SPANISH, ";", encoding="latin-1")
    assert made.mapping.file.encoding == "iso8859-1"
    assert made.mapping.numbers.model_dump() == {"decimal": ",", "thousands": "."}
    assert made.mapping.times.formats == ("%d/%m/%Y %H:%M",)
    assert '# zone = "America/Bogota"' in made.text
    assert spelled(made.at("payment.amount_value")) == ["1234.50", "99.90", "1234567.89"]
    assert made.at("payment.country") == ["DE", "CO", "PE"]
    assert made.at("payment.currency_code") == ["COP", "COP", "COP"]
    assert made.at("payment.status") == ["DECLINED", "APPROVED", "en revisión"]
    assert '# "en revisión" = "??"' in made.text
    assert made.at("payment.created_at")[1] == "2026-10-01 23:59:00"
    assert made.at("customer_payer.phone_country_code") == ["57", "57", "57"]
    assert faults(made.records) == []
    assert '# "payment.description" = "?"   # needed to submit: no column looks like it' in made.text
    assert "payment.order_id" in made.mapping.columns


def test_american_dates_and_a_currency_in_a_name() -> None:
    made = suggested(AMERICAN, ",")
    assert made.mapping.times.formats == ("%m/%d/%Y %I:%M:%S %p",)
    assert made.at("payment.created_at") == ["2026-09-25 22:11:12", "2026-10-01 01:00:00"]
    assert made.mapping.constants == {"payment.currency_code": "USD"}
    assert spelled(made.at("payment.amount_value")) == ["1234.50", "99.90"]
    assert made.at("payment.status") == ["DECLINED", "PAID"]
    assert made.at("payment.country") == ["US", "CA"]
    assert faults(made.records) == []


def test_epochs_and_statuses_of_0_and_1() -> None:
    made = suggested(EPOCH, ",")
    assert made.mapping.times.formats == ("epoch_ms",)
    assert "# zone" not in made.text
    assert made.at("payment.created_at")[0] == "2026-09-10 00:26:40+00:00"
    assert 'CHECK: 0 and 1. A guess: words = { "0" = "DECLINED", "1" = "APPROVED" }' in made.text
    assert made.at("payment.status") == ["0", "1"]  # a guess is not made in silence
    assert made.at("payment.additional_data.user_id") == ["u1", "u2"]
    assert faults(made.records) == []


def test_json_in_cells() -> None:
    made = suggested(WITH_JSON, "|", quote="")
    assert made.mapping.columns["payment.metadata"].as_json
    assert made.at("payment.metadata")[0] == {"user_id": "u1", "tier": 2}
    assert made.mapping.times.formats == ()
    assert faults(made.records) == []


def test_names_of_countries_in_three_languages() -> None:
    made = suggested(COUNTRIES, ",")
    assert made.at("payment.country") == ["DE", "BR", "CO", "US", "MX", "Atlantis"]
    assert '# "Atlantis" = "??"' in made.text
    assert faults(made.records) == ["/payment/country"]


def test_minor_units_and_days_that_may_be_months() -> None:
    made = suggested(MINOR, "\t")
    assert made.mapping.columns["payment.amount_value"].minor_units_of == "payment.currency_code"
    assert spelled(made.at("payment.amount_value")) == ["1234.50", "5000"]
    assert made.mapping.times.formats == ("%m/%d/%Y",)
    assert 'CHECK: the values fit day and month exchanged as well: formats = ["%d/%m/%Y"]' in made.text
    assert faults(made.records) == []
    unsure = suggested(MINOR.replace("amount_cents", "amount"), "\t")
    assert '{ column = "amount", minor_units_of = "payment.currency_code" }' in unsure.text
    assert unsure.mapping.columns["payment.amount_value"].minor_units_of is None
    none = suggested(MINOR.replace("amount_cents", "amount").replace("EUR", "CLP"), "\t")
    assert "minor_units_of" not in none.text


def test_our_own_paths() -> None:
    made = suggested(DOTTED, ",")
    assert made.column("payment.id") == "payment.id"
    assert made.column("customer_payer.name") == "Customer_Payer.Name"
    assert made.at("payment.metadata.user_id") == ["u1"]
    assert spelled(made.at("transactions.0.amount")) == ["23.79"]
    assert '# "transactions.0.payment_method_type" = "?"   # needed to submit' in made.text
    assert faults(made.records) == []


def test_abandoned_flows() -> None:
    made = suggested(FLOWS, ",", AbandonedFlow)
    assert made.mapping.kind == "abandoned"
    assert made.at("session.flow_stage") == ["cart_review", "checkout"]
    assert made.at("session.platform") == ["ios", "web"]
    assert made.at("engagement.preferred_channel") == ["whatsapp", "call"]
    assert made.at("customer.country_code") == ["CO", "CO"]
    assert made.at("customer.email") == ["ann@example.com", "bob@example.com"]
    assert "[constants]" not in made.text


def test_columns_of_a_transaction_bring_what_a_request_needs() -> None:
    made = suggested("id,order,monto,moneda,pais,estado,BIN,últimos 4\n1,o,5.5,COP,CO,ok,411111,1234\n", ",")
    assert made.at("transactions.0.card") == [{"card_iin": "411111", "card_lfd": "1234"}]
    assert made.at("transactions.0.id") == ["1"]
    assert spelled(made.at("transactions.0.amount")) == ["5.5"]
    assert made.at("transactions.0.status") == made.at("payment.status") == ["APPROVED"]


def test_a_column_of_transactions_is_not_filled_twice() -> None:
    text = 'id|BIN|estado|transactions\n1|411111|ok|[{"id":"t1"}]\n'
    made = suggested(text, "|", quote="")
    assert made.at("transactions") == [[{"id": "t1"}]]
    assert "transactions.0" not in made.text


@pytest.mark.parametrize("seed", range(20))
def test_any_table_gives_a_mapping_that_can_be_read(seed: int) -> None:
    chance = random.Random(seed)
    names = [
        "id",
        "fecha",
        "date",
        "monto",
        "amount_cents",
        "moneda",
        "pais",
        "country code",
        "estado",
        "status",
        "BIN",
    ]
    names += ["nombre", "phone", "metadata", "payment.id", "transactions.0.status", "ñ", 'a"\n', "total", "stage"]
    cells = ["1", "12,5", "1.234", "$ 5", "2026-01-02", "03/04/2026", "1789000000", "CO", "Chile", "cop", "ok", "0"]
    cells += ['{"a":1}', "[1]", "", "NULL", "Ana", None, "\x00", '\x7f"\\', "1e5", "9" * 30]  # type: ignore[list-item]
    columns = chance.sample(names, chance.randrange(1, 10))
    rows = chance.randrange(5)
    frame = pl.DataFrame({name: pl.Series(chance.choices(cells, k=rows), dtype=pl.String) for name in columns})
    models: list[type[BaseModel]] = [Element, AbandonedFlow]
    model = chance.choice(models)
    mapping = parse_mapping(suggest_mapping(columns, frame, found=FileShape(), model=model), "suggested")
    table = Table("f", tuple(columns), iter([Batch(frame, list(range(rows)), [])]))
    for lines in read_records(table, mapping, model).lines:
        assert all(msgspec.json.decode(each) is not None for each in lines.texts.to_pylist())


def test_transactions_of_payments_in_another_file() -> None:
    made = suggested("payment_id;id;amount;status;created_at\np1;t1;1.234,50;rechazada;25/09/2026\n", ";")
    assert made.mapping.part == "transactions"
    assert spelled(made.at("amount")) == ["1234.50"]
    assert made.at("status") == ["DECLINED"]
    assert made.at("created_at") == ["2026-09-25 00:00:00"]
    assert '# "payment_method_type" = "?"   # needed to submit' in made.text


def test_nothing_personal_in_comments() -> None:
    text = (
        "estado;pais;moneda;fecha;telefono;nombre;monto;correo\n"
        "Ana Gómez;Ana Gómez;Ana;Ana Gómez;Ana;3183497646;Ana;ana@example.com\n"
        "Luis Ñato;Luis Ñato;Luis;ayer;Luis;3183497647;Luis;luis@example.com\n"
    )
    made = suggest_mapping(
        text.split("\n", maxsplit=1)[0].split(";"),
        pl.read_csv(text.encode(), separator=";", infer_schema=False),
        found=FileShape(),
        model=Element,
    )
    parse_mapping(made, "suggested")
    for personal in ("Ana", "Luis", "3183", "@"):
        assert personal not in made


def test_names_that_are_values_are_not_repeated_in_comments() -> None:
    columns = ["ana@example.com", "3183497646", "id", "other"]
    frame = pl.DataFrame({name: ["x"] for name in columns})
    made = suggest_mapping(columns, frame, found=FileShape(), model=Element)
    assert '# these stay with the record under their own names: "other" and 2 more' in made


def test_odd_names_of_columns() -> None:
    columns = ['a "quoted"\nname', "id\\", "\x7f", "estado", "column 5"]
    frame = pl.DataFrame({name: ["x", '"\n\x7f\\'] for name in columns})
    mapping = parse_mapping(suggest_mapping(columns, frame, found=FileShape(sheet='S"1'), model=Element), "suggested")
    assert mapping.columns["payment.id"].column == "id\\"
    assert mapping.file.sheet == 'S"1'


def test_no_rows_and_no_columns() -> None:
    empty = pl.DataFrame(schema={"id": pl.String, "monto": pl.String, "fecha": pl.String, "pais": pl.String})
    mapping = parse_mapping(suggest_mapping(empty.columns, empty, found=FileShape(), model=Element), "suggested")
    assert set(mapping.columns) == {"payment.id", "payment.amount_value", "payment.created_at", "payment.country"}
    nothing = parse_mapping(suggest_mapping([], pl.DataFrame(), found=FileShape(), model=Element), "suggested")
    assert nothing.columns == {}


def test_texts_that_mean_empty() -> None:
    made = suggested("id,amount,status\n1,NULL,DECLINED\n2,5.5,-\n", ",")
    assert made.mapping.file.null_texts == ("NULL", "-")
    assert "CHECK" not in made.text


def test_signs_of_currencies_are_named() -> None:
    made = suggested("id;monto\n1;$ 1.234,00\n2;$ 99,50\n", ";")
    assert made.mapping.numbers.model_dump() == {"decimal": ",", "thousands": "."}
    assert "CHECK: cells hold the sign of a currency" in made.text


@pytest.mark.parametrize(
    ("cells", "comma_is_likely", "marks", "in_doubt"),
    [
        (["1.234"], False, (".", ""), (",", ".")),
        (["1.234"], True, (",", "."), (".", "")),
        (["1,234", "12"], False, (".", ","), (",", "")),
        (["1,234"], True, (",", ""), (".", ",")),
        (["1.234", "1.5"], True, (".", ""), None),
        (["1.234", "1.234.567"], False, (",", "."), None),
        (["1.234,5", "1"], False, (",", "."), None),
        (["1,234.5", "1"], True, (".", ","), None),
        (["12,5"], False, (",", ""), None),
        (["1 234,5", "1\u00a0234,5"], False, (",", " "), None),
        (["1'234.5"], False, (".", "'"), None),
        (["1", "2000"], True, (".", ""), None),
        ([], True, (".", ""), None),
        (["abc"], True, (".", ""), None),
    ],
)
def test_marks_of_numbers(
    cells: list[str], comma_is_likely: bool, marks: tuple[str, str], in_doubt: tuple[str, str] | None
) -> None:
    guess = guess_numbers(pl.Series(cells, dtype=pl.String), comma_is_likely=comma_is_likely)
    assert ((guess.decimal, guess.thousands), guess.in_doubt) == (marks, in_doubt)


@pytest.mark.parametrize(
    ("cells", "formats", "in_doubt"),
    [
        (["2026-09-25 10:11:12"], (), ()),
        (["2026-09-25T10:11:12.5Z", "2026-09-25 10:11"], (), ()),
        (["2026-09-25"], ("%Y-%m-%d",), ()),
        (["25/09/2026", "01/02/2026"], ("%d/%m/%Y",), ()),
        (["09/25/2026", "01/02/2026"], ("%m/%d/%Y",), ()),
        (["01/02/2026"], ("%d/%m/%Y",), ("%m/%d/%Y",)),
        (["25.09.26 10:11"], ("%d.%m.%y %H:%M",), ()),
        (["25-Sep-2026 10:11:12"], ("%d-%b-%Y %H:%M:%S",), ()),
        (["20260925"], ("%Y%m%d",), ()),
        (["1789000000"], ("epoch_s",), ()),
        (["1789000000.25"], ("epoch_s",), ()),
        (["1789000000000"], ("epoch_ms",), ()),
        (["25/09/2026 10:11", "25/09/2026"], ("%d/%m/%Y", "%d/%m/%Y %H:%M"), ()),
        (["25 de septiembre"], (), ()),
        ([], (), ()),
    ],
)
def test_formats_of_times(cells: list[str], formats: tuple[str, ...], in_doubt: tuple[str, ...]) -> None:
    guess = guess_times(pl.Series(cells, dtype=pl.String), month_first_is_likely=False)
    assert (tuple(sorted(guess.formats)), guess.in_doubt) == (tuple(sorted(formats)), in_doubt)


def test_days_and_months_that_contradict_one_another() -> None:
    guess = guess_times(pl.Series(["25/09/2026", "26/09/2026", "09/25/2026"]), month_first_is_likely=False)
    assert (guess.formats, guess.unread) == (("%d/%m/%Y",), 1)


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("ID Transacción", "payment.id"),
        ("paymentId", "payment.id"),
        ("PAYMENT-ID", "payment.id"),
        ("Monto Total", "payment.amount_value"),
        ("amount_usd", "payment.amount_value"),
        ("divisa", "payment.currency_code"),
        ("País", "payment.country"),
        ("Situação", "payment.status"),
        ("Fecha de creación", "payment.created_at"),
        ("Nombre del cliente", "customer_payer.name"),
        ("Teléfono del cliente", "customer_payer.phone_number"),
        ("WhatsApp", "customer_payer.phone_number"),
        ("DDI", "customer_payer.phone_country_code"),
        ("Código de respuesta", "payment.additional_data.response_code"),
        ("Método de pago", "transactions.0.payment_method_type"),
        ("Pasarela", "transactions.0.provider"),
        ("Banco emisor", "transactions.0.card.issuer_name"),
        ("customer_id", "payment.additional_data.user_id"),
        ("product name", None),
        ("expiry date", None),
        ("refund amount", None),
        ("xyz", None),
        ("ñ", None),
        ("", None),
    ],
)
def test_names_of_columns(name: str, path: str | None) -> None:
    assert by_name([name], "payment", lambda *_: True, {}) == ({path: name} if path else {})


def test_words() -> None:
    assert normalised("Nº  Teléfono_Móvil-2") == "no telefono movil 2"
    assert [country_code(each) for each in ("México", "CÔTE D'IVOIRE", "usa", "col", "CO", "Narnia", "")] == [
        "MX", "CI", "US", "CO", "CO", None, None,
    ]  # fmt: skip
    assert [status_for(each) for each in ("Rechazada", "no autorizado", "DECLINED", "x")] == [
        "DECLINED", "DECLINED", None, None,
    ]  # fmt: skip
