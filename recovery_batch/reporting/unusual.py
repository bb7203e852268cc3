"""What is unusual about a nightly run against the runs before it. Pure: manifests in, figures out.

How a measure is judged. It is unusual where it lies farther from the median of the earlier runs than 3.5 times what
it usually varies by, unless two of the earlier runs lay as far out on that side: a quiet Sunday is no news in a week
that had one before. What it usually varies by is the greatest of three:

- the median absolute deviation of the earlier runs, times 1.4826, which no single odd night can move;
- chance: a count of n varies by about the square root of n (Poisson), a sum of n payments by that times what one is
  worth, a share of n by at most 50 / sqrt(n) points (binomial). So 3 instead of 2 alarms nobody;
- a twentieth of the median, for figures so steady that everything else is nothing.

Besides, what every earlier run had and this one lacks is unusual, and so is a currency or a campaign that is new; a
reason that is new only where chance does not explain it: four matches or more. Fewer than three earlier runs judge
nothing. Every comparison is one of exact fractions, so that the same manifests give the same answer everywhere.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Context, Decimal
from fractions import Fraction
from statistics import median
from typing import Any, Final, Literal, NamedTuple

from recovery_batch.reporting import formats
from recovery_batch.simulation import REASONS

RUNS: Final = 14
"""How many earlier runs count: two weeks, so that every day of the week is among them twice."""
LEAST_RUNS: Final = 3
"""With fewer values than this a median absolute deviation says nothing."""

_CUTOFF: Final = Fraction(7, 2)
"""Iglewicz and Hoaglin, How to Detect and Handle Outliers (1993), as NIST's e-Handbook of Statistical Methods quotes
it in 1.3.5.17: a modified z-score above 3.5 marks a potential outlier."""
_DEVIATIONS_TO_SIGMA: Final = Fraction(14826, 10000)
"""1 / 0.6745, the third quartile of the normal distribution: what makes the median absolute deviation of normal data
its standard deviation (the same source)."""
_LEAST_SHARE: Final = Fraction(1, 20)
_SEEN_BEFORE: Final = 2
_EXACT: Final = Context(prec=100)  # sums of amounts have 24 digits and a few more; nothing here rounds them

Part = Literal["run", "amount", "campaign", "reason"]
Verdict = Literal["unusual", "usual", "not judged"]

_RUN_MEASURES: Final = {
    "matched": "Matches",
    "sent": "Sent",
    "share": "Sent, of all matches",
    "files": "Files",
    "flows": "Abandoned flows sent",
}
_TITLES: Final = {"amount": "Sent in {}", "campaign": "Sent by {}", "reason": "Suppressed as {}"}


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of the run beside the same figure of the earlier runs.

    Attributes:
        part: What it speaks of: the whole run, what is sent in a currency (an exact amount), what a campaign sends,
            or what is suppressed for a reason.
        key: Which of them: `share` (in per cent), the currency's code, the campaign's id, the reason's slug.
        name: How a person calls it; of a campaign its name, which is text of the user.
        value: The figure of this run; None: the run has none (a campaign that is no longer evaluated).
        earlier: How many of the earlier runs have the figure.
        median: Theirs; None where none has it, as for the next two.
        lowest: The smallest of them.
        highest: The greatest of them.
        verdict: What comes of it; `not judged` where fewer than three earlier runs have the figure.
        why: In words; empty unless it is unusual.
    """

    part: Part
    key: str
    name: str
    value: Decimal | None
    earlier: int
    median: Decimal | None
    lowest: Decimal | None
    highest: Decimal | None
    verdict: Verdict
    why: str

    @property
    def title(self) -> str:
        """What is measured, in words that need no table around them: `Sent in COP`."""
        return _TITLES[self.part].format(self.name) if self.part in _TITLES else self.name

    def in_words(self, number: Decimal | None) -> str:
        """A value of this measure as a person reads it."""
        return _in_words(self.part, self.key, number)


