"""Campaign files through the command line: in and out unchanged, and every fault of them listed."""

import json
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.e2e.commands import CAMPAIGNS, Shell
from tests.e2e.exports import campaign, element, write_campaigns, write_export

FIVE_FAULTS = CAMPAIGNS / "five_faults.yaml"
# line, place, what stood there, what is allowed
FAULTS = [
    (6, "/campaigns/0/country", '"MEX"', "an ISO 3166-1 alpha-2 code such as CO or MX"),
    (
        11,
        "/campaigns/0/schedule/time_zone",
        '"America/Atlantis"',
        "an IANA name such as America/Bogota, or an offset such as -05:00",
    ),
    (14, "/campaigns/0/duration/end_at", '"2026-09-01T00:00:00Z"', "a time after 2026-10-01T00:00:00Z"),
    (26, "/campaigns/1/rules/1/conditional", '"GREATER_THAN"', "EQUAL, NOT_EQUAL, ONE_OF, NOT_ONE_OF, IN"),
    (27, "/campaigns/1/rules/2/values", '["100"]', "2 values"),
]


def stored(shell: Shell) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = shell.ok("campaigns", "list", "--limit", "100", "--json").document["data"]
    return data


def test_five_faults_are_listed_at_once_and_nothing_is_stored(shell: Shell) -> None:
    outcome = shell("campaigns", "import", CAMPAIGNS / "recovery.yaml", FIVE_FAULTS)
    assert (outcome.status, outcome.out) == (3, "")
    lines = outcome.err.splitlines()
    assert lines[0] == "error: 5 problems found:"
    for line, (number, place, found, allowed) in zip(lines[1:6], FAULTS, strict=True):
        assert line.startswith(f"  {FIVE_FAULTS}:{number}: {place}: ")
        assert line.endswith(f"; found {found}; allowed: {allowed}")
    assert lines[6:] == ["hint: Nothing was read from these files; mend every place and try again."]
    assert not shell.db.exists()
    for command in (("campaigns", "import"), ("backtest", "--campaigns"), ("explain", "p", "--campaigns")):
        error = shell(*command, FIVE_FAULTS, "--json").error
        assert error["code"] == 422
        assert [
            (each["file"], each["line"], each["place"], each["found"], each["allowed"])
            for each in error["details"]["problems"]
        ] == [(str(FIVE_FAULTS), *fault) for fault in FAULTS]
    assert not shell.db.exists()


def test_a_holdout_that_is_no_object_is_told_what_one_looks_like(shell: Shell, tmp_path: Path) -> None:
    told = shell("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(holdout=0.5))).err
    assert "holdout: not an object; found 0.5; allowed: an object with a share, such as {share: 0.1, seed: " in told


def test_files_with_problems_are_all_listed(shell: Shell, tmp_path: Path) -> None:
    one = write_campaigns(tmp_path / "one.json", campaign(country="ZZ"))
    two = tmp_path / "two.yaml"
    two.write_text("- [")
    three = tmp_path / "three.yaml"
    three.write_bytes(b"name: \xff")
    outcome = shell("campaigns", "import", one, two, three, tmp_path / "four.yaml", tmp_path, "--json")
    assert outcome.status == 3
    problems = outcome.error["details"]["problems"]
    assert [(each["file"], each["message"].partition(":")[0]) for each in problems] == [
        (str(one), "unknown country"),
        (str(two), "not YAML"),
        (str(three), "not UTF-8"),
        (str(tmp_path / "four.yaml"), "No such file or directory"),
        (str(tmp_path), "Is a directory"),
    ]


def test_import_again_changes_nothing(shell: Shell) -> None:
    for expected in ({"created": 6, "updated": 0, "unchanged": 0}, {"created": 0, "updated": 0, "unchanged": 6}):
        meta = shell.ok("campaigns", "import", CAMPAIGNS / "recovery.yaml", "--json").document["meta"]
        assert meta == {"total": 6, **expected}
        before = stored(shell)
    assert shell.ok("campaigns", "import", CAMPAIGNS / "recovery.json", "--json").document["meta"]["unchanged"] == 6
    assert stored(shell) == before


@pytest.mark.parametrize("name", ["all.json", "all.yaml", "all.yml"])
def test_an_export_is_an_import_without_changes(example: Shell, shell: Shell, tmp_path: Path, name: str) -> None:
    path = tmp_path / "new" / name
    told = example.ok("campaigns", "export", "--out", path)
    assert told.err == f"6 campaigns written to {path}\n"
    meta = example.ok("campaigns", "export", "--out", path, "--json").document
    assert meta == {"path": str(path), "campaigns": 6}
    assert shell.ok("campaigns", "import", path, "--json").document["meta"]["created"] == 6
    # times included: the file says them, so the other store has them too
    assert stored(shell) == stored(example)
    assert shell.ok("campaigns", "import", path, "--json").document["meta"]["unchanged"] == 6
    again = tmp_path / f"again-{name}"
    shell.ok("campaigns", "export", "--out", again)
    assert again.read_bytes() == path.read_bytes()


def test_export_prints_json_that_import_takes(example: Shell, shell: Shell, tmp_path: Path) -> None:
    printed = example.ok("campaigns", "export")
    (tmp_path / "printed.json").write_text(printed.out, encoding="utf-8")
    shell.ok("campaigns", "import", tmp_path / "printed.json")
    assert stored(shell) == stored(example)


def test_what_get_prints_is_a_valid_import(example: Shell, shell: Shell, tmp_path: Path) -> None:
    identity = "0f5b6c1a-1d7e-4a55-9a10-000000000006"
    one = example.ok("campaigns", "get", identity.upper(), "--json")
    (tmp_path / "one.json").write_text(one.out, encoding="utf-8")
    shell.ok("campaigns", "import", tmp_path / "one.json")
    assert shell.ok("campaigns", "get", identity, "--json").document == one.document
    listed = example.ok("campaigns", "list", "--json")
    (tmp_path / "all.json").write_text(listed.out, encoding="utf-8")
    shell.ok("campaigns", "import", tmp_path / "all.json")
    assert stored(shell) == stored(example)


def test_texts_that_look_like_something_else_stay_texts(shell: Shell, tmp_path: Path) -> None:
    values = ["05", "5.0", "NO", "true", "null", "08:00", "2026-09-01", "~", "1e3", " x ", "é", "0x1F", "#", "- a"]
    rules = [{"rule_type": "RESPONSE_CODE", "conditional": "ONE_OF", "values": values}]
    hours = {"daily_start_time": "08:00", "daily_end_time": "20:00", "time_zone": "-05:00"}
    one = campaign(country="NO", name="05", focus="no", schedule=hours, rules=rules)
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", one))
    for name in ("all.yaml", "all.json"):
        shell.ok("campaigns", "export", "--out", tmp_path / name)
        other = Shell(tmp_path / f"{name}.duckdb")
        other.ok("campaigns", "import", tmp_path / name)
        assert stored(other) == stored(shell)
    (found,) = stored(shell)
    assert (found["country"], found["name"], found["focus"]) == ("NO", "05", "no")
    assert found["schedule"] == hours
    assert found["rules"][0]["values"] == values
    # another program's reader sees the same, because every text is quoted
    (read,) = YAML(typ="safe", pure=True).load((tmp_path / "all.yaml").read_text(encoding="utf-8"))["campaigns"]
    assert read == found


def test_a_campaign_without_rules_warns_and_targets_nobody(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element()))
    told = shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign(rules=[])))
    assert "Colombia has no active rule and will target nobody" in told.err
    document = shell.ok("backtest", "--json").document
    assert document["matched"] == 0
    assert "no active rule" in " ".join(document["campaigns"][0]["warnings"])


