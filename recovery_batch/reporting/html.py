"""The report as one HTML page that needs no network and runs no script.

Whatever comes from the data is text here: the templates escape all of it, and a content security policy in
the page forbids scripts, requests and forms, should anything ever slip through.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from recovery_batch import assets
from recovery_batch.clock import iso
from recovery_batch.reporting import charts, formats
from recovery_batch.reporting.report import ReportFigures
from recovery_batch.reporting.unusual import LEAST_RUNS

_MOST_CAMPAIGN_DAYS = 20_000
"""Rows in the by-day tables of all campaigns together; more would make a page that browsers open slowly."""


def render(figures: ReportFigures) -> str:
    """Write a report down.

    Args:
        figures: The report. The same figures give the same text, to the byte.

    Returns:
        A complete HTML document, to be stored as UTF-8.
    """
    campaign_days = sum(len(campaign.days) for campaign in figures.campaigns)
    return (
        _environment()
        .get_template("report.html")
        .render(
            figures=figures,
            day_chart=charts.draw_days(figures.days),
            hour_chart=charts.draw_hours(figures.hours),
            campaign_days=campaign_days,
            shows_campaign_days=campaign_days <= _MOST_CAMPAIGN_DAYS,
        )
    )


@cache
def _environment() -> Environment:
    """The templates' surroundings: everything is escaped, a name that does not exist is an error."""
    environment = Environment(
        loader=FileSystemLoader(assets.path("reports")),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    filters: dict[str, Callable[..., Any]] = {
        "datum": _datum,
        "visible": formats.visible,
        "count": formats.count,
        "plural": formats.plural,
        "percent": formats.percent,
        "bar_width": formats.bar_width,
        "exact_amount": formats.exact_amount,
        "grouped_amount": formats.grouped_amount,
        "currency_name": formats.currency_name,
        "utc_clock": formats.utc_clock,
        "iso": iso,
        "channel": formats.channel,
        "reason": formats.reason,
        "country": formats.country,
    }
    environment.filters.update(filters)
    environment.globals.update(
        NOTHING=formats.NOTHING, day_words=formats.day, hour_words=formats.hour, least_runs=LEAST_RUNS
    )
    return environment


def _datum(value: str | None) -> Markup:
    """Text of the data: escaped, its control characters visible, its writing direction kept to itself."""
    if value is None or value == "":
        return Markup('<span class="none">{}</span>').format(formats.NOTHING)
    return Markup("<bdi>{}</bdi>").format(formats.visible(formats.shortened(value)))
