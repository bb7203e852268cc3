"""The section of a run's report on what goes out besides its matches."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from recovery_batch.reporting.figures import add_night
from recovery_batch.reporting.footing import FootingError
from recovery_batch.reporting.formats import exact_amount
from recovery_batch.reporting.html import render
from recovery_batch.reporting.night import EmittedAmounts, NightFigures, night_of
from recovery_batch.reporting.report import ReportFigures
from recovery_batch.reporting.unusual import Comparison
from tests.unit.reporting.samples import build_sample
from tests.unit.reporting.test_html import Page

MANIFEST: dict[str, Any] = {
    "files": [
        {"kind": "declined", "records": 3, "amounts": {"COP": "7"}},
        {"kind": "abandoned", "records": 1, "amounts": {"COP": "19.99"}},
        {"kind": "abandoned", "records": 1, "amounts": {"COP": "0.01", "CLP": "100"}},
    ],
    "totals": {
        "files": 3,
        "records": 5,
        "amounts": {"CLP": "100", "COP": "27.00"},
        "settled_before": 1234,
        "repeated_records": 1,
        "repeated_orders": 2,
    },
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
        payments=3,
        settled_before=1234,
        held_out=6,
        repeated_records=1,
        repeated_orders=2,
        flows=5,
        flows_sent=2,
        flow_reasons=(("too_old", 2), ("repeated_flow", 1)),
        amounts=(
            EmittedAmounts("CLP", Decimal(0), Decimal(100), Decimal(100)),
            EmittedAmounts("COP", Decimal(7), Decimal("20.00"), Decimal("27.00")),
        ),
    )


def test_the_page_shows_them(figures: ReportFigures) -> None:
    shown = section(replace(figures, night=night_of(MANIFEST)))
    assert "Decided by earlier runs 1,234 Kept for comparison 6" in shown
    assert "2 of 5 abandoned flows go out." in shown
    assert "CLP Chilean Peso 100 CLP 0 CLP 100 CLP COP Colombian Peso 27.00 COP 7.00 COP 20.00 COP" in shown
    assert "Records 5 3 2" in shown
    assert "it is too long ago too_old 2" in shown
    assert "the customer is contacted about another flow repeated_flow 1 Left out 3 Sent 2" in shown


def test_without_flows_nothing_is_said_of_them(figures: ReportFigures) -> None:
    none = MANIFEST | {"flows": {"considered": 0, "sent": 0, "suppressed": {}}, "files": []}
    assert "bandoned" not in section(replace(figures, night=night_of(none)))


def test_a_backtest_has_no_such_section(figures: ReportFigures) -> None:
    assert 'id="night"' not in render(figures)


def manifest_of(figures: ReportFigures) -> dict[str, Any]:
    """What the manifest of these figures says, with one abandoned flow."""
    sent = {part.currency_code: exact_amount(part.sent, part.currency_code) for part in figures.amounts}
    files = [
        {"kind": "declined", "records": figures.totals.tally.sent, "amounts": sent},
        {"kind": "abandoned", "records": 1, "amounts": {"COP": "0.000001"}},
    ]
    together = sent | {"COP": str(Decimal(sent["COP"]) + Decimal("0.000001"))}
    totals = MANIFEST["totals"] | {"records": figures.totals.tally.sent + 1, "amounts": together}
    flows = {"considered": 1, "sent": 1, "suppressed": {}}
    return MANIFEST | {"files": files, "totals": totals, "flows": flows}


def test_payments_and_flows_come_to_what_the_manifest_says(figures: ReportFigures) -> None:
    whole = add_night(figures, manifest_of(figures), Comparison(0, ()))
    assert "Besides, 1 abandoned flow goes out." in " ".join(Page(render(whole)).all("p")[2].text.split())


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"files": []}, "payments in the files"),
        ({"flows": {"considered": 2, "sent": 2, "suppressed": {}}}, "payments and flows in the files"),
        ({"flows": {"considered": 2, "sent": 1, "suppressed": {}}}, "flows do not foot"),
        ({"amounts": {"COP": "1"}}, "COP of payments and carts"),
        ({"sent": {"COP": "1"}}, "COP of the payments in the files"),
        ({"sent": {}, "amounts": {"COP": "0.000001"}}, "COP of the payments in the files"),
        ({"sent": {"EUR": "1"}}, "EUR of the payments in the files"),
    ],
)
def test_a_manifest_that_says_something_else_is_refused(
    figures: ReportFigures, change: dict[str, Any], message: str
) -> None:
    manifest = manifest_of(figures)
    for part, value in change.items():
        if part == "amounts":
            manifest["totals"]["amounts"] |= value
        elif part == "sent":
            manifest["files"][0]["amounts"] |= value or {"COP": "0"}
        else:
            manifest[part] = value
    with pytest.raises(FootingError, match=message):
        add_night(figures, manifest, Comparison(0, ()))


def test_a_currency_that_is_in_no_file_is_refused(figures: ReportFigures) -> None:
    manifest = manifest_of(figures)
    del manifest["files"][0]["amounts"]["MXN"], manifest["totals"]["amounts"]["MXN"]
    with pytest.raises(FootingError, match="currencies in no file"):
        add_night(figures, manifest, Comparison(0, ()))