def test_a_changed_file_updates_its_campaign(shell: Shell, tmp_path: Path) -> None:
    path = write_campaigns(tmp_path / "c.json", campaign())
    shell.ok("campaigns", "import", path)
    (before,) = stored(shell)
    write_campaigns(path, campaign(focus="new"))
    assert shell.ok("campaigns", "import", path, "--json").document["meta"]["updated"] == 1
    (after,) = stored(shell)
    assert after["focus"] == "new"
    assert (after["id"], after["created_at"]) == (before["id"], before["created_at"])


def test_a_final_status_stays(shell: Shell, tmp_path: Path) -> None:
    path = write_campaigns(tmp_path / "c.json", campaign(status="CANCELLED"))
    shell.ok("campaigns", "import", path)
    write_campaigns(path, campaign(), campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a9", name="another"))
    outcome = shell("campaigns", "import", path)
    assert outcome.status == 3
    assert "invalid status transition" in outcome.err
    assert 'found "ACTIVE"; allowed: CANCELLED, which is final' in outcome.err
    assert [each["status"] for each in stored(shell)] == ["CANCELLED"]


def test_list_pages_and_filters_by_creation(example: Shell) -> None:
    def listed(*options: object) -> tuple[list[str], dict[str, int]]:
        document = example.ok("campaigns", "list", *options, "--json").document
        return [each["id"][-1] for each in document["data"]], document["meta"]

    assert listed() == (list("123456"), {"total": 6, "limit": 20, "offset": 0})
    assert listed("--limit", 2, "--offset", 3) == (list("45"), {"total": 6, "limit": 2, "offset": 3})
    assert listed("--offset", 6) == ([], {"total": 6, "limit": 20, "offset": 6})
    bounds = ("--start-date", "2026-08-20T15:05:00Z", "--end-date", "2026-08-24T08:00:00Z")
    assert listed(*bounds) == (list("234"), {"total": 3, "limit": 20, "offset": 0})
    assert listed("--start-date", "2026-08-25") == (["6"], {"total": 1, "limit": 20, "offset": 0})


def test_an_export_that_cannot_be_written_leaves_what_was_there(example: Shell, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("here before")
    outcome = example("campaigns", "export", "--out", tmp_path / "file" / "c.json")
    assert outcome.status == 1
    assert f"error: {tmp_path / 'file' / 'c.json'}: " in outcome.err
    assert "bug" not in outcome.err
    folder = example("campaigns", "export", "--out", tmp_path, "--json")
    assert (folder.status, folder.error["message"]) == (2, f"{tmp_path}: a folder, not a file")
    assert (tmp_path / "file").read_text() == "here before"
    assert [each.name for each in tmp_path.iterdir()] == ["file"]


def test_shown_campaigns_read_like_sentences(example: Shell) -> None:
    out = example.ok("campaigns", "get", "0f5b6c1a-1d7e-4a55-9a10-000000000004").out
    assert "09:30 to 19:00, America/Santiago" in out
    assert "metadata “customer_tier” is one of silver, gold, platinum" in out
    assert "(INACTIVE: not used)" in out
    assert json.loads(example.ok("campaigns", "get", "0f5b6c1a-1d7e-4a55-9a10-000000000004", "--json").out)
