"""The fast road from JSON texts to typed rows: in DuckDB, some ten thousand records at a time.

It takes what is plain: records whose every documented field is there as documented, or not there at all, and that hold
nothing which could be card data. A record that is not plain may be perfectly good; `rows.Batch`, the slow and plain
statement of what is loadable, says so. What both take, they take alike; property tests hold them together.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import chain
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
import pyarrow.compute as pc

from recovery_batch.clock import from_micros, to_micros, wall_clock
from recovery_batch.contract.declined import COUNTRIES, CURRENCIES
from recovery_batch.ingest.cards import SUSPECT_KEYS
from recovery_batch.ingest.lines import Lines
from recovery_batch.ingest.rows import STAGED, ReadingOptions
from recovery_batch.settings import Sources
from recovery_batch.store import Store

MACROS: Final = tuple(
    f"ingest/macro_{name}"
    for name in ("unquoted", "is_text", "filled", "compared", "is_amount", "is_whole", "instant", "pairs")
)
"""What the database in memory has to be set up with, in this order."""

_CHUNK_ROWS: Final = 4096
_CHUNK_BYTES: Final = 4 << 20
"""So many rows does one thread of DuckDB take at a time, or fewer where they are long: it makes several copies."""

_INCOMING: Final = pa.schema([("seq", pa.int64()), ("text", pa.string()), ("root", pa.string())])
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
"""Between these a zone's wall clock is worked out beforehand; a time beyond them is looked at more closely."""

_BEGINNING: Final = datetime.min  # noqa: DTZ901  # a time on the wall clock
_DEEP_BRACKETS: Final = 100
_NOT_PLAIN: Final = (
    # what strict JSON refuses and DuckDB does not: NaN, Infinity, a comma before the end; and numbers that a double
    # might not hold exactly, or whose text is not the plain one, or would not be once DuckDB has written it (1e-7)
    r"[,:\[]\s*(?:-?(?:[NIi]|n[^u])|-0|-?0\.0{5}|-?[0-9.]*(?:[0-9.]{16}|[eE]))|,\s*[}\]]",
    # shapes other than documented, which would be read as if nothing were there
    r'"card"\s*:\s*[^{n\s]',
    r'"customer_payer"\s*:\s*[^{n\s]',
    r'"transactions"\s*:\s*[^\[n\s]',
    # an escape in a key
    r'\\[^"]*"\s*:',
    SUSPECT_KEYS,
)
"""What a text must not hold to be plain. One after the other they are found faster than all at once, but for the two
that are the first."""

_UNFIT_PAYMENT: Final = ("order_id", "description", "reject_reason")
_UNFIT_TRANSACTION: Final = ("id", "amount", "status", "payment_method_type", "description")
_UNFIT_PAYER: Final = ("name", "phone_number", "phone_country_code")
_OF_LATEST: Final = {
    "payment_method": "payment_method_type",
    "provider": "provider",
    "card_bin": "card_iin",
    "category": "category",
}
_CODES: Final = {
    "country": pa.array(sorted(COUNTRIES), pa.string()),
    "currency_code": pa.array(sorted(CURRENCIES), pa.string()),
}
_AFTER_PAYMENT: Final = 100
_AFTER_TRANSACTIONS: Final = 1 << 40
_NEVER: Final = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class PlainRows:
    """What became of some records.

    Attributes:
        tables: Typed rows of the plain ones, by table, in the columns of `rows.STAGED`.
        others: Places, from 0, of the records that need a closer look.
    """

    tables: dict[str, Any]
    others: npt.NDArray[np.int64]


