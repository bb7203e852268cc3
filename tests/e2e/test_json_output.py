"""What programs rely on: one JSON document on standard output whatever happens, exit statuses, and the help."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click
import pytest

from recovery_batch.campaigns import read_campaigns
from recovery_batch.cli.main import cli
from tests.e2e.commands import AS_OF, CAMPAIGNS, EXPORTS, ROOT, Outcome, Shell, call
from tests.e2e.conftest import UNKNOWN_REQUEST
from tests.e2e.exports import campaign, element, write_campaigns, write_export
from tests.e2e.run_folders import RunFolder
from tests.e2e.runs import declined, make_run

STORED = "0f5b6c1a-1d7e-4a55-9a10-000000000001"
UNKNOWN = "00000000-0000-4000-8000-000000000000"
EXAMPLES = read_campaigns([CAMPAIGNS / "recovery.yaml"])
STORED_RULE = next(each for each in EXAMPLES if each.id == STORED).rules[0].id


def commands(group: click.Command = cli, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command and group, with the words that call it."""
    yield path, group
    if isinstance(group, click.Group):
        for name, command in sorted(group.commands.items()):
            yield from commands(command, (*path, name))


EVERY = dict(commands())
LEAVES = [path for path, command in EVERY.items() if not isinstance(command, click.Group)]

SUCCEEDING: dict[tuple[str, ...], tuple[object, ...]] = {
    ("load",): (EXPORTS / "payments_1_request.json",),
    ("rejects", "list"): (),
    ("rejects", "export"): ("--out", "OUT"),
    ("rejects", "retry"): (ROOT / "recovery_batch" / "py.typed",),  # an empty file: nothing to do
    ("campaigns", "import"): (CAMPAIGNS / "recovery.yaml",),
    ("campaigns", "get"): (STORED,),
    ("campaigns", "list"): ("--limit", "2"),
    ("campaigns", "export"): (),
    ("campaigns", "create"): ("CAMPAIGN",),
    ("campaigns", "status"): (STORED, "PAUSED"),
    ("campaigns", "schema"): (),
    ("campaigns", "lint"): (),
    ("rules", "create"): (STORED, "RULE"),
    ("rules", "get"): (STORED, STORED_RULE),
    ("rules", "update"): (STORED, STORED_RULE, "UPDATE"),
    ("rules", "status"): (STORED, STORED_RULE, "INACTIVE"),
    ("backtest",): (),
    ("explain",): ("553000764",),
    ("run",): ("--out", "OUT", "--as-of", AS_OF),
    ("submit",): ("SUBMITTED",),
    ("submissions", "list"): (),
    ("submissions", "resolve"): (UNKNOWN_REQUEST.run_id, UNKNOWN_REQUEST.path, "accepted"),
    ("outreach", "list"): (),
    ("outreach", "validate"): ("RUN",),
    ("outreach", "withdraw"): ("MADE_RUN",),
    ("suppressions", "add"): ("--phone", "+57 310 123 4567"),
    ("suppressions", "import"): ("OPT_OUT",),
    ("suppressions", "list"): (),
    ("suppressions", "remove"): ("--user-id", "u-1"),
    ("forget",): ("--user-id", "user-1", "--organization", UNKNOWN),
    ("purge",): ("--older-than", "90d"),
    ("demo",): ("--out", "OUT"),
}
"""For each command what it is called with to succeed on a copy of the example store; OUT is a folder, RUN that of
a run, MADE_RUN the id of one that the store has made, and a name of `BODIES` a file with that body."""

BODIES = {
    "CAMPAIGN": {**json.loads(EXAMPLES[0].model_dump_json()), "id": UNKNOWN, "rules": []},
    "RULE": {"rule_type": "AMOUNT", "conditional": "GREATER_THAN", "values": ["1"]},
    "UPDATE": {"status": "INACTIVE"},
    "OPT_OUT": {"user_id": "u-1"},
}

WITHOUT_STORE = (("demo",), ("campaigns", "schema"), ("outreach", "validate"))

