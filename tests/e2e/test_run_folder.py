"""The folder of a nightly run: what is in it, that its manifest is true, and that it is the same every time."""

import csv
import hashlib
import json
import os
import re
import shutil
from collections import Counter, defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from recovery_batch import __version__
from tests.e2e.commands import AS_OF, CAMPAIGNS, Shell, call
from tests.e2e.exports import OLDEST_FIRST, campaign, element, write_campaigns, write_export

# of DESIGN 4 and SPEC 5
MANIFEST_KEYS = {"run_id", "as_of", "files", "totals", "suppressed", "campaigns", "tool", "rules_sha256"}
FILE_KEYS = {
    "path",
    "sha256",
    "bytes",
    "records",
    "campaign_id",
    "channel",
    "endpoint",
    "not_before",
    "not_after",
    "amounts",
}
LATE = "2026-11-03T00:00:00Z"


def folder_of(out: Path) -> Path:
    """The one folder of a run, next to which nothing lies."""
    (folder,) = out.iterdir()
    return folder


def tree(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def night(example_db: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """A run that finds nothing too old, so that its files hold hundreds of records; its folder and its manifest."""
    out = tmp_path_factory.mktemp("night")
    db = shutil.copy(example_db, out / "copy.duckdb")
    settings = out / "settings.toml"
    settings.write_text("[run]\ntoo_old_hours = 9000\n")
    outcome = call("--config", settings, "--db", db, "run", "--out", out / "out", "--as-of", LATE, "--json")
    assert outcome.status == 0, outcome
    return folder_of(out / "out"), outcome.document


def test_the_folder_holds_what_the_manifest_names(night: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = night
    assert folder.name == manifest["run_id"]
    assert re.fullmatch(r"20261103T000000Z-[0-9a-f]{12}", folder.name)
    assert json.loads((folder / "manifest.json").read_text(encoding="utf-8")) == manifest
    named = {each["path"] for each in manifest["files"]} | {each["path"] for each in manifest["other_files"]}
    assert set(tree(folder)) == named | {"manifest.json"}
    assert {"report.html", "left_out.csv"} < named


def test_the_manifest_has_the_promised_fields_and_its_hashes_are_true(night: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = night
    assert set(manifest) >= MANIFEST_KEYS
    assert (manifest["as_of"], manifest["tool"]) == (LATE, {"name": "recovery-batch", "version": __version__})
    for each in manifest["files"] + manifest["other_files"]:
        content = (folder / each["path"]).read_bytes()
        assert each["bytes"] == len(content)
        assert each["sha256"] == hashlib.sha256(content).hexdigest()
    for each in manifest["files"]:
        assert set(each) >= FILE_KEYS
        assert each["endpoint"] == "/declined-payments/external"
        assert each["not_after"] > each["not_before"] >= LATE
    assert len({each["path"] for each in manifest["files"]}) == len(manifest["files"]) >= 5


def test_records_and_amounts_foot(night: tuple[Path, dict[str, Any]]) -> None:
    folder, manifest = night
    sums: dict[str, Decimal] = defaultdict(Decimal)
    for each in manifest["files"]:
        body = json.loads((folder / each["path"]).read_text(encoding="utf-8"), parse_float=Decimal)
        assert each["records"] == len(body["external_data"]) <= 500
        assert each["bytes"] <= 5_000_000
        own: dict[str, Decimal] = defaultdict(Decimal)
        for one in body["external_data"]:
            own[one["payment"]["currency_code"]] += Decimal(one["payment"]["amount_value"])
            assert one["payment"]["organization_code"] == body["organization_code"] == each["organization_code"]
        assert {code: Decimal(text) for code, text in each["amounts"].items()} == own
        for code, amount in own.items():
            sums[code] += amount
    totals = manifest["totals"]
    assert {code: Decimal(text) for code, text in totals["amounts"].items()} == sums
    assert totals["files"] == len(manifest["files"])
    assert totals["records"] == sum(each["records"] for each in manifest["files"]) > 500
    assert totals["bytes"] == sum(each["bytes"] for each in manifest["files"])
    assert totals["matched"] == totals["records"] + totals["suppressed"]
    assert totals["suppressed"] == sum(manifest["suppressed"].values())
    reasons: Counter[str] = Counter()
    for each in manifest["campaigns"]:
        reasons.update(each["suppressed"])
        sent = sum(f["records"] for f in manifest["files"] if f["campaign_id"] == each["campaign"]["id"])
        assert each["sent"] == sent == each["matched"] - sum(each["suppressed"].values())
    assert reasons == manifest["suppressed"]


def test_sent_and_left_out_are_exactly_what_a_backtest_matches(
    night: tuple[Path, dict[str, Any]], example: Shell, tmp_path: Path
) -> None:
    folder, manifest = night
    example.ok("backtest", "--to", "2026-11-03T00:00:00.000001Z", "--decisions", tmp_path / "d.csv")
    with (tmp_path / "d.csv").open(encoding="utf-8", newline="") as file:
        matched = {(row["campaign_id"], row["organization_code"], row["payment_id"]) for row in csv.DictReader(file)}
    sent = [
        (each["campaign_id"], each["organization_code"], one["payment"]["id"])
        for each in manifest["files"]
        for one in json.loads((folder / each["path"]).read_text(encoding="utf-8"))["external_data"]
    ]
    with (folder / "left_out.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    left_out = [(row["campaign_id"], row["organization_code"], row["payment_id"]) for row in rows]
    assert len(set(sent)) == len(sent)
    assert not set(sent) & set(left_out)
    assert set(sent) | set(left_out) == matched
    assert Counter(row["reason"] for row in rows) == manifest["suppressed"]
    assert {"not_submittable", "invalid_phone", "already_paid"} <= set(manifest["suppressed"])
    assert all(bool(row["fields"]) == (row["reason"] == "not_submittable") for row in rows)


def test_the_rules_stand_in_the_manifest_as_they_were(night: tuple[Path, dict[str, Any]], example: Shell) -> None:
    stamps = {"created_at", "updated_at"}
    stored = [
        {
            **{key: value for key, value in each.items() if key not in stamps},
            "rules": [{key: value for key, value in rule.items() if key not in stamps} for rule in each["rules"]],
        }
        for each in example.ok("campaigns", "list", "--json").document["data"]
    ]
    assert [each["campaign"] for each in night[1]["campaigns"]] == stored


def test_files_are_for_their_owner_only(example_copy: Shell, tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        example_copy.ok("run", "--out", tmp_path / "a" / "b", "--as-of", AS_OF)
    finally:
        os.umask(before)
    folder = folder_of(tmp_path / "a" / "b")
    for path in (folder, *folder.rglob("*")):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600), path


def test_a_repeated_run_prints_the_manifest_again_and_touches_nothing(example_copy: Shell, tmp_path: Path) -> None:
    out = tmp_path / "out"
    first = example_copy.ok("run", "--out", out, "--as-of", AS_OF, "--json")
    before = {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (out, *out.rglob("*"))}
    again = example_copy.ok("run", "--out", out, "--as-of", AS_OF, "--json")
    assert again.out == first.out
    said = example_copy.ok("run", "--out", tmp_path / "elsewhere", "--as-of", "2026-10-30T10:00:00-05:00").out
    assert "(made before, unchanged)" in said
    assert f"folder: {folder_of(out)}" in said  # where it was made, and not once more
    assert not (tmp_path / "elsewhere").exists()
    assert {path: (path.stat().st_mtime_ns, path.stat().st_ino) for path in (out, *out.rglob("*"))} == before


def test_another_instant_another_data_or_another_setting_is_another_run(example_copy: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "s.toml"
    ids = set()
    for as_of, setting in (
        (AS_OF, ""),
        ("2026-10-30T15:00:01Z", ""),
        ("2026-10-30T15:00:00.000001Z", ""),
        (AS_OF, "[run]\ntoo_old_hours = 73"),
        (AS_OF, "[run]\nfile_records = 499"),
        (AS_OF, '[payments]\nsuccessful_statuses = ["PAID"]'),
    ):
        settings.write_text(setting)
        outcome = call(
            "--config", settings, "--db", example_copy.db, "run", "--out", tmp_path / "out", "--as-of", as_of, "--json"
        )
        ids.add(outcome.document["run_id"])
    example_copy.ok("load", write_export(tmp_path / "e.ndjson", element("new", created_at="2026-10-30 14:59:00")))
    ids.add(example_copy.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document["run_id"])
    one = campaign(status="PAUSED")
    example_copy.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", one))
    paused = example_copy.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document["run_id"]
    assert paused in ids  # a campaign that is not ACTIVE changes nothing
    example_copy.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", {**one, "status": "ACTIVE"}))
    ids.add(example_copy.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document["run_id"])
    assert len(ids) == 8
    # what comes after the instant of the run does not exist yet
    example_copy.ok("load", write_export(tmp_path / "e.ndjson", element("later", created_at="2026-10-30 15:00:01")))
    ids.add(example_copy.ok("run", "--out", tmp_path / "out", "--as-of", AS_OF, "--json").document["run_id"])
    assert len(ids) == 8


def test_stores_with_the_same_content_make_the_same_bytes(
    night: tuple[Path, dict[str, Any]], example_copy: Shell, tmp_path: Path
) -> None:
    example_copy.ok("run", "--out", tmp_path / "example", "--as-of", AS_OF)
    expected = tree(tmp_path / "example")
    # loaded file by file, in another order, at another time; campaigns imported one after the other, at another time
    other = Shell(tmp_path / "other.duckdb")
    for path in reversed(OLDEST_FIRST):
        other.ok("load", path)
    assert other("load", OLDEST_FIRST[0].parent / "broken.ndjson").status == 3
    other.ok("load", OLDEST_FIRST[0].parent / "seed_detailed.json")
    document = json.loads((CAMPAIGNS / "recovery.json").read_text(encoding="utf-8"))
    for each in reversed(document):
        other.ok("campaigns", "import", write_campaigns(tmp_path / "one.json", each))
    other.ok("suppressions", "add", "--user-id", "u-1")
    other.ok("run", "--out", tmp_path / "elsewhere" / "other", "--as-of", AS_OF)
    assert tree(tmp_path / "elsewhere" / "other") == expected


def test_when_a_campaign_was_stored_changes_no_byte(tmp_path: Path) -> None:
    bare = {key: value for key, value in campaign().items() if key not in ("id", "created_at")}
    export = write_export(tmp_path / "e.ndjson", element())
    trees = []
    for name, stamps in (("now", {}), ("before", {"created_at": "2026-02-02", "updated_at": "2026-03-03"})):
        shell = Shell(tmp_path / f"{name}.duckdb")
        shell.ok("load", export)
        shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", bare | stamps))
        shell.ok("run", "--out", tmp_path / name, "--as-of", "2026-10-02")
        trees.append(tree(tmp_path / name))
    assert trees[0] == trees[1]
    assert any("/declined-payments/" in name for name in trees[0])