class PlainRoad:
    """Reads plain records."""

    @staticmethod
    def knows(options: ReadingOptions) -> bool:
        """Whether the queries know where codes and metadata are to be taken from: from the usual places only."""
        return options.sources == Sources()

    def __init__(self, scratch: Store, options: ReadingOptions) -> None:
        """Work out what is the same for every record; scratch is set up with `MACROS`."""
        self._scratch = scratch
        self._options = options
        froms, offsets = _wall_clock(options)
        self._constants = {"froms": froms, "offsets": offsets, "salt": options.content_salt}

    def read(self, source: Iterable[Lines], first_seq: int) -> Iterator[tuple[Lines, PlainRows]]:
        """Read what is plain of some records after the others, all of them by one query.

        Args:
            source: The records.
            first_seq: The place of the first of them among those of the file.
        """
        feed = _Feed(source, first_seq)
        with self._scratch.stream("ingest/payments", feed.reader(), self._constants) as found, closing(feed):
            for lines, seq, rows in feed.matched(found):
                yield lines, self._read(lines, rows, seq)

    def _read(self, lines: Lines, rows: Any, first_seq: int) -> PlainRows:
        """The rows of some records of which the query has given `rows`."""
        count = len(lines)
        payments, transactions = _parted(rows, first_seq)
        parent = transactions["seq"].to_numpy()
        latest = _latest(transactions, parent, count)
        unfit = _unfit(payments, transactions, count)
        is_plain = payments["is_plain"].to_numpy() & _harmless(lines.texts) & _shallow(lines.texts)
        for column, codes in _CODES.items():
            is_plain &= pc.is_in(payments[column], codes).to_numpy()
        is_plain[parent[~transactions["is_plain"].to_numpy()]] = False
        is_plain &= np.bincount(parent, transactions["has_card"].to_numpy(), count) == _cards(lines.texts)
        if self._options.strict:
            is_plain &= pc.equal(pc.list_value_length(unfit), 0).to_numpy(zero_copy_only=False)
        seq = np.arange(first_seq, first_seq + count)
        whole = self._payments(payments, transactions, latest).append_column("unfit_fields", unfit)
        whole = whole.append_column("seq", pa.array(seq))
        whole = whole.append_column("record_no", lines.numbers).append_column("record", lines.texts)
        kept = whole if is_plain.all() else whole.filter(pa.array(is_plain))
        tables = {name: _as_staged(kept, name) for name in ("payments", "payers", "records")}
        of_kept = transactions.append_column("is_decisive", pa.array(latest[parent] == np.arange(len(parent))))
        for key in ("organization_code", "payment_id"):
            of_kept = of_kept.append_column(key, payments[key].take(pa.array(parent)))
        of_kept = of_kept.set_column(0, "seq", pa.array(seq[parent]))
        of_kept = of_kept if is_plain.all() else of_kept.filter(pa.array(is_plain[parent]))
        tables["transactions"] = _as_staged(of_kept, "transactions")
        return PlainRows(tables, np.flatnonzero(~is_plain))

    def _payments(self, payments: Any, transactions: Any, latest: npt.NDArray[np.int64]) -> Any:
        """Payments with what they take from their latest transaction."""
        place = pa.array(latest, mask=latest < 0)

        def of_latest(column: str) -> Any:
            return transactions[column].combine_chunks().take(place)

        own, taken = payments["created_at"].combine_chunks(), of_latest("created_at")
        loaded_at = pa.scalar(self._options.loaded_at.replace(tzinfo=None), own.type)
        origin = pc.if_else(pc.is_valid(own), "payment", pc.if_else(pc.is_valid(taken), "transaction", "load"))
        codes = {
            "response_code": (of_latest("response_code"), payments["response_code"], payments["error_code"]),
            "iso_response_code": (of_latest("iso_response_code"), payments["iso_response_code"]),
        }
        columns = {name: payments[name] for name in payments.column_names}
        columns |= {"created_at": pc.coalesce(own, taken, loaded_at), "created_at_origin": origin}
        columns |= {name: of_latest(source) for name, source in _OF_LATEST.items()}
        columns |= {name: pc.coalesce(*sources) for name, sources in codes.items()}
        return pa.table(columns)


