"""What a nightly run's report says first, and of the runs before it; what it says is among its warnings, too."""

from pathlib import Path

from tests.e2e.commands import Shell

NIGHTS = ("24", "25", "26", "27")


def report_of(shell: Shell, out: Path, day: str) -> tuple[str, list[str]]:
    """Run a night; give the text of its report, and its warnings."""
    manifest = shell.ok("run", "--out", out, "--as-of", f"2026-10-{day}T15:00:00Z", "--json").document
    return (out / manifest["run_id"] / "report.html").read_text(encoding="utf-8"), manifest["warnings"]


def test_a_campaign_that_is_gone_is_said_the_night_it_is_gone(example_copy: Shell, tmp_path: Path) -> None:
    out = tmp_path / "outreach"
    first, *_, fourth = [report_of(example_copy, out, day) for day in NIGHTS]
    assert "There is no earlier run" in first[0]
    assert "Against the last 3 runs" in fourth[0]
    assert not any("unusual" in warning for warning in fourth[1])
    campaign = example_copy.ok("campaigns", "list", "--json").document["data"][0]
    example_copy.ok("campaigns", "status", campaign["id"], "PAUSED")
    gone, warnings = report_of(example_copy, out, "28")
    assert "Against the last 4 runs" in gone
    assert "gone: the run before had this campaign, this one does not" in gone
    assert [warning for warning in warnings if "unusual figure" in warning and "against the last 4 runs" in warning]


def test_a_backtest_has_nothing_before_it(example: Shell, tmp_path: Path) -> None:
    example.ok("backtest", "--report", tmp_path / "report.html")
    assert "Against the last" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_the_report_begins_with_what_is_new_and_lists_what_is_sent(example_copy: Shell, tmp_path: Path) -> None:
    manifest = example_copy.ok("run", "--out", tmp_path, "--as-of", "2026-10-24T15:00:00Z", "--json").document
    page = (tmp_path / manifest["run_id"] / "report.html").read_text(encoding="utf-8")
    too_old, sent = manifest["suppressed"]["too_old"], manifest["totals"]["records"]
    assert f"Of {manifest['totals']['matched'] - too_old:,} matches considered tonight" in page
    assert f"{too_old:,} more are too old" in page
    listed = page[page.index('<section id="targets"') :]
    decisions = [cell.split("<", 1)[0] for cell in listed.split('aria-hidden="true"></span>')[1:]]
    assert decisions == ["Sent"] * sent + ["Suppressed"] * (300 - sent)