@dataclass(frozen=True, slots=True)
class Comparison:
    """A run against the runs before it.

    Attributes:
        runs: How many earlier runs it is compared with, 14 at most.
        measures: The whole run first, then currencies by code, campaigns as the run has them with those that are
            gone after them, and reasons in the order in which the simulation asks.
    """

    runs: int
    measures: tuple[Measure, ...]

    @property
    def judged(self) -> bool:
        """Whether there are enough earlier runs to call anything unusual."""
        return self.runs >= LEAST_RUNS

    @property
    def unusual(self) -> tuple[Measure, ...]:
        """The measures that somebody should look at."""
        return tuple(measure for measure in self.measures if measure.verdict == "unusual")

    @property
    def others(self) -> tuple[Measure, ...]:
        """All measures but the unusual."""
        return tuple(measure for measure in self.measures if measure.verdict != "unusual")


def compare(manifest: Mapping[str, Any], earlier: Iterable[Mapping[str, Any]]) -> Comparison:
    """Hold a run against the last runs before it.

    Args:
        manifest: The run's. Files of abandoned flows are told apart by their `kind`; where a manifest has neither
            kinds nor `flows`, as those of old versions, nothing is known of its flows.
        earlier: The manifests of other runs, in any order: the 14 of the latest `as_of` count.
    """
    before = sorted(earlier, key=lambda each: (each["as_of"], each["run_id"]))[-RUNS:]
    run, others = _read(manifest), [_read(each) for each in before]
    names = {key: name for each in (*before, manifest) for key, name in _campaign_names(each).items()}
    return Comparison(
        len(before), tuple(_measure(part, key, names, run, others) for part, key in _measured(run, others))
    )


class _Figure(NamedTuple):
    """A value, and how many cases it was counted from: the fewer, the more it varies by chance."""

    value: Decimal
    cases: int


_Figures = dict[tuple[Part, str], _Figure]


def _read(manifest: Mapping[str, Any]) -> _Figures:
    """The figures of one run."""
    matched = manifest["totals"]["matched"]
    sent = sum(each["sent"] for each in manifest["campaigns"])
    found: _Figures = {
        ("run", "matched"): _counted(matched),
        ("run", "sent"): _counted(sent),
        ("run", "files"): _counted(len(manifest["files"])),
    }
    if matched:
        found["run", "share"] = _Figure(_per_cent(sent, matched), matched)
    if "flows" in manifest:
        found["run", "flows"] = _counted(manifest["flows"]["sent"])
    found |= _amounts(manifest["files"])
    found |= {("campaign", each["campaign"]["id"]): _counted(each["sent"]) for each in manifest["campaigns"]}
    found |= {("reason", slug): _counted(number) for slug, number in manifest["suppressed"].items()}
    return found


def _counted(number: int) -> _Figure:
    return _Figure(Decimal(number), number)


def _amounts(files: Iterable[Mapping[str, Any]]) -> _Figures:
    """What is sent of declined payments, by currency.

    A manifest does not say how many records of a file are in which currency: all count for each.
    """
    sums: dict[str, Decimal] = {}
    cases: Counter[str] = Counter()
    for file in files:
        if file.get("kind", "declined") == "declined":
            for currency, amount in file["amounts"].items():
                sums[currency] = _EXACT.add(sums.get(currency, Decimal(0)), Decimal(amount))
                cases[currency] += file["records"]
    return {("amount", currency): _Figure(total, cases[currency]) for currency, total in sums.items()}


