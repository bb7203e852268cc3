"""What must hold of the repository as a whole: its lock files, its addresses, its README's promises."""

import os
import re
import shlex
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
MADE_HERE = {".git", ".venv", "demo", "dist", "node_modules", "out"}

# Written apart, so that this file does not name what it looks for.
REGISTRY_HOSTS = tuple(
    ".".join(labels).encode()
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("anaconda", "org"),
    )
)


def committed_files() -> list[Path]:
    """The files of the repository, and those about to be added; where git is absent, all files."""
    if shutil.which("git") and (ROOT / ".git").exists():
        # safe.directory: containers often check out as another user than the one who runs the tests.
        command = [
            "git",
            "-c",
            "safe.directory=*",
            "ls-files",
            "-z",
            "--cached",
            "--others",
            "--exclude-standard",
        ]
        listed = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
        paths = [ROOT / name for name in listed.split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if MADE_HERE.isdisjoint(path.relative_to(ROOT).parts)]
    return [path for path in paths if path.is_file() and "__pycache__" not in path.parts]


def test_no_file_names_the_host_of_a_registry() -> None:
    naming = [
        f"{path.relative_to(ROOT)}: {host.decode()}"
        for path in committed_files()
        for content in [path.read_bytes().lower()]
        for host in REGISTRY_HOSTS
        if host in content
    ]
    assert naming == []


def test_there_is_no_lock_file_that_names_registries() -> None:
    assert [path for path in committed_files() if path.name in {"uv.lock", "poetry.lock", "Pipfile.lock"}] == []


def project() -> dict[str, Any]:
    found = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert isinstance(found, dict)
    return found


def pins(name: str) -> dict[str, str]:
    """Package to version, as a requirements file pins them; every pin must carry a hash."""
    entries = re.split(r"\n(?=\S)", (ROOT / "requirements" / name).read_text(encoding="utf-8"))
    found: dict[str, str] = {}
    for entry in entries:
        if entry.startswith("#"):
            continue
        pin = re.match(r"([\w.-]+)==([\w.!+-]+)", entry)
        assert pin, f"{name}: not pinned to one version: {entry[:80]}"
        assert "--hash=sha256:" in entry, f"{name}: no hash: {entry[:80]}"
        found[canonicalize_name(pin[1])] = pin[2]
    return found


@pytest.mark.parametrize("name", ["runtime.txt", "dev.txt"])
def test_the_requirements_are_those_of_the_project(name: str) -> None:
    wanted = list(project()["dependencies"])
    if name == "dev.txt":
        wanted += project()["optional-dependencies"]["dev"]
    pinned = pins(name)
    stale = [
        text
        for text in wanted
        for requirement in [Requirement(text)]
        if not requirement.specifier.contains(pinned.get(canonicalize_name(requirement.name), "0"))
    ]
    assert stale == [], "run `make lock`"


def test_development_runs_what_users_run() -> None:
    assert pins("runtime.txt").items() <= pins("dev.txt").items()


def test_ci_is_executable() -> None:
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def readme() -> str:
    return (ROOT / "README.md").read_text(encoding="utf-8")


def shell_lines() -> list[str]:
    """The commands in the README's shell blocks, with continued lines joined and prompts taken off."""
    blocks = re.findall(r"^```(?:sh|bash|shell|console)\n(.*?)^```", readme(), flags=re.MULTILINE | re.DOTALL)
    text = "".join(blocks).replace("\\\n", " ")
    return [line.strip().removeprefix("$ ") for line in text.splitlines() if line.strip()]


def readme_commands() -> list[list[str]]:
    """The arguments of every `recovery-batch …` of the README's shell blocks, without what the shell does."""
    commands = []
    for line in shell_lines():
        for part in re.split(r"\|\||&&|[|;<>]", line):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "recovery-batch":
                commands.append(words[1:])
    return commands


def test_the_readme_shows_how_to_start() -> None:
    assert readme_commands()
    assert "make demo" in readme()


def test_the_readme_names_only_commands_and_options_that_exist() -> None:
    # With --help at its end a command is parsed, every option included, but not carried out.
    for words in readme_commands():
        done = subprocess.run(
            [sys.executable, "-m", "recovery_batch", *words, "--help"],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, f"recovery-batch {shlex.join(words)}\n{done.stdout}{done.stderr}"


def test_the_readme_names_only_make_targets_that_exist() -> None:
    named = set(re.findall(r"(?:`|^|\$ )make ([a-z]+)", readme(), flags=re.MULTILINE))
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE))
    assert named <= targets
