from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field, replace
from html.parser import HTMLParser
from itertools import pairwise

import polars as pl
import pytest

from recovery_batch.reporting import formats, html
from recovery_batch.reporting.html import render
from tests.unit.reporting.hostile import TEXTS, build_hostile_figures
from tests.unit.reporting.samples import Sample, build_campaign, build_sample

VOID = {"meta", "link", "br", "img", "input", "hr"}
CELLS = {"td", "th", "dt", "dd", "li", "p", "title"}


@dataclass
class Element:
    tag: str
    attributes: dict[str, str | None]
    text: str = ""


@dataclass
class Page(HTMLParser):
    """A page taken apart: its elements in order, each with all text inside it."""

    source: str
    elements: list[Element] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._open: list[Element] = []
        self.feed(self.source)
        self.close()
        assert not self._open, [element.tag for element in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        if tag not in VOID:
            self._open.append(element)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self._open.pop().tag == tag
        if tag in CELLS:
            self.handle_data(" ")

    def handle_data(self, data: str) -> None:
        for element in self._open:
            element.text += data

    def all(self, *tags: str) -> list[Element]:
        return [element for element in self.elements if element.tag in tags]

    @property
    def words(self) -> str:
        return " ".join(self.all("body")[0].text.split())


def page_of(sample: Sample) -> Page:
    return Page(render(sample.figures()))


@pytest.fixture(scope="module")
def page() -> Page:
    return page_of(build_sample(1500))


@pytest.fixture(scope="module")
def hostile() -> Page:
    return Page(render(build_hostile_figures()))


def test_the_same_figures_give_the_same_bytes() -> None:
    first, again = build_sample(800).figures(), build_sample(800).figures()
    assert render(first) == render(again)


def test_the_page_asks_for_nothing_and_runs_nothing(page: Page) -> None:
    assert not page.all("script", "iframe", "object", "embed", "form", "base", "img")
    (policy,) = [e for e in page.all("meta") if e.attributes.get("http-equiv") == "Content-Security-Policy"]
    assert "default-src 'none'" in (policy.attributes["content"] or "")
    assert "script-src" not in (policy.attributes["content"] or "")
    targets = [e.attributes[name] or "" for e in page.elements for name in ("href", "src") if name in e.attributes]
    assert all(target.startswith("#") or target == "data:," for target in targets)
    assert not re.search(r"url\(|@import|https?:", page.source.replace("http-equiv", ""))


def test_anchors_lead_somewhere_and_identifiers_are_unique(page: Page) -> None:
    identifiers = Counter(e.attributes["id"] for e in page.elements if e.attributes.get("id"))
    assert max(identifiers.values()) == 1
    for element in page.elements:
        if (element.attributes.get("href") or "").startswith("#"):
            assert (element.attributes["href"] or "")[1:] in identifiers
        for name in (element.attributes.get("aria-labelledby") or "").split():
            assert name in identifiers


def test_the_page_can_be_walked_by_its_structure(page: Page) -> None:
    assert page.all("html")[0].attributes["lang"] == "en"
    assert len(page.all("main")) == len(page.all("nav")) == len(page.all("h1")) == 1
    levels = [int(heading.tag[1]) for heading in page.all("h1", "h2", "h3", "h4", "h5", "h6")]
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert all(cell.attributes.get("scope") in ("row", "col") for cell in page.all("th"))
    assert all(table.attributes.get("aria-labelledby") for table in page.all("table"))


def test_charts_have_their_figures_in_tables(page: Page) -> None:
    figures = build_sample(1500).figures()
    assert len(page.all("svg")) == 4
    tables = {table.attributes["aria-labelledby"]: table.text for table in page.all("table")}
    for day in figures.days:
        assert formats.day(day.day) in tables["when-days"]
    for hour in figures.hours:
        assert formats.hour(hour.hour) in tables["when-hours"]


def test_every_figure_is_written_exactly(page: Page) -> None:
    figures = build_sample(1500).figures()
    money = {(e.attributes["value"], " ".join(e.text.split())) for e in page.all("data")}
    for part in (*figures.amounts, *(each for campaign in figures.campaigns for each in campaign.amounts)):
        for amount in (part.matched, part.sent, part.suppressed):
            code = part.currency_code
            shown = f"{formats.grouped_amount(amount, code)} {code}"
            assert (formats.exact_amount(amount, code), shown) in money
    for campaign in figures.campaigns:
        (card,) = [e for e in page.all("article") if e.attributes["id"] == f"campaign-{campaign.number}"]
        words = " ".join(card.text.split())
        assert f"Matched {formats.count(campaign.tally.matched)} Sent" in words
        for step in campaign.funnel:
            assert f"{step.label} {formats.count(step.remaining)}" in words
        for reason in campaign.reasons:
            assert f"{formats.reason(reason.slug)} {reason.slug} {formats.count(reason.left)}" in words


def test_what_is_not_shown_is_counted(page: Page) -> None:
    figures = build_sample(1500).figures()
    total, hidden = figures.totals.tally.matched, figures.targets_not_shown
    assert f"60 matches of {total:,} are shown; {hidden:,} are not. --decisions FILE.csv" in page.words


def test_hostile_text_stays_text(hostile: Page, page: Page) -> None:
    assert {e.tag for e in hostile.elements} <= {e.tag for e in page.elements}
    names = {name for e in hostile.elements for name in e.attributes}
    assert names <= {name for e in page.elements for name in e.attributes}
    styles = {e.attributes["style"] for e in hostile.elements if "style" in e.attributes}
    assert all(re.fullmatch(r"width:\d+(\.\d\d)?%", style or "") for style in styles)
    data = [element.text for element in hostile.all("bdi")]
    for text in TEXTS:
        assert formats.visible(text) in data
    assert "49" not in {" ".join(text.split()) for text in data}


def test_no_text_of_the_data_is_in_a_drawing(hostile: Page) -> None:
    drawings = hostile.all("svg")
    assert drawings
    for drawing in drawings:
        assert re.fullmatch(r"([\d:,.–]|\s|[A-Z][a-z]{2}|sent|suppressed)*", drawing.text)


def test_nothing_can_reorder_or_hide_text(hostile: Page) -> None:
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2066-\u2069]", hostile.source)
    assert "⟨U+202E⟩gpj.exe" in hostile.words
    hostile.source.encode()


