"""The folder of a run: there complete, or not at all."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import pytest

from recovery_batch.errors import SystemFailed
from recovery_batch.outreach.folder import MANIFEST, publish, read_manifest, remove_left_overs, stage_folder

FILES = {"a/b/1.json": b"{}", "a/b/2.json": b"[]", "left_out.csv": b"", MANIFEST: b'{"run_id": "r"}'}
STORE = Path("store.duckdb")
RUN = "20261001T150000Z-0123456789ab"


def tree(folder: Path) -> Mapping[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_a_folder_is_written_whole_and_private(tmp_path: Path) -> None:
    before = os.umask(0o022)
    try:
        staged = stage_folder(tmp_path / "out" / RUN, FILES, tmp_path / "store.duckdb")
        assert (staged.parent, staged.exists()) == (tmp_path / "out", True)
        assert not (tmp_path / "out" / RUN).exists()
        assert publish(staged, tmp_path / "out" / RUN)
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


def test_a_folder_is_moved_once(tmp_path: Path) -> None:
    folder = tmp_path / RUN
    staged = stage_folder(folder, FILES, STORE)
    assert publish(staged, folder)
    assert not publish(staged, folder)
    assert tree(tmp_path) == {f"{RUN}/{path}": content for path, content in FILES.items()}


def test_a_folder_that_is_gone_is_said_loudly(tmp_path: Path) -> None:
    staged = stage_folder(tmp_path / RUN, FILES, STORE)
    shutil.rmtree(staged)
    with pytest.raises(SystemFailed, match="this run has happened, but its folder is gone") as caught:
        publish(staged, tmp_path / RUN)
    assert staged.name in caught.value.message
    (tmp_path / RUN).mkdir()
    with pytest.raises(SystemFailed, match="gone"):
        publish(staged, tmp_path / RUN)


@pytest.mark.parametrize("number", range(1, 5))
def test_a_write_that_fails_leaves_no_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    fsync, calls = os.fsync, []

    def fail(descriptor: int) -> None:
        calls.append(descriptor)
        if len(calls) == number:
            raise OSError(28, "No space left on device")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(SystemFailed, match="No space left on device; nothing was emitted") as caught:
        stage_folder(tmp_path / RUN, FILES, STORE)
    assert str(tmp_path / RUN) in caught.value.message
    assert list(tmp_path.iterdir()) == []


def test_a_move_that_fails_leaves_the_staged_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    staged = stage_folder(tmp_path / RUN, FILES, STORE)
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    monkeypatch.setattr(Path, "rename", lambda *_: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    with pytest.raises(SystemFailed, match="Input/output error; this run has happened, and waits as"):
        publish(staged, tmp_path / RUN)
    assert set(tree(staged)) == set(FILES)


@pytest.mark.parametrize("content", [{}, {"mine.txt": "mine"}, {MANIFEST: "{}"}])
def test_what_stands_in_its_place_is_left_as_it_is(tmp_path: Path, content: dict[str, str]) -> None:
    (tmp_path / RUN).mkdir()
    for name, text in content.items():
        (tmp_path / RUN / name).write_text(text)
    with pytest.raises(SystemFailed, match="the ledger of this store does not know that run"):
        stage_folder(tmp_path / RUN, FILES, STORE)
    assert tree(tmp_path) == {f"{RUN}/{name}": text.encode() for name, text in content.items()}
    assert [path.name for path in tmp_path.iterdir()] == [RUN]


def test_what_a_store_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    mine = stage_folder(tmp_path / RUN, FILES, STORE)
    earlier = stage_folder(tmp_path / "20260930T150000Z-0123456789ab", FILES, STORE)
    others = stage_folder(tmp_path / RUN, FILES, tmp_path / "another.duckdb")
    (tmp_path / ".notes.partial").mkdir()
    (tmp_path / "20260930T150000Z-0123456789ab").mkdir()
    remove_left_overs(tmp_path, STORE)
    assert not mine.exists()
    assert not earlier.exists()
    assert others.exists()
    assert (tmp_path / ".notes.partial").exists()
    assert (tmp_path / "20260930T150000Z-0123456789ab").exists()
    remove_left_overs(tmp_path / "nowhere", STORE)


def test_what_cannot_be_cleaned_up_does_not_hide_the_first_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(5, "Input/output error")))
    monkeypatch.setattr(shutil, "rmtree", lambda *_, **__: None)
    with pytest.raises(SystemFailed, match="Input/output error"):
        stage_folder(tmp_path / RUN, FILES, STORE)
