"""Two files that make one record: the payments of one, the transactions of another."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Final, NamedTuple

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl
import pyarrow as pa
from pydantic import BaseModel

from recovery_batch.contract.declined import Transaction
from recovery_batch.contract.fields import Form, documented
from recovery_batch.ingest.faults import Fault, found
from recovery_batch.ingest.flat.planning import Shape
from recovery_batch.ingest.lines import Lines, Unread

PAYMENT_ID: Final = "payment_id"
"""Where a transaction of another file says which payment it is of."""

_PLACE: Final = f"/{PAYMENT_ID}"
_ORGANIZATION: Final = "organization_code"
_NAMES: Final = {
    **dict.fromkeys(["payment_id", "payment.id", "transactions.payment_id", "transaction.payment_id"], PAYMENT_ID),
    **dict.fromkeys(["organization_code", "payment.organization_code"], _ORGANIZATION),
}
_PREFIX: Final = re.compile(r"transactions?\.(?:[0-9]+\.)?", re.IGNORECASE)
_PLACED: Final = re.compile(r"transactions\.[0-9]+\.")
_OF_PAYMENTS: Final = re.compile(
    r"payment\.(?!id$|organization_code$).*|customer_payer.*|(?:amount_value|currency_code|country|order_id)$"
)
_KEY: Final = '"transactions"'
_AT_ONCE: Final = 20_000
_OBJECT: Final = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY: Final = msgspec.json.Decoder(list[msgspec.Raw])


class Joined(NamedTuple):
    """Some records of two files that make one.

    Attributes:
        lines: The records, or what became none.
        are_payments: Whether numbers are of the file of payments; else of that of transactions, and none has a text.
    """

    lines: Lines
    are_payments: bool


def is_transactions_header(columns: Sequence[str]) -> bool:
    """Whether columns are those of transactions that say which payment they are of, without being payments too."""
    names = {column.strip().casefold() for column in columns}
    if any(_OF_PAYMENTS.match(name) or _PLACED.match(name) for name in names):
        return False
    bare = {_bare(name) for name in names}
    own = {each.name for each in documented(Transaction)} | {"card"}
    return {PAYMENT_ID, "id"} <= bare and len({name.partition(".")[0] for name in bare} & own) > 1


def transactions_shape(model: type[BaseModel]) -> Shape:
    """What is documented of one transaction of a record.

    Raises:
        ValueError: such a record has no transactions.
    """
    for each in documented(model):
        if each.name == "transactions" and each.form is Form.SHAPES and each.shape:
            return Shape(each.shape, _bare)
    raise ValueError(f"{model.__name__} has no transactions")


def _bare(name: str) -> str:
    """A name as a transaction calls it."""
    return _NAMES.get(name.strip().casefold()) or _PREFIX.sub("", name.strip(), count=1)


def join_transactions(payments: Iterable[Lines], transactions: Iterable[Lines], aside: BinaryIO) -> Iterator[Joined]:
    """Payments with the transactions of another file as their array, in the order of that file.

    Transactions are those of the payments with their payment_id, and with their organization_code where both have one.
    Their texts are put aside until the last payment is through; a hash of each key stays in memory.

    Args:
        payments: Records with `payment.id`; transactions that a record has already stay before those that join it.
        transactions: Objects with a `payment_id`, as a table of transactions gives them.
        aside: An empty file on a disk, to be written and read.

    Returns:
        The payments; and at the end the transactions that could not be read, or whose payment is none of them.
    """
    index = _Index.of(transactions, aside)
    for lines in payments:
        yield Joined(index.joined(lines), True)
    for unread in index.left():
        yield Joined(unread, False)


@dataclass(slots=True)
class _Index:
    """The transactions of a file by payment.

    Attributes:
        aside: The file with their texts, one after the other.
        offsets: Where each begins in it, and where the last ends.
        numbers: Their numbers in the file of transactions.
        hashes: Hashes of the ids of their payments, sorted.
        order: The row of each hash.
        is_joined: Whether a row has found its payment.
        unread: What had no text to begin with.
    """

    aside: BinaryIO
    offsets: npt.NDArray[np.int64]
    numbers: npt.NDArray[np.int64]
    hashes: npt.NDArray[np.uint64]
    order: npt.NDArray[np.int64]
    is_joined: npt.NDArray[np.bool_]
    unread: list[Unread] = field(default_factory=list)

    @classmethod
    def of(cls, transactions: Iterable[Lines], aside: BinaryIO) -> _Index:
        """Read the transactions of a file."""
        unread: list[Unread] = []
        lengths, numbers, hashes = [np.zeros(1, np.int64)], [np.zeros(0, np.int64)], [np.zeros(0, np.uint64)]
        for lines in transactions:
            unread += lines.unread
            texts = _series(lines.texts)
            aside.write("".join(texts).encode())
            lengths.append(texts.str.len_bytes().cast(pl.Int64).to_numpy())
            numbers.append(_series(lines.numbers).to_numpy())
            hashes.append(_keys(texts, "$.payment_id", "$.organization_code")["id"].hash().to_numpy())
        aside.flush()
        found = np.concatenate(hashes)
        order = np.argsort(found, kind="stable")
        offsets = np.cumsum(np.concatenate(lengths))
        return cls(aside, offsets, np.concatenate(numbers), found[order], order, np.zeros(len(found), bool), unread)

    def rows(self, places: npt.NDArray[np.int64]) -> pl.DataFrame:
        """Some rows: place, text, id of the payment and organization."""
        if not len(places):
            texts = pl.Series([], dtype=pl.String)
        else:  # what is looked at of the file is in memory no longer than this
            content = pa.py_buffer(np.memmap(self.aside, np.uint8, "r"))
            every = pa.LargeStringArray.from_buffers(len(self.numbers), pa.py_buffer(self.offsets), content)
            texts = _series(every.take(pa.array(places)))
        keys = _keys(texts, "$.payment_id", "$.organization_code")
        return pl.concat([pl.DataFrame({"place": places, "text": texts}), keys], how="horizontal")

    def joined(self, lines: Lines) -> Lines:
        """Payments with their transactions."""
        texts = _series(lines.texts)
        arrays = self._arrays(_keys(texts, "$.payment.id", "$.payment.organization_code"))
        if not len(arrays):
            return lines
        frame = (
            pl.DataFrame({"text": texts})
            .with_row_index("row")
            .join(arrays, on="row", how="left", maintain_order="left")
        )
        old, new = pl.col("text"), pl.col("array")
        # what stands behind the last brace of an object is nothing: texts have no blanks around them
        grown = pl.concat_str(old.str.strip_suffix("}"), pl.lit(f",{_KEY}:["), new, pl.lit("]}"))
        has_own = old.str.contains(_KEY, literal=True) & new.is_not_null()
        frame = frame.with_columns(pl.when(new.is_null()).then(old).otherwise(grown).alias("grown"), has_own=has_own)
        result = frame["grown"]
        if frame["has_own"].any():
            own = frame.filter("has_own")
            merged = [_appended(text, more) for text, more in own.select("text", "array").iter_rows()]
            result = result.scatter(own["row"], pl.Series(merged))
        return replace(lines, texts=arrow_texts(result))

    def _arrays(self, payments: pl.DataFrame) -> pl.DataFrame:
        """The texts of the transactions by row of the payments that have some, strung together."""
        known = payments.with_row_index("row").filter(pl.col("id").is_not_null())
        hashes = known["id"].hash().to_numpy()
        first = np.searchsorted(self.hashes, hashes, "left")
        counts = np.searchsorted(self.hashes, hashes, "right") - first
        within = np.arange(counts.sum()) - np.repeat(np.cumsum(counts) - counts, counts)
        rows = self.order[np.repeat(first, counts) + within]
        payment = known[np.repeat(np.arange(len(known)), counts)].rename({"id": "of", "organization": "by"})
        pairs = pl.concat([payment, self.rows(rows)], how="horizontal").filter(
            pl.col("of") == pl.col("id"), (pl.col("by") == pl.col("organization")).fill_null(True)
        )
        self.is_joined[pairs["place"].to_numpy()] = True
        arrays: pl.DataFrame = pairs.group_by("row", maintain_order=True).agg(
            pl.col("text").str.join(",").alias("array")
        )
        return arrays

    def left(self) -> Iterator[Lines]:
        """The transactions that are of no payment."""
        unread = list(self.unread)
        left = np.flatnonzero(~self.is_joined)
        for some in np.split(left, range(_AT_ONCE, len(left), _AT_ONCE)):
            for row, text, payment_id, _ in self.rows(some).iter_rows():
                place = f"/{PAYMENT_ID}"
                fault = Fault(
                    "no_such_payment", place, "the id of a payment in the other file", found(payment_id, place)
                )
                if payment_id is None:
                    fault = Fault("missing", place, "the id of a payment in the other file", None)
                unread.append(Unread(int(self.numbers[row]), fault, text))
            if unread:
                unread.sort(key=lambda each: each.number)
                yield Lines(pa.array([], pa.int64()), pa.array([], pa.string()), unread=unread)
                unread = []


def _series(array: Any) -> pl.Series:
    return pl.Series(pl.from_arrow(array))


def _keys(texts: pl.Series, payment_id: str, organization: str) -> pl.DataFrame:
    """What payment and organization a text is of; null where it does not say, or is no JSON."""
    return texts.to_frame("text").select(
        pl.col("text").str.json_path_match(payment_id).alias("id"),
        pl.col("text").str.json_path_match(organization).alias("organization"),
    )


def _appended(text: str, more: str) -> str:
    """A record that may have transactions already, with more of them."""
    record = _OBJECT.decode(text)
    stood = bytes(record.get("transactions", b"null"))
    try:
        own = [] if stood == b"null" else [bytes(each) for each in _ARRAY.decode(stood)]
    except msgspec.ValidationError:  # no array: as its first element it keeps the record from being loaded
        own = [stood]
    record["transactions"] = msgspec.Raw(b"[" + b",".join([*own, more.encode()]) + b"]")
    return msgspec.json.encode(record).decode()


def arrow_texts(texts: pl.Series) -> Any:
    """Texts as Arrow's strings with offsets of 32 bits."""
    return texts.to_arrow(compat_level=pl.CompatLevel.oldest()).cast(pa.string())
