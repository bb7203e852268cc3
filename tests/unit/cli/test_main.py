"""The root of the command line: its arguments, and every way in which a command can end."""

import json
import sys
from pathlib import Path

import pytest
import rich_click as click
from click.exceptions import Exit

from recovery_batch import __version__
from recovery_batch.cli import main
from recovery_batch.cli.main import cli
from recovery_batch.errors import AppError, NotFound


@pytest.fixture
def ending(monkeypatch: pytest.MonkeyPatch) -> dict[str, BaseException | int | None]:
    """A command `end` that ends as the test says: with an error, or a status."""
    how: dict[str, BaseException | int | None] = {"with": None}

    @click.command("end")
    @click.option("--json", "as_json", is_flag=True)
    def end(as_json: bool) -> int | None:
        outcome = how["with"]
        if how.get("print"):
            click.echo("a result" * 100_000)
        if isinstance(outcome, BaseException):
            raise outcome
        return outcome

    monkeypatch.setitem(cli.commands, "end", end)
    return how


@pytest.mark.parametrize(
    ("outcome", "status"),
    [
        (None, 0),
        (0, 0),
        (3, 3),
        (AppError("x"), 1),
        (NotFound("x"), 4),
        (click.UsageError("x"), 2),
        (Exit(5), 5),
        (click.Abort(), 130),
        (KeyboardInterrupt(), 130),
        (SystemExit(7), 7),
        (SystemExit(None), 0),
        (ValueError("x"), 1),
        (FileNotFoundError(2, "No such file or directory", "f"), 1),
    ],
    ids=repr,
)
def test_every_end_has_its_status(
    ending: dict[str, BaseException | int | None],
    outcome: BaseException | int | None,
    status: int,
    capsys: pytest.CaptureFixture[str],
) -> None:
    ending["with"] = outcome
    assert main(["end"]) == status
    assert capsys.readouterr().out == ""


def test_a_failure_of_the_system_names_its_file(
    ending: dict[str, BaseException | int | None], capsys: pytest.CaptureFixture[str]
) -> None:
    ending["with"] = PermissionError(13, "Permission denied", "/some/file")
    assert main(["end", "--json"]) == 1
    document = json.loads(capsys.readouterr().out)
    assert (document["code"], document["message"]) == (500, "/some/file: Permission denied")


def test_standard_output_is_blamed_for_its_own_failures_alone(
    ending: dict[str, BaseException | int | None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ending["with"] = OSError(28, "No space left on device")
    assert main(["end", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["message"] == "No space left on device"
    ending["with"] = OSError("a template that is not there")
    assert main(["end"]) == 1
    assert capsys.readouterr().err.startswith("error: a bug: OSError at test_main.py:")
    with Path("/dev/full").open("w") as full:
        monkeypatch.setattr(sys, "stdout", full)
        ending["print"] = 1
        assert main(["end", "--json"]) == 1
    assert capsys.readouterr().err == "error: standard output: No space left on device\n"


def test_the_traceback_of_a_bug_is_shown_on_request_only(
    ending: dict[str, BaseException | int | None], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    ending["with"] = ZeroDivisionError("secret")
    assert main(["end"]) == 1
    err = capsys.readouterr().err
    assert err.startswith("error: a bug: ZeroDivisionError at test_main.py:")
    assert "secret" not in err
    monkeypatch.setenv("RECOVERY_BATCH_TRACEBACK", "1")
    assert main(["end"]) == 1
    assert "Traceback" in capsys.readouterr().err


def test_arguments_are_those_of_the_process_unless_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["recovery-batch", "--version"])
    assert main() == 0
    assert capsys.readouterr().out == f"recovery-batch, version {__version__}\n"


def test_the_store_comes_from_the_environment_and_the_option_wins(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for arguments, environment, expected in (
        ([], None, "recovery.duckdb"),
        ([], "env.duckdb", "env.duckdb"),
        (["--db", "option.duckdb"], "env.duckdb", "option.duckdb"),
    ):
        if environment:
            monkeypatch.setenv("RECOVERY_BATCH_DB", environment)
        assert main([*arguments, "backtest"]) == 4
        assert capsys.readouterr().err.startswith(f"error: no store at {expected}\n")


def test_settings_come_from_the_environment_too(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "s.toml").write_text("[run]\ntoo_old_hours = 0\n")
    monkeypatch.setenv("RECOVERY_BATCH_CONFIG", str(tmp_path / "s.toml"))
    assert main(["backtest"]) == 2
    assert "run.too_old_hours" in capsys.readouterr().err


def test_bytes_that_are_no_text_are_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["load", "a\udcff.json"]) == 2
    assert capsys.readouterr().err == "error: the argument 'a\\udcff.json' is not UTF-8\nhint: Rename the file.\n"
