"""Comparing runs: what must hold of any manifests."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.reporting.unusual import LEAST_RUNS, RUNS, Comparison, compare
from tests.unit.reporting.manifests import build_manifest, total

counts = st.integers(0, 100_000)
amounts = st.decimals("0", "999999999999", places=6, allow_nan=False).map(str)


@st.composite
def nights(draw: st.DrawFn, least: int = 0, most: int = RUNS + 4) -> list[dict[str, Any]]:
    """Manifests of nights one after another, with all sorts of campaigns, reasons and currencies."""
    return [
        build_manifest(
            night,
            sent=draw(st.dictionaries(st.sampled_from(["c-1", "c-2", "c-3"]), counts, min_size=1)),
            suppressed=draw(st.dictionaries(st.sampled_from(["too_old", "opted_out", "unheard_of"]), counts)),
            amounts=draw(st.dictionaries(st.sampled_from(["COP", "MXN", "KWD"]), amounts)),
            flows=draw(st.none() | counts),
        )
        for night in range(1, draw(st.integers(least, most)) + 1)
    ]


def verdicts(comparison: Comparison) -> dict[tuple[str, str], str]:
    return {(each.part, each.key): each.verdict for each in comparison.measures}


@given(nights(least=1, most=1), st.integers(0, RUNS + 4))
def test_a_night_like_all_others_is_never_unusual(night: list[dict[str, Any]], runs: int) -> None:
    (manifest,) = night
    comparison = compare(manifest, [manifest] * runs)
    assert comparison.unusual == ()
    assert comparison.runs == min(runs, RUNS)


@given(st.data(), nights(least=1))
def test_the_order_of_the_earlier_nights_is_irrelevant(data: st.DataObject, all_nights: list[dict[str, Any]]) -> None:
    *before, run = all_nights
    assert compare(run, before) == compare(run, data.draw(st.permutations(before)))


@given(nights(least=1))
def test_every_row_is_consistent(all_nights: list[dict[str, Any]]) -> None:
    *before, run = all_nights
    comparison = compare(run, before)
    assert len(verdicts(comparison)) == len(comparison.measures)
    for each in comparison.measures:
        assert (each.verdict == "unusual") == bool(each.why)
        assert (each.median is None) == (each.earlier == 0)
        if each.median is not None and each.lowest is not None and each.highest is not None:
            assert each.lowest <= each.median <= each.highest
        if comparison.runs < LEAST_RUNS:
            assert each.verdict == "not judged"
        if each.part == "amount":
            assert each.value == total(run, each.key)


@given(nights(least=LEAST_RUNS + 1), st.integers(0, 1_000_000))
def test_farther_out_is_no_less_unusual(all_nights: list[dict[str, Any]], farther: int) -> None:
    *before, run = all_nights
    first = run["campaigns"][0]
    rows = {each.key: each for each in compare(run, before).measures if each.part == "campaign"}
    row = rows[first["campaign"]["id"]]
    if row.verdict != "unusual" or row.median is None or row.value is None or row.value < row.median:
        return
    first["sent"] += farther
    run["totals"]["matched"] += farther
    assert verdicts(compare(run, before))["campaign", row.key] == "unusual"


@given(nights(least=2))
def test_nothing_within_what_two_nights_reached_on_each_side_is_unusual(all_nights: list[dict[str, Any]]) -> None:
    *before, run = all_nights
    sent = sorted(sum(each["sent"] for each in night["campaigns"]) for night in before[-RUNS:])
    mine = sum(each["sent"] for each in run["campaigns"])
    if len(sent) >= 4 and sent[1] <= mine <= sent[-2] and mine > 0:
        assert verdicts(compare(run, before))["run", "sent"] == "usual"
