"""docs/nightly.md: its commands exist, its scripts are shell, its links lead somewhere, its slugs are ours."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from configparser import ConfigParser
from pathlib import Path

import click
import pytest

from recovery_batch.cli.main import cli
from recovery_batch.errors import AppError

DOCS = Path(__file__).parents[2] / "docs"
PAGE = (DOCS / "nightly.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", PAGE, flags=re.DOTALL | re.MULTILINE)
SHELL = [text for language, text in BLOCKS if language == "sh"]
ENDS = {"||", "&&", ";", "|"}


def commands() -> Iterator[list[str]]:
    """Every call of the program in a shell block, as its words."""
    for line in "".join(SHELL).replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while "recovery-batch" in words:
            words = words[words.index("recovery-batch") + 1 :]
            end = next((number for number, word in enumerate(words) if word in ENDS), len(words))
            yield [word.rstrip(";") for word in words[:end]]


def parsed(command: click.Command, words: list[str], parent: click.Context | None = None) -> str:
    """Read words as the program does, without running anything, and give the name of the command."""
    context = command.make_context(command.name or "recovery-batch", list(words), parent=parent)
    rest = [*context._protected_args, *context.args]
    if not isinstance(command, click.Group) or not rest:
        return context.command_path
    _, found, arguments = command.resolve_command(context, rest)
    assert found is not None
    return parsed(found, arguments, context)


@pytest.mark.parametrize("words", list(commands()), ids=" ".join)
def test_every_command_exists_as_it_is_written(words: list[str]) -> None:
    if "--version" in words:
        return
    known = parsed(cli, [re.sub("^(RUN_ID|PATH)$", "x", word) for word in words])
    assert known.split()[-1] in words


def test_the_page_speaks_of_every_command_of_the_night() -> None:
    names = {word for words in commands() for word in words}
    assert names >= {"load", "run", "submit", "outreach", "submissions", "suppressions", "forget", "purge", "rejects"}


@pytest.mark.parametrize("text", SHELL)
def test_every_shell_block_is_shell(text: str) -> None:
    done = subprocess.run(["sh", "-n"], input=text, text=True, capture_output=True, check=False)
    assert done.stderr == ""


def test_the_night_loads_what_came_and_moves_it_away(tmp_path: Path) -> None:
    (script,) = (text for text in SHELL if "Load what has arrived" in text)
    for folder in ("state", "new", "loading", "loaded", "bin"):
        (tmp_path / folder).mkdir()
    program = tmp_path / "bin" / "recovery-batch"
    program.write_text(
        f'#!/bin/sh\necho "$3" "$(ls {tmp_path}/loading)" >> {tmp_path}/calls\nexit $(cat {tmp_path}/status)'
    )
    program.chmod(0o700)
    script = script.replace("/srv/exports", str(tmp_path)).replace("cd /var/lib/recovery-batch", f"cd {tmp_path}/state")
    calls = []
    for export, status in (("one.csv", 1), ("two.csv", 3), (None, 0)):
        if export:
            (tmp_path / "new" / export).touch()
        (tmp_path / "new" / ".half").touch()
        (tmp_path / "calls").write_text("")
        (tmp_path / "status").write_text(str(status))
        path = f"{tmp_path}/bin:/usr/bin:/bin"
        done = subprocess.run(["sh", "-c", script], env={"PATH": path}, capture_output=True, check=False)
        assert (done.returncode, done.stderr) == (status, b"")
        calls.append((tmp_path / "calls").read_text().split())
    assert calls == [["load", "one.csv"], ["load", "one.csv", "two.csv", "run"], ["run"]]
    assert sorted(path.name for path in tmp_path.glob("loaded/20*/*")) == ["one.csv", "two.csv"]


def test_every_link_leads_somewhere() -> None:
    headings = re.findall(r"^#+ (.+)$", PAGE, flags=re.MULTILINE)
    anchors = {re.sub("[^a-z0-9 -]", "", heading.lower()).replace(" ", "-") for heading in headings}
    links = re.findall(r"\]\(([^)]+)\)", PAGE)
    assert links
    for link in links:
        assert link[1:] in anchors if link.startswith("#") else (DOCS / link).is_file(), link


def slugs(error: type[AppError]) -> set[tuple[str, int]]:
    """The slugs of an error and all below it, each with its exit status."""
    return {(error.slug, error.exit_status)}.union(*(slugs(each) for each in error.__subclasses__()))


def test_slugs_and_exit_statuses_are_those_of_the_code() -> None:
    rows = re.findall(r"^\| (\d+) \| `(\w+)` \|", PAGE, flags=re.MULTILINE)
    named = {(slug, int(status)) for status, slug in rows}
    assert named <= slugs(AppError)
    assert {"locked", "stale_load", "too_many_contacts", "store_foreign", "system_failed"} <= {
        slug for slug, _ in named
    }


def test_the_units_are_ones_that_systemd_takes(tmp_path: Path) -> None:
    texts = [text for language, text in BLOCKS if language == "ini"]
    paths = [tmp_path / f"recovery-nightly.{kind}" for kind in ("service", "timer")]
    for path, text in zip(paths, texts, strict=True):
        path.write_text(text.replace("/usr/local/bin/recovery-nightly", "/bin/true"))
        unit = ConfigParser(interpolation=None)
        unit.read_string(text)
        assert unit.has_section(path.suffix[1:].capitalize())
    if shutil.which("systemd-analyze") is None:
        return  # their syntax is all that can be told
    verify = ["systemd-analyze", "verify", "--man=no", *map(str, paths)]
    done = subprocess.run(verify, text=True, capture_output=True, check=False)
    assert [line for line in done.stderr.splitlines() if "recovery-" in line] == []
