"""`explain`: agrees with the decisions, for payments of every outcome."""

from collections import defaultdict
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from recovery_batch.clock import iso
from tests.e2e.commands import CAMPAIGNS, Shell
from tests.e2e.exports import (
    OLDEST_FIRST,
    ORGANIZATION,
    campaign,
    element,
    read_elements,
    write_campaigns,
    write_export,
)

OTHER = "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b002"
SAMPLE = 5
"""Payments of each outcome that are explained."""


@pytest.fixture(scope="module")
def decisions(example_db: Path, tmp_path_factory: pytest.TempPathFactory) -> pl.DataFrame:
    path = tmp_path_factory.mktemp("explain") / "d.parquet"
    Shell(example_db).ok("backtest", "--decisions", path)
    return pl.read_parquet(path)


def explained(shell: Shell, payment_id: str, *options: object) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = shell.ok("explain", payment_id, *options, "--json").document["data"]
    return data


def test_explanations_agree_with_the_decisions(example: Shell, decisions: pl.DataFrame) -> None:
    outcomes = decisions.with_columns(pl.col("reason").fill_null("sent")).partition_by(
        "reason", "campaign_id", as_dict=True
    )
    assert {reason for reason, _ in outcomes} == {
        "sent",
        "campaign_ended",
        "missing_user_id",
        "unique_by_user",
        "user_comms_per_day",
    }
    for (reason, campaign_id), rows in outcomes.items():
        for row in rows.gather_every(max(1, rows.height // SAMPLE)).iter_rows(named=True):
            one = next(
                each
                for each in explained(example, row["payment_id"])
                if each["organization_code"] == row["organization_code"]
            )
            outcome = next(each for each in one["campaigns"] if each["campaign_id"] == campaign_id)
            assert outcome["outcome"] == row["decision"], row
            assert (outcome["reason"] or "sent") == reason
            assert all(condition["holds"] for condition in outcome["conditions"])
            assert outcome["planned_at"] == iso(row["planned_at"])


def test_what_matches_nothing_fails_a_condition_that_is_shown(example: Shell, decisions: pl.DataFrame) -> None:
    matched = defaultdict(set)
    for row in decisions.iter_rows(named=True):
        matched[row["payment_id"]].add(row["campaign_id"])
    ids = [each["payment"]["id"] for each in read_elements(OLDEST_FIRST[0])]
    for payment_id in ids[::4]:
        for one in explained(example, payment_id):
            for outcome in one["campaigns"]:
                failed = [each for each in outcome["conditions"] if not each["holds"]]
                if outcome["outcome"] == "NO MATCH":
                    assert failed
                    assert all(each["wanted"] and each["saw"] for each in failed)
                    assert (outcome["reason"], outcome["planned_at"]) == (None, None)
                    assert outcome["story"] == f"{len(failed)} of {len(outcome['conditions'])} conditions failed"
                else:
                    assert not failed
                    assert outcome["campaign_id"] in matched[payment_id]


def test_each_organization_that_has_the_id_is_shown(shell: Shell, tmp_path: Path) -> None:
    shell.ok(
        "load",
        write_export(
            tmp_path / "e.ndjson",
            element("same", amount_value=500),
            element("same", organization_code=OTHER, amount_value=700, additional_data=None),
            element("another"),
        ),
    )
    file = write_campaigns(tmp_path / "c.json", campaign())
    shown = explained(shell, "same", "--campaigns", file)
    assert [(each["organization_code"], each["facts"]["amount"]) for each in shown] == [
        (ORGANIZATION, "500 COP"),
        (OTHER, "700 COP"),
    ]
    assert [each["campaigns"][0]["outcome"] for each in shown] == ["SEND", "NO MATCH"]
    text = shell.ok("explain", "same", "--campaigns", file).out
    assert text.count("payment same of organization") == 2


def test_ids_that_both_organizations_use_are_explained_for_both(example: Shell) -> None:
    organizations = defaultdict(set)
    for path in OLDEST_FIRST:
        for each in read_elements(path):
            organizations[each["payment"]["id"]].add(each["payment"]["organization_code"])
    shared = sorted(payment_id for payment_id, found in organizations.items() if len(found) == 2)
    assert len(shared) == 6
    for payment_id in shared:
        shown = [each["organization_code"] for each in explained(example, payment_id)]
        assert shown == sorted(organizations[payment_id])


def test_limits_are_those_of_the_backtest_and_the_whole_user_counts(shell: Shell, tmp_path: Path) -> None:
    # three declines of one user on one day; two a day may be sent
    user = {"user_id": "u"}
    times = ("2026-10-01 15:00:00", "2026-10-01 16:00:00", "2026-10-01 17:00:00")
    shell.ok(
        "load",
        write_export(
            tmp_path / "e.ndjson",
            *(element(f"p{n}", additional_data=user, created_at=time) for n, time in enumerate(times, 1)),
        ),
    )
    rules = [
        {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]},
        {"rule_type": "USER_COMMS_PER_DAY", "values": ["2"]},
    ]
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=rules)))
    outcomes = [explained(shell, f"p{n}")[0]["campaigns"][0] for n in (1, 2, 3)]
    assert [(each["outcome"], each["reason"]) for each in outcomes] == [
        ("SEND", None),
        ("SEND", None),
        ("SUPPRESS", "user_comms_per_day"),
    ]
    assert len(outcomes[0]["limits"]) == 1


