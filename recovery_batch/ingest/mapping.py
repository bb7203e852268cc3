"""Mapping files: how the columns, units, times and words of somebody else's table become ours (docs/mappings.md).

version = 1
[file]
delimiter = ";"
[numbers]
decimal = ","
[columns]
"payment.id" = "Transacción"
"payment.country" = { column = "País", words = { "Alemania" = "DE" } }
[constants]
"payment.organization_code" = "5a1f..."
"""

from __future__ import annotations

import codecs
import re
import tomllib
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self

import polars as pl
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainValidator,
    ValidationError,
    model_validator,
)

from recovery_batch.clock import parse_zone
from recovery_batch.errors import UsageError

EPOCHS: Final = {"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1}
"""Time formats that are numbers since 1970 UTC, with the microseconds of one unit."""

DIRECTIVES: Final = frozenset("aAbBdfHIjmMpSyYz%")
"""What may follow a percent sign in a time format: what Python's strptime knows, but for names of zones."""

_HINT: Final = "See docs/mappings.md for what a mapping may say."
_LONGEST_FACTOR: Final = 30


class MappingInvalid(UsageError):
    """A mapping file holds what is not allowed, or does not fit the file that it is used on."""

    slug = "mapping_invalid"


def _path(text: str) -> str:
    if not all(text.split(".")):
        raise ValueError("a path is names joined by dots, such as payment.id or transactions.0.card.card_iin")
    return text


def _zone(name: str) -> str:
    parse_zone(name)
    return name


def _time_format(text: str) -> str:
    if text in EPOCHS:
        return text
    directives = re.findall(r"%(.?)", text, re.DOTALL)
    if unknown := [each for each in directives if each not in DIRECTIVES or not each]:
        raise ValueError(f"%{unknown[0]} is not known; known: {' '.join('%' + each for each in sorted(DIRECTIVES))}")
    if not {"d", "j"} & set(directives) or not {"y", "Y"} & set(directives):
        raise ValueError(f"a format with at least a day and a year, or one of {', '.join(EPOCHS)}")
    if "I" in directives and "p" not in directives:
        raise ValueError("%I needs %p")
    if re.search(r"(?<!\.)%f", text):
        raise ValueError("%f stands behind a point")
    try:
        pl.Series(["x"]).str.to_datetime(text.replace(".%f", "%.f"), strict=False)
    except pl.exceptions.PolarsError as error:
        raise ValueError(str(error).splitlines()[0]) from error
    return text


def _encoding(name: str) -> str:
    try:
        return codecs.lookup(name).name
    except LookupError as error:
        raise ValueError(f"no encoding is called {name!r}; latin-1, cp1252, utf-8 and utf-16 are some") from error


def _factor(text: Any) -> Any:
    if isinstance(text, int | Decimal) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        raise ValueError('a number as a text, such as "0.01"')
    try:
        number = Decimal(text)
    except InvalidOperation as error:
        raise ValueError('a number as a text, such as "0.01"') from error
    if not number.is_finite() or number <= 0 or len(f"{number:f}") > _LONGEST_FACTOR:
        raise ValueError(f"a positive number of at most {_LONGEST_FACTOR} digits")
    return f"{number:f}"


def _one_character(text: str) -> str:
    if len(text) != 1 or not text.isascii() or text in "\r\n\0":
        raise ValueError("one ASCII character")
    return text


def _quote(text: str) -> str:
    return text and _one_character(text)


def _scalar(value: Any) -> Any:
    if not isinstance(value, str | int | Decimal):
        raise ValueError("a text, a number, true or false")
    if isinstance(value, Decimal) and not value.is_finite():
        raise ValueError("a number that is finite")
    return value


Scalar = Annotated[str | int | Decimal | bool, PlainValidator(_scalar)]
DottedPath = Annotated[str, AfterValidator(_path)]
Zone = Annotated[str, AfterValidator(_zone)]
TimeFormat = Annotated[str, AfterValidator(_time_format)]
DecimalMark = Literal[".", ","]
ThousandsMark = Literal["", ".", ",", " ", "\u00a0", "\u202f", "'", "’", "_"]


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class FileShape(_Section):
    """`[file]`: how the file is laid out.

    Attributes:
        delimiter: What stands between two cells of CSV; None: found out from the header line.
        quote: What stands around a cell of CSV; empty: nothing does.
        encoding: Python's name of the encoding of CSV; None: by its byte order mark, else UTF-8.
        header_row: The row that holds the names of the columns, from 1; what stands above it is passed over.
        sheet: The name of the sheet of a workbook; None: its first.
        null_texts: Cells that count as empty, exactly as they stand.
    """

    delimiter: Annotated[str, AfterValidator(_one_character)] | None = None
    quote: Annotated[str, AfterValidator(_quote)] = '"'
    encoding: Annotated[str, AfterValidator(_encoding)] | None = None
    header_row: Annotated[int, Field(ge=1, le=10_000)] = 1
    sheet: str | None = None
    null_texts: tuple[str, ...] = ()


class Numbers(_Section):
    """`[numbers]`: how numbers are spelled.

    Attributes:
        decimal: The decimal mark.
        thousands: What stands between groups of three digits; empty: nothing may. A blank stands for every kind of
            blank that typesetters know, an apostrophe for both kinds.
    """

    decimal: DecimalMark = "."
    thousands: ThousandsMark = ""

    @model_validator(mode="after")
    def _differ(self) -> Self:
        if self.decimal == self.thousands:
            raise ValueError("the decimal mark and the thousands mark are the same")
        return self


class Times(_Section):
    """`[times]`: how times are spelled.

    Attributes:
        formats: As Python's strptime spells them, or `epoch_s`, `epoch_ms`, `epoch_us`; the first that fits counts.
            None given: a time stays as it stands.
        zone: The zone of times that carry none; None: they stay without one, and `--timezone` applies.
    """

    formats: tuple[TimeFormat, ...] = ()
    zone: Zone | None = None


class Column(_Section):
    """An entry of `[columns]`: what becomes of one column of the file.

    Attributes:
        column: Its name in the file.
        factor: What its numbers are multiplied with, exactly; a plain decimal.
        minor_units_of: The path that holds the currency of which its numbers are minor units (cents).
        words: What stands in the file to what shall stand in the record. A cell that is none of them stays.
        as_json: `json` in the file: the cells hold JSON.
        formats: As in `[times]`, for this column; empty: those of `[times]`, where the field is a time.
        zone: As in `[times]`, for this column; None: that of `[times]`.
        decimal: As in `[numbers]`, for this column; None: that of `[numbers]`.
        thousands: As in `[numbers]`, for this column; None: that of `[numbers]`.
        prefix: What is put before every text.
    """

    column: Annotated[str, Field(min_length=1)]
    factor: Annotated[str, BeforeValidator(_factor)] | None = None
    minor_units_of: DottedPath | None = None
    words: dict[str, Scalar] = Field(default_factory=dict)
    as_json: bool = Field(default=False, alias="json")
    formats: tuple[TimeFormat, ...] = ()
    zone: Zone | None = None
    decimal: DecimalMark | None = None
    thousands: ThousandsMark | None = None
    prefix: str = ""

    @model_validator(mode="after")
    def _agree(self) -> Self:
        if self.factor is not None and self.minor_units_of is not None:
            raise ValueError("factor and minor_units_of exclude one another")
        is_number = self.factor is not None or self.minor_units_of is not None
        if sum([is_number, self.as_json, bool(self.formats), bool(self.prefix)]) > 1:
            raise ValueError("a column is a number (factor, minor_units_of), a time (formats), json or has a prefix")
        return self


def _column(value: Any) -> Any:
    return {"column": value} if isinstance(value, str) else value


class Extra(_Section):
    """`[extra]`: what becomes of columns that no entry names.

    Attributes:
        keep: Whether they stay with the record: at their path where they are called by a documented one, else under
            their name at its root.
    """

    keep: bool = True


class Mapping(_Section):
    """A mapping file.

    Attributes:
        version: Of the form of mapping files.
        kind: What the records are; None: found out.
        part: Whether a row is a record, or one of the transactions of a record of another file.
        file: How the file is laid out.
        numbers: How its numbers are spelled.
        times: How its times are spelled.
        columns: Column of the file by the dotted path of ours that it fills.
        constants: Value by path, for what the file lacks.
        defaults: Value by path, for empty cells.
        extra: What becomes of other columns.
    """

    version: Literal[1]
    kind: Literal["declined", "abandoned"] | None = None
    part: Literal["records", "transactions"] = "records"
    file: FileShape = FileShape()
    numbers: Numbers = Numbers()
    times: Times = Times()
    columns: dict[DottedPath, Annotated[Column, BeforeValidator(_column)]] = Field(default_factory=dict)
    constants: dict[DottedPath, Scalar] = Field(default_factory=dict)
    defaults: dict[DottedPath, Scalar] = Field(default_factory=dict)
    extra: Extra = Extra()

    @model_validator(mode="after")
    def _fit_together(self) -> Self:
        faults = [f"constants.{path}: columns fills it too" for path in self.constants if path in self.columns]
        faults += [f"defaults.{path}: constants fills it too" for path in self.defaults if path in self.constants]
        if faults:
            raise ValueError("; ".join(faults))
        return self


def read_mapping(path: Path) -> Mapping:
    """The mapping of a TOML file.

    Raises:
        MappingInvalid: the file cannot be read, or holds what is not allowed; names every such place.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise MappingInvalid(f"{path}: the text is not UTF-8", hint=_HINT) from error
    except OSError as error:
        raise MappingInvalid(f"{path}: {error.strerror or error}", hint="Check the path.") from error
    return parse_mapping(text, str(path))


def parse_mapping(text: str, name: str) -> Mapping:
    """The mapping of a TOML text; `name` is what errors call it.

    Raises:
        MappingInvalid: the text holds what is not allowed; names every such place.
    """
    try:
        document = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise MappingInvalid(f"{name}: {error}", hint=_HINT) from error
    except (ValueError, ArithmeticError, RecursionError) as error:
        raise MappingInvalid(f"{name}: a number that is too long, or nesting that is too deep", hint=_HINT) from error
    try:
        return Mapping.model_validate(document)
    except ValidationError as error:
        places = "; ".join(f"{_place(each['loc'])}: {_message(each)}" for each in error.errors())
        raise MappingInvalid(f"{name}: {places}", hint=_HINT) from error


def _place(location: tuple[int | str, ...]) -> str:
    """Where a fault is, as the file spells it: `columns."payment.id".factor`."""
    kinds = {"str", "int", "decimal", "bool"}  # the members of a union are no places of the file
    if len(location) > 2 and location[-1] in kinds:
        location = location[:-1]
    parts = [f'"{part}"' if "." in str(part) else str(part) for part in location if part != "[key]"]
    return ".".join(parts) or "(whole file)"


def _message(fault: Any) -> str:
    """What is wrong, with what stood there."""
    message = str(fault["msg"]).removeprefix("Value error, ")
    stood = fault["input"]
    return message if isinstance(stood, dict | BaseModel) else f"{message}; found {stood!r}"