def _per_cent(part: int, whole: int) -> Decimal:
    """A share in per cent, to the hundredth; 0 and 100 are none and all, and never a rounded few."""
    if part in {0, whole}:
        return Decimal(100 * part // whole)
    hundredths = (20_000 * part + whole) // (2 * whole)
    return Decimal(min(max(hundredths, 1), 9_999)).scaleb(-2)


def _campaign_names(manifest: Mapping[str, Any]) -> dict[str, str]:
    return {each["campaign"]["id"]: each["campaign"]["name"] for each in manifest["campaigns"]}


def _measured(run: _Figures, others: Sequence[_Figures]) -> list[tuple[Part, str]]:
    """What is compared: all that this run has, and what it lacks that earlier runs had.

    A campaign that is gone is news once: where the run just before still had it.
    """
    known = {key for figures in (run, *others) for key in figures}
    gone = [key for key in (others[-1] if others else ()) if key[0] == "campaign" and key not in run]
    slugs = [*REASONS, *sorted({slug for part, slug in known if part == "reason"} - set(REASONS))]
    ordered: list[tuple[Part, str]] = [
        *(("run", key) for key in _RUN_MEASURES),
        *sorted(key for key in known if key[0] == "amount"),
        *(key for key in run if key[0] == "campaign"),
        *sorted(gone),
        *(("reason", slug) for slug in slugs),
    ]
    return [key for key in ordered if key in known]


def _measure(part: Part, key: str, names: Mapping[str, str], run: _Figures, others: Sequence[_Figures]) -> Measure:
    nothing = _Figure(Decimal(0), 0) if part in {"amount", "reason"} else None
    figure = run.get((part, key), nothing)
    before = [found for each in others if (found := each.get((part, key), nothing)) is not None]
    values = sorted(each.value for each in before)
    verdict, why = _judge(part, key, figure, before, len(others))
    return Measure(
        part=part,
        key=key,
        name=_RUN_MEASURES[key] if part == "run" else names.get(key, key),
        value=figure.value if figure else None,
        earlier=len(values),
        median=_middle(values) if values else None,
        lowest=values[0] if values else None,
        highest=values[-1] if values else None,
        verdict=verdict,
        why=why,
    )


def _judge(part: Part, key: str, figure: _Figure | None, before: Sequence[_Figure], runs: int) -> tuple[Verdict, str]:
    """Whether a figure is unusual, and why."""
    why = ""
    if part == "campaign" and runs >= LEAST_RUNS:
        if figure is None:
            why = "gone: the run before had this campaign, this one does not"
        elif not before:
            why = f"new: none of the {runs} runs before had this campaign"
    if not why:
        if figure is None or len(before) < LEAST_RUNS:
            return "not judged", ""
        why = _why_unusual(part, key, figure, before)
    return ("unusual" if why else "usual"), why


def _why_unusual(part: Part, key: str, figure: _Figure, before: Sequence[_Figure]) -> str:
    """What is unusual about a figure that has enough others beside it; empty where nothing is."""
    values = sorted(each.value for each in before)
    if figure.value == 0 < values[0]:
        return f"nothing, though each of the {len(values)} runs before had some"
    is_new = part in {"amount", "reason"} and figure.value > 0 == values[-1]
    is_far = _is_far(part, key, figure, before)
    if is_new and (is_far or part == "amount"):
        return f"new: none of the {len(values)} runs before had any"
    if not is_far:
        return ""
    more = "more" if figure.value > _middle(values) else "less"
    middle, lowest, highest = (_in_words(part, key, each) for each in (_middle(values), values[0], values[-1]))
    if lowest == highest:
        return f"{more} than usual: each of the {len(values)} runs before had {middle}"
    return f"{more} than usual: the {len(values)} runs before had {lowest} to {highest}, in the middle {middle}"


def _is_far(part: Part, key: str, figure: _Figure, before: Sequence[_Figure]) -> bool:
    """Whether a figure is farther out than chance and habit explain. Squares are compared, which stay exact."""
    values = [Fraction(each.value) for each in before]
    value, middle = Fraction(figure.value), median(values)
    as_far = sum(each >= value if value > middle else each <= value for each in values)
    if as_far >= _SEEN_BEFORE:
        return False
    deviation = median(abs(each - middle) for each in values)
    scale_squared = max(
        (_DEVIATIONS_TO_SIGMA * deviation) ** 2,
        _chance_squared(part, key, before),
        (_LEAST_SHARE * middle) ** 2,
    )
    return (value - middle) ** 2 > _CUTOFF**2 * scale_squared


def _chance_squared(part: Part, key: str, before: Sequence[_Figure]) -> Fraction:
    """The square of what a figure varies by where nothing but chance is at work."""
    cases = max(median(Fraction(each.cases) for each in before), Fraction(1))
    if key == "share" and part == "run":
        return 2500 / cases
    if part != "amount":
        return cases
    worth = [Fraction(each.value) / each.cases for each in before if each.cases]
    return median(worth) ** 2 * cases if worth else Fraction(0)


def _middle(values: Sequence[Decimal]) -> Decimal:
    """The median of sorted values, exact: the mean of two decimals is one."""
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return low if low == high else _EXACT.divide(_EXACT.add(low, high), Decimal(2))


def _in_words(part: Part, key: str, number: Decimal | None) -> str:
    if number is None:
        return formats.NOTHING
    if part == "amount":
        return f"{formats.grouped_amount(number, key)} {formats.visible(key)}"
    # a median of counts may end in .5, and one of shares in three digits
    return f"{number:,f}" + ("\u00a0%" if part == "run" and key == "share" else "")
