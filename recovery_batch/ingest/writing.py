"""Typed rows into the store: what is new, what changed, what was there already; and what a change changed."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import polars as pl
import pyarrow as pa

from recovery_batch.ingest.decoding import canonical
from recovery_batch.ingest.files import ExportFile
from recovery_batch.ingest.kinds import Kind
from recovery_batch.ingest.rows import ReadingOptions
from recovery_batch.store import Store

Tables = dict[str, Any]

_SEQ: Final = "seq"
_PLACE: Final = re.compile(r"\.[0-9]+\.")


@dataclass(slots=True)
class Written:
    """What has been written of a file.

    Attributes:
        counts: Records inserted, updated, unchanged, quarantined, not_submittable.
        reject_reasons: Quarantined records by reason.
        unfit_fields: Records that are not submittable, by the field that is missing; places in an array as `*`.
    """

    counts: Counter[str] = field(default_factory=Counter)
    reject_reasons: Counter[str] = field(default_factory=Counter)
    unfit_fields: Counter[str] = field(default_factory=Counter)


class Writer:
    """Writes the records of one file, some ten thousand at a time, in the order of the file."""

    def __init__(
        self, store: Store, kind: Kind, reading: ReadingOptions, load_id: int, files: Sequence[ExportFile]
    ) -> None:
        """Take the store, which is in a transaction, and the files that the records come from."""
        self._store = store
        self._kind = kind
        self._reading = reading
        self._load_id = load_id
        self._files = files
        self._originals: pl.DataFrame | None = None
        self.written = Written()

    def write(self, tables: Tables, part: int = 0) -> None:
        """Write some records; part says which of the files they come from."""
        if tables["rejects"].num_rows:
            self._quarantine(tables["rejects"], self._files[part])
        main = tables[self._kind.main]
        if not main.num_rows:
            return
        self._count_unfit(pl.Series(main["unfit_fields"]))
        rows = self._compared(main.select([_SEQ, *self._kind.key, "content_hash"]), tables[self._kind.texts])
        for outcome, number in rows["outcome"].value_counts().iter_rows():
            self.written.counts[outcome] += number
        changed = rows.filter(pl.col("outcome") != "unchanged")
        if changed.height:
            if "updated" in changed["outcome"]:
                self._keep_history(tables, changed.filter(pl.col("outcome") == "updated"))
            self._replace(tables, changed)

    def _quarantine(self, rejects: Any, file: ExportFile) -> None:
        origin = {"load_id": self._load_id, "path": str(file.path), "file_sha256": file.sha256}
        self._store.append("load/append_rejects", rejects, origin)
        for (reason,) in pl.DataFrame(rejects.select(["reason"])).iter_rows():
            self.written.reject_reasons[reason] += 1
        self.written.counts["quarantined"] += rejects.num_rows

    def _count_unfit(self, unfit: pl.Series) -> None:
        self.written.counts["not_submittable"] += int((unfit.list.len() > 0).sum())
        for name, number in unfit.explode().drop_nulls().value_counts().iter_rows():
            self.written.unfit_fields[_PLACE.sub(".*.", name)] += number

    def _compared(self, main: Any, texts: Any) -> pl.DataFrame:
        """Each record with what it does: it is compared with the one before it in the file, else with the store.

        Returns:
            One row a record, in order: seq, the key, outcome (inserted, updated, unchanged), and before, the seq of the
            record before it in this batch, null where the one before is in the store, or nowhere.
        """
        key = list(self._kind.key)
        incoming = pl.DataFrame(main).sort(_SEQ)
        keys = incoming.select(key)
        stored = self._store.lookup(f"load/stored_{self._kind.main}", keys)
        if not stored.height and not keys.is_duplicated().any():  # nothing to compare with: a first load
            return incoming.select(_SEQ, *key, outcome=pl.lit("inserted"), before=pl.lit(None, dtype=pl.Int64))
        rows = incoming.join(stored.unique(key), on=key, how="left", maintain_order="left").with_columns(
            before=pl.col(_SEQ).shift(1).over(key),
            hash_before=pl.coalesce(pl.col("content_hash").shift(1).over(key), "stored_hash"),
        )
        differs = rows.filter(pl.col("hash_before") != pl.col("content_hash"))
        same = self._same_content(differs, texts) if differs.height else pl.Series([], dtype=pl.Int64)
        outcome = (
            pl.when(pl.col("hash_before").is_null())
            .then(pl.lit("inserted"))
            .when((pl.col("hash_before") == pl.col("content_hash")) | pl.col(_SEQ).is_in(same.implode()))
            .then(pl.lit("unchanged"))
            .otherwise(pl.lit("updated"))
        )
        return rows.select(_SEQ, *key, outcome.alias("outcome"), "before")

    def _same_content(self, rows: pl.DataFrame, texts: Any) -> pl.Series:
        """Of records whose text differs from the one before: those that differ in blanks or the order of keys only."""
        key = list(self._kind.key)
        stored = self._store.lookup(
            f"load/text_of_{self._kind.texts}", rows.select(key).unique(), {"salt": self._reading.content_salt}
        )
        incoming = pl.DataFrame(texts.select([_SEQ, "record"]))
        pairs = (
            rows.join(incoming, on=_SEQ, how="left", maintain_order="left")
            .join(incoming, left_on="before", right_on=_SEQ, how="left", maintain_order="left", suffix=_BEFORE)
            .join(stored.unique(key), on=key, how="left", maintain_order="left")
            .filter(pl.col("before").is_not_null() | pl.col("same_reading"))
            .select(_SEQ, "record", pl.coalesce(f"record{_BEFORE}", "stored_text"))
        )
        same = [seq for seq, text, before in pairs.iter_rows() if _canonical(text) == _canonical(before)]
        return pl.Series(same, dtype=pl.Int64)

    def _keep_history(self, tables: Tables, updated: pl.DataFrame) -> None:
        """Record what each update changed, and what the store had before this file."""
        key, told = list(self._kind.key), list(self._kind.told)
        now = pl.DataFrame(tables[self._kind.main].select([_SEQ, *key, *told, "record_no"]))
        stored = self._store.lookup(f"load/before_{self._kind.main}", updated.select(key).unique())
        originals = stored.filter(pl.col("load_id") != self._load_id).select(
            *key, "content_hash", *(name for name in _OF_THE_LOAD if name in stored.columns)
        )
        self._originals = originals if self._originals is None else pl.concat([self._originals, originals])
        now, stored = _as_texts(now, told), _as_texts(stored, told)
        pairs = updated.join(now, on=[_SEQ, *key], how="left", maintain_order="left")
        in_batch = pairs.filter(pl.col("before").is_not_null()).join(
            now.select(_SEQ, *told), left_on="before", right_on=_SEQ, how="left", suffix=_BEFORE
        )
        in_store = pairs.filter(pl.col("before").is_null()).join(
            stored.select(*key, *told), on=key, how="left", suffix=_BEFORE
        )
        both = pl.concat([in_batch.select(sorted(in_store.columns)), in_store.select(sorted(in_store.columns))])
        changes = both.sort(_SEQ).select(*key, "record_no", changes=pl.concat_list(_changes(told)).list.drop_nulls())
        self._store.append(f"load/append_{self._kind.main}_changes", changes, {"load_id": self._load_id})

    def _replace(self, tables: Tables, changed: pl.DataFrame) -> None:
        """Put the last record of each key that changed it in the place of what the store has."""
        last = changed.unique(self._kind.key, keep="last", maintain_order=True)[_SEQ].implode()
        known = changed.filter(pl.col("outcome") == "updated").select(self._kind.key).unique()
        for name in self._kind.tables:
            if known.height:
                self._store.append(f"load/delete_{name}", known)
            is_last = pl.Series(tables[name][_SEQ]).is_in(last)
            kept = tables[name] if is_last.all() else tables[name].filter(is_last.to_arrow())
            if name == self._kind.main:
                kept = kept.append_column("load_id", pa.array([self._load_id] * kept.num_rows, pa.int64()))
                kept = self._as_it_was(kept)
            self._store.append(f"load/append_{name}", kept)

    def _as_it_was(self, rows: Any) -> Any:
        """Rows of the main table; of those whose content the store had before this file, what that load had said.

        So a file that is loaded twice changes nothing, whatever stands in it more than once (SPEC 1.1).
        """
        if self._originals is None or not self._originals.height:
            return rows
        key = [*self._kind.key, "content_hash"]
        found = pl.DataFrame(rows.select(key)).join(
            self._originals.unique(key), on=key, how="left", maintain_order="left"
        )
        for name in (name for name in _OF_THE_LOAD if name in found.columns):
            place = rows.schema.get_field_index(name)
            merged = found[name].zip_with(found[name].is_not_null(), pl.Series(rows[name]).cast(found[name].dtype))
            values = merged.to_arrow().cast(rows.schema.field(place).type)
            rows = rows.set_column(place, rows.schema.field(place), values)
        return rows


_OF_THE_LOAD: Final = ("load_id", "record_no", "created_at")
"""What a load says of a record, besides its content: a time taken from the load too."""

_BEFORE: Final = "_before"


def _canonical(text: str) -> bytes:
    return canonical(text.encode())


def _as_texts(frame: pl.DataFrame, columns: Sequence[str]) -> pl.DataFrame:
    """Columns as texts to show: amounts without needless zeros, times in ISO 8601."""
    texts = []
    for name in columns:
        dtype = frame.schema[name]
        if isinstance(dtype, pl.Datetime):
            texts.append(pl.col(name).dt.strftime("%Y-%m-%dT%H:%M:%S%.fZ"))
        elif isinstance(dtype, pl.Decimal):
            texts.append(pl.col(name).cast(pl.String).str.strip_chars_end("0").str.strip_chars_end("."))
        else:
            texts.append(pl.col(name).cast(pl.String))
    return frame.with_columns(texts)


def _changes(columns: Sequence[str]) -> list[pl.Expr]:
    """For each column a struct of field, before and after where the two differ, else null."""
    return [
        pl.when(pl.col(name).ne_missing(pl.col(f"{name}{_BEFORE}"))).then(
            pl.struct(field=pl.lit(name), before=pl.col(f"{name}{_BEFORE}"), after=pl.col(name))
        )
        for name in columns
    ]