PROMISED = {
    ("load",): {"files", "totals"},
    ("rejects", "list"): {"data", "meta"},
    ("rejects", "export"): {"path", "records"},
    ("rejects", "retry"): {"records", "inserted", "updated", "unchanged", "quarantined", "unknown", "refused"},
    ("campaigns", "import"): {"data", "meta"},
    ("campaigns", "get"): {"data"},
    ("campaigns", "list"): {"data", "meta"},
    ("campaigns", "export"): {"campaigns"},
    ("campaigns", "create"): {"data"},
    ("campaigns", "status"): {"data"},
    ("campaigns", "schema"): {"$schema", "$defs"},
    ("campaigns", "lint"): {"data", "meta"},
    ("rules", "create"): {"data"},
    ("rules", "get"): {"data"},
    ("rules", "update"): {"data"},
    ("rules", "status"): {"data"},
    ("backtest",): {"payments", "campaigns", "matched", "sent", "suppressed"},
    ("explain",): {"data"},
    ("run",): {"run_id", "as_of", "files", "totals", "suppressed"},
    ("submit",): {"run_id", "folder", "dry_run", "requests", "totals", "stopped"},
    ("submissions", "list"): {"data", "meta"},
    ("submissions", "resolve"): {"data"},
    ("outreach", "list"): {"data", "meta"},
    ("outreach", "validate"): {"folder", "run_id", "files", "records", "problems"},
    ("outreach", "withdraw"): {"data"},
    ("suppressions", "add"): {"data"},
    ("suppressions", "import"): {"path", "lines", "added", "already_there", "refused", "problems"},
    ("suppressions", "list"): {"data", "meta"},
    ("suppressions", "remove"): {"data"},
    ("forget",): {
        "dry_run",
        "payments",
        "flows",
        "rejects",
        "opt_outs",
        "ledger",
        "batch_files",
        "run_folders",
        "campaigns",
    },
    ("purge",): {"dry_run", "before", "payments", "flows", "rejects", "ledger"},
    ("demo",): {"loads", "backtest", "run"},
}
"""Keys of each document that DESIGN 4 and SPEC 2.1 promise."""


def words(path: Sequence[str], folder: Path) -> list[object]:
    return [_file(each, folder) for each in (*path, *SUCCEEDING[tuple(path)])]


def _file(word: object, folder: Path) -> object:
    if word == "OUT":
        return folder / "out"
    if word == "SUBMITTED":
        return make_run(folder / "run", declined(1))
    if word == "RUN":
        return RunFolder().write(folder)
    if word not in BODIES:
        return word
    path = folder / f"{word}.json"
    path.write_text(json.dumps(BODIES[str(word)]), encoding="utf-8")
    return path


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_a_success_is_one_document(path: tuple[str, ...], example_copy: Shell, tmp_path: Path) -> None:
    called = words(path, tmp_path)
    if "MADE_RUN" in called:
        made = example_copy.ok("run", "--out", tmp_path / "made", "--as-of", AS_OF, "--json").document
        called = [made["run_id"] if word == "MADE_RUN" else word for word in called]
    outcome = example_copy(*called, "--json")
    assert outcome.status == 0, outcome
    assert set(outcome.document) >= PROMISED[path]
    # nothing but the document, and a line end
    assert outcome.out[:2] == "{\n"
    assert outcome.out.endswith("}\n")
    assert "Traceback" not in outcome.err


@pytest.mark.parametrize("path", [each for each in LEAVES if each not in WITHOUT_STORE], ids=" ".join)
def test_an_error_is_one_document(path: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "text").write_text("not a database")
    outcome = Shell(tmp_path / "text")(*words(path, tmp_path), "--json")
    assert outcome.status == 2
    assert outcome.error["code"] == 400
    assert outcome.error["message"] == f"{tmp_path / 'text'}: not a DuckDB database"
    assert outcome.error["details"]["slug"] == "store_foreign"
    assert outcome.err == ""


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_an_unknown_option_is_one_document(path: tuple[str, ...], tmp_path: Path) -> None:
    outcome = Shell(tmp_path / "none")(*words(path, tmp_path), "--json", "--nonsense")
    assert outcome.status == 2
    assert outcome.error["code"] == 400
    assert "--nonsense" in outcome.error["message"]


@pytest.mark.parametrize("path", [each for each in LEAVES if each not in (("load",), *WITHOUT_STORE)], ids=" ".join)
def test_a_missing_store_is_not_found(path: tuple[str, ...], tmp_path: Path) -> None:
    shell = Shell(tmp_path / "none.duckdb")
    outcome = shell(*words(path, tmp_path), "--json")
    if path in (("campaigns", "import"), ("campaigns", "create")):
        assert outcome.status == 0  # it makes a store
        return
    assert outcome.status == 4
    assert outcome.error["code"] == 404
    assert outcome.error["message"] == f"no store at {shell.db}"
    assert not shell.db.exists()


