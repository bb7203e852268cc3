"""Which campaigns are evaluated, and what an explanation says of a payment, through the API alone."""

import json
from pathlib import Path

import pytest

from recovery_batch.api import BacktestRequest, ExplainRequest, RunRequest, backtest, explain, run
from recovery_batch.api.backtesting import choose
from recovery_batch.campaigns import parse_campaigns
from recovery_batch.clock import parse_bound
from recovery_batch.errors import NotFound, ProblemsFound, StoreMissing, UsageError
from recovery_batch.store import Store
from tests.e2e.commands import Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export

A, B, C = (f"0f5b6c1a-1d7e-4a55-9a10-0000000000{letter * 2}" for letter in "abc")
CAMPAIGNS = parse_campaigns(
    json.dumps([campaign(id=A, name="a"), campaign(id=B, name="b", status="PAUSED"), campaign(id=C, name="c")])
)


def test_without_names_the_active_campaigns_are_chosen_in_order() -> None:
    assert [each.name for each in choose(CAMPAIGNS, ())] == ["a", "c"]


def test_named_campaigns_are_chosen_once_whatever_their_status() -> None:
    assert [each.name for each in choose(CAMPAIGNS, (B, A.upper(), B))] == ["b", "a"]


def test_every_campaign_that_is_not_there_is_named() -> None:
    missing = ["00000000-0000-4000-8000-00000000000a", "00000000-0000-4000-8000-00000000000b"]
    with pytest.raises(NotFound) as caught:
        choose(CAMPAIGNS, (missing[0], A, missing[1].upper()))
    assert caught.value.details["campaign_ids"] == missing
    with pytest.raises(ProblemsFound, match="campaign is not a UUID"):
        choose(CAMPAIGNS, (A, "b"))


def test_requests_on_no_store_say_so_and_make_none(tmp_path: Path) -> None:
    db = tmp_path / "none.duckdb"
    with pytest.raises(StoreMissing):
        backtest(BacktestRequest(db))
    with pytest.raises(StoreMissing):
        explain(ExplainRequest(db, "p"))
    with pytest.raises(StoreMissing):
        run(RunRequest(db, tmp_path / "out", parse_bound("2026-10-01")))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("as_of", ["0001-01-01", "1969-12-31", "9999-01-01", "9999-12-31T23:59:59.999999Z"])
def test_no_run_is_as_of_an_instant_outside_of_reason(tmp_path: Path, as_of: str) -> None:
    with pytest.raises(UsageError, match="allowed: the years 1970 to 9998"):
        run(RunRequest(tmp_path / "none.duckdb", tmp_path / "out", parse_bound(as_of)))


@pytest.fixture
def shell(tmp_path: Path) -> Shell:
    shell = Shell(tmp_path / "s.duckdb")
    shell.ok("load", write_export(tmp_path / "e.ndjson", element("p"), element("q", country="MX")))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", *(each.as_json() for each in CAMPAIGNS)))
    return shell


def test_a_backtest_holds_its_frames_and_names_what_it_left_out(shell: Shell) -> None:
    result = backtest(BacktestRequest(shell.db))
    assert [each.name for each in result.campaigns] == ["a", "c"]
    assert result.not_evaluated == ("b",)
    assert result.payments.height == 2
    assert result.decisions.select("campaign_name", "payment_id").rows() == [("a", "p"), ("c", "p")]
    assert backtest(BacktestRequest(shell.db, campaign_ids=(B,))).not_evaluated == ()
    assert result.figures.provenance.settings["history"] == "none"


def test_an_explanation_says_for_every_campaign_what_it_wanted_and_saw(shell: Shell) -> None:
    (sent,) = explain(ExplainRequest(shell.db, "p"))
    assert [(each.name, each.outcome) for each in sent.campaigns] == [("a", "SEND"), ("b", "NO MATCH"), ("c", "SEND")]
    assert sent.facts["amount"] == "10 COP"
    (left,) = explain(ExplainRequest(shell.db, "q", campaign_ids=(A,)))
    (outcome,) = left.campaigns
    assert [(each.wanted, each.saw) for each in outcome.conditions if not each.holds] == [("country is CO", "MX")]
    assert outcome.planned_at is None
    with pytest.raises(NotFound, match="no payment P"):
        explain(ExplainRequest(shell.db, "P"))


def test_a_run_at_the_edges_of_reason_is_made(shell: Shell, tmp_path: Path) -> None:
    with Store.open(shell.db, write=True) as store:
        store._connection.execute("UPDATE loads SET loaded_at = '9998-12-31 00:00:00Z'")
    for as_of in ("1970-01-01", "9998-12-31T23:59:59.999999Z"):
        made = run(RunRequest(shell.db, tmp_path / "out", parse_bound(as_of)))
        assert made.folder.is_dir()
        assert not made.repeated
        assert run(RunRequest(shell.db, tmp_path / "out", parse_bound(as_of))).repeated
