"""Matching, measured against one hand-written DuckDB query a campaign on the same store, in one run.

    python benchmarks/matching.py [--payments 1000000] [--campaigns 100] [--rounds 3]

Ours: from the loaded store to (campaign, payment) pairs in memory. The peer: one query a campaign, which writes the
same pairs into a table. Both are timed in processes of their own, in turn, after their imports; both must give the same
pairs. Printed are the ratio of the medians, our peak memory, and the time of windows and limits.
"""

from __future__ import annotations

import argparse
import json
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import polars as pl

from recovery_batch.api.frames import Period, read_payments
from recovery_batch.campaigns import Campaign, parse_campaigns
from recovery_batch.evaluation import evaluate
from recovery_batch.rules import METADATA_PREFIX, Kind, Rule, column_read
from recovery_batch.rules.catalogue import RULE_TYPES
from recovery_batch.simulation import Policy, simulate
from recovery_batch.store import Store

HERE = Path(__file__).parent
ORGANIZATION = "00000000-0000-4000-8000-000000000001"
SUCCESSFUL = ("SUCCEEDED", "APPROVED", "CAPTURED", "PAID")
COUNTRIES = ("CO", "MX", "BR", "CL", "US", "ES", "AR", "PE", "EC", "UY", "CR")
ZONES = ("America/Bogota", "America/Mexico_City", "America/Sao_Paulo", "America/Santiago", "-05:00")
TARGET_RATIO, TARGET_MEGABYTES = 3.0, 3000