NOT_FOUND = [
    ("explain", "nobody-knows-it"),
    ("campaigns", "get", UNKNOWN),
    ("backtest", "--campaign", UNKNOWN),
    ("explain", "553000764", "--campaign", UNKNOWN),
]
REFUSED: list[tuple[tuple[object, ...], int]] = [
    (("campaigns", "get", "no-uuid"), 400),
    (("backtest", "--campaign", "no-uuid"), 400),
    (("explain", "553000764", "--campaign", "no-uuid"), 400),
    (("campaigns", "list", "--limit", "0"), 400),
    (("campaigns", "list", "--limit", "101"), 400),
    (("campaigns", "list", "--offset", "-1"), 400),
    (("campaigns", "import", CAMPAIGNS / "five_faults.yaml"), 422),
    (("backtest", "--campaigns", CAMPAIGNS / "five_faults.yaml"), 422),
    (("explain", "553000764", "--campaigns", CAMPAIGNS / "five_faults.yaml"), 422),
    (("backtest", "--campaigns", "/nowhere/c.yaml"), 400),
]
WRONG_USAGE: list[tuple[object, ...]] = [
    ("load",),
    ("explain",),
    ("run",),
    ("bactest",),
    ("load", "--kind", "xml", EXPORTS / "seed_minimal.json"),
    ("load", "--timezone", "America/Atlantis", EXPORTS / "seed_minimal.json"),
    ("backtest", "--from", "yesterday"),
    ("backtest", "--from", "2026-13-01"),
    ("backtest", "--from", "2026-10-02", "--to", "2026-10-01"),
    ("backtest", "--from", "2026-10-02", "--to", "2026-10-02"),
    ("backtest", "--outside-window", "maybe"),
    ("backtest", "--decisions", "d.xlsx"),
    ("backtest", "--report", "."),
    ("backtest", "--report", "/"),
    ("run", "--out", "OUT", "--as-of", "0001-01-01"),
    ("run", "--out", "OUT", "--as-of", "9999-12-31T23:59:59.999999Z"),
    ("campaigns", "list", "--limit", "many"),
    ("explain", "\udcff"),
]


def refused(outcome: Outcome, status: int, code: int) -> dict[str, Any]:
    assert outcome.status == status, outcome
    assert outcome.error["code"] == code
    assert outcome.error["message"]
    assert outcome.error["details"]["slug"]
    assert outcome.err == ""
    return outcome.error


@pytest.mark.parametrize("arguments", NOT_FOUND, ids=lambda each: " ".join(map(str, each)))
def test_what_is_not_there_exits_with_4(arguments: tuple[str, ...], example: Shell) -> None:
    error = refused(example(*arguments, "--json"), 4, 404)
    assert arguments[-1] in error["message"]
    told = example(*arguments)
    assert (told.status, told.out) == (4, "")
    assert told.err.startswith(f"error: {error['message']}\nhint: ")


@pytest.mark.parametrize(("arguments", "code"), REFUSED, ids=lambda each: str(each)[:60])
def test_what_is_refused_exits_with_3(arguments: tuple[object, ...], code: int, example: Shell) -> None:
    error = refused(example(*arguments, "--json"), 3, code)
    told = example(*arguments)
    assert (told.status, told.out) == (3, "")
    assert told.err.startswith(f"error: {error['message']}\n")


@pytest.mark.parametrize("arguments", WRONG_USAGE, ids=lambda each: ascii(" ".join(map(str, each)))[1:-1] or "none")
def test_wrong_usage_exits_with_2(arguments: tuple[object, ...], example: Shell) -> None:
    refused(example(*arguments, "--json"), 2, 400)
    told = example(*arguments)
    assert told.status == 2
    assert told.out == ""
    assert told.err.strip()
    assert "Traceback" not in told.err


@pytest.mark.parametrize("arguments", [(), ("campaigns",)], ids=["recovery-batch", "campaigns"])
def test_a_group_without_a_command_shows_its_help(arguments: tuple[str, ...]) -> None:
    refused(call(*arguments, "--json"), 2, 400)
    told = call(*arguments)
    assert told.status == 2
    assert "Usage: recovery-batch" in told.out + told.err


