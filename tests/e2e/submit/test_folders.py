"""A folder that is not as its run wrote it, or breaks the contract, is refused whole, before anything is sent."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Shell
from tests.e2e.runs import RunFile, declined, declined_body, flow_body, make_run
from tests.e2e.servers import Server
from tests.e2e.submit.sending import record_run, send, submit


def damaged(name: str, folder: Path) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    entry: dict[str, Any] = manifest["files"][0]
    path = folder / entry["path"]
    match name:
        case "changed":
            path.write_bytes(path.read_bytes().replace(b"3101234567", b"3107654321"))
        case "missing":
            path.unlink()
        case "outside":
            entry["path"] = "../run/" + entry["path"]
        case "endpoint":
            entry["endpoint"] = "/elsewhere"
        case "records":
            entry["records"] = 3
        case "link":
            target = path.rename(folder.parent / "elsewhere.json")
            path.symlink_to(target)
        case "window":
            del entry["not_after"]
        case "twice":
            manifest["files"].append(entry)
        case "no manifest":
            manifest = []
    (folder / "manifest.json").write_text(json.dumps(manifest))


@pytest.mark.parametrize(
    "name", ["changed", "missing", "outside", "endpoint", "records", "link", "window", "twice", "no manifest"]
)
def test_a_folder_that_was_changed_is_refused_whole(shell: Shell, folder: Path, server: Server, name: str) -> None:
    damaged(name, folder)
    for options in ((), ("--yes",)):
        outcome = submit(shell, folder, server, *options, "--json")
        assert outcome.status == 3, outcome
        assert outcome.error["details"]["slug"] == "folder_changed"
        assert str(folder) in outcome.error["message"]
        assert "310" not in outcome.out
    assert server.connections == 0


@pytest.mark.parametrize(
    "broken",
    [
        RunFile("declined-payments/a/0002.json", declined_body("p9").replace(b'"CO"', b'"Colombia"')),
        RunFile("declined-payments/a/0002.json", declined_body("p9").replace(b'"ANA NOGAL"', b'"ANA NOGAL","x":1')),
        RunFile("abandoned-flows/0002.ndjson", flow_body("s").replace(b"+57", b"57") + b"\n", 1, "abandoned"),
        RunFile("abandoned-flows/0002.ndjson", flow_body("s") + b"\n\n", 2, "abandoned"),
        RunFile("abandoned-flows/0002.ndjson", b"{", 1, "abandoned"),
    ],
)
def test_a_body_that_breaks_the_contract_is_refused_without_its_values(
    shell: Shell, tmp_path: Path, server: Server, broken: RunFile
) -> None:
    folder = make_run(tmp_path / "run", declined(1), broken)
    outcome = send(shell, folder, server)
    assert outcome.status == 3
    assert f"{folder / broken.path}" in outcome.error["message"]
    assert "breaks the contract" in outcome.error["message"]
    for personal in ("NOGAL", "3101234567", "Colombia"):
        assert personal not in outcome.out
    assert server.connections == 0


def test_the_manifest_must_be_the_one_that_the_store_has(shell: Shell, folder: Path, server: Server) -> None:
    assert "does not know the run" in submit(shell, folder, server).err
    record_run(shell, folder)
    assert "does not know the run" not in submit(shell, folder, server).err
    make_run(folder, declined(7))
    outcome = send(shell, folder, server)
    assert (outcome.status, outcome.error["details"]["slug"]) == (3, "folder_changed")
    assert "outreach withdraw" in outcome.error["details"]["hint"]
    assert server.connections == 0
