"""What property tests draw: hostile texts, numbers in every spelling, payments, and rules and campaigns about them.

Everything starts from a small pool. What payments hold and what rules ask for are both relatives of the pool, so that
rules are often true, often false, and often wrong by one character or by one digit.
"""
# ruff: noqa: RUF001 - letters and digits that look like others are what this is about

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Context, Decimal
from functools import cmp_to_key
from typing import Any

import polars as pl
from hypothesis import strategies as st

from recovery_batch.campaigns.models import Campaign
from recovery_batch.evaluation import metadata_keys
from recovery_batch.rules import Rule
from recovery_batch.schema import EVALUATION
from tests.reference.rules import ALLOWED, ARITY, COMPARISONS, TARGETING, Number, compare, number_of

HOSTILE = (
    "a", "Ab", "aB ", " ", "\n", "a\nb", "\0", "\u00a0", "\u200b", ".*", "^a$", "(", "[a", "\\d+", "a|b", "(?i)a", "$",
    "{0}", "{key}", "%s", "'; DROP TABLE payments; --", "</script>", "é", "e\u0301", "É", "ß", "SS", "ẞ", "İ", "i̇", "ı",
    "ΑΣ", "ας", "ασ", "Σ", "Ǆ", "ǅ", "👩‍👧", "\U0010ffff", "\u202eab", "null", "NaN", "true", "411111", "41111122",
    "05", "5", "51", "DECLINED", "Declined", "APPROVED",
)  # fmt: skip
"""Texts that something other than a comparison of texts would stumble over."""

NOT_NUMBERS = (
    "", " ", "+", "-", ".", "-.", "e", "e5", "1e", "1e+", ".e1", "1.2.3", "1e5.0", "1e5e5", "--1", "+-1", "1-", "1 ",
    " 1", "1\n", "\n1", "\t1", "1\r", "1\0", "1\u00a0", "\ufeff1", "1 000", "1_000", "1,5", "1'000", "0x1F", "1f",
    "1L", "$1", "1%", "inf", "-Infinity", "nan", "１２", "٣", "१", "1٣", "²", "½", "Ⅷ", "−5",
    "1٫5", "1．5", "1е5", "(1)", "１e1",
)  # fmt: skip
"""Texts that are no numbers, though some library or some reader takes each of them for one."""

BEYOND = ("1e" + "9" * 16, "-7.5E+" + "9" * 40, "+.25e-" + "9" * 30, "-1e-" + "9" * 16, "0e" + "9" * 20)
"""Numbers whose exponents are longer than a rule may have; data may."""

METADATA_KEYS = ("tier", "user id", "a.b", "country", "{x}", "ключ")
ORGANIZATIONS = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
ACCOUNT = "33333333-3333-4333-8333-333333333333"
COUNTRIES = ("CO", "MX")
TIMES = tuple(datetime(2026, 3, 1, tzinfo=UTC) + timedelta(days=day) for day in (0, 10, 20))
SUCCESSFUL = ("APPROVED", "a", "ΑΣ")

DAILY_LIMIT = (Rule(rule_type="USER_COMMS_PER_DAY", values=("2",)),)
UNIQUE = (Rule(rule_type="UNIQUE_BY_USER"),)

_RULE_STATUS = st.sampled_from(("ACTIVE",) * 4 + ("INACTIVE",))
_EXACT = Context(prec=200, Emax=10**17, Emin=-(10**17))
_INSTANT = timedelta(microseconds=1)
_LONGEST_EXPONENT = 10**15 - 1
_COLUMN_DIGITS, _COLUMN_STEP = 24, 6


@dataclass(frozen=True)
class Pool:
    """What one example is about."""

    texts: tuple[str, ...]
    numbers: tuple[Number, ...]
    amounts: tuple[Number, ...]
    keys: tuple[str, ...]