def test_partly_refused_input_exits_with_3_and_loads_the_rest(shell: Shell) -> None:
    outcome = shell("load", EXPORTS / "broken.ndjson", EXPORTS / "seed_minimal.json", "/nowhere.json", "--json")
    assert outcome.status == 3
    document = outcome.document
    assert [each["status"] for each in document["files"]] == ["loaded", "loaded", "failed"]
    assert document["files"][2]["error"]["code"] == 400
    assert document["totals"]["inserted"] == 9
    assert document["totals"]["quarantined"] == 40
    assert outcome.err == ""


def test_a_bug_is_told_without_the_values(example: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError("ANA NOGAL 3101234567")

    monkeypatch.setattr("recovery_batch.cli.explaining.explain", fail)
    outcome = example("explain", "p", "--json")
    assert outcome.status == 1
    assert outcome.error["code"] == 500
    assert outcome.error["message"].startswith("a bug: ZeroDivisionError at test_json_output.py:")
    assert "NOGAL" not in outcome.out + outcome.err
    told = example("explain", "p")
    assert (told.status, told.out) == (1, "")
    assert "NOGAL" not in told.err
    assert "Traceback" not in told.err


def test_an_interrupt_exits_like_one(example: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recovery_batch.cli.explaining.explain", interrupt)
    assert example("explain", "p").status == 130


@pytest.mark.parametrize("path", EVERY, ids=lambda path: " ".join(path) or "recovery-batch")
def test_every_help_has_an_example(path: tuple[str, ...]) -> None:
    outcome = call(*path, "--help")
    assert outcome.status == 0
    assert "Example" in outcome.out
    assert "recovery-batch" in outcome.out.partition("Example")[2]
    assert max(map(len, outcome.out.splitlines())) <= 80
    if path in LEAVES:
        assert "--json" in outcome.out
    assert call(*path, "-h").out == outcome.out


def test_the_help_names_the_exit_statuses() -> None:
    text = " ".join(call("--help").out.split())
    for words_ in ("0 done", "1 the system failed", "2 wrong usage", "3 input refused", "4 not found"):
        assert words_ in text


def test_half_a_surrogate_pair_of_bad_input_is_still_json(shell: Shell, tmp_path: Path) -> None:
    path = write_campaigns(tmp_path / "c.json", campaign(name="\ud800"))
    outcome = shell("campaigns", "import", path, "--json")
    assert outcome.status == 3
    assert "\\ud800" in outcome.out
    assert outcome.error["code"] == 422
    assert shell("campaigns", "import", path).status == 3


def test_control_characters_of_the_data_do_not_reach_the_terminal(shell: Shell, tmp_path: Path) -> None:
    shell.ok("load", write_export(tmp_path / "e.ndjson", element("\x1b[31mred\x07", order_id="a\u202eb\r\n")))
    file = write_campaigns(tmp_path / "c.json", campaign(name="\x1b]0;title\x07"))
    outcome = shell.ok("explain", "\x1b[31mred\x07", "--campaigns", file)
    assert not set(outcome.out + outcome.err) & {"\x1b", "\x07", "\r", "\u202e"}
    assert "⟨U+001B⟩[31mred⟨U+0007⟩" in outcome.out
    document = shell.ok("explain", "\x1b[31mred\x07", "--campaigns", file, "--json")
    assert "\x1b" not in document.out  # JSON escapes it
    assert document.document["data"][0]["payment_id"] == "\x1b[31mred\x07"


def test_settings_come_from_a_file_and_faults_in_it_are_wrong_usage(shell: Shell, tmp_path: Path) -> None:
    settings = tmp_path / "settings.toml"
    settings.write_text("[run]\nfile_records = 0\nfile_record = 5\n")
    error = refused(call("--config", settings, "--db", shell.db, "backtest", "--json"), 2, 400)
    assert error["details"]["slug"] == "settings_invalid"
    assert "run.file_records" in error["message"]
    assert "run.file_record:" in error["message"]
    assert str(settings) in error["message"]
    settings.write_text("[run\n")
    assert "settings.toml" in refused(call("--config", settings, "backtest", "--json"), 2, 400)["message"]
    missing = refused(call("--config", tmp_path / "none.toml", "backtest", "--json"), 2, 400)
    assert "No such file" in missing["message"]


def test_documents_are_readable_text(example: Shell) -> None:
    out = example.ok("campaigns", "list", "--json").out
    assert json.loads(out)
    assert "\\u" not in out