def test_without_campaigns_the_page_says_what_to_do() -> None:
    words = page_of(build_sample(10, [])).words
    assert "No campaign was evaluated." in words
    assert "recovery-batch campaigns import FILE" in words
    assert "There is no campaign to show." in words


def test_without_payments_the_page_says_what_to_do() -> None:
    words = page_of(build_sample(0)).words
    assert "There was no payment to evaluate." in words
    assert "recovery-batch load FILE" in words


def test_without_matches_the_page_says_what_to_do() -> None:
    nobody = [build_campaign(1, rules=[{"rule_type": "CURRENCY", "conditional": "EQUAL", "values": ["EUR"]}])]
    words = page_of(build_sample(50, nobody)).words
    assert "None of 50 payments matched the campaign." in words
    assert "recovery-batch explain PAYMENT_ID" in words
    assert "No payment is left after the step “currency is EUR”." in words
    assert "Nothing matched, so there is no payment to list." in words


def test_one_match_reads_as_one() -> None:
    words = page_of(build_sample(1, [build_campaign(1, "CO")], seed=3)).words
    assert "Of 1 payment, 1 is targeted by 1 campaign in 1 match: 1 sent and 0 suppressed." in words
    assert "All 1 match." in words
    assert "Nothing was suppressed: everything that matched is sent." in words


def test_a_campaign_without_a_funnel_says_so() -> None:
    sample = replace(build_sample(300), funnels=())
    assert "The funnel of this campaign was not counted." in page_of(sample).words


def test_a_nightly_run_reads_as_one() -> None:
    sample = build_sample(200, run_id="2026-10-01-4f2a", period_from=None, period_to=None)
    words = page_of(sample).words
    assert words.startswith("Skip to the figures")
    assert "Nightly run · recovery-batch" in words
    assert "everything that is loaded" in words
    # finance looks for amounts first; what was evaluated stands behind them
    assert words.rindex("What was evaluated") > words.rindex("Targeted payments")
    assert "The match is in a batch file of this run." in words


def test_a_nightly_run_begins_with_what_is_new() -> None:
    sample = build_sample(200, run_id="2026-10-01-4f2a")
    old = pl.int_range(pl.len()) % 10 > 0
    decisions = sample.decisions.with_columns(
        pl.when(old).then(pl.lit("SUPPRESS")).otherwise("decision").alias("decision"),
        pl.when(old).then(pl.lit("too_old")).otherwise("reason").alias("reason"),
    )
    figures = replace(sample, decisions=decisions).figures()
    page, new = Page(render(figures)), figures.considered
    assert new.matched + figures.too_old == figures.totals.tally.matched
    assert f"Of {new.matched} matches considered tonight, {new.sent} are sent and" in page.words
    assert f"{figures.too_old} more are too old." in page.words
    tiles = " ".join(page.all("dl")[0].text.split())
    share = " ".join(formats.percent(new.sent, new.matched).split())
    assert tiles.startswith(f"Considered tonight {new.matched} Sent {new.sent} {share} Suppressed {new.suppressed}")
    bar = next(each for each in page.all("span") if each.attributes.get("class") == "sent")
    assert bar.attributes["style"] == f"width:{formats.bar_width(new.sent, new.matched)}"


def test_amounts_begin_with_what_is_sent(page: Page) -> None:
    (table,) = [each for each in page.all("table") if each.attributes["aria-labelledby"] == "amounts-matches"]
    assert " ".join(table.text.split()).startswith("Currency Sent Suppressed Matched")


def test_too_many_days_are_left_out_with_a_word(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(html, "_MOST_CAMPAIGN_DAYS", 10)
    page = page_of(build_sample(500))
    assert "The days of each campaign are left out of this report" in page.words
    assert "when-days" in {table.attributes["aria-labelledby"] for table in page.all("table")}


def test_many_decline_reasons_are_added_up() -> None:
    sample = build_sample(400)
    numbered = pl.Series("reject_reason", [f"reason {n % 40}" for n in range(sample.decisions.height)])
    words = page_of(replace(sample, decisions=sample.decisions.with_columns(numbered))).words
    assert "The 15 most frequent decline reasons, and the others together" in words
    assert "25 other reasons" in words


def test_matches_without_a_planned_time_are_kept() -> None:
    sample = build_sample(300)
    never = [pl.lit(None, dtype=sample.decisions.schema[name]).alias(name) for name in ("planned_at", "planned_local")]
    unplanned = replace(
        sample, decisions=sample.decisions.with_columns(never), targets=sample.targets.with_columns(never)
    )
    page = page_of(unplanned)
    assert not page.all("svg")
    assert f"no day {formats.count(unplanned.figures().totals.tally.sent)}" in page.words
    assert "no hour" in page.words
