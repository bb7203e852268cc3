"""A notebook in plain Python: load, backtest, move a threshold, look at whom it concerns. A test runs it.

python docs/notebook.py
"""

# %% A store of its own, with the example exports and campaigns
import tempfile
from pathlib import Path

import polars as pl

from recovery_batch import Workspace, read_campaigns, sentence, with_values

fixtures = Path(__file__).parents[1] / "fixtures"
folder = tempfile.TemporaryDirectory()
workspace = Workspace(Path(folder.name) / "recovery.duckdb")
exports = sorted(path for path in (fixtures / "exports").iterdir() if path.name.startswith("payments"))
reports = workspace.load(*exports)
print(pl.DataFrame([{"file": report.path.name, **report.counts} for report in reports]))

# %% Whom would the campaigns have contacted?
campaigns = read_campaigns([fixtures / "campaigns" / "recovery.yaml"])
result = workspace.backtest(campaigns)
print(result.decisions.group_by("campaign_name", "decision").len().sort("campaign_name", "decision"))

# %% The rules of one campaign, in plain words
colombia = next(each for each in campaigns if each.country == "CO")
for rule in colombia.rules:
    print("-", sentence(rule))

# %% What changes if its threshold moves?
amounts = []
for threshold in ("50000", "100000", "200000"):
    moved = workspace.backtest([with_values(colombia, "AMOUNT", threshold)])
    sent = moved.decisions.filter(pl.col("decision") == "SEND")
    amounts.append({"above": threshold, "sent": sent.height, "amount": sent["amount_value"].sum()})
print(pl.DataFrame(amounts))

# %% Why was this one left out?
one = result.decisions.filter(pl.col("decision") == "SUPPRESS").row(0, named=True)
(explanation,) = workspace.explain(one["payment_id"], campaign_files=(fixtures / "campaigns" / "recovery.yaml",))
print(one["payment_id"], [(each.name, each.story) for each in explanation.campaigns if each.reason])

# %% What is odd about the campaigns?
for finding in workspace.lint(campaigns).findings[:5]:
    print(f"{finding.campaign_name}: {finding.reason}")

folder.cleanup()
