"""The report in a real browser, from a file, on screens of two widths, in light and dark, and on paper.

Screenshots go to artifacts/, which is not kept under version control.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import pytest
from playwright.sync_api import Browser, Dialog, Page, sync_playwright

from recovery_batch.reporting import formats
from recovery_batch.reporting.html import render
from recovery_batch.reporting.unusual import compare
from tests.unit.reporting.hostile import TEXTS, build_hostile_figures
from tests.unit.reporting.samples import build_sample
from tests.unit.reporting.test_html_unusual import NIGHTS, ODD

pytestmark = [pytest.mark.browser, pytest.mark.slow]

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
WIDE, PHONE = 1280, 390
SCREENS = [(width, scheme) for width in (WIDE, PHONE) for scheme in ("light", "dark")]
Scheme = Literal["light", "dark"]

# Every element that shows text of its own, with its colour, the opaque colour behind it, and its size.
TEXT_COLOURS = """() => {
  const parse = text => (text.match(/[\\d.]+/g) || []).map(Number);
  const behind = element => {
    for (let each = element; each; each = each.parentElement) {
      const colour = parse(getComputedStyle(each).backgroundColor);
      if (colour.length === 3 || colour[3] > 0) return colour;
    }
    return [255, 255, 255];
  };
  const found = [];
  for (const element of document.querySelectorAll('body *')) {
    const own = [...element.childNodes].some(node => node.nodeType === 3 && node.data.trim());
    if (!own || !element.checkVisibility() || element.closest('title')) continue;
    const style = getComputedStyle(element);
    const colour = element.namespaceURI.endsWith('svg') ? style.fill : style.color;
    found.push([element.tagName + '.' + element.className, parse(colour), behind(element)]);
  }
  return found;
}"""


@dataclass
class Opened:
    """A page in the browser and what it did that it should not."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def refuse(self, dialog: Dialog) -> None:
        self.complaints.append(f"dialog: {dialog.message}")
        dialog.dismiss()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        yield running
        running.close()


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("report") / "report.html"
    path.write_text(render(build_sample(5000).figures()), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def hostile(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("hostile") / "report.html"
    path.write_text(render(build_hostile_figures()), encoding="utf-8")
    return path


def open_page(browser: Browser, path: Path, width: int = WIDE, scheme: Scheme = "light") -> Opened:
    """Open a report and watch it: any message, dialog, error or second request is a complaint."""
    page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme)
    opened = Opened(page)
    page.on("console", lambda message: opened.complaints.append(f"console: {message.text}"))
    page.on("pageerror", lambda error: opened.complaints.append(f"error: {error}"))
    page.on("dialog", opened.refuse)
    page.on(
        "request",
        lambda request: None if request.url == path.as_uri() else opened.complaints.append(request.url),
    )
    page.goto(path.as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = true })")
    return opened


def keep_screenshot(page: Page, name: str) -> None:
    ARTIFACTS.mkdir(exist_ok=True)
    page.screenshot(path=ARTIFACTS / f"report-{name}.png", full_page=False)