def invent_rule(dice: random.Random) -> dict[str, Any]:
    """One rule that most payments fulfil, as the campaigns of merchants have them."""
    codes = [f"{n:02d}" for n in dice.sample(range(60), 3)]
    return dice.choice(
        [
            {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": [str(dice.randrange(0, 30000))]},
            {"rule_type": "AMOUNT", "conditional": "BETWEEN", "values": [str(dice.randrange(0, 9000)), "90000.50"]},
            {"rule_type": "CURRENCY", "conditional": "ONE_OF", "values": dice.sample(["COP", "MXN", "BRL", "CLP"], 3)},
            {"rule_type": "PAYMENT_METHOD", "conditional": "EQUAL", "values": ["CARD"]},
            {
                "rule_type": "PROVIDER",
                "conditional": "NOT_ONE_OF",
                "values": [f"PROVIDER_{n}" for n in dice.sample(range(30), 4)],
            },
            {"rule_type": "CARD_BIN", "conditional": "STARTS_WITH", "values": ["400", "401"]},
            {"rule_type": "ISO_RESPONSE_CODE", "conditional": "NOT_ONE_OF", "values": codes},
            {"rule_type": "RESPONSE_CODE", "conditional": "NOT_EQUAL", "values": codes[:1]},
            {
                "rule_type": "METADATA",
                "metadata_key": "customer_tier",
                "conditional": "ONE_OF",
                "values": dice.sample(["bronze", "silver", "gold", "platinum"], 3),
            },
            {
                "rule_type": "METADATA",
                "metadata_key": "risk_score",
                "conditional": "LESS_THAN",
                "values": [f"{dice.randrange(40, 99)}.5"],
            },
            {"rule_type": "METADATA", "metadata_key": "device", "conditional": "CONTAINS", "values": ["O"]},
        ]
    )


def invent_campaigns(count: int) -> tuple[Campaign, ...]:
    """Campaigns of 2 to 8 rules, rate limits on most of them."""
    dice = random.Random(7)
    campaigns = []
    for number in range(count):
        rules = [{"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]}]
        rules += [invent_rule(dice) for _ in range(dice.choice((1, 2, 3, 4, 4, 5, 5)))]
        if dice.random() < 0.7:
            rules.append({"rule_type": "USER_COMMS_PER_DAY", "values": [str(dice.randrange(1, 4))]})
        if dice.random() < 0.2:
            rules.append({"rule_type": "UNIQUE_BY_USER"})
        campaigns.append(
            {
                "name": f"campaign {number}",
                "account_id": ORGANIZATION,
                "organization_code": ORGANIZATION,
                "country": dice.choice(COUNTRIES),
                "channel": "WHATSAPP_MESSAGE",
                "schedule": {
                    "daily_start_time": "08:00",
                    "daily_end_time": "20:00",
                    "time_zone": dice.choice(ZONES),
                },
                "duration": {"start_at": "2026-09-15T00:00:00Z", "end_at": "2026-10-18T00:00:00Z"},
                "rules": rules,
            }
        )
    return parse_campaigns(json.dumps(campaigns))


def make_store(path: Path, payments: int) -> None:
    """A loaded store, written past the loader: loading is another benchmark's matter."""
    with Store.open(path, write=True):
        pass
    with duckdb.connect(str(path)) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        connection.execute((HERE / "make_payments.sql").read_text(), {"payments": payments})


def rule_sql(rule: Rule, values: list[Any]) -> str:
    """The condition that a person would write for a rule; its values go to the end of `values`."""

    def mark(value: Any) -> str:
        values.append(value)
        return f"${len(values)}"

    given, column = list(rule.values or ()), column_read(rule)
    assert column is not None
    if column.startswith(METADATA_PREFIX):
        column = f"metadata[{mark(column.removeprefix(METADATA_PREFIX))}]"
    is_amount = RULE_TYPES[rule.rule_type].kind is Kind.AMOUNT
    number = column if is_amount else f"TRY_CAST({column} AS DECIMAL(24, 6))"
    marks = [mark(value) for value in given]
    listed, amounts = ", ".join(marks), [f"{each}::DECIMAL(24, 6)" for each in marks]
    tests = {
        "EQUAL": f"{column} = {marks[0]}",
        "NOT_EQUAL": f"{column} IS DISTINCT FROM {marks[0]}",
        "ONE_OF": f"{column} IN ({listed})",
        "NOT_ONE_OF": f"({column} IS NULL OR {column} NOT IN ({listed}))",
        "GREATER_THAN": f"{number} > {amounts[0]}",
        "LESS_THAN": f"{number} < {amounts[0]}",
        "BETWEEN": f"{number} BETWEEN {amounts[0]} AND {amounts[-1]}",
        "CONTAINS": "(" + " OR ".join(f"contains(lower({column}), lower({each}))" for each in marks) + ")",
        "STARTS_WITH": "(" + " OR ".join(f"starts_with({column}, {each})" for each in marks) + ")",
    }
    return tests[rule.conditional or ""]


def peer(path: Path, campaigns: Sequence[Campaign], pairs_file: Path) -> dict[str, float]:
    """One query a campaign, by hand."""
    with duckdb.connect(str(path), read_only=True) as connection:
        connection.execute("SET TimeZone = 'UTC'")
        begin = time.perf_counter()
        connection.execute("CREATE TEMP TABLE pairs (campaign_no UINTEGER, payment BIGINT)")
        for number, campaign in enumerate(campaigns):
            values: list[Any] = [campaign.organization_code, campaign.country]
            values += [campaign.duration.start_at, campaign.duration.end_at, *SUCCESSFUL]
            tests = [rule_sql(rule, values) for rule in campaign.targeting_rules]
            connection.execute(
                f"INSERT INTO pairs SELECT {number}, rowid FROM payments "  # noqa: S608
                "WHERE organization_code = $1 AND country = $2 "
                "AND created_at >= $3 AND created_at < $4 AND status NOT IN ($5, $6, $7, $8) AND "
                + " AND ".join(tests),
                values,
            )
        seconds = time.perf_counter() - begin
        connection.sql(
            "SELECT campaign_no, payment_id FROM pairs JOIN payments ON payments.rowid = pairs.payment"
        ).pl().write_parquet(pairs_file)
    return {"matching": seconds}


def ours(path: Path, campaigns: Sequence[Campaign], pairs_file: Path) -> dict[str, float]:
    """From the store to pairs in memory; then windows and limits."""
    begin = time.perf_counter()
    with Store.open(path) as store:
        payments = read_payments(store, campaigns, Period())
    read = time.perf_counter()
    candidates = evaluate(payments, campaigns, successful_statuses=SUCCESSFUL).candidates
    matched = time.perf_counter()
    decisions = simulate(payments, candidates, campaigns, Policy())
    simulated = time.perf_counter()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    candidates.select("campaign_no", payments["payment_id"].gather(candidates["payment_no"])).write_parquet(pairs_file)
    return {
        "matching": matched - begin,
        "reading": read - begin,
        "evaluating": matched - read,
        "windows and limits": simulated - matched,
        "sent": float((decisions["decision"] == "SEND").sum()),
        "peak": peak,
    }


SIDES = {"peer": peer, "ours": ours}


def measure(side: str, store: Path, campaigns: int, pairs_file: Path) -> dict[str, float]:
    """Run one side in a process of its own."""
    command = [sys.executable, __file__, "--side", side, "--store", str(store), "--campaigns", str(campaigns)]
    done = subprocess.run([*command, "--pairs", str(pairs_file)], check=True, capture_output=True, text=True)  # noqa: S603
    found: dict[str, float] = json.loads(done.stdout)
    return found


def report(runs: dict[str, list[dict[str, float]]], pairs: int) -> int:
    """Print the figures; the exit status says whether they are as wanted."""
    middle = {
        side: {name: statistics.median(run[name] for run in found) for name in found[0]} for side, found in runs.items()
    }
    ratio = middle["ours"]["matching"] / middle["peer"]["matching"]
    peak = max(run["peak"] for run in runs["ours"])
    print(f"pairs: {pairs:,}, the same on both sides")
    print(f"DuckDB, one query a campaign, into a table: {middle['peer']['matching']:.2f} s")
    print(
        f"ours, store to pairs in memory: {middle['ours']['matching']:.2f} s "
        f"(reading {middle['ours']['reading']:.2f}, evaluating {middle['ours']['evaluating']:.2f})"
    )
    print(f"ratio: {ratio:.2f} (wanted: at most {TARGET_RATIO:g})")
    print(f"peak memory, windows and limits included: {peak:,.0f} MB (wanted: under {TARGET_MEGABYTES:,})")
    print(f"windows and limits: {middle['ours']['windows and limits']:.2f} s, {middle['ours']['sent']:,.0f} sent")
    return 0 if ratio <= TARGET_RATIO and peak < TARGET_MEGABYTES else 1


def main() -> int:
    """Parse the options; measure."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else None)
    parser.add_argument("--payments", type=int, default=1_000_000)
    parser.add_argument("--campaigns", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3)
    for internal in ("--side", "--store", "--pairs"):
        parser.add_argument(internal, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.side:
        campaigns = invent_campaigns(given.campaigns)
        print(json.dumps(SIDES[given.side](Path(given.store), campaigns, Path(given.pairs))))
        return 0
    with tempfile.TemporaryDirectory() as folder:
        store = Path(folder) / "store.duckdb"
        begin = datetime.now(UTC)
        make_store(store, given.payments)
        print(f"{given.payments:,} payments, {given.campaigns} campaigns ({datetime.now(UTC) - begin} to make)")
        runs: dict[str, list[dict[str, float]]] = {side: [] for side in SIDES}
        files = {side: Path(folder) / f"{side}.parquet" for side in SIDES}
        for _ in range(given.rounds):
            for side, file in files.items():
                runs[side].append(measure(side, store, given.campaigns, file))
        found = {side: pl.read_parquet(file).sort("campaign_no", "payment_id") for side, file in files.items()}
        if not found["peer"].equals(found["ours"]):
            print("the two sides give different pairs")
            return 1
        return report(runs, found["ours"].height)


if __name__ == "__main__":
    sys.exit(main())