class _Feed:
    """Records on their way through a query: what goes in, and which rows that come out are whose."""

    def __init__(self, source: Iterable[Lines], first_seq: int) -> None:
        self._source = iter(source)
        self._first_seq = first_seq
        self._given: deque[Lines] = deque()
        self._failure: Exception | None = None
        self._is_closed = False

    def reader(self) -> Any:
        """The texts, in so many chunks that all threads have something to do."""
        return pa.RecordBatchReader.from_batches(_INCOMING, self._batches())

    def _batches(self) -> Iterator[Any]:
        seq = self._first_seq
        try:
            while not self._is_closed and (lines := next(self._source, None)) is not None:
                columns = [pa.array(np.arange(seq, seq + len(lines))), lines.texts, _roots(lines)]
                seq += len(lines)
                self._given.append(lines)
                rows = min(_CHUNK_ROWS, 1 + _CHUNK_BYTES * len(lines) // (1 + lines.texts.nbytes))
                for batch in pa.Table.from_arrays(columns, schema=_INCOMING).to_batches(max_chunksize=rows):
                    if not self._is_closed:
                        yield batch
        except Exception as error:  # raised by `matched`: what crosses DuckDB loses its type
            self._failure = error

    def matched(self, rows: pa.RecordBatchReader) -> Iterator[tuple[Lines, int, Any]]:
        """Records, the seq of the first of them, and their rows.

        Raises what reading records raised, after those that were read before.
        """
        seq = self._first_seq
        held = pa.Table.from_batches([], rows.schema)
        for batch in chain(rows, [None]):
            if batch is not None:
                held = pa.concat_tables([held, pa.Table.from_batches([batch])])
            while self._given and (batch is None or batch["seq"][-1].as_py() >= seq + len(self._given[0])):
                lines = self._given.popleft()
                seq += len(lines)
                end = int(np.searchsorted(held["seq"].to_numpy(), seq))
                yield lines, seq - len(lines), held.slice(0, end)
                held = held.slice(end)
        if self._failure is not None:
            raise self._failure

    def close(self) -> None:
        """Give no more."""
        self._is_closed = True


def _wall_clock(options: ReadingOptions) -> tuple[list[datetime], list[int]]:
    """Local times from which on a zone is so many microseconds ahead of UTC.

    A local time that a clock change repeats is its first instant, and one that it skips is read as before the change:
    so does Python read a time with fold=0.
    """
    clock = wall_clock(options.zone, to_micros(_FIRST), to_micros(_LAST))
    changes = clock.starts[1:] + np.maximum(clock.offsets[:-1], clock.offsets[1:])
    froms = [_BEGINNING, *(from_micros(int(change)).replace(tzinfo=None) for change in changes)]
    return froms, [int(offset) for offset in clock.offsets]


def _roots(lines: Lines) -> Any:
    return pa.nulls(len(lines), pa.string()) if lines.roots is None else lines.roots


def _parted(rows: Any, first_seq: int) -> tuple[Any, Any]:
    """Payments, one row a record, and transactions, of which seq is the place of the record; from the query's rows."""
    places = rows["seq"].to_numpy() - first_seq
    is_first = np.diff(places, prepend=-1) != 0
    position = np.arange(len(places)) - np.flatnonzero(is_first)[places]
    payments = _opened(rows["payment"])
    transactions = _opened(rows["transaction"]).add_column(0, "seq", pa.array(places))
    transactions = transactions.append_column("position", pa.array(position, pa.int32()))
    is_transaction = rows["is_transaction"]
    return (
        payments if is_first.all() else payments.filter(pa.array(is_first)),
        transactions if pc.all(is_transaction).as_py() else transactions.filter(is_transaction),
    )


def _opened(structs: Any) -> Any:
    """A table of the fields of a column of structs."""
    whole = structs.combine_chunks()
    whole = whole if isinstance(whole, pa.StructArray) else pa.concat_arrays(whole.chunks)
    return pa.table(whole.flatten(), names=[field.name for field in whole.type])


def _latest(transactions: Any, parent: npt.NDArray[np.int64], count: int) -> npt.NDArray[np.int64]:
    """The row of each record's latest transaction (SPEC 1.1), -1 where it has none: a tie goes to the later one."""
    moments = transactions["created_at"].cast(pa.int64()).fill_null(_NEVER).to_numpy()
    if bool((parent[1:] > parent[:-1]).all()):  # no record has two
        order = np.arange(len(parent))
    else:
        order = np.lexsort((np.arange(len(parent)), moments, parent))
    latest = np.full(count, -1)
    latest[parent[order]] = order  # of several the last one stays
    return latest


def _unfit(payments: Any, transactions: Any, count: int) -> Any:
    """The fields that each record lacks to be submitted, in the order of the contract."""
    parts = [_lacking(payments[f"no_{name}"], f"payment.{name}", place) for place, name in enumerate(_UNFIT_PAYMENT)]
    for place, name in enumerate(_UNFIT_TRANSACTION):
        flagged = pl.DataFrame(transactions.select(["seq", "position"]).filter(transactions[f"no_{name}"]))
        parts.append(
            flagged.select(
                "seq",
                path=pl.format(f"transactions.{{}}.{name}", "position"),
                order=pl.col("position").cast(pl.Int64) * 10 + place + _AFTER_PAYMENT,
            )
        )
    parts += [
        _lacking(pc.is_null(payments[name]), f"customer_payer.{name}", place + _AFTER_TRANSACTIONS)
        for place, name in enumerate(_UNFIT_PAYER)
    ]
    listed = pl.concat(parts).sort("seq", "order").group_by("seq", maintain_order=True).agg("path")
    everyone = pl.DataFrame({"seq": pl.int_range(count, eager=True)})
    joined = everyone.join(listed, on="seq", how="left", maintain_order="left")
    return joined["path"].fill_null([]).to_arrow()


def _lacking(flags: Any, path: str, order: int) -> pl.DataFrame:
    """The records that a flag says lack a field."""
    rows = pl.Series(flags).arg_true().cast(pl.Int64)
    return pl.DataFrame({"seq": rows}).with_columns(path=pl.lit(path), order=pl.lit(order, dtype=pl.Int64))


def _harmless(texts: Any) -> Any:
    """Whether a record has nothing in it that needs a closer look, as far as its text tells."""
    series = pl.Series(texts)
    is_harmless = ~series.str.contains(_NOT_PLAIN[0])
    for pattern in _NOT_PLAIN[1:]:
        is_harmless &= ~series.str.contains(pattern)
    return is_harmless.to_numpy()


def _shallow(texts: Any) -> Any:
    """Whether a record cannot nest deeper than records may."""
    series = pl.Series(texts)
    brackets = series.str.count_matches("{", literal=True) + series.str.count_matches("[", literal=True)
    return (brackets <= _DEEP_BRACKETS).to_numpy()


def _cards(texts: Any) -> Any:
    """How many cards a record names: anything under one that the contract does not know has to be looked at."""
    return pl.Series(texts).str.count_matches(r'"card"\s*:\s*\{').to_numpy()


def _as_staged(table: Any, name: str) -> Any:
    schema = STAGED[name]
    return pa.table([_cast(table[each.name], each.type) for each in schema], schema)


def _cast(column: Any, dtype: pa.DataType) -> Any:
    if pa.types.is_map(dtype):
        return pa.chunked_array([_as_map(chunk, dtype) for chunk in column.chunks], dtype)
    return column if column.type == dtype else column.cast(dtype)


def _as_map(pairs: Any, dtype: pa.DataType) -> Any:
    pairs = pairs if pairs.offset == 0 else pa.concat_arrays([pairs])
    entries = pairs.values
    return pa.MapArray.from_arrays(pairs.offsets, entries.field(0), entries.field(1), dtype)
