"""What an analyst imports: all of it there, documented, and the example of docs/ runs."""

from __future__ import annotations

import inspect
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import polars as pl
import pytest

import recovery_batch
from recovery_batch import Period, Workspace, read_campaigns, with_values
from recovery_batch.errors import BadRequest, NotFound, ProblemsFound, StoreMissing
from tests.e2e.commands import CAMPAIGNS, EXPORTS, ROOT

MIDDLE = datetime(2026, 9, 15, tzinfo=UTC)
RULE = {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["1"]}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    made = Workspace(tmp_path_factory.mktemp("notebook") / "s.duckdb")
    made.load(EXPORTS / "payments_1_request.json", EXPORTS / "payments_2_elements.ndjson")
    return made


@pytest.mark.parametrize("name", recovery_batch.__all__)
def test_every_name_is_there_and_documented(name: str) -> None:
    found = getattr(recovery_batch, name)
    assert name == "__version__" or inspect.getdoc(found)


def test_no_other_name_is() -> None:
    with pytest.raises(AttributeError, match="no attribute 'backtset'"):
        recovery_batch.backtset  # noqa: B018


def test_every_method_is_documented() -> None:
    methods = [each for name, each in inspect.getmembers(Workspace, inspect.isfunction) if not name.startswith("_")]
    assert len(methods) > 10
    assert all(inspect.getdoc(each) and inspect.signature(each).return_annotation for each in methods)


def test_importing_the_package_imports_nothing_else() -> None:
    code = "import sys, recovery_batch; print('polars' in sys.modules or 'duckdb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT)
    assert done.stdout.strip() == "False"


def test_the_example_runs() -> None:
    path = ROOT / "docs" / "notebook.py"
    environment = {"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    done = subprocess.run([sys.executable, path], capture_output=True, text=True, check=True, env=environment)
    assert "- amount is above 50000" in done.stdout
    assert "Colombia" in done.stdout
    assert done.stderr == ""


def test_frames_are_those_of_the_command_line(workspace: Workspace) -> None:
    campaigns = read_campaigns([CAMPAIGNS / "recovery.yaml"])
    payments = workspace.payments(campaigns)
    assert payments.height == 250
    assert "metadata.business_vertical" in payments.columns
    early = payments.filter(pl.col("created_at") < MIDDLE)
    assert workspace.payments(until=MIDDLE)["payment_id"].to_list() == early["payment_id"].to_list()
    whole = workspace.backtest(campaigns)
    part = workspace.backtest(campaigns[:1], period=Period(None, MIDDLE))
    assert 0 < part.decisions.height < whole.decisions.height
    assert whole.decisions.height == whole.figures.totals.tally.matched


def test_a_threshold_moves(workspace: Workspace) -> None:
    colombia = next(each for each in read_campaigns([CAMPAIGNS / "recovery.yaml"]) if each.country == "CO")
    moved = [with_values(colombia, "AMOUNT", value) for value in ("0", "200000", "1e9")]
    sent = [workspace.backtest([each]).decisions.height for each in moved]
    assert sent[0] > sent[1] > sent[2] == 0
    with pytest.raises(NotFound, match="no rule CARD_BIN"):
        with_values(colombia, "CARD_BIN", "4")
    with pytest.raises(ProblemsFound, match="number"):
        with_values(colombia, "AMOUNT", "many")


def test_operations_are_there(tmp_path: Path) -> None:
    own = Workspace(tmp_path / "s.duckdb")
    with pytest.raises(StoreMissing):
        own.campaigns()
    assert [each.change for each in own.import_campaigns(CAMPAIGNS / "recovery.yaml")] == ["created"] * 6
    first = own.campaigns()[0]
    (rule,) = own.create_rules(first.identity, RULE)
    assert rule.id
    assert own.get_rule(first.identity, rule.id) == rule
    assert own.update_rule(first.identity, rule.id, {"values": ["2"]}).values == ("2",)
    assert own.update_rule_status(first.identity, rule.id, "INACTIVE").status == "INACTIVE"
    assert own.update_campaign_status(first.identity, "PAUSED").status == own.get_campaign(first.identity).status
    assert own.list_campaigns(limit=2)[1] == 6
    assert own.list_campaigns(end=datetime(2020, 1, 1, tzinfo=UTC))[1] == 0
    with pytest.raises(BadRequest):
        own.list_campaigns(limit=0)
    versions = own.campaign_history(first.identity)
    assert [each.change for each in versions][:2] == ["imported", "rule created"]
    assert own.campaign_at(first.identity, versions[0].changed_at) == first
    with pytest.raises(ProblemsFound):
        own.create_campaign(first.model_dump(mode="json"))
    with pytest.raises(NotFound):
        own.explain("nobody")
    assert own.lint().campaigns == 6
