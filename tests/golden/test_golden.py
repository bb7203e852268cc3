"""Small cases worked out by hand: the commands must write exactly what stands in `expected/`."""

import difflib
import json
import shutil
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import call

CASES = Path(__file__).parent / "cases"
NAMES = sorted(path.parent.name for path in CASES.glob("*/case.toml"))
VOLATILE = {
    "rules_sha256",
    "data_sha256",
    "ledger_sha256",
    "tool_version",
    "run_id",
    "tool",
    "other_files",
    "campaigns",
    "settings",
}
"""What a new version changes without changing any decision; `campaigns` is kept where it holds figures."""


def files_of(folder: Path) -> dict[str, bytes]:
    """The content of every file of a folder, by its path in it."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def call_steps(case: Path, folder: Path) -> dict[str, Any]:
    """Call the commands of a case in a copy of its folder, and give the document of the last."""
    shutil.copytree(case, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("expected"))
    steps = tomllib.loads((case / "case.toml").read_text(encoding="utf-8"))["steps"]
    for step in steps:
        outcome = call("--db", "store.duckdb", *step["command"], "--json")
        assert outcome.status == step.get("status", 0), outcome
    document: dict[str, Any] = outcome.document
    return document


def made_by(case: Path, folder: Path) -> dict[str, bytes]:
    """What the commands of a case write, without what no case is about."""
    document = call_steps(case, folder)
    run_id = document.get("run_id")
    files = {
        path.replace(f"outreach/{run_id}/", "outreach/"): content
        for path, content in files_of(folder / "out").items()
        if Path(path).name not in ("report.html", "manifest.json")
    }
    summary = {name: value for name, value in document.items() if name not in VOLATILE}
    if run_id is None:
        summary["campaigns"] = document["campaigns"]
    text = json.dumps(summary, ensure_ascii=False, indent=2) + "\n"
    return files | {"summary.json": text.encode()}


def differences(expected: Mapping[str, bytes], made: Mapping[str, bytes]) -> list[str]:
    """Where two sets of files differ, as lines for a person."""
    found = [f"{path}: expected, and not made" for path in sorted(expected.keys() - made.keys())]
    found += [f"{path}: made, and not expected" for path in sorted(made.keys() - expected.keys())]
    for path in sorted(expected.keys() & made.keys()):
        old, new = (side[path].decode().splitlines(keepends=True) for side in (expected, made))
        found += [line.rstrip("\n") for line in difflib.unified_diff(old, new, f"expected/{path}", f"made/{path}", n=1)]
        if not found and expected[path] != made[path]:
            found.append(f"{path}: other bytes")
    return found


@pytest.mark.parametrize("name", NAMES)
def test_case(name: str, accept: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    made = made_by(CASES / name, tmp_path)
    folder = CASES / name / "expected"
    if accept:
        shutil.rmtree(folder, ignore_errors=True)
        for path, content in made.items():
            (folder / path).parent.mkdir(parents=True, exist_ok=True)
            (folder / path).write_bytes(content)
    found = differences(files_of(folder), made)
    assert not found, "\n".join(found)


def test_every_case_explains_itself() -> None:
    assert len(NAMES) >= 5
    for name in NAMES:
        assert len((CASES / name / "README.md").read_text(encoding="utf-8")) > 300
        assert files_of(CASES / name / "expected")


def test_a_difference_is_seen() -> None:
    expected = {"same": b"1\n", "changed": b"1\n2\n", "gone": b"", "ends": b"1\n"}
    made = {"same": b"1\n", "changed": b"1\n3\n", "new": b"", "ends": b"1\r\n"}
    assert [line for line in differences(expected, made) if not line.startswith(("---", "+++", "@@", " "))] == [
        "gone: expected, and not made",
        "new: made, and not expected",
        "-2",
        "+3",
        "-1",
        "+1\r",
    ]
    assert differences({"x": b"1"}, {"x": b"1"}) == []
    assert differences({"x": b"1\n"}, {"x": b"1"}) != []
