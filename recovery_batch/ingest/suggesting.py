"""A first mapping file for somebody else's table, from its columns and some of its values, with what it is unsure of.

Comments name columns, formats, and values of columns with few codes (statuses, countries, currencies): never names,
phones or addresses.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final

import polars as pl
from pydantic import BaseModel

from recovery_batch.contract.abandoned import FLOW_LOADABLE
from recovery_batch.contract.declined import LOADABLE
from recovery_batch.contract.fields import Documented, Form, documented
from recovery_batch.ingest.flat.joining import PAYMENT_ID, is_transactions_header, transactions_shape
from recovery_batch.ingest.flat.numbers import minor_unit_digits
from recovery_batch.ingest.flat.planning import place_of
from recovery_batch.ingest.guessing.cells import (
    NumberGuess,
    TimeGuess,
    guess_numbers,
    guess_times,
    holds_json,
    may_be_personal,
)
from recovery_batch.ingest.guessing.entries import Entry, coded_words, country_words, quoted, status_words
from recovery_batch.ingest.guessing.headers import by_name, currency_in, normalised
from recovery_batch.ingest.mapping import DecimalMark, FileShape, ThousandsMark

_NULL_TEXTS: Final = ("NULL", "null", "Null", "\\N", "None", "none", "N/A", "n/a", "#N/A", "nan", "NaN", "-", "--")
_MINOR_WORDS: Final = frozenset(["cents", "centavos", "centimos", "minor", "cent", "ctvs"])
_STAND_INS: Final = {
    "transactions.0.id": "payment.id",
    "transactions.0.amount": "payment.amount_value",
    "transactions.0.status": "payment.status",
    "transactions.0.description": "payment.description",
}
"""What a request wants of a transaction, and the field of the payment whose column can stand in for it."""
_DIGITS: Final = ("phone_number", "card_iin", "card_lfd")
_LETTERS: Final = (".country", ".country_code", ".currency_code", ".currency", ".name", ".full_name", "_name", ".email")
"""Endings of paths whose values mostly hold digits, or letters."""
_ROMANCE: Final = frozenset(
    ["fecha", "data", "monto", "importe", "valor", "pais", "moneda", "moeda", "estado", "situacao", "nombre", "nome"]
)
_HEAD: Final = (
    "# A first mapping, made from the names and some values of the columns: read it through before you use it.",
    "# Each line of [columns] says which column of the file fills which field of ours.",
)


def suggest_mapping(columns: list[str], sample: pl.DataFrame, *, found: FileShape, model: type[BaseModel]) -> str:
    """The text of a first mapping file, with comments on what could not be decided.

    Args:
        columns: The names of all columns.
        sample: Some thousand rows of them as texts; null, or an empty text, where a cell is empty.
        found: What is known of the file: delimiter, encoding, sheet, row of the header.
        model: The documented shape of a record: `Element` or `AbandonedFlow`.

    Returns:
        TOML that `parse_mapping` takes. What a record needs and no column seems to hold stands in it as a comment.
    """
    return _Suggestion(columns, sample, found, model).text()


@dataclass(frozen=True, slots=True)
class _Need:
    """A field that a record needs: its path, and whether for being loaded or only for being submitted."""

    path: str
    is_loadable: bool


def _needs(model: type[BaseModel], has_transaction: bool) -> Iterator[_Need]:
    """The fields that a record needs, those of a transaction where the file has columns of one."""
    for shape in documented(model):
        if shape.shape is None or not (shape.mandatory or (has_transaction and shape.form is Form.SHAPES)):
            continue
        at = f"{shape.name}.0" if shape.form is Form.SHAPES else shape.name
        loadable = LOADABLE if shape.name == "payment" else FLOW_LOADABLE if shape.name == "session" else ()
        for each in documented(shape.shape):
            if each.mandatory or each.name in loadable:
                yield _Need(f"{at}.{each.name}", each.name in loadable)


class _Suggestion:
    """One mapping in the making."""

    def __init__(self, columns: list[str], sample: pl.DataFrame, found: FileShape, model: type[BaseModel]) -> None:
        self.columns, self.found, self.model = columns, found, model
        self.is_payment = any(each.name == "payment" for each in documented(model))
        self.are_transactions = self.is_payment and is_transactions_header(columns)
        texts = _as_texts(sample)
        self.nulls = _null_texts(texts)
        self.sample = texts.with_columns(pl.all().replace(dict.fromkeys([*self.nulls, ""])))
        self.constants: list[str] = []
        self.fills = self._fills()
        self.numbers = {path: self._numbers(column) for path, column in self.fills.items() if self._is_number(path)}
        self.times = {path: self._times(column) for path, column in self.fills.items() if self._is_time(path)}

    def cells(self, column: str) -> pl.Series:
        """The cells of a column that are not empty."""
        return self.sample[column].drop_nulls()

    def _fills(self) -> dict[str, str]:
        """Column by path: those called by our paths, those whose names mean one, and those that can stand in."""
        if self.are_transactions:
            return self._transaction_fills()
        taken: dict[str, str] = {}
        for column in self.columns:
            place = place_of(column, self.model)
            is_one = len(place.path) > 1 or (place.field is not None and place.field.form is Form.SHAPES)
            if place.field is not None and is_one and place.dotted not in taken:
                taken[place.dotted] = column
        root = "payment" if self.is_payment else "session"
        named = by_name(self.columns, root, self._fits, taken)
        fills = taken | named
        if "transactions" in fills:
            fills = {path: column for path, column in fills.items() if not path.startswith("transactions.")}
        if any(path.startswith("transactions.0.") for path in named if path in fills):
            fills |= {path: fills[own] for path, own in _STAND_INS.items() if path not in fills and own in fills}
        return dict(sorted(fills.items(), key=lambda each: (self._place(each[0]), self.columns.index(each[1]))))

    def _transaction_fills(self) -> dict[str, str]:
        """Column by path of a transaction, where each row is one and the payments are in another file."""
        shape = transactions_shape(self.model)
        self.model = shape.model
        places = {column: shape.place(column) for column in self.columns}
        known = {place.dotted: column for column, place in reversed(places.items()) if place.field is not None}
        ids = {place.dotted: column for column, place in places.items() if place.dotted == PAYMENT_ID}
        return ids | dict(reversed(known.items()))

    def _place(self, path: str) -> int:
        return ["payment", "customer", "session", "cart", "customer_payer", "engagement", "transactions"].index(
            path.split(".", maxsplit=1)[0]
        )

    def _fits(self, path: str, column: str) -> bool:
        """Whether the values of a column may be those of a field that its name means."""
        cells = self.cells(column).str.strip_chars()
        if cells.is_empty():
            return True
        known = self._field(path)
        if path.endswith("phone_country_code"):
            return bool(cells.str.contains(r"^\+?[0-9 ()-]{1,6}$").all())
        if known is not None and known.form is Form.SHAPES:
            return holds_json(cells)
        if self._is_number(path) or self._is_time(path) or path.endswith(_DIGITS):
            return 2 * int(cells.str.contains("[0-9]").sum()) > len(cells)
        return not path.endswith(_LETTERS) or 2 * int(cells.str.contains(r"\p{L}").sum()) > len(cells)

    def _field(self, path: str) -> Documented | None:
        return place_of(path, self.model).field

    def _is_number(self, path: str) -> bool:
        known = self._field(path)
        return known is not None and known.form is Form.NUMBER

    def _is_time(self, path: str) -> bool:
        known = self._field(path)
        return known is not None and known.is_time

    @cached_property
    def _comma_is_likely(self) -> bool:
        """Whether decimal commas are what to expect, where the numbers leave it open."""
        return self.found.delimiter == ";"

    @cached_property
    def _month_first_is_likely(self) -> bool:
        """Whether the month before the day is what to expect: where the columns are called in English."""
        words = {word for column in self.columns for word in normalised(column).split()}
        return words.isdisjoint(_ROMANCE) and self.found.delimiter != ";"

    def _numbers(self, column: str) -> NumberGuess:
        return guess_numbers(self.cells(column), comma_is_likely=self._comma_is_likely)

    def _times(self, column: str) -> TimeGuess:
        return guess_times(self.cells(column), month_first_is_likely=self._month_first_is_likely)

    @cached_property
    def _marks(self) -> tuple[DecimalMark, ThousandsMark]:
        """The marks of `[numbers]`: of the columns that show any, those that are not in doubt first."""
        sure = [each for each in self.numbers.values() if each.has_marks and each.in_doubt is None]
        shown = sure or [each for each in self.numbers.values() if each.has_marks]
        best = max(shown, key=lambda each: each.thousands != "", default=None)
        return (best.decimal, best.thousands) if best else (".", "")

    @cached_property
    def _formats(self) -> tuple[str, ...]:
        """The formats of `[times]`: those of the first column that needs any."""
        return next((each.formats for each in self.times.values() if each.formats), ())

    def text(self) -> str:
        """The whole mapping."""
        entries = [self._entry(path, column) for path, column in self.fills.items()]
        lines = [*_HEAD, "version = 1", f'kind = "{"declined" if self.is_payment else "abandoned"}"']
        lines += ['part = "transactions"'] if self.are_transactions else []
        lines += self._file()
        lines += self._number_lines() + self._time_lines()
        lines += ["", "[columns]"]
        for entry in entries:
            if not entry.words:
                lines += [*entry.comments(), entry.line()]
        lines += self._left()
        lines += self._constant_lines()
        for entry in entries:
            if entry.words:
                lines += ["", *entry.comments(), *entry.table()]
        return "\n".join(lines) + "\n"

    def _file(self) -> list[str]:
        known = {
            "delimiter": self.found.delimiter,
            "encoding": self.found.encoding,
            "sheet": self.found.sheet,
        }
        lines = [f"{name} = {quoted(value)}" for name, value in known.items() if value]
        if self.found.quote != '"':
            lines.append(f"quote = {quoted(self.found.quote)}")
        if self.found.header_row != 1:
            lines.append(f"header_row = {self.found.header_row}")
        nulls = self.nulls or list(self.found.null_texts)
        if nulls:
            lines.append(f"null_texts = [{', '.join(map(quoted, nulls))}]")
        return ["", "[file]", *lines] if lines else []

    def _number_lines(self) -> list[str]:
        if not self.numbers:
            return []
        decimal, thousands = self._marks
        lines = ["", "[numbers]", f"decimal = {quoted(decimal)}"]
        return [*lines, f"thousands = {quoted(thousands)}"] if thousands else lines

    def _time_lines(self) -> list[str]:
        if not self.times:
            return []
        lines = []
        if self._formats:
            lines.append(f"formats = [{', '.join(map(quoted, self._formats))}]")
        if not all(each.has_zone for each in self.times.values()):
            lines.append("# the times carry no zone; without this line --timezone counts, which is UTC by itself")
            lines.append('# zone = "America/Bogota"')
        return ["", "[times]", *lines] if lines else []

    def _entry(self, path: str, column: str) -> Entry:
        entry = Entry(path, column)
        if path in self.numbers:
            self._number_entry(entry, self.numbers[path])
        elif path in self.times:
            self._time_entry(entry, self.times[path])
        elif path in ("payment.country", "customer.country_code"):
            country_words(entry, self.cells(column))
        elif path.rpartition(".")[2] == "status":
            status_words(entry, self.cells(column))
        elif (known := self._field(path)) is not None and known.meaning is not None:
            coded_words(entry, self.cells(column), known.meaning)
        elif self._takes_json(path) and holds_json(self.cells(column)):
            entry.settings.append("json = true")
        if path == self._first_stand_in:
            entry.notes.append("a payment's own columns stand in for those of its transaction, which a request needs")
        return entry

    @cached_property
    def _first_stand_in(self) -> str | None:
        stand_ins = (path for path in self.fills if self.fills[path] == self.fills.get(_STAND_INS.get(path, "")))
        return next(stand_ins, None)

    def _takes_json(self, path: str) -> bool:
        known = self._field(path)
        return path.endswith("metadata") or (known is not None and known.form in (Form.OBJECT, Form.SHAPES))

    def _number_entry(self, entry: Entry, guess: NumberGuess) -> None:
        total = len(self.cells(entry.column))
        if guess.has_marks and (guess.decimal, guess.thousands) != self._marks:
            if guess.decimal != self._marks[0]:
                entry.settings.append(f"decimal = {quoted(guess.decimal)}")
            if guess.thousands != self._marks[1]:
                entry.settings.append(f"thousands = {quoted(guess.thousands)}")
        if guess.in_doubt is not None:
            entry.notes.append(f"CHECK: {_doubt(guess)}")
        if guess.has_signs:
            entry.notes.append("CHECK: cells hold the sign of a currency, as in `$ 1.234,00`: take it out of the file")
        if guess.unread:
            entry.notes.append(f"CHECK: {guess.unread} of {total} values looked at are no number so")
        currency = "payment.currency_code" if self.is_payment else "cart.currency"
        is_minor = not _MINOR_WORDS.isdisjoint(normalised(entry.column).split())
        if self.are_transactions:
            return  # their currency is the payment's, in the other file
        has_currency = currency in self.fills or (self.is_payment and self._currency_of_name() is not None)
        if is_minor and has_currency:
            entry.settings.append(f"minor_units_of = {quoted(currency)}")
            entry.notes.append("CHECK: by the column's name these are minor units (cents)")
        elif is_minor or (guess.are_whole and self._has_minor_units(currency)):
            entry.notes.append("CHECK: all are whole numbers. If they are minor units (cents), write instead:")
            entry.notes.append(
                f"{quoted(entry.path)} = {{ column = {quoted(entry.column)}, minor_units_of = {quoted(currency)} }}"
            )

    def _has_minor_units(self, currency: str) -> bool:
        """Whether amounts may be in minor units: where a currency has any, or none is known."""
        if currency not in self.fills:
            return True
        digits = minor_unit_digits(self.cells(self.fills[currency]).unique())
        return digits.null_count() == len(digits) or bool((digits > 0).any())

    def _time_entry(self, entry: Entry, guess: TimeGuess) -> None:
        total = len(self.cells(entry.column))
        if guess.formats and guess.formats != self._formats:
            entry.settings.append(f"formats = [{', '.join(map(quoted, guess.formats))}]")
        if guess.in_doubt:
            other = ", ".join(map(quoted, guess.in_doubt))
            entry.notes.append(f"CHECK: the values fit day and month exchanged as well: formats = [{other}]")
        if guess.unread:
            entry.notes.append(f"CHECK: {guess.unread} of {total} values looked at fit no format that is known here")

    def _currency_of_name(self) -> str | None:
        path = "payment.amount_value" if self.is_payment else "cart.total_value"
        return currency_in(self.fills[path]) if path in self.fills else None

    def _left(self) -> list[str]:
        """The columns that fill nothing of ours."""
        left = [column for column in self.columns if column not in self.fills.values()]
        shown = [column for column in left if not may_be_personal(column)]
        hidden = f" and {len(left) - len(shown)} more" if len(shown) < len(left) else ""
        if not left:
            return []
        return [f"# these stay with the record under their own names: {', '.join(map(quoted, shown))}{hidden}"]

    def _constant_lines(self) -> list[str]:
        lines = []
        has_one = any(path.startswith("transactions.0.") for path in self.fills)
        plain = (_Need(each.name, False) for each in documented(self.model) if each.mandatory)
        for need in plain if self.are_transactions else _needs(self.model, has_one):
            if need.path in self.fills:
                continue
            currency = self._currency_of_name() if need.path == "payment.currency_code" else None
            if currency:
                lines.append(f'"payment.currency_code" = {quoted(currency)}   # from the name of the column of amounts')
                continue
            why = "needed" if need.is_loadable else "needed to submit"
            lines.append(f'# {quoted(need.path)} = "?"   # {why}: no column looks like it')
        return ["", "[constants]", *lines] if lines else []


def _doubt(guess: NumberGuess) -> str:
    """What the values leave open."""
    mark = guess.decimal if not guess.thousands else guess.thousands
    other = guess.in_doubt
    assert other is not None
    as_what = "thousands" if guess.thousands else "a decimal mark"
    spelled = f'decimal = "{other[0]}", thousands = "{other[1]}"' if other[1] else f'decimal = "{other[0]}"'
    return f"`1{mark}234` may be 1234 or 1.234; `{mark}` is read as {as_what}. The other way: {spelled}"


def _as_texts(sample: pl.DataFrame) -> pl.DataFrame:
    """Typed columns as texts; of nested ones nothing is told."""
    return sample.select(
        pl.lit(None, pl.String).alias(each.name) if each.dtype.is_nested() else each.cast(pl.String, strict=False)
        for each in sample
    )


def _null_texts(sample: pl.DataFrame) -> list[str]:
    """The texts of the sample that stand for an empty cell."""
    seen = {text for column in sample for text in _NULL_TEXTS if bool((column == text).any())}
    return [text for text in _NULL_TEXTS if text in seen]
