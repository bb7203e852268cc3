"""People who were erased stay erased: records of theirs are left out of a load, and of the quarantine too.

A record is theirs by what it is (a payment or flow that was erased), or by whose it is: their phone number or user, if
it was made before they were erased, or has no time of its own. What they buy afterwards comes in. Nothing is looked at
in a store that nobody was erased from.
"""

from __future__ import annotations

from typing import Any, Final

import polars as pl

from recovery_batch.ingest.kinds import DECLINED, Kind
from recovery_batch.ingest.naming import named_in
from recovery_batch.keys import HASHED, Hasher, open_hasher
from recovery_batch.phones import calling_code
from recovery_batch.store import Store

_SEQ: Final = "seq"
_ALWAYS: Final = ("payment", "flow")
"""Kinds that are theirs whenever they were made."""


def dialled(payers: pl.DataFrame) -> pl.DataFrame:
    """The digits of phone numbers with their country codes, in the spellings that lie near: those that are hashed.

    Args:
        payers: Columns country, phone_country_code and phone_number (null: none), and any others.

    Returns:
        The other columns and value: one row a spelling, none for a row without a number. Without a
        phone_country_code the country's counts; a number that begins with its country code may have it already.
    """
    countries = payers["country"].drop_nulls().unique().to_list()
    codes = {country: calling_code(country) for country in countries}
    digits = pl.col("phone_number").str.replace_all("[^0-9]", "").str.strip_chars_start("0")
    written = pl.col("phone_country_code").str.replace_all("[^0-9]", "").str.strip_chars_start("0")
    code = pl.coalesce(
        pl.when(written != "").then(written),
        pl.col("country").replace_strict(codes, default=None, return_dtype=pl.String),
        pl.lit(""),
    )
    has_code = pl.col("phone_number").str.contains("+", literal=True) | digits.str.starts_with(code)
    spelled = pl.concat_list(code + digits, pl.when(has_code).then(digits))
    return (
        payers.filter(digits.str.len_bytes() > 0)
        .with_columns(value=spelled)
        .drop("country", "phone_country_code", "phone_number")
        .explode("value")
        .drop_nulls("value")
    )


class Erased:
    """Leaves out of the tables of a batch what is of people who were erased. Counts in `dropped`."""

    def __init__(self, store: Store, kind: Kind) -> None:
        """Look whether anybody was erased.

        Raises:
            SystemFailed: somebody was, and the key of their hashes is not there, or another store's.
        """
        self._store = store
        self._kind = kind
        self._hasher: Hasher | None = open_hasher(store)
        self.dropped = 0

    def without(self, tables: dict[str, Any]) -> dict[str, Any]:
        """The tables of a batch without what is theirs."""
        if self._hasher is None:
            return tables
        kept = dict(tables)
        if (rejects := tables["rejects"]).num_rows:
            places = pl.int_range(rejects.num_rows, eager=True)
            kept["rejects"] = _kept(rejects, places, self._rejects(self._hasher, rejects))
            self.dropped += rejects.num_rows - kept["rejects"].num_rows
        if (main := tables[self._kind.main]).num_rows:
            theirs = self._records(self._hasher, tables)
            for name in self._kind.tables:
                kept[name] = _kept(tables[name], pl.Series(tables[name][_SEQ], dtype=pl.Int64), theirs)
            self.dropped += main.num_rows - kept[self._kind.main].num_rows
        return kept

    def _records(self, hasher: Hasher, tables: dict[str, Any]) -> pl.Series:
        """The places (seq) of the records that are theirs."""
        names = _payments(tables) if self._kind is DECLINED else _flows(tables)
        known = hasher.known(self._store, names.select(HASHED.names()).unique()).select(*HASHED.names(), "forgotten_at")
        found = names.join(known, on=HASHED.names())
        is_older = pl.col("moment").is_null() | (pl.col("moment") < pl.col("forgotten_at"))
        return found.filter(pl.col("kind").is_in(_ALWAYS) | is_older)[_SEQ].unique()

    def _rejects(self, hasher: Hasher, rejects: Any) -> pl.Series:
        """The places of the rejects whose text names them."""
        texts = pl.DataFrame(rejects.select(["raw", "root_organization"]))
        names = [(place, *each) for place, (raw, root) in enumerate(texts.iter_rows()) for each in named_in(raw, root)]
        frame = pl.DataFrame(names, schema={"place": pl.Int64, **HASHED}, orient="row")
        known = hasher.known(self._store, frame.select(HASHED.names()).unique())
        return frame.join(known, on=HASHED.names(), how="semi")["place"].unique()


def _kept(table: Any, places: pl.Series, theirs: pl.Series) -> Any:
    """The rows of a table but those at some places."""
    is_kept = ~places.is_in(theirs.implode())
    return table if is_kept.all() else table.filter(is_kept.to_arrow())


def _names(*frames: pl.DataFrame) -> pl.DataFrame:
    """One row a record and what names it: seq, moment (null: no time of its own), kind, organization_code, value."""
    return pl.concat([frame.select(_SEQ, "moment", *HASHED.names()) for frame in frames])


def _payments(tables: dict[str, Any]) -> pl.DataFrame:
    main = pl.DataFrame(
        tables["payments"].select(
            [_SEQ, "organization_code", "payment_id", "country", "user_id", "created_at", "created_at_origin"]
        )
    ).with_columns(moment=pl.when(pl.col("created_at_origin") != "load").then(pl.col("created_at").cast(_TIME)))
    payers = pl.DataFrame(tables["payers"].select([_SEQ, "phone_country_code", "phone_number"]))
    numbers = main.select(_SEQ, "moment", "country").join(payers, on=_SEQ)
    return _names(
        main.with_columns(kind=pl.lit("payment"), value=pl.col("payment_id")),
        main.drop_nulls("user_id").with_columns(kind=pl.lit("user"), value=pl.col("user_id")),
        dialled(numbers).with_columns(kind=pl.lit("phone"), organization_code=pl.lit("")),
    )


def _flows(tables: dict[str, Any]) -> pl.DataFrame:
    main = pl.DataFrame(
        tables["flows"].select([_SEQ, "flow_id", "country_code", "phone_number", "abandoned_at"])
    ).select(
        _SEQ,
        "flow_id",
        "phone_number",
        country="country_code",
        phone_country_code=pl.lit(None, dtype=pl.String),
        moment=pl.col("abandoned_at").cast(_TIME),
        organization_code=pl.lit(""),
    )
    return _names(
        main.with_columns(kind=pl.lit("flow"), value=pl.col("flow_id")),
        dialled(main).with_columns(kind=pl.lit("phone")),
    )


_TIME: Final = pl.Datetime("us", "UTC")
