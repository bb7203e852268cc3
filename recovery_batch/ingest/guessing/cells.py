"""How the cells of a column are spelled, told by a sample of them: numbers, times, countries, statuses, JSON."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from typing import Final

import polars as pl

from recovery_batch.ingest.flat.numbers import marked_numbers
from recovery_batch.ingest.flat.times import spelled_times
from recovery_batch.ingest.guessing.headers import normalised
from recovery_batch.ingest.mapping import DecimalMark, ThousandsMark

_MARKS: Final[tuple[tuple[DecimalMark, ThousandsMark], ...]] = (
    (".", ""), (",", ""), (".", ","), (",", "."), (",", " "), (".", " "), (".", "'"), (",", "'"), (".", "_"),
)  # fmt: skip
_SIGN: Final = r"^\s*(?:R\$|US\$|MX\$|S/\.?|\$U?|€|£|¥|[A-Z]{3}\b)\s*|\s*(?:\p{Sc}|\b[A-Z]{3})\s*$"
_IN_DOUBT: Final = r"^[+-]?[0-9]{1,3}[.,][0-9]{3}$"

_DAYS: Final = (
    "%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%d.%m.%Y", "%Y/%m/%d", "%Y.%m.%d", "%d/%m/%y",
    "%m/%d/%y", "%d-%m-%y", "%m-%d-%y", "%d.%m.%y", "%d %b %Y", "%d-%b-%Y", "%d-%b-%y", "%d/%b/%Y", "%b %d, %Y",
    "%d %B %Y", "%B %d, %Y", "%a, %d %b %Y", "%Y%m%d",
)  # fmt: skip
_HOURS: Final = (
    "", " %H:%M:%S", " %H:%M", "T%H:%M:%S", " %H:%M:%S.%f", "T%H:%M:%S.%f", "T%H:%M", " %I:%M:%S %p", " %I:%M %p",
    " %H:%M:%S%z", "T%H:%M:%S%z", "T%H:%M:%S.%f%z", " %H:%M:%S.%f%z", " %H:%M:%S %z", ", %H:%M:%S", ", %H:%M",
    ", %I:%M:%S %p", ", %I:%M %p", "%H%M%S",
)  # fmt: skip
_OURS: Final = (
    r"^[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9]{2}:[0-9]{2}(:[0-9]{2}([.,][0-9]{1,9})?)?(Z|z|[+-][0-9]{2}(:?[0-9]{2})?)?$"
)
"""Times that are read without a format, as `clock.parse_instant` does."""
_ZONED: Final = r"([Zz]|:[0-9]{2}(\.[0-9]+)?[+-][0-9]{2}:?[0-9]{2})$"
_EPOCHS: Final = {
    "epoch_s": r"^1[0-9]{9}(\.[0-9]+)?$",
    "epoch_ms": r"^1[0-9]{12}$",
    "epoch_us": r"^1[0-9]{15}$",
}
_FEW: Final = 40
_MOST_FORMATS: Final = 4

_STATUSES: Final = {
    "DECLINED": "declined|decline|rejected|reject|rechazado|rechazada|rechazo|recusado|recusada|negado|negada|denied|"
    "denegado|denegada|failed|failure|fallido|fallida|falha|falhou|refused|not approved|no autorizado|nao autorizado",
    "APPROVED": "approved|aprobado|aprobada|aprovado|aprovada|accepted|aceptado|aceptada|autorizado|autorizada|"
    "authorized|success|successful|exitoso|exitosa|sucesso|ok",
    "PAID": "paid|pagado|pagada|pago",
    "PENDING": "pending|pendiente|pendente|en proceso|processing|in process",
    "EXPIRED": "expired|expirado|expirada|vencido|vencida|caducado|caducada",
    "CANCELLED": "cancelled|canceled|cancelado|cancelada|anulado|anulada|voided",
    "REFUNDED": "refunded|reembolsado|reembolsada|devuelto|devuelta|estornado|estornada",
    "ERROR": "error|erro",
}
_STATUS_OF: Final = {word: status for status, words in _STATUSES.items() for word in words.split("|")}
OUR_STATUSES: Final = frozenset({*_STATUSES, "SUCCEEDED", "REJECTED", "CAPTURED", "CREATED"})
"""Statuses that need no word of a mapping."""


@dataclass(frozen=True, slots=True)
class NumberGuess:
    """How numbers are spelled.

    Attributes:
        decimal: The decimal mark.
        thousands: The mark between thousands; empty: none was seen.
        in_doubt: Another spelling that fits all of the sample as well, with another value; None: none does.
        has_marks: Whether the sample shows any mark.
        unread: How many cells of the sample are no number so.
        has_signs: Whether cells hold the sign or the code of a currency.
        are_whole: Whether all are whole numbers of four digits or more, or zero.
    """

    decimal: DecimalMark
    thousands: ThousandsMark
    in_doubt: tuple[DecimalMark, ThousandsMark] | None
    has_marks: bool
    unread: int
    has_signs: bool
    are_whole: bool


@dataclass(frozen=True, slots=True)
class TimeGuess:
    """How times are spelled.

    Attributes:
        formats: Formats of a mapping, to be tried in this order; none: they need none.
        in_doubt: The formats with day and month exchanged, where they fit all of the sample as well; else none.
        unread: How many cells of the sample none fits.
        has_zone: Whether they carry their zone.
    """

    formats: tuple[str, ...]
    in_doubt: tuple[str, ...]
    unread: int
    has_zone: bool


def guess_numbers(cells: pl.Series, *, comma_is_likely: bool) -> NumberGuess:
    """How numbers are spelled; `comma_is_likely` settles what the sample leaves open, and says so."""
    texts = cells.drop_nulls().str.strip_chars()
    bare = texts.str.replace_all(_SIGN, "")
    fitting = {marks: marked_numbers(bare, *marks) for marks in _MARKS}
    counts = {marks: len(texts) - numbers.null_count() for marks, numbers in fitting.items()}
    best = max(counts.values(), default=0)
    able = [marks for marks in _MARKS if counts[marks] == best]
    marked = bare.filter(bare.str.contains("[.,]"))
    in_doubt: tuple[DecimalMark, ThousandsMark] | None = None
    chosen = able[0] if best else _MARKS[0]
    if len(marked) and bool(marked.str.contains(_IN_DOUBT).all()):
        has_comma = bool(marked.str.contains(",", literal=True).any())
        has_point = bool(marked.str.contains(".", literal=True).any())
        if has_comma != has_point:
            fraction, groups = (_MARKS[1], _MARKS[2]) if has_comma else (_MARKS[0], _MARKS[3])
            # a mark with three digits behind it is a decimal mark only where decimal marks look like that
            chosen, in_doubt = (fraction, groups) if has_comma == comma_is_likely else (groups, fraction)
    spelled = fitting[chosen].drop_nulls()
    whole = spelled.str.contains(r"^(?:-?[0-9]{4,}|0)$")
    return NumberGuess(
        chosen[0],
        chosen[1],
        in_doubt,
        bool(len(marked)) or chosen[1] != "",
        len(texts) - best,
        bool((texts != bare).any()),
        bool(len(spelled)) and bool(whole.all()) and not len(marked),
    )


def guess_times(cells: pl.Series, *, month_first_is_likely: bool) -> TimeGuess:
    """How times are spelled; `month_first_is_likely` settles what the sample leaves open, and says so."""
    left = cells.drop_nulls().str.strip_chars()
    if left.str.contains(_OURS).all():
        return TimeGuess((), (), 0, bool(len(left)) and bool(left.str.contains(_ZONED).all()))
    for name, pattern in _EPOCHS.items():
        if left.str.contains(pattern).all():
            return TimeGuess((name,), (), 0, True)
    formats: list[str] = []
    in_doubt: list[str] = []
    while len(left) and len(formats) < _MOST_FORMATS:
        found = _best_formats(left)
        if not found:
            break
        months = [each for each in found if _month_is_first(each)]
        days = [each for each in found if not _month_is_first(each)]
        first, second = (months, days) if month_first_is_likely and months else (days or months, months)
        # day and month exchanged within a column would be read by what fits, one cell so and the next one otherwise
        if any(_exchanged(each) == first[0] for each in formats):
            break
        formats.append(first[0])
        in_doubt += [each for each in second if each == _exchanged(first[0])]
        left = left.filter(spelled_times(left, [first[0]], None).is_null())
    zoned = bool(formats) and all("%z" in each for each in formats)
    return TimeGuess(tuple(formats), tuple(in_doubt), len(left), zoned)


def _best_formats(cells: pl.Series) -> list[str]:
    """The formats that fit the most of the cells: all of them where any fits all."""
    few = cells.head(_FEW)
    counts: dict[str, int] = {}
    for each in (f"{day}{hour}" for day in _DAYS for hour in _HOURS):
        if each.endswith("%H%M%S") and not each.startswith("%Y%m%d"):
            continue
        if spelled_times(few, [each], None).null_count() < len(few):
            counts[each] = len(cells) - spelled_times(cells, [each], None).null_count()
    best = max(counts.values(), default=0)
    return [each for each, count in counts.items() if count == best and best]


def _month_is_first(spelled: str) -> bool:
    return spelled.startswith("%m")


def _exchanged(spelled: str) -> str:
    return spelled.replace("%d", "\0").replace("%m", "%d").replace("\0", "%m")


def holds_json(cells: pl.Series) -> bool:
    """Whether all cells are JSON objects or arrays."""
    texts = cells.drop_nulls().head(200)
    return bool(len(texts)) and all(map(_is_json, texts.to_list()))


def _is_json(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict | list)
    except (ValueError, RecursionError):
        return False


def country_code(name: str) -> str | None:
    """The ISO 3166-1 alpha-2 code that a name or a code of a country stands for; None: none."""
    return _countries().get(normalised(name) or name)


@cache
def _countries() -> dict[str, str]:
    """Codes by the names of countries in English, Spanish and Portuguese, and by their three-letter codes."""
    import pycountry
    from babel import Locale

    known: dict[str, str] = {}
    codes = {each.alpha_2 for each in pycountry.countries}
    for language in ("pt", "es", "en"):
        territories = Locale(language).territories
        known |= {normalised(name): code for code, name in territories.items() if code in codes}
    for each in pycountry.countries:
        names = (getattr(each, key, None) for key in ("name", "official_name", "common_name", "alpha_3", "alpha_2"))
        known |= {normalised(name): each.alpha_2 for name in names if name}
    return known | {
        "usa": "US", "eeuu": "US", "ee uu": "US", "estados unidos de america": "US", "eua": "US", "uk": "GB",
        "inglaterra": "GB", "england": "GB", "holanda": "NL", "republica dominicana": "DO", "mejico": "MX",
    }  # fmt: skip


def status_for(word: str) -> str | None:
    """The status that a word most likely stands for; None: no guess."""
    if word.strip() in OUR_STATUSES:
        return None
    return _STATUS_OF.get(normalised(word))


def may_be_personal(text: str) -> bool:
    """Whether a value should not be written down where others read it: an address, digits of a phone, a long text."""
    return "@" in text or len(text) > 40 or len(re.findall("[0-9]", text)) > 4
