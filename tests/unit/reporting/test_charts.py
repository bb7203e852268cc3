from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from xml.etree import ElementTree as ET

import pytest
from markupsafe import Markup

from recovery_batch.reporting import charts
from recovery_batch.reporting.report import DayFigures, HourFigures
from recovery_batch.reporting.tallies import Tally

FIRST = date(2026, 7, 1)


def days(count: int, every: int = 1) -> list[DayFigures]:
    return [DayFigures(FIRST + timedelta(days=n * every), Tally(n % 7 + 1, n % 3)) for n in range(count)]


def parse(svg: str) -> ET.Element:
    return ET.fromstring(svg)  # noqa: S314


def titles(svg: Markup) -> list[str]:
    return [element.text or "" for element in parse(svg).iter("title")]


@pytest.mark.parametrize(
    ("last", "unit", "bars"),
    [(0, "day", 1), (99, "day", 100), (100, "week", 15), (800, "month", 27), (4000, "year", 11)],
)
def test_the_unit_grows_with_the_period(last: int, unit: str, bars: int) -> None:
    ends = [DayFigures(FIRST, Tally(1, 0)), DayFigures(FIRST + timedelta(days=last), Tally(2, 0))]
    chart = charts.draw_days(ends if last else ends[:1])
    assert chart is not None
    assert chart.unit == unit
    assert len(charts._bars_by_day({part.day: part.tally for part in ends if part.day})[1]) >= bars


@pytest.mark.parametrize("count", [1, 60, 92, 130])
def test_every_match_is_drawn_once(count: int) -> None:
    figures = days(count)
    chart = charts.draw_days(figures)
    assert chart is not None
    for svg in (chart.wide, chart.narrow):
        words = [title.rsplit(": ", 1)[1].split() for title in titles(svg)]
        drawn = {kind: sum(int(n.replace(",", "")) for n, k in words if k == kind) for _, kind in words}
        assert drawn["sent"] == sum(part.tally.sent for part in figures)
        assert drawn.get("suppressed", 0) == sum(part.tally.suppressed for part in figures)


def test_a_drawing_holds_nothing_but_shapes_of_the_page() -> None:
    chart = charts.draw_days(days(40))
    assert chart is not None
    for svg in (chart.wide, chart.narrow):
        root = parse(svg)
        assert {element.tag for element in root.iter()} <= {"svg", "g", "path", "line", "text", "title"}
        names = {name for element in root.iter() for name in element.attrib}
        assert not names & {"id", "class", "style", "href", "onload", "font-family", "width", "height"}
        colours = {element.get("fill") for element in root.iter("path")}
        assert colours == {"var(--sent)", "var(--suppressed)"}
        assert root.get("viewBox")


def test_what_the_renderer_adds_does_not_reach_the_page() -> None:
    drawing = (
        '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1" onload="alert(1)"><script>alert(2)</script>'
        '<g id="x" style="color:red"><a href="javascript:alert(3)"><path d="M0,0"/></a>'
        '<path d="M0.123456,1" onclick="alert(4)"/><text>&lt;b&gt;</text></g><g/></svg>'
    )
    rebuilt = charts._rebuilt(drawing)
    assert rebuilt == (
        '<svg viewBox="0 0 1 1" aria-hidden="true" focusable="false"><g><path d="M0.12,1" />'
        "<text>&lt;b&gt;</text></g></svg>"
    )


def test_a_drawing_of_nothing_is_a_fault() -> None:
    with pytest.raises(ValueError, match="drew nothing"):
        charts._rebuilt("<div/>")


def test_hours_are_always_a_whole_day() -> None:
    chart = charts.draw_hours([HourFigures(9, Tally(1200, 3)), HourFigures(None, Tally(1, 0))])
    assert chart is not None
    assert titles(chart.wide) == ["09:00–10:00: 1,200 sent", "09:00–10:00: 3 suppressed"]
    assert "1,203 at 09:00–10:00" in chart.words
    labels = [element.text for element in parse(chart.narrow).iter("text")]
    assert [label for label in labels if label in ("00", "06", "12", "18")] == ["00", "06", "12", "18"]


def test_without_times_there_is_no_chart() -> None:
    assert charts.draw_days([]) is None
    assert charts.draw_days([DayFigures(None, Tally(1, 0))]) is None
    assert charts.draw_hours([HourFigures(None, Tally(1, 0))]) is None


def test_days_at_the_ends_of_the_calendar() -> None:
    chart = charts.draw_days([DayFigures(date.min, Tally(1, 0)), DayFigures(date(2026, 1, 1), Tally(1, 0))])
    assert chart is not None
    assert chart.unit == "year"
    assert charts._bars_by_day({date.max: Tally(1, 0)})[0] == "day"


def test_the_same_drawing_in_any_zone_and_language() -> None:
    program = (
        "from datetime import date, timedelta\n"
        "from recovery_batch.reporting import charts\n"
        "from recovery_batch.reporting.report import DayFigures\n"
        "from recovery_batch.reporting.tallies import Tally\n"
        "days = [DayFigures(date(2026, 7, 1) + timedelta(days=n), Tally(n, 1)) for n in range(9)]\n"
        "print(charts.draw_days(days).wide)"
    )
    drawings = {
        subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "TZ": zone, "LC_ALL": language},
            check=True,
            capture_output=True,
        ).stdout
        for zone, language in (("UTC", "C"), ("Pacific/Kiritimati", "es_CO.UTF-8"))
    }
    assert len(drawings) == 1
