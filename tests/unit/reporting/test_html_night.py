"""The section of a run's report on what goes out besides its matches."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.reporting.html import render
from recovery_batch.reporting.night import NightFigures, night_of
from recovery_batch.reporting.report import ReportFigures
from tests.unit.reporting.samples import build_sample
from tests.unit.reporting.test_html import Page

MANIFEST: dict[str, Any] = {
    "files": [
        {"kind": "declined", "amounts": {"COP": "7"}},
        {"kind": "abandoned", "amounts": {"COP": "19.99"}},
        {"kind": "abandoned", "amounts": {"COP": "0.01", "CLP": "100"}},
    ],
    "totals": {"files": 3, "records": 5, "settled_before": 1234, "repeated_records": 1, "repeated_orders": 2},
    "suppressed": {"too_old": 2, "holdout": 6},
    "flows": {"considered": 5, "sent": 2, "suppressed": {"too_old": 2, "repeated_flow": 1}},
}


@pytest.fixture(scope="module")
def figures() -> ReportFigures:
    return build_sample(50, run_id="20261015T030000Z-4f2a", period_from=None, period_to=None).figures()


def section(figures: ReportFigures) -> str:
    (found,) = [each for each in Page(render(figures)).all("section") if each.attributes["id"] == "night"]
    return " ".join(found.text.split())


def test_the_figures_are_those_of_the_manifest() -> None:
    assert night_of(MANIFEST) == NightFigures(
        files=3,
        records=5,
        settled_before=1234,
        held_out=6,
        repeated_records=1,
        repeated_orders=2,
        flows=5,
        flows_sent=2,
        flow_reasons=(("too_old", 2), ("repeated_flow", 1)),
        carts=(("CLP", Decimal(100)), ("COP", Decimal("20.00"))),
    )


def test_the_page_shows_them(figures: ReportFigures) -> None:
    shown = section(replace(figures, night=night_of(MANIFEST)))
    assert "Decided by earlier runs 1,234 Kept for comparison 6" in shown
    assert "2 of 5 abandoned flows go out. Their carts come to 100 CLP, 20.00 COP." in shown
    assert "it is too long ago too_old 2" in shown
    assert "the customer is contacted about another flow repeated_flow 1 Left out 3 Sent 2" in shown


def test_without_flows_nothing_is_said_of_them(figures: ReportFigures) -> None:
    none = MANIFEST | {"flows": {"considered": 0, "sent": 0, "suppressed": {}}, "files": []}
    assert "bandoned" not in section(replace(figures, night=night_of(none)))


def test_a_backtest_has_no_such_section(figures: ReportFigures) -> None:
    assert 'id="night"' not in render(figures)
