"""The folder of a run: there complete, or not at all."""

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from recovery_batch.errors import SystemFailed
from recovery_batch.outreach.folder import MANIFEST, read_manifest, write_folder

FILES = {"a/b/1.json": b"{}", "a/b/2.json": b"[]", "left_out.csv": b"", MANIFEST: b'{"run_id": "r"}'}
RUN = "20261001T150000Z-0123456789ab"


def tree(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_written_whole_and_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        assert write_folder(tmp_path / "out" / RUN, FILES)
        made_after = tmp_path / "after"
        made_after.touch()
    finally:
        os.umask(before)
    assert tree(tmp_path / "out") == {f"{RUN}/{path}": content for path, content in FILES.items()}
    for path in (tmp_path / "out" / RUN).rglob("*"):
        assert path.stat().st_mode & 0o777 == (0o700 if path.is_dir() else 0o600)
    assert made_after.stat().st_mode & 0o777 == 0o644  # the process goes on with the umask that it had


def test_a_manifest_is_read_where_there_is_one(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) is None
    assert read_manifest(tmp_path / "nowhere") is None
    (tmp_path / "file").touch()
    assert read_manifest(tmp_path / "file") is None
    (tmp_path / MANIFEST).write_text('{"run_id": "é"}', encoding="utf-8")
    assert read_manifest(tmp_path) == {"run_id": "é"}
    for content in (b"", b"{", b"\xff", b'{"a": 1'):
        (tmp_path / MANIFEST).write_bytes(content)
        with pytest.raises(SystemFailed, match="cannot be read"):
            read_manifest(tmp_path)


def test_the_second_of_two_runs_at_once_leaves_the_folder_of_the_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rename = Path.rename
    outcomes = []

    def rename_after_another(self: Path, target: Path) -> Path:
        # the other process comes between the last file and the move; it has a number of its own
        monkeypatch.setattr(Path, "rename", rename)
        monkeypatch.setattr(os, "getpid", lambda: 1)
        outcomes.append(write_folder(target, FILES))
        return rename(self, target)

    monkeypatch.setattr(Path, "rename", rename_after_another)
    outcomes.append(write_folder(tmp_path / RUN, FILES))
    assert outcomes == [True, False]
    assert tree(tmp_path) == {f"{RUN}/{path}": content for path, content in FILES.items()}


@pytest.mark.parametrize("number", range(1, 5))
def test_a_write_that_fails_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    fsync, calls = os.fsync, []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SystemFailed, match="No space left on device; no folder was left") as caught:
        write_folder(tmp_path / RUN, FILES)
    assert str(tmp_path / RUN) in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_folder_without_a_manifest_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / RUN).mkdir()
    (tmp_path / RUN / "mine.txt").write_text("mine")
    with pytest.raises(SystemFailed, match="stands there without a manifest"):
        write_folder(tmp_path / RUN, FILES)
    assert tree(tmp_path) == {f"{RUN}/mine.txt": b"mine"}


@pytest.fixture
def left_overs(tmp_path: Path) -> dict[str, Path]:
    """What earlier runs may have left: of a process that is gone, of this one, of one that runs, and other things."""
    dead = int(Path("/proc/sys/kernel/pid_max").read_text())
    names = {
        "dead": f".{RUN}.{dead}.partial",
        "dead, another run": f".20260930T150000Z-0123456789ab.{dead}.partial",
        "mine": f".{RUN}.{os.getpid()}.partial",
        "running": f".{RUN}.{os.getppid()}.partial",
        "no number": f".{RUN}.x.partial",
        "a run": "20260930T150000Z-0123456789ab",
    }
    for name in names.values():
        (tmp_path / name).mkdir()
        (tmp_path / name / "1.json").write_text("{}")
    return {key: tmp_path / name for key, name in names.items()}


def test_what_the_dead_left_is_removed_and_nothing_else(tmp_path: Path, left_overs: dict[str, Path]) -> None:
    assert write_folder(tmp_path / RUN, FILES)
    assert {key for key, path in left_overs.items() if path.exists()} == {"running", "no number", "a run"}
    assert json.loads((tmp_path / RUN / MANIFEST).read_text()) == {"run_id": "r"}


def test_a_process_of_another_user_is_running(monkeypatch: pytest.MonkeyPatch, left_overs: dict[str, Path]) -> None:
    def forbidden(process: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert write_folder(left_overs["mine"].parent / RUN, FILES)
    assert left_overs["dead"].exists()
    assert not left_overs["mine"].exists()


def test_no_trace_of_a_partial_folder_stays_when_the_disk_refuses_to_clean(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # cleaning up is done as well as can be: what cannot be removed does not hide the first error
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(SystemFailed, match="Input/output error"):
        write_folder(tmp_path / RUN, FILES)