def weighted(*choices: tuple[int, st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """One of several strategies, each as often as its weight says; `one_of` drops repetitions."""
    places = [place for place, (weight, _) in enumerate(choices) for _ in range(weight)]
    return st.sampled_from(places).flatmap(lambda place: choices[place][1])


_TEXT = st.one_of(st.sampled_from(HOSTILE), st.text(min_size=1, max_size=5))
_MANTISSA = weighted((2, st.integers(-20, 120)), (1, st.integers(-(10**40), 10**40)))
_EXPONENT = weighted(
    (2, st.integers(-3, 3)),
    (1, st.integers(-400, 400)),
    (1, st.integers(-_LONGEST_EXPONENT + 100, _LONGEST_EXPONENT - 100)),
)
_NUMBER = st.builds(Number, _MANTISSA, _EXPONENT)
_AMOUNT = st.one_of(
    st.integers(0, 200).map(lambda units: Number(units * 10**_COLUMN_STEP, -_COLUMN_STEP)),
    st.integers(0, 10**9).map(lambda mantissa: Number(mantissa, -_COLUMN_STEP)),
    st.integers(0, 10**_COLUMN_DIGITS - 1).map(lambda mantissa: Number(mantissa, -_COLUMN_STEP)),
    st.sampled_from((0, 1, 10**_COLUMN_DIGITS - 1)).map(lambda mantissa: Number(mantissa, -_COLUMN_STEP)),
)


def pools() -> st.SearchStrategy[Pool]:
    """What an example is about: few things, so that payments and rules meet."""

    def few(items: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any, ...]]:
        return st.lists(items, min_size=1, max_size=2).map(tuple)

    return st.builds(Pool, few(_TEXT), few(_NUMBER), few(_AMOUNT), few(st.sampled_from(METADATA_KEYS)))


@st.composite
def texts(draw: st.DrawFn, pool: Pool) -> str:
    """A text of the pool, or one that is nearly that."""
    text = draw(st.sampled_from(pool.texts))
    other = draw(st.sampled_from(pool.texts))
    nearly = (text.upper(), text.lower(), text.swapcase(), text + other, other + text, text[:-1], text[1:], f" {text}")
    drawn: str = draw(
        weighted((8, st.just(text)), (4, st.sampled_from((*nearly, f"{text} ", f"{text}\n"))), (1, _TEXT))
    )
    return drawn


@st.composite
def spellings(draw: st.DrawFn, number: Number) -> str:
    """A text that spells a number: with and without point, exponent, sign and needless zeros."""
    padding = draw(st.sampled_from((0, 0, 0, 1, 7)))
    digits = str(abs(number.mantissa)) + "0" * padding
    if 0 <= number.exponent <= 30 and draw(st.booleans()):
        digits, written = digits + "0" * number.exponent, -padding
    else:
        written = number.exponent - padding
    if -30 <= written < 0 and draw(st.booleans()):
        digits = digits.zfill(-written)
        point = len(digits) + written
    else:
        point = draw(st.integers(0, len(digits)))
    whole, fraction = digits[:point], digits[point:]
    written += len(fraction)
    mark = "." if fraction else draw(st.sampled_from(("", "", ".")))
    leading = draw(st.sampled_from(("", "", "0", "000")))
    sign = "-" if number.mantissa < 0 else draw(st.sampled_from(("", "", "+") if number.mantissa else ("", "+", "-")))
    return f"{sign}{leading}{whole}{mark}{fraction}{draw(_exponents(written))}"


def _exponents(size: int) -> st.SearchStrategy[str]:
    signs = ("", "", "+") if size > 0 else ("-",) if size < 0 else ("", "+", "-")
    written = st.builds(
        "".join,
        st.tuples(
            st.sampled_from("eE"), st.sampled_from(signs), st.sampled_from(("", "", "00")), st.just(str(abs(size)))
        ),
    )
    return written if size else st.one_of(st.just(""), st.just(""), written)


@st.composite
def relatives(draw: st.DrawFn, numbers: Sequence[Number]) -> Number:
    """One of the numbers, or one that is nearly that: by one digit far behind, by its sign, by a zero."""
    number = draw(st.sampled_from(numbers))
    match draw(st.sampled_from(("same",) * 5 + ("above", "below", "step", "negative", "tenfold", "zero"))):
        case "above" | "below" as side:
            depth = draw(st.sampled_from((1, 2, 20)))
            nudge = 1 if side == "above" else -1
            return Number(number.mantissa * 10**depth + nudge, number.exponent - depth)
        case "step":
            return Number(number.mantissa + draw(st.sampled_from((-1, 1))), number.exponent)
        case "negative":
            return Number(-number.mantissa, number.exponent)
        case "tenfold":
            return Number(number.mantissa, number.exponent + draw(st.sampled_from((-1, 1))))
        case "zero":
            return Number(0, number.exponent)
    return number


def numerals(pool: Pool) -> st.SearchStrategy[str]:
    """A text that spells a relative of the pool's numbers."""
    return relatives(pool.numbers).flatmap(spellings)


@st.composite
def amounts(draw: st.DrawFn, pool: Pool) -> Decimal:
    """An amount that a column can hold, from the pool or one step beside it."""
    mantissa = draw(st.sampled_from(pool.amounts)).mantissa + draw(st.sampled_from((0, 0, 0, 0, -1, 1)))
    return Decimal(min(max(mantissa, 0), 10**_COLUMN_DIGITS - 1)).scaleb(-_COLUMN_STEP, _EXACT)


def currencies(pool: Pool) -> st.SearchStrategy[str]:
    """A currency: one text of the pool more often than not, because an amount has to meet as well."""
    return weighted((3, st.just(pool.texts[0])), (1, texts(pool).filter(bool)))


def cells(pool: Pool) -> st.SearchStrategy[str | None]:
    """What a column of text may hold: also nothing, and an empty text."""
    return weighted((5, texts(pool)), (1, st.none()), (1, st.just("")))


def metadata_cells(pool: Pool, *, mostly_numbers: bool) -> st.SearchStrategy[str | None]:
    """What a metadata column may hold: texts, numbers, and what looks like a number and is none."""
    many, few = (numerals(pool), texts(pool)) if mostly_numbers else (texts(pool), numerals(pool))
    return weighted((5, many), (1, few), (1, st.sampled_from(NOT_NUMBERS + BEYOND)), (1, st.none()))


@st.composite
def rules(draw: st.DrawFn, rule_type: str, conditional: str, pool: Pool) -> Rule:
    """A valid rule about what the pool holds."""
    fewest, most = ARITY[conditional]
    count = draw(st.integers(fewest, 3 if most is None else most))
    wanted = draw(st.lists(_wanted(rule_type, conditional, pool), min_size=count, max_size=count))
    if conditional == "BETWEEN":
        wanted.sort(key=cmp_to_key(_in_order))
    if rule_type == "AMOUNT_AND_CURRENCY":
        wanted.append(draw(currencies(pool)))
    key = draw(st.sampled_from(pool.keys)) if rule_type == "METADATA" else None
    return Rule(rule_type=rule_type, conditional=conditional, values=tuple(wanted), metadata_key=key)


def _wanted(rule_type: str, conditional: str, pool: Pool) -> st.SearchStrategy[str]:
    if rule_type.startswith("AMOUNT"):
        return weighted((5, relatives(pool.amounts).flatmap(spellings)), (1, numerals(pool)))
    if conditional in COMPARISONS:
        return numerals(pool)
    if rule_type == "METADATA":
        return weighted((5, texts(pool)), (1, numerals(pool))).filter(bool)
    return texts(pool).filter(bool)


def _in_order(one: str, other: str) -> int:
    a, b = number_of(one), number_of(other)
    assert a is not None
    assert b is not None
    return compare(a, b)


def column_cells(column: str, pool: Pool, *, mostly_numbers: bool = False) -> st.SearchStrategy[Any]:
    """What one column of a payments frame may hold."""
    if column.startswith("metadata."):
        return metadata_cells(pool, mostly_numbers=mostly_numbers)
    strategies: dict[str, st.SearchStrategy[Any]] = {
        "organization_code": st.sampled_from(ORGANIZATIONS[:1] * 7 + ORGANIZATIONS),
        "country": st.sampled_from(COUNTRIES[:1] * 7 + COUNTRIES),
        "amount_value": amounts(pool),
        "currency_code": currencies(pool),
        "status": weighted((4, texts(pool)), (1, st.sampled_from(SUCCESSFUL))),
        "created_at": _instants(),
    }
    return strategies.get(column, cells(pool))


def _instants() -> st.SearchStrategy[datetime]:
    # the edges of campaigns, and one instant to either side of them; else somewhere in between
    edges = [time + steps * _INSTANT for time in TIMES for steps in (-1, 0, 0, 1)]
    between = [time + timedelta(days=5) for time in TIMES[:-1]]
    return st.sampled_from(edges + 4 * between)


@st.composite
def frames(
    draw: st.DrawFn, columns: Sequence[str], pool: Pool, *, fewest: int = 3, mostly_numbers: bool = False
) -> pl.DataFrame:
    """A frame of some columns of the payments frame."""
    row = st.tuples(*(column_cells(column, pool, mostly_numbers=mostly_numbers) for column in columns))
    drawn = draw(st.lists(row, min_size=fewest, max_size=12))
    schema = {column: EVALUATION.get(column, pl.String()) for column in columns}
    return pl.DataFrame(drawn, schema=schema, orient="row")


@st.composite
def campaigns(draw: st.DrawFn, pool: Pool) -> Campaign:
    """A campaign with a few rules, some of them inactive, some of them rate limits."""
    targeting = [
        draw(rules(rule_type, draw(st.sampled_from(ALLOWED[rule_type])), pool))
        for rule_type in draw(st.lists(st.sampled_from(TARGETING), max_size=2))
    ]
    limits = draw(st.sampled_from(((), (), DAILY_LIMIT, UNIQUE)))
    numbered = [
        rule.model_copy(update={"id": f"00000000-0000-4000-8000-{number:012}", "status": draw(_RULE_STATUS)})
        for number, rule in enumerate([*targeting, *limits])
    ]
    start = draw(st.sampled_from(TIMES[:2]))
    end = draw(st.sampled_from([time for time in TIMES if time > start]))
    return Campaign.model_validate(
        {
            "name": "drawn",
            "account_id": ACCOUNT,
            "organization_code": draw(column_cells("organization_code", pool)),
            "country": draw(column_cells("country", pool)),
            "channel": "PHONE_CALL",
            "schedule": {"daily_start_time": "09:00", "daily_end_time": "18:00", "time_zone": "America/Bogota"},
            "duration": {"start_at": start, "end_at": end},
            "rules": numbered,
        }
    )


@dataclass(frozen=True)
class Scene:
    """Everything that one evaluation takes."""

    payments: pl.DataFrame
    campaigns: tuple[Campaign, ...]
    successful: tuple[str, ...]


@st.composite
def scenes(draw: st.DrawFn) -> Scene:
    """Payments and campaigns about the same few things, with the columns that an evaluation may ask for and no more."""
    pool = draw(pools())
    members = tuple(draw(st.lists(campaigns(pool), min_size=draw(st.sampled_from((0, 1, 2))), max_size=4)))
    columns = (*EVALUATION, *(f"metadata.{key}" for key in metadata_keys(members)))
    fewest = draw(st.sampled_from((0, 4, 6)))
    payments = draw(frames(columns, pool, fewest=fewest, mostly_numbers=draw(st.booleans())))
    return Scene(payments, members, tuple(draw(st.lists(st.sampled_from(SUCCESSFUL), max_size=3, unique=True))))