def luminance(colour: list[float]) -> float:
    """Relative luminance, WCAG 2.2."""
    linear = [c / 255 / 12.92 if c / 255 <= 0.04045 else ((c / 255 + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: list[float], other: list[float]) -> float:
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_the_page_fits_its_screen_and_asks_for_nothing(
    browser: Browser, report: Path, width: int, scheme: Scheme
) -> None:
    opened = open_page(browser, report, width, scheme)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    keep_screenshot(page, f"{width}-{scheme}")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.locator("#when figure").first.scroll_into_view_if_needed()
    keep_screenshot(page, f"{width}-{scheme}-charts")
    # what is sent can be read without scrolling sideways
    once, each = "[aria-labelledby=amounts-once] td:nth-child(3)", "[aria-labelledby=amounts-matches] td:nth-child(2)"
    rights = page.locator(f"table{once}, table{each}").evaluate_all(
        "cells => cells.map(cell => cell.getBoundingClientRect().right)"
    )
    assert 0 < max(rights) <= width
    shown = page.locator(".chart svg").filter(visible=True)
    assert shown.count() == 2
    for place in range(2):
        box = shown.nth(place).bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
    assert opened.complaints == []
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_text_can_be_read_in_both_schemes(browser: Browser, report: Path, scheme: Scheme) -> None:
    page = open_page(browser, report, WIDE, scheme).page
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert (luminance(ground) < 0.05) == (scheme == "dark")
    texts = page.evaluate(TEXT_COLOURS)
    assert len(texts) > 500
    faint = {(name, round(contrast(ink, ground), 2)) for name, ink, ground in texts if contrast(ink, ground) < 4.5}
    assert faint == set()
    page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_bars_stand_out_from_what_is_behind_them(browser: Browser, report: Path, scheme: Scheme) -> None:
    page = open_page(browser, report, WIDE, scheme).page
    for kind in (".sent", ".suppressed", ".step"):
        colours = page.locator(f"td .bar > {kind}").first.evaluate(
            """element => [element, element.closest('.frame')].map(
                each => getComputedStyle(each).backgroundColor.match(/\\d+/g).map(Number))"""
        )
        assert contrast(*colours) >= 3, kind
    page.close()


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_hostile_text_stays_text(browser: Browser, hostile: Path, width: int) -> None:
    opened = open_page(browser, hostile, width)
    page = opened.page
    page.mouse.move(width / 2, 300)
    assert page.locator("script, img, iframe, object, [onload], [onerror], [onmouseover]").count() == 0
    assert page.locator("body svg").count() == page.locator(".chart > svg").count()
    for number, text in enumerate(TEXTS, start=1):
        assert page.locator(f"#campaign-{number}-name").evaluate("e => e.textContent") == formats.visible(text)
    descriptions = page.locator("td.text").evaluate_all("cells => cells.map(cell => cell.textContent)")
    assert set(descriptions) == {formats.visible(text) for text in TEXTS}
    assert page.evaluate("document.documentElement.scrollWidth") == width
    keep_screenshot(page, f"hostile-{width}")
    assert opened.complaints == []
    page.close()


def test_paper_is_light_and_nothing_is_cut_off(browser: Browser, report: Path) -> None:
    page = open_page(browser, report, WIDE, "dark").page
    page.evaluate("document.querySelectorAll('details').forEach(details => { details.open = false })")
    page.emulate_media(media="print", color_scheme="dark")
    page.set_viewport_size({"width": 703, "height": 1000})  # A4 between the margins
    ground = page.evaluate("getComputedStyle(document.body).backgroundColor.match(/\\d+/g).map(Number)")
    assert luminance(ground) == 1
    cut_off = page.locator(".scroller").evaluate_all(
        """all => all.filter(each => each.checkVisibility() && !each.closest('#targets')
            && each.scrollWidth > each.clientWidth + 1).map(each => each.getAttribute('aria-labelledby'))"""
    )
    assert cut_off == []
    assert page.locator("#when table").first.is_visible()
    ARTIFACTS.mkdir(exist_ok=True)
    pdf = page.pdf(path=ARTIFACTS / "report-print.pdf", prefer_css_page_size=True)
    assert pdf.startswith(b"%PDF")
    assert len(pdf) > 50_000
    page.close()


@pytest.mark.parametrize(("size", "campaigns"), [(10, 0), (0, 6)])
def test_a_page_of_nothing_says_what_to_do(browser: Browser, tmp_path: Path, size: int, campaigns: int) -> None:
    path = tmp_path / "report.html"
    sample = build_sample(size, None if campaigns else [])
    path.write_text(render(sample.figures()), encoding="utf-8")
    opened = open_page(browser, path, PHONE)
    assert opened.page.locator(".note").first.inner_text().startswith("What to do.")
    assert opened.page.evaluate("document.documentElement.scrollWidth") == PHONE
    keep_screenshot(opened.page, f"empty-{campaigns}")
    assert opened.complaints == []
    opened.page.close()


@pytest.mark.parametrize(("width", "scheme"), SCREENS)
def test_what_is_unusual_can_be_read_without_scrolling_sideways(
    browser: Browser, tmp_path: Path, width: int, scheme: Scheme
) -> None:
    path = tmp_path / "report.html"
    figures = build_sample(50, run_id="20261015T030000Z-4f2a").figures()
    path.write_text(render(replace(figures, unusual=compare(ODD, NIGHTS))), encoding="utf-8")
    opened = open_page(browser, path, width, scheme)
    page = opened.page
    assert page.evaluate("document.documentElement.scrollWidth") == width
    items = page.locator("#unusual .odd li")
    assert items.count() == 10
    for item in items.all():
        box = item.bounding_box()
        assert box is not None
        assert 0 <= box["x"] < box["x"] + box["width"] <= width
    faint = {
        (name, round(contrast(ink, ground), 2))
        for name, ink, ground in page.evaluate(TEXT_COLOURS)
        if contrast(ink, ground) < 4.5
    }
    assert faint == set()
    page.locator("#unusual").scroll_into_view_if_needed()
    keep_screenshot(page, f"unusual-{width}-{scheme}")
    assert opened.complaints == []
    page.close()
