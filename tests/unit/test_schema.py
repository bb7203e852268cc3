"""The table of columns and the statements that create the tables say the same."""

from __future__ import annotations

from pathlib import Path

import duckdb
import polars as pl
import pytest

from recovery_batch.money import AMOUNT
from recovery_batch.schema import EVALUATION, PAIRS, PAYMENTS, TABLES, Column, frame_schema
from recovery_batch.store import Store

# How DuckDB spells the types of columns.
SPELLED: dict[pl.DataType | type[pl.DataType], str] = {
    pl.String: "VARCHAR",
    pl.Int64: "BIGINT",
    pl.UInt64: "UBIGINT",
    pl.Int32: "INTEGER",
    pl.Boolean: "BOOLEAN",
    AMOUNT: "DECIMAL(24,6)",
    pl.Datetime("us", "UTC"): "TIMESTAMP WITH TIME ZONE",
    pl.List(pl.String): "VARCHAR[]",
    PAIRS: "MAP(VARCHAR, VARCHAR)",
}
STRUCTS = {
    "faults": "STRUCT(reason VARCHAR, pointer VARCHAR, expected VARCHAR, found VARCHAR)[]",
    "changes": "STRUCT(field VARCHAR, before VARCHAR, after VARCHAR)[]",
}


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A new store."""
    path = tmp_path_factory.mktemp("schema") / "store.duckdb"
    with Store.open(path, write=True):
        return path


def columns_of(db: Path, table: str) -> list[tuple[str, str, bool]]:
    """Name, type and whether it may be null, of each column that the store has."""
    with duckdb.connect(str(db), read_only=True) as connection:
        rows = connection.sql(f"DESCRIBE {table}").pl().rows(named=True)
    return [(row["column_name"], row["column_type"], row["null"] == "YES") for row in rows]


def spelled(column: Column) -> str:
    return STRUCTS.get(column.name) or SPELLED[column.dtype]


@pytest.mark.parametrize("table", TABLES)
def test_the_tables_are_those_of_the_schema(db: Path, table: str) -> None:
    wanted = [(column.name, spelled(column).replace('"', ""), column.nullable) for column in TABLES[table]]
    assert [(name, kind.replace('"', ""), null) for name, kind, null in columns_of(db, table)] == wanted


@pytest.mark.parametrize("table", TABLES)
def test_a_table_reads_as_its_frame(db: Path, table: str) -> None:
    with duckdb.connect(str(db), read_only=True) as connection:
        frame = connection.sql("SET TimeZone = 'UTC'; FROM " + table).pl()
    for column in TABLES[table]:
        if column.dtype != PAIRS:
            assert frame.schema[column.name] == column.dtype, column.name
    assert list(frame.schema) == list(frame_schema(TABLES[table]))


def test_the_store_has_no_other_tables(db: Path) -> None:
    with Store.open(db) as store:
        tables = set(store.frame("store/tables")["name"])
    others = {"recovery_batch_store", "campaigns", "campaign_rules", "campaign_history"}
    assert tables == {*TABLES} | others


@pytest.mark.parametrize("table", TABLES)
def test_every_column_says_what_it_holds(table: str) -> None:
    columns = TABLES[table]
    assert len({column.name for column in columns}) == len(columns)
    assert all(column.about for column in columns)


def test_personal_data_is_marked() -> None:
    personal = {f"{table}.{column.name}" for table, columns in TABLES.items() for column in columns if column.personal}
    payer = {f"payers.{name}" for name in ("name", "phone_number", "phone_country_code")}
    payment = {"payments.user_id", "payments.metadata", "records.record", "rejects.raw"}
    customer = {f"flow_customers.{name}" for name in ("full_name", "phone_number", "email")}
    contact = {"communications.user_id", "final_suppressions.user_id", "opt_outs.user_id", "opt_outs.phone"}
    assert personal == payer | payment | customer | contact | {"flows.phone_number", "flow_records.record"}


def test_what_is_evaluated_is_what_was_agreed() -> None:
    names = (
        "organization_code payment_id order_id country status description amount_value currency_code reject_reason "
        "created_at user_id payment_method provider card_bin category response_code iso_response_code"
    )
    others = {"amount_value": pl.Decimal(24, 6), "created_at": pl.Datetime("us", "UTC")}
    assert list(EVALUATION.items()) == [(name, others.get(name, pl.String())) for name in names.split()]
    assert set(EVALUATION) <= {column.name for column in PAYMENTS}
