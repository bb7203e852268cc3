"""Typed columns, of Parquet or of workbooks, to JSON values and to texts."""

from __future__ import annotations

from typing import Final

import numpy as np
import polars as pl
import pyarrow as pa

from recovery_batch.contract.fields import Documented, Form, documented
from recovery_batch.ingest.flat.stringing import column_of, object_of
from recovery_batch.ingest.flat.times import spelled_micros
from recovery_batch.ingest.flat.values import quoted

MAP_KEY: Final = "(key of a map)"
MAP_VALUE: Final = "(value of a map)"
"""What the two parts of a map are called in the frames that `frame_of` makes: Polars has no maps."""

_LARGEST_WHOLE: Final = 2**53


def typed_json(cells: pl.Series, field: Documented | None) -> pl.Series:
    """The JSON value of each cell in the shape that it has; null where there is none.

    Numbers keep their digits; where a text is documented, whole numbers and decimals become one. Times are written as
    `YYYY-MM-DD HH:MM:SS[.ffffff]`, with `+00:00` where the column has a zone. A float that is not a number is absent.
    """
    dtype = cells.dtype
    form = field.form if field else None
    if isinstance(dtype, pl.Struct):
        return _object(cells, dtype, field)
    if isinstance(dtype, pl.List | pl.Array):
        return _array(cells.cast(pl.List(dtype.inner)), field)
    if dtype == pl.Boolean or dtype.is_float() or dtype.is_integer() or dtype.is_decimal():
        texts = _number_texts(cells, whole_as_integers=form is Form.INTEGER)
        if form is Form.STRING and not (dtype == pl.Boolean or dtype.is_float()):
            return quoted(texts, plain=True)
        return texts.replace(["inf", "-inf"], ['"inf"', '"-inf"']) if dtype.is_float() else texts
    if dtype == pl.Date and field is not None and field.is_time:
        cells = cells.cast(pl.Datetime("us"))
    return quoted(as_texts(cells))


def as_texts(cells: pl.Series) -> pl.Series:
    """Typed cells as texts, as somebody would write them into CSV; whole floats without a point."""
    dtype = cells.dtype
    if dtype == pl.String:
        return cells
    if isinstance(dtype, pl.Datetime):
        return spelled_micros(cells.dt.timestamp("us"), dtype.time_zone is not None)
    if dtype == pl.Binary:
        return pl.Series(cells.name, [_decoded(each) for each in cells.to_list()], dtype=pl.String)
    if isinstance(dtype, pl.Struct | pl.List | pl.Array):
        return typed_json(cells, None)
    if isinstance(dtype, pl.Duration):
        return cells.dt.total_microseconds().cast(pl.String)
    return _number_texts(cells, whole_as_integers=True)


def _decoded(cell: bytes | None) -> str | None:
    """Bytes as the text that they are (old writers do not say so), else in hexadecimal digits."""
    if cell is None:
        return None
    try:
        return cell.decode("utf-8")
    except UnicodeDecodeError:
        return cell.hex()


def _number_texts(cells: pl.Series, *, whole_as_integers: bool) -> pl.Series:
    if not cells.dtype.is_float():
        return cells.cast(pl.String)
    cells = cells.fill_nan(None)
    texts = cells.cast(pl.String)
    if not whole_as_integers:
        return texts
    is_whole = ((cells.floor() == cells) & (cells.abs() < _LARGEST_WHOLE)).fill_null(False)
    return pl.select(
        pl.when(is_whole).then(cells.cast(pl.Int64, strict=False).cast(pl.String)).otherwise(texts)
    ).to_series()


def _object(cells: pl.Series, dtype: pl.Struct, field: Documented | None) -> pl.Series:
    known = {each.name: each for each in documented(field.shape)} if field and field.shape else {}
    columns: dict[str, pl.Series] = {}
    members = []
    for at, each in enumerate(dtype.fields):
        values = typed_json(cells.struct.field(each.name), known.get(each.name))
        columns[str(at)] = values
        members.append((each.name, column_of(values, str(at), quotes=False)))
    if not members:
        texts = pl.Series(["{}"]).new_from_index(0, len(cells))
    else:
        texts = pl.DataFrame(columns).select(object_of(members).expression.alias("text")).to_series().fill_null("{}")
    return texts.set(cells.is_null(), None) if cells.null_count() else texts


def _array(cells: pl.Series, field: Documented | None) -> pl.Series:
    lengths = cells.list.len().fill_null(0)
    values = cells.filter(lengths > 0).explode()
    dtype = values.dtype
    if isinstance(dtype, pl.Struct) and [each.name for each in dtype.fields] == [MAP_KEY, MAP_VALUE]:
        keys = quoted(as_texts(values.struct.field(MAP_KEY)))
        elements = keys + ":" + typed_json(values.struct.field(MAP_VALUE), None).fill_null("null")
        opening, closing = "{", "}"
    else:
        elements = typed_json(values, _of_element(field)).fill_null("null")
        opening, closing = "[", "]"
    offsets = np.concatenate([[0], np.cumsum(lengths.to_numpy().astype(np.int64))])
    rebuilt = pa.LargeListArray.from_arrays(pa.array(offsets, pa.int64()), elements.cast(pl.String).to_arrow())
    strung = pl.Series(pl.from_arrow(rebuilt)).list.join(",")
    texts = pl.select(opening + strung + closing).to_series()
    return texts.set(cells.is_null(), None) if cells.null_count() else texts


def _of_element(field: Documented | None) -> Documented | None:
    """What is documented of the elements of an array: their shape is that of the array."""
    return field if field is not None and field.form is Form.SHAPES else None


def frame_of(batch: pa.RecordBatch) -> pl.DataFrame:
    """A batch of Arrow as a frame, its maps as lists of pairs, decimals of too many digits as texts."""
    arrays = [_known(batch.column(at)) for at in range(batch.num_columns)]
    # by number: a frame takes no two columns of one name, and no error should speak of it
    return pl.DataFrame({str(at): pl.Series(pl.from_arrow(array)) for at, array in enumerate(arrays)})


def _known(array: pa.Array) -> pa.Array:
    kind = array.type
    if pa.types.is_decimal256(kind):  # more digits than a frame holds; as texts they keep them all
        return array.cast(pa.string())
    if not _is_foreign(kind):
        return array
    if pa.types.is_struct(kind):
        inner = [_known(array.field(at)) for at in range(kind.num_fields)]
        names = [kind.field(at).name for at in range(kind.num_fields)]
        return pa.StructArray.from_arrays(inner, names, mask=array.is_null())
    offsets = pa.array(array.offsets.to_numpy(), pa.int32() if not pa.types.is_large_list(kind) else pa.int64())
    if pa.types.is_map(kind):
        pairs = pa.StructArray.from_arrays([array.keys, _known(array.items)], [MAP_KEY, MAP_VALUE])
        return pa.ListArray.from_arrays(offsets, pairs, mask=array.is_null())
    make = pa.LargeListArray if pa.types.is_large_list(kind) else pa.ListArray
    return make.from_arrays(offsets, _known(array.values), mask=array.is_null())


def _is_foreign(kind: pa.DataType) -> bool:
    if pa.types.is_map(kind) or pa.types.is_decimal256(kind):
        return True
    return pa.types.is_nested(kind) and any(_is_foreign(kind.field(at).type) for at in range(kind.num_fields))
