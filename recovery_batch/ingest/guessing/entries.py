"""Entries of `[columns]` of a first mapping, and the words of columns that hold codes."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Final

import polars as pl

from recovery_batch.contract.declined import Meaning
from recovery_batch.ingest.guessing.cells import OUR_STATUSES, country_code, may_be_personal, status_for
from recovery_batch.ingest.guessing.headers import normalised

_MOST_STATUSES: Final = 20
_MOST_COUNTRIES: Final = 60


def quoted(text: str) -> str:
    """A text as TOML spells it, on one line."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


@dataclass(slots=True)
class Entry:
    """A line of `[columns]`, or a table where it needs several.

    Attributes:
        path: The field of ours.
        column: The column of the file.
        settings: What else the mapping says of it, as TOML.
        words: Its words, as lines of TOML; some may be comments.
        notes: Comments above it.
    """

    path: str
    column: str
    settings: list[str] = field(default_factory=list)
    words: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def line(self) -> str:
        """The entry on one line."""
        if not self.settings:
            return f"{quoted(self.path)} = {quoted(self.column)}"
        settings = ", ".join([f"column = {quoted(self.column)}", *self.settings])
        return f"{quoted(self.path)} = {{ {settings} }}"

    def comments(self) -> list[str]:
        """What stands above the entry."""
        return [f"# {note}" for note in self.notes]

    def table(self) -> list[str]:
        """The entry as a table, with its words."""
        name = f"columns.{quoted(self.path)}"
        return [f"[{name}]", f"column = {quoted(self.column)}", *self.settings, f"[{name}.words]", *self.words]

    def add_words(self, words: dict[str, str | None]) -> None:
        """Words of the column and what they mean; None for one that is not known, which becomes a comment."""
        unknown = [
            f'{quoted(word)} = "??"' for word, code in words.items() if code is None and not may_be_personal(word)
        ]
        self.words = [f"{quoted(word)} = {quoted(code)}" for word, code in words.items() if code is not None]
        if self.words:
            self.words += [f"# {each}" for each in unknown]
        elif unknown:
            self.notes.append(f"CHECK: not known; add words = {{ {', '.join(unknown)} }}")


def country_words(entry: Entry, cells: pl.Series) -> None:
    """Words for names of countries, and a comment for each that is not known."""
    values = _distinct(cells)
    codes = {value: country_code(value) for value in values[: 4 * _MOST_COUNTRIES]}
    known = sum(code is not None for code in codes.values())
    if len(values) > _MOST_COUNTRIES or known * 2 < len(codes):
        entry.notes.append(f"CHECK: of {len(values)} different values {known} are countries")
        return
    entry.add_words({value: code for value, code in codes.items() if value != code})


def status_words(entry: Entry, cells: pl.Series) -> None:
    """Words for statuses that are spelled otherwise than ours, where their meaning is plain; else what they are.

    Values that none of these words is among, nearly each another one, are not shown: they may be no statuses at all.
    """
    values = _distinct(cells)
    if len(values) > _MOST_STATUSES or any(map(may_be_personal, values)):
        entry.notes.append(f"CHECK: {len(values)} different values, too many or too long for statuses")
        return
    guesses = {value: status_for(value) for value in values}
    if {"0", "1"} >= set(values):
        entry.notes.append('CHECK: 0 and 1. A guess: words = { "0" = "DECLINED", "1" = "APPROVED" }')
        return
    if any(guesses.values()):
        entry.add_words({value: guess for value, guess in guesses.items() if guess or value not in OUR_STATUSES})
    elif not OUR_STATUSES.isdisjoint(values) or len(values) * 2 <= len(cells):
        others = [value for value in values if value not in OUR_STATUSES]
        if not others:
            return
        entry.notes.append(f"its values, which stay as they are: {', '.join(map(quoted, others))}")


def coded_words(entry: Entry, cells: pl.Series, meaning: Meaning) -> None:
    """Words for codes of a list that are spelled otherwise: `cop` for `COP`, `Cart Review` for `cart_review`."""
    values = _distinct(cells)
    if len(values) > _MOST_COUNTRIES:
        entry.notes.append(f"CHECK: {len(values)} different values; allowed: {meaning.allowed}")
        return
    words: dict[str, str | None] = {}
    for value in values:
        if not meaning.holds(value):
            spellings = (
                value.strip(),
                value.strip().upper(),
                value.strip().lower(),
                normalised(value).replace(" ", "_"),
            )
            words[value] = next(filter(meaning.holds, spellings), None)
    unknown = sum(code is None for code in words.values())
    if unknown:
        entry.notes.append(
            f"CHECK: {unknown} of {len(values)} different values mean nothing; allowed: {meaning.allowed}"
        )
    if unknown * 2 <= len(values):  # else it is another column than it is called, and its values may be personal
        entry.add_words(words)


def _distinct(cells: pl.Series) -> list[str]:
    return [str(each) for each in cells.unique().sort().to_list()]
