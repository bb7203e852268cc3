"""Files that appear whole or not at all."""

from pathlib import Path

import pytest

from recovery_batch.api.files import write_whole
from recovery_batch.errors import SystemFailed, UsageError


def test_a_file_is_moved_into_its_place_when_it_is_complete(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "report.html"
    seen = []

    def write(partial: Path) -> None:
        partial.write_text("whole")
        seen.append((partial.parent == path.parent, path.exists()))

    write_whole(path, write)
    assert seen == [(True, False)]
    assert path.read_text() == "whole"
    assert list(path.parent.iterdir()) == [path]
    older = path.with_name("older")
    older.hardlink_to(path)
    write_whole(path, lambda partial: partial.write_text("again"))
    assert path.read_text() == "again"
    assert older.read_text() == "whole"  # another file took its place; whoever still reads the first reads it whole


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt(), ValueError("a bug")])
def test_what_fails_half_way_leaves_what_was_there(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "report.html"
    path.write_text("here before")

    def write(partial: Path) -> None:
        partial.write_text("half")
        raise error

    with pytest.raises(SystemFailed if isinstance(error, OSError) else type(error)) as caught:
        write_whole(path, write)
    if isinstance(caught.value, SystemFailed):
        assert caught.value.message == f"{path}: No space left on device"
    assert path.read_text() == "here before"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_is_no_place_for_a_file(tmp_path: Path) -> None:
    for path in (tmp_path, Path(), Path("/"), Path(".."), tmp_path / ".."):
        with pytest.raises(UsageError, match="a folder, not a file"):
            write_whole(path, lambda partial: partial.write_text("x"))


def test_a_place_that_cannot_be_is_a_failure_of_the_system(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path / "file" / "x", tmp_path / "file" / "x" / "y", tmp_path / ("x" * 250)):
        with pytest.raises(SystemFailed) as caught:
            write_whole(path, lambda partial: partial.write_text("x"))
        assert caught.value.message.startswith(f"{path}: ")
