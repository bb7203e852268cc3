"""`campaigns lint` through the command line: with data and without, for people and for programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.e2e.commands import CAMPAIGNS, Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export

STATUS = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL"}
NEVER = [{"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["100"]}]
NEVER += [{"rule_type": "AMOUNT", "conditional": "LESS_THAN", "values": ["50"]}]


def slugs(document: dict[str, Any]) -> list[str]:
    return [finding["slug"] for finding in document["data"]]


def test_the_example_campaigns_have_no_errors(example: Shell) -> None:
    document = example.ok("campaigns", "lint", "--json").document
    assert document["meta"]["campaigns"] == 6
    assert document["meta"]["looked_at_data"]
    assert document["meta"]["error"] == 0
    assert {"no_rate_limit", "fraud_codes_not_excluded", "contact_hours", "offset_zone"} <= set(slugs(document))
    colombia = [each for each in document["data"] if each["slug"] == "contact_hours"]
    assert "2300" in " ".join(each["reason"] + each["advice"] for each in colombia)


def test_what_can_never_be_is_an_error(shell: Shell, tmp_path: Path) -> None:
    path = write_campaigns(tmp_path / "c.json", campaign(rules=NEVER))
    outcome = shell("campaigns", "lint", path, "--json")
    assert outcome.status == 3
    assert slugs(outcome.document)[0] == "rules_contradict"
    assert outcome.document["meta"]["looked_at_data"] is False
    shown = shell("campaigns", "lint", path)
    assert "error: " in shown.out
    assert "[rules_contradict]" in " ".join(shown.out.split())
    assert "no payments were looked at" in shown.err
    assert max(map(len, shown.out.splitlines())) <= 80
    assert not shell.db.exists()


def test_near_misses_come_with_counts(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.json", *(element(f"p{n}") for n in range(12))))
    path = write_campaigns(tmp_path / "c.json", campaign(rules=[{**STATUS, "values": ["declined"]}]))
    document = shell.ok("campaigns", "lint", path, "--json").document
    (near,) = [each for each in document["data"] if each["slug"] == "near_miss"]
    assert near["counts"]["would_match"] == 12
    assert "DECLINED" in near["reason"]
    assert near["rule_ids"]


def test_hours_can_be_configured(shell: Shell, tmp_path: Path) -> None:
    path = CAMPAIGNS / "recovery.yaml"
    config = tmp_path / "settings.toml"
    days = "".join(
        f'{day} = {{ start = "00:00", end = "24:00" }}\n'
        for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
    )
    config.write_text(f'[lint.contact_hours.CO]\nsource = "our own"\nyear = 2026\nholidays = true\n{days}')

    def countries(*options: object) -> list[str]:
        found = shell.ok(*options, "campaigns", "lint", path, "--json").document["data"]
        return [each["campaign_name"] for each in found if each["slug"] == "contact_hours"]

    assert any("Colombia" in name for name in countries())
    assert not any("Colombia" in name for name in countries("--config", config))


def test_final_campaigns_are_left_alone(shell: Shell, tmp_path: Path) -> None:
    made = shell.ok(
        "campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=NEVER)), "--json"
    ).document
    shell.ok("campaigns", "status", made["data"][0]["id"], "COMPLETED")
    assert shell.ok("campaigns", "lint", "--json").document["meta"]["campaigns"] == 0
