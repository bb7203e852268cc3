"""Charts as inline SVG, drawn on the server: no script, no fonts to fetch, colours of the page.

Only numbers and dates of ours go into a chart, never text of the data. What the renderer gives back is taken
apart and built again from a short list of elements and attributes, so that nothing else can reach the page.
Each chart comes in two shapes, one for wide screens and paper and one for phones; the style sheet shows one
of them.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from markupsafe import Markup

from recovery_batch.reporting.formats import count
from recovery_batch.reporting.formats import day as day_words
from recovery_batch.reporting.formats import hour as hour_words
from recovery_batch.reporting.formats import month as month_words
from recovery_batch.reporting.report import DayFigures, HourFigures
from recovery_batch.reporting.tallies import Tally

_MOST_BARS = 100
"""More bars than this cannot be told apart on a page of usual width."""

_LABEL_STEPS = {"day": (1, 2, 7, 14, 28), "hour": (1, 2, 3, 6), "week": (1, 2, 4, 13, 26)}
"""Every how many bars a label may stand; for months and years any number will do."""

_ALLOWED = {
    "svg": ("viewBox",),
    "g": ("transform",),
    "path": ("d", "fill", "stroke", "stroke-width", "transform"),
    "line": ("transform", "x1", "x2", "y1", "y2", "stroke", "stroke-width"),
    "text": ("text-anchor", "transform", "font-size", "fill"),
}
_GEOMETRY = ("d", "transform", "x1", "x2", "y1", "y2")
_DECIMALS = re.compile(r"-?\d+\.\d{3,}(?:e-?\d+)?")
_SVG = "{http://www.w3.org/2000/svg}"


@dataclass(frozen=True, slots=True)
class Chart:
    """A drawn chart.

    Attributes:
        wide: SVG for screens and paper.
        narrow: SVG for phones.
        words: What the chart shows, for whoever cannot see it.
        unit: What one bar stands for: `day`, `week`, `month`, `year` or `hour`.
    """

    wide: Markup
    narrow: Markup
    words: str
    unit: str


@dataclass(frozen=True, slots=True)
class _Shape:
    """The measures of a drawing, in units of its view box; text is never smaller than 11 on screen."""

    width: int
    height: int
    left: int
    font_size: int
    labels: int


@dataclass(frozen=True, slots=True)
class _Bar:
    """One bar: its place on the axis, what it is in words, and what it shows."""

    slot: str
    words: str
    tally: Tally


_WIDE = _Shape(width=840, height=240, left=52, font_size=12, labels=12)
_NARROW = _Shape(width=350, height=210, left=44, font_size=12, labels=5)


def draw_days(figures: Sequence[DayFigures]) -> Chart | None:
    """Draw sent and suppressed by day, or by week, month or year where days would be too many.

    Args:
        figures: Figures by day, in order; those without a day are not drawn.

    Returns:
        The chart, with empty days in their places; None when there is no day to draw.
    """
    counted = {part.day: part.tally for part in figures if part.day is not None}
    if not counted:
        return None
    unit, bars = _bars_by_day(counted)
    busiest = max(counted, key=lambda key: (counted[key].matched, -key.toordinal()))
    words = (
        f"Sent and suppressed by {unit}, from {day_words(min(counted))} to {day_words(max(counted))}. "
        f"The most in a day: {count(counted[busiest].matched)} on {day_words(busiest)}."
    )
    label = {"day": "%-d %b", "week": "%-d %b", "month": "%b %Y", "year": "%Y"}[unit]
    return _chart(bars, words, unit, f"utcFormat(toDate(datum.value + 'T00:00:00Z'), '{label}')")


def draw_hours(figures: Sequence[HourFigures]) -> Chart | None:
    """Draw sent and suppressed by hour of the day, always all 24; None when there is nothing to draw."""
    counted = {part.hour: part.tally for part in figures if part.hour is not None}
    if not counted:
        return None
    busiest = max(counted, key=lambda key: (counted[key].matched, -key))
    words = (
        "Sent and suppressed by hour of the campaigns’ own day. "
        f"The most in an hour: {count(counted[busiest].matched)} at {hour_words(busiest)}."
    )
    bars = [_Bar(f"{hour:02d}", hour_words(hour), counted.get(hour, Tally())) for hour in range(24)]
    return _chart(bars, words, "hour", "datum.value")


def _bars_by_day(counted: dict[date, Tally]) -> tuple[str, list[_Bar]]:
    """The finest of day, week, month and year that gives few enough bars, and the bars without gaps."""
    first, last = min(counted), max(counted)
    starts: list[date] = []
    for unit, (start, step) in _UNITS.items():
        starts = _starts(start(first), last, step)
        if len(starts) <= _MOST_BARS or unit == "year":
            break
    sums: dict[date, Tally] = defaultdict(Tally)
    for day, tally in counted.items():
        sums[start(day)] += tally
    return unit, [_Bar(key.isoformat(), _UNIT_WORDS[unit](key), sums.get(key, Tally())) for key in starts]


def _starts(start: date, last: date, step: Callable[[date], date]) -> list[date]:
    """The beginnings of all units from the one that begins at `start` to the one that holds `last`."""
    found = [start]
    while start <= date.max - timedelta(days=366) and (start := step(start)) <= last:
        found.append(start)
    return found


_UNITS: dict[str, tuple[Callable[[date], date], Callable[[date], date]]] = {
    "day": (lambda day: day, lambda day: day + timedelta(days=1)),
    "week": (lambda day: day - timedelta(days=day.weekday()), lambda day: day + timedelta(days=7)),
    "month": (lambda day: day.replace(day=1), lambda day: (day + timedelta(days=31)).replace(day=1)),
    "year": (lambda day: day.replace(month=1, day=1), lambda day: day.replace(year=day.year + 1)),
}
"""How a unit begins that holds a day, and how the next begins."""

_UNIT_WORDS: dict[str, Callable[[date], str]] = {
    "day": day_words,
    "week": lambda start: f"Week of {day_words(start)}",
    "month": month_words,
    "year": lambda start: f"{start.year:04d}",
}


def _chart(bars: Sequence[_Bar], words: str, unit: str, label: str) -> Chart:
    return Chart(_draw(bars, _WIDE, unit, label), _draw(bars, _NARROW, unit, label), words, unit)


def _draw(bars: Sequence[_Bar], shape: _Shape, unit: str, label: str) -> Markup:
    """Draw stacked bars.

    All margins are fixed and the labelled bars chosen here, so that the drawing does not depend on the fonts
    of a machine.
    """
    import vl_convert

    labelled = [bar.slot for bar in bars[:: _label_step(len(bars), unit, shape.labels)]]
    return _rebuilt(vl_convert.vegalite_to_svg(_specification(bars, shape, labelled, label), allowed_base_urls=[]))


def _label_step(bars: int, unit: str, most_labels: int) -> int:
    """Every how many bars a label stands, so that there are not too many."""
    enough = -(-bars // most_labels)
    return next((step for step in _LABEL_STEPS.get(unit, ()) if step >= enough), enough)


def _specification(bars: Sequence[_Bar], shape: _Shape, labelled: Sequence[str], label: str) -> dict[str, Any]:
    """The chart as Vega-Lite wants it."""
    import altair as alt

    most = max(bar.tally.matched for bar in bars)
    x_axis = alt.Axis(values=labelled, labelExpr=label, labelAngle=0, grid=False, ticks=False, title=None)
    y_axis = alt.Axis(tickCount=4, tickMinStep=1, format=",d" if most < 10_000 else "~s", ticks=False, title=None)
    x_scale = alt.Scale(domain=[bar.slot for bar in bars], paddingInner=0.15, paddingOuter=0.1)
    colours = alt.Scale(domain=["sent", "suppressed"], range=["var(--sent)", "var(--suppressed)"])
    chart = (
        alt.Chart(alt.InlineData(values=_rows(bars)))
        .mark_bar(stroke="var(--surface)", strokeWidth=1 if len(bars) < 60 else 0.5)
        .encode(
            x=alt.X("slot:O", sort=None, axis=x_axis, scale=x_scale),
            y=alt.Y("matches:Q", axis=y_axis, stack="zero"),
            color=alt.Color("kind:N", legend=None, scale=colours),
            order=alt.Order("place:O"),
            description="words:N",
        )
        .properties(
            width=shape.width - shape.left - 12,
            height=shape.height - 40,
            autosize=alt.AutoSizeParams(type="none"),
            padding={"left": shape.left, "right": 12, "top": 12, "bottom": 28},
        )
        .configure(background="transparent", view=alt.ViewConfig(stroke=None))
        .configure_axis(
            labelFontSize=shape.font_size,
            labelColor="var(--muted)",
            labelOverlap=False,
            labelPadding=8,
            gridColor="var(--line)",
            domainColor="var(--line)",
        )
        .configure_axisY(domain=False)
    )
    specification: dict[str, Any] = chart.to_dict()
    return specification


def _rows(bars: Sequence[_Bar]) -> list[dict[str, str | int]]:
    """The pieces that bars consist of, without those of no height."""
    return [
        {
            "slot": bar.slot,
            "kind": kind,
            "matches": matches,
            "place": place,
            "words": f"{bar.words}: {count(matches)} {kind}",
        }
        for bar in bars
        for place, (kind, matches) in enumerate((("sent", bar.tally.sent), ("suppressed", bar.tally.suppressed)))
        if matches
    ]


def _rebuilt(drawing: str) -> Markup:
    """The drawing with allowed elements and attributes only, ready to stand in a page.

    Fonts are left to the page; roles, classes, identifiers and empty shapes go. A bar's description becomes
    its title, which browsers show under the pointer.
    """
    root = ET.fromstring(drawing)  # noqa: S314
    rebuilt = _allowed(root)
    if rebuilt is None:
        raise ValueError("the renderer drew nothing")
    rebuilt.set("aria-hidden", "true")
    rebuilt.set("focusable", "false")
    return Markup(ET.tostring(rebuilt, encoding="unicode"))  # noqa: S704


def _allowed(element: ET.Element) -> ET.Element | None:
    """An element and what it holds, without what the page does not want; None when nothing is left to see."""
    name = element.tag.removeprefix(_SVG)
    kept = _ALLOWED.get(name)
    if kept is None or element.get("display") == "none" or element.get("class") == "background":
        return None
    copy = ET.Element(name, {key: _rounded(key, element.attrib[key]) for key in kept if key in element.attrib})
    if name == "text":
        copy.text = element.text
    if element.get("aria-roledescription") == "bar":
        ET.SubElement(copy, "title").text = element.get("aria-label")
    copy.extend(child for each in element if (child := _allowed(each)) is not None)
    return copy if len(copy) or name != "g" else None


def _rounded(name: str, value: str) -> str:
    """Geometry to hundredths of a unit, which no eye can tell from the original."""
    if name not in _GEOMETRY:
        return value
    return _DECIMALS.sub(lambda match: f"{float(match[0]):.2f}".rstrip("0").rstrip("."), value)