def test_campaigns_of_a_file_are_explained_instead_of_the_stored_ones(example: Shell, tmp_path: Path) -> None:
    file = write_campaigns(tmp_path / "c.json", campaign(name="only in a file", country="MX"))
    (one,) = explained(example, "553000764", "--campaigns", file)
    assert [(each["name"], each["outcome"]) for each in one["campaigns"]] == [("only in a file", "SEND")]
    (stored,) = explained(example, "553000764")
    assert len(stored["campaigns"]) == 6
    assert explained(example, "553000764", "--campaigns", CAMPAIGNS / "recovery.yaml") == [stored]
    wanted = "0f5b6c1a-1d7e-4a55-9a10-000000000004"
    (named,) = explained(example, "553000764", "--campaign", wanted)
    assert [each["campaign_id"] for each in named["campaigns"]] == [wanted]


def test_a_campaign_that_is_not_active_says_so(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element("p")))
    identity = "0f5b6c1a-1d7e-4a55-9a10-0000000000b1"
    file = write_campaigns(tmp_path / "c.json", campaign(id=identity, status="PAUSED"))
    (paused,) = explained(shell, "p", "--campaigns", file)[0]["campaigns"]
    assert paused["outcome"] == "NO MATCH"
    failed = [each for each in paused["conditions"] if not each["holds"]]
    assert [(each["wanted"], each["saw"]) for each in failed] == [("campaign is ACTIVE, or named", "PAUSED")]
    (named,) = explained(shell, "p", "--campaigns", file, "--campaign", identity)[0]["campaigns"]
    assert named["outcome"] == "SEND"


def test_a_campaign_begins_with_its_first_instant_and_ends_before_its_last(shell: Shell, tmp_path: Path) -> None:
    times = {"before": "2026-09-30 23:59:59", "first": "2026-10-01 00:00:00", "end": "2026-10-02 00:00:00"}
    shell.ok("load", write_export(tmp_path / "e.ndjson", *(element(k, created_at=v) for k, v in times.items())))
    file = write_campaigns(tmp_path / "c.json", campaign(duration={"start_at": "2026-10-01", "end_at": "2026-10-02"}))
    outcomes = {each: explained(shell, each, "--campaigns", file)[0]["campaigns"][0]["outcome"] for each in times}
    assert outcomes == {"before": "NO MATCH", "first": "SEND", "end": "NO MATCH"}


def test_a_missing_value_is_shown_as_missing(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element("p")))
    rules = [
        {"rule_type": "PROVIDER", "conditional": "EQUAL", "values": ["STRIPE"]},
        {"rule_type": "PROVIDER", "conditional": "NOT_EQUAL", "values": ["STRIPE"]},
    ]
    file = write_campaigns(tmp_path / "c.json", campaign(rules=rules))
    (outcome,) = explained(shell, "p", "--campaigns", file)[0]["campaigns"]
    assert [(each["saw"], each["holds"]) for each in outcome["conditions"][-2:]] == [
        ("nothing (missing)", False),
        ("nothing (missing)", True),
    ]


@pytest.mark.parametrize("reason", ["user_comms_per_day", "unique_by_user", "missing_user_id", "campaign_ended"])
def test_a_reason_lists_whom_it_left_out(example: Shell, decisions: pl.DataFrame, reason: str) -> None:
    rows = decisions.filter(pl.col("reason") == reason)
    document = example.ok("explain", "--reason", reason, "--limit", "100000", "--show", "--json").document
    assert document["meta"]["total"] == rows.height > 0
    found = [(each["campaign_id"], each["organization_code"], each["payment_id"]) for each in document["data"]]
    assert sorted(found) == sorted(rows.select("campaign_id", "organization_code", "payment_id").rows())
    assert {each["user_id"] for each in document["data"]} == set(rows["user_id"])
    shown = example.ok("explain", "--reason", reason, "--limit", "3")
    assert reason in shown.out
    assert f"3 of {rows.height:,}" in shown.err.replace("\u00a0", ",") or rows.height < 3


def test_users_are_masked_unless_they_are_asked_for(shell: Shell, tmp_path: Path) -> None:
    for number, user in enumerate(("mateo-before", "mateo-after")):
        data = {"user_id": user}
        payments = (element(each, additional_data=data, created_at="2026-10-01 12:00:00") for each in ("p", "p2"))
        shell.ok("load", write_export(tmp_path / f"{number}.ndjson", *payments))
    rules = [{"rule_type": "UNIQUE_BY_USER"}, {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["0"]}]
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=rules)))
    for arguments in (("p",), ("--reason", "unique_by_user")):
        for form in ((), ("--json",)):
            masked = shell.ok("explain", *arguments, *form).out
            assert "mateo" not in masked
            assert "m•••" in masked
            assert "mateo-after" in shell.ok("explain", *arguments, *form, "--show").out


def test_explain_takes_a_payment_or_a_reason(example: Shell) -> None:
    for arguments in ((), ("553000764", "--reason", "unique_by_user"), ("--reason", "no_reason")):
        assert example("explain", *arguments).status == 2


def test_a_near_miss_is_said(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.json", element("p1")))
    rule = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["declined"]}
    path = write_campaigns(tmp_path / "c.json", campaign(rules=[rule]))
    (one,) = explained(shell, "p1", "--campaigns", path)
    (condition,) = [each for each in one["campaigns"][0]["conditions"] if each["rule_id"]]
    assert not condition["holds"]
    assert "case" in condition["near_miss"]
    assert "near miss: " in shell.ok("explain", "p1", "--campaigns", path).out
