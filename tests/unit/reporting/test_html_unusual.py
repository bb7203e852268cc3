"""The section of a report that holds a run against the runs before it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pytest

from recovery_batch.reporting.html import render
from recovery_batch.reporting.report import ReportFigures
from recovery_batch.reporting.unusual import Measure, compare
from tests.unit.reporting.hostile import TEXTS
from tests.unit.reporting.manifests import build_manifest
from tests.unit.reporting.samples import build_sample
from tests.unit.reporting.test_html import Page

NIGHTS = [build_manifest(night) for night in range(1, 15)]
ODD = build_manifest(
    15,
    sent={"c-1": 900, "c-3": 4},
    suppressed={"already_paid": 30, "too_old": 85, "invalid_phone": 7},
    amounts={"COP": "12840000.10", "CLP": "23990"},
)


@pytest.fixture(scope="module")
def figures() -> ReportFigures:
    return build_sample(300, run_id="20261015T030000Z-4f2a", period_from=None, period_to=None).figures()


def page_of(figures: ReportFigures, run: dict[str, Any], before: Sequence[dict[str, Any]]) -> Page:
    return Page(render(replace(figures, unusual=compare(run, before))))


def section(page: Page) -> str:
    (found,) = [each for each in page.all("section") if each.attributes["id"] == "unusual"]
    return " ".join(found.text.split())


def shown(page: Page, table: str) -> str:
    (found,) = [each for each in page.all("table") if each.attributes["aria-labelledby"] == table]
    return " ".join(found.text.split())


def in_row(measure: Measure) -> str:
    """What a row says of a measure."""
    numbers = (measure.value, measure.median, measure.lowest, measure.highest)
    verdict = {"unusual": "▲unusual", "usual": "usual"}[measure.verdict]
    return " ".join(" ".join((verdict, *map(measure.in_words, numbers))).split())


def test_a_page_without_comparison_knows_nothing_of_it(figures: ReportFigures) -> None:
    page = render(figures)
    assert "unusual" not in page
    assert "Against the last" not in page
    with_section = render(replace(figures, unusual=compare(ODD, NIGHTS)))
    rest = with_section[with_section.index('<section id="amounts"') :]
    assert page.endswith(rest)


def test_unusual_figures_come_first_with_their_reason_in_words(figures: ReportFigures) -> None:
    comparison = compare(ODD, NIGHTS)
    page = page_of(figures, ODD, NIGHTS)
    assert section(page).startswith("Against the last 14 runs Look at this before you submit. 10 figures are unusual.")
    items = [" ".join(each.text.split()) for each in page.all("li") if "▲" in each.text]
    assert len(items) == len(comparison.unusual) == 10
    for item, measure in zip(items, comparison.unusual, strict=True):
        words = f": {measure.in_words(measure.value)} {measure.why}"
        assert item.endswith(" ".join(words.split()))
    assert "▲Sent by Campaign c-3: 4 new: none of the 14 runs before had this campaign" in items
    assert "▲Sent by Card retries by phone: – gone: the run before had this campaign, this one does not" in items
    table = shown(page, "unusual-all")
    rows = [table.index(in_row(measure)) for measure in (*comparison.unusual, *comparison.others)]
    assert rows == sorted(rows)
    assert table.count("▲unusual") == 10
    assert "Suppressed: the phone number is not a possible one invalid_phone ▲unusual 7 0 0 0" in table


def test_the_section_can_be_walked_to_and_heard(figures: ReportFigures) -> None:
    page = page_of(figures, ODD, NIGHTS)
    assert [each.text for each in page.all("a") if each.attributes.get("href") == "#unusual"] == [
        "Against the last runs"
    ]
    assert all(cell.attributes.get("scope") in {"row", "col"} for cell in page.all("th"))
    signs = [each for each in page.all("span") if each.text == "▲"]
    assert signs
    assert all(each.attributes["aria-hidden"] == "true" for each in signs)
    assert not page.all("script")


def test_a_night_like_the_others_says_so(figures: ReportFigures) -> None:
    page = page_of(figures, build_manifest(15), NIGHTS)
    assert section(page).startswith("Against the last 14 runs Nothing is unusual. All 11 figures that are compared")
    assert "▲" not in page.source


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        (0, "Against the last runs There is no earlier run. What is unusual is judged from 3 on."),
        (1, "Against the last 1 run There is only 1 earlier run. What is unusual is judged from 3 on."),
        (2, "Against the last 2 runs There are only 2 earlier runs. What is unusual is judged from 3 on."),
    ],
)
def test_too_few_runs_are_no_verdict(figures: ReportFigures, runs: int, words: str) -> None:
    page = page_of(figures, ODD, NIGHTS[:runs])
    assert section(page).startswith(words)
    assert f"not judged {runs} earlier value" in shown(page, "unusual-all")


def test_names_of_campaigns_stay_text(figures: ReportFigures) -> None:
    for text in TEXTS:
        run = build_manifest(15)
        run["campaigns"][0]["campaign"] = {"id": "c-9", "name": text}
        page = page_of(figures, run, NIGHTS)
        assert {each.tag for each in page.elements} == {each.tag for each in page_of(figures, ODD, NIGHTS).elements}
        assert "\u202e" not in page.source
        section(page)
