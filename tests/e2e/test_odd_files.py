"""Files that unpack without end, and files with odd names: names are data, never SQL, patterns or options."""

from __future__ import annotations

import gzip
import io
import os
import time
import zipfile
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

import duckdb
import pytest
import zstandard

from tests.e2e.commands import Shell, program
from tests.e2e.exports import element, encoded, write_export
from tests.e2e.fuzzing import bounded

GOOD: Final = encoded(element("good")) + b"\n"
MEGABYTE: Final = 1 << 20
LIMIT: Final = 2_000_000
UNPACKED: Final = 300
"""Megabytes that a bomb unpacks to: a program that held them, or looked at them all, would be slow."""

HEADER: Final = b"payment.id,payment.country,payment.status\n"
FILLINGS: Final = {
    "blank lines": b"\n" * MEGABYTE,
    "blanks": b" " * MEGABYTE,
    "brackets": b"[" * MEGABYTE,
    "braces": b'{"a":' * (MEGABYTE // 5),
    "a text without end": b"x" * MEGABYTE,
    "records": GOOD * (MEGABYTE // len(GOOD)),
    "elements": (GOOD.strip() + b",") * (MEGABYTE // len(GOOD)),
    "rows": b"b,CO,DECLINED\n" * (MEGABYTE // 14),
    "names of columns": b"payment.id," * (MEGABYTE // 11),
    "a cell without end": b"x" * MEGABYTE,
}
BEFORE: Final = {
    "a text without end": b'[{"payment":{"id":"',
    "elements": b"[",
    "rows": HEADER,
    "a cell without end": HEADER + b'"',
}


def stored(shell: Shell) -> dict[str, int]:
    """How much is in each table."""
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        names = [name for (name,) in connection.sql("SELECT table_name FROM duckdb_tables()").fetchall()]
        return {name: len(connection.table(name)) for name in names}


def paths_of(shell: Shell) -> list[str]:
    """The paths of what was loaded, in order."""
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        return [path for (path,) in connection.sql("SELECT path FROM loads ORDER BY load_id").fetchall()]


@pytest.fixture
def limited(shell: Shell, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Load files, none of which may unpack to more than the limit; gives the one report."""
    config = tmp_path / "settings.toml"
    config.write_text(f"[load]\nunpacked_bytes = {LIMIT}\n")

    def load(*paths: Path) -> dict[str, Any]:
        with bounded(str(paths)):
            began = time.perf_counter()
            outcome = shell("--config", config, "load", *paths, "--json")
        assert time.perf_counter() - began < 20  # seconds; it takes about one
        assert outcome.status == 3, outcome
        document: dict[str, Any] = outcome.document
        return document

    return load


def gzipped(before: bytes, filling: bytes) -> bytes:
    sink = io.BytesIO()
    with gzip.GzipFile(fileobj=sink, mode="wb", compresslevel=1, mtime=0) as file:
        file.write(before)
        for _ in range(UNPACKED):
            file.write(filling)
    return sink.getvalue()


def zstandardized(before: bytes, filling: bytes) -> bytes:
    compressor = zstandard.ZstdCompressor(level=1).compressobj()
    parts = [compressor.compress(each) for each in (before, *[filling] * UNPACKED)]
    return b"".join(parts) + compressor.flush()


@pytest.mark.slow
@pytest.mark.parametrize("pack", [gzipped, zstandardized])
@pytest.mark.parametrize("name", FILLINGS)
def test_compressed_data_that_unfolds_without_end_is_refused(
    limited: Callable[..., dict[str, Any]], shell: Shell, tmp_path: Path, pack: Any, name: str
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(pack(BEFORE.get(name, b""), FILLINGS[name]))
    (report,) = limited(path)["files"]
    assert report["status"] == "failed"
    assert report["error"]["message"] == f"{path}: the compressed data unfolds to more than {LIMIT:,} bytes"
    assert "unpacked_bytes" in report["error"]["details"]["hint"]
    assert not any(rows for table, rows in stored(shell).items() if table != "recovery_batch_store")


@pytest.mark.parametrize(("before", "filling"), [(b"", b"\0"), (HEADER, b'"'), (HEADER, b"\0")])
def test_what_cannot_be_an_export_is_refused_by_its_beginning(
    limited: Callable[..., dict[str, Any]], tmp_path: Path, before: bytes, filling: bytes
) -> None:
    path = tmp_path / "bomb"
    path.write_bytes(gzipped(before, filling * MEGABYTE))
    (report,) = limited(path)["files"]
    assert report["status"] == "failed"


def workbook(path: Path, part: str, pieces: Iterable[bytes]) -> Path:
    """A workbook of which one part is very long."""
    main = b'xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"'
    links = b"http://schemas.openxmlformats.org/officeDocument/2006/relationships"
    parts = {
        "xl/workbook.xml": b"<workbook %b xmlns:r='%b'><sheets><sheet name='S' r:id='r1'/></sheets></workbook>"
        % (main, links),
        "xl/_rels/workbook.xml.rels": b"<Relationships><Relationship Id='r1' Type='%b/worksheet' "
        b"Target='worksheets/sheet1.xml'/></Relationships>" % links,
        "xl/sharedStrings.xml": b"<sst %b><si><t>a</t></si></sst>" % main,
        "xl/worksheets/sheet1.xml": b"<worksheet %b><sheetData><row><c><v>1</v></c></row></sheetData></worksheet>"
        % main,
    }
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for name, content in parts.items():
            with archive.open(name, "w") as file:
                begin, end = (content[: content.rfind(b"</", 0, content.rfind(b"</"))], content[-22:])
                file.write(begin if name == part else content)
                for piece in pieces if name == part else ():
                    file.write(piece)
                file.write(end if name == part else b"")
    return path


@pytest.mark.slow
@pytest.mark.parametrize("part", ["xl/sharedStrings.xml", "xl/worksheets/sheet1.xml"])
def test_a_workbook_that_unfolds_without_end_is_refused(
    limited: Callable[..., dict[str, Any]], tmp_path: Path, part: str
) -> None:
    filling = b"<si><t>a</t></si>" if "Strings" in part else b"<row><c><v>1</v></c></row>"
    pieces = [filling * (MEGABYTE // len(filling))] * UNPACKED
    path = workbook(tmp_path / "bomb.xlsx", part, pieces)
    (report,) = limited(path)["files"]
    assert "the workbook would unpack to" in report["error"]["message"]
    other = write_export(tmp_path / "good.ndjson", element("good"))
    failed, loaded = limited(path, other)["files"]  # of several files tables are looked at beforehand
    assert (failed["status"], loaded["status"]) == ("failed", "loaded")


def test_a_workbook_that_lies_about_its_size_is_refused(limited: Callable[..., dict[str, Any]], tmp_path: Path) -> None:
    part = "xl/worksheets/sheet1.xml"
    path = workbook(tmp_path / "bomb.xlsx", part, [b"<row><c><v>1</v></c></row>" * 40_000] * 20)
    with zipfile.ZipFile(path) as archive:
        size = archive.getinfo(part).file_size
    path.write_bytes(path.read_bytes().replace(size.to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    (report,) = limited(path)["files"]
    assert "the workbook is damaged" in report["error"]["message"]


def test_what_unpacks_to_as_much_as_it_may_loads(shell: Shell, tmp_path: Path) -> None:
    text = GOOD * 100
    path = tmp_path / "good.gz"
    path.write_bytes(gzip.compress(text))
    config = tmp_path / "settings.toml"
    config.write_text(f"[load]\nunpacked_bytes = {len(text)}\n")
    assert shell.ok("--config", config, "load", path, "--json").document["totals"]["records"] == 100
    config.write_text(f"[load]\nunpacked_bytes = {len(text) - 1}\n")
    assert shell("--config", config, "load", path).status == 3


NAMES: Final = (
    "with spaces in it.json",
    " blank before and behind ",
    "quote's.json",
    'quotes "double".json',
    "back\\slash.json",
    "star*.json",
    "*",
    "?.json",
    "[a].json",
    "[!b]*.json",
    "{x,y}.json",
    "per%20cent%s%n.json",
    "$HOME ${HOME} `id` $(id).json",
    "'; DROP TABLE payments; --",
    "a=1&b;c|d#e.json",
    "key=value",
    "новый файл.json",
    "e\u0301.json",
    "\u202egnp.json",
    "line\nbreak.json",
    "tab\t.json",
    "\x1b[31mred.json",
    "~",
    "-rf",
    "--help",
    "@args.json",
    "s3:",
    ".hidden.json",
    "x" * 200 + ".json",
    "looks.parquet",
    "looks.csv.gz",
    "looks.xlsx",
)


def test_the_name_of_a_file_is_data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    monkeypatch.chdir(folder)
    for name in (*NAMES, "a.json", "b.json", "y.json", "starlight.json"):  # the last are what a pattern would find
        write_export(folder / name, element(f"in {name}"))
    shell = Shell(tmp_path / "store.duckdb")
    document = shell.ok("load", "--json", "--", *NAMES).document
    assert [(each["path"], each["inserted"]) for each in document["files"]] == [(name, 1) for name in NAMES]
    again = shell.ok("load", "--", *NAMES)
    assert f"{len(NAMES)} unchanged" in again.out
    assert "\x1b" not in again.out + again.err
    assert paths_of(shell) == [*NAMES] * 2
    for name in NAMES:
        (folder / name).write_bytes(GOOD + f"{{broken {name!a}\n".encode())
    broken = shell("load", "--", *NAMES)
    assert (broken.status, "\x1b" in broken.out + broken.err) == (3, False)
    rows = stored(shell)
    assert (rows["payments"], rows["rejects"]) == (len(NAMES) + 1, len(NAMES))


def test_the_name_of_a_folder_is_data(shell: Shell, tmp_path: Path) -> None:
    names = [each for each in NAMES if not each.startswith((".", "-"))]
    for name in (*names, "a.json"):
        (tmp_path / "folders" / name).mkdir(parents=True)
        write_export(tmp_path / "folders" / name / "good.json", element(name))
    totals = shell.ok("load", *(tmp_path / "folders" / name for name in names), "--json").document["totals"]
    assert (totals["files"], totals["inserted"]) == (len(names), len(names))


def test_a_name_that_is_no_file_is_a_pattern_and_a_file_of_that_name_is_not(shell: Shell, tmp_path: Path) -> None:
    write_export(tmp_path / "ab.json", element("ab"))
    assert shell.ok("load", tmp_path / "[a]*.json", "--json").document["totals"]["inserted"] == 1
    write_export(tmp_path / "[a]*.json", element("star"))
    (report,) = shell.ok("load", tmp_path / "[a]*.json", "--json").document["files"]
    assert (report["path"], report["inserted"]) == (str(tmp_path / "[a]*.json"), 1)


def test_links_to_files_and_folders_are_followed_when_they_are_named(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    good = write_export(folder / "good.json", element("good"))
    (tmp_path / "file.json").symlink_to(good)
    (tmp_path / "link").symlink_to(folder)
    assert shell.ok("load", tmp_path / "file.json", "--json").document["totals"]["inserted"] == 1
    assert shell.ok("load", tmp_path / "link", "--json").document["totals"]["unchanged"] == 1


def test_links_that_lead_nowhere_or_in_a_circle_are_errors(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "nowhere.json").symlink_to(tmp_path / "gone.json")
    (tmp_path / "one.json").symlink_to(tmp_path / "two.json")
    (tmp_path / "two.json").symlink_to(tmp_path / "one.json")
    good = write_export(tmp_path / "good.json", element("good"))
    with bounded("links"):
        outcome = shell("load", tmp_path / "nowhere.json", tmp_path / "one.json", good, "--json")
    assert outcome.status == 3
    statuses = [report["status"] for report in outcome.document["files"]]
    assert statuses == ["failed", "failed", "loaded"]


def test_a_folder_that_holds_itself_is_gone_through_once(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    (folder / "below").mkdir(parents=True)
    (folder / "below" / "up").symlink_to(folder)
    write_export(folder / "below" / "good.json", element("good"))
    with bounded("a loop"):
        totals = shell.ok("load", folder, "--json").document["totals"]
    assert (totals["files"], totals["inserted"]) == (1, 1)


def test_a_loop_of_links_in_a_folder_is_a_failed_file_beside_good_ones(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "loop.json").symlink_to(folder / "loop.json")
    write_export(folder / "good.json", element("good"))
    with bounded("a loop"):
        outcome = shell("load", folder, "--json")
    assert outcome.document["totals"] | {"files": 2, "failed": 1, "inserted": 1} == outcome.document["totals"]


def test_a_pattern_with_a_loop_below_it_ends(shell: Shell, tmp_path: Path) -> None:
    (tmp_path / "x" / "y").mkdir(parents=True)
    (tmp_path / "x" / "y" / "up").symlink_to(tmp_path / "x")
    (tmp_path / "x" / "y" / "again").symlink_to(tmp_path / "x")
    write_export(tmp_path / "x" / "y" / "good.json", element("good"))
    write_export(tmp_path / "x" / "y" / ".hidden.json", element("hidden"))
    with bounded("a pattern"):
        outcome = shell("load", tmp_path / "x" / "**" / "*.json", "--json")
    assert outcome.status == 0
    assert outcome.document["totals"]["files"] == 1


def test_a_folder_named_like_a_file(shell: Shell, tmp_path: Path) -> None:
    folder = tmp_path / "x.json"
    folder.mkdir()
    assert shell("load", folder).status == 3
    write_export(folder / "good.ndjson", element("good"))
    assert shell.ok("load", folder, "--json").document["totals"]["inserted"] == 1
    totals = shell.ok("load", tmp_path / "*.json" / "*.ndjson", "--json").document["totals"]
    assert totals["unchanged"] == 1


def test_a_name_that_is_no_text_is_an_error(shell: Shell, tmp_path: Path) -> None:
    name = os.fsdecode(b"\xff.json")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / name).write_bytes(GOOD)
    write_export(folder / "good.json", element("good"))
    done = program("--db", tmp_path / "named.duckdb", "load", "--", name, cwd=folder)
    assert (done.status, "Traceback" in done.err) == (2, False)
    assert "not UTF-8" in done.err
    totals = shell("load", folder, "--json").document["totals"]
    assert (totals["files"], totals["failed"], totals["inserted"]) == (2, 1, 1)


@pytest.mark.parametrize("name", ["x" * 300 + ".json", "x" * 300 + "*.json", "a/" * 3000 + "*", "a/b.json/c.json"])
def test_a_name_that_no_file_can_have_is_an_error(shell: Shell, tmp_path: Path, name: str) -> None:
    good = write_export(tmp_path / "good.json", element("good"))
    outcome = shell("load", tmp_path / name, good, "--json")
    assert [report["status"] for report in outcome.document["files"]] == ["failed", "loaded"]


def test_pipes_and_devices_are_errors(shell: Shell, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.json")
    good = write_export(tmp_path / "good.json", element("good"))
    with bounded("a pipe"):
        outcome = shell("load", tmp_path / "pipe.json", "/dev/null", "/dev/zero", good, "--json")
    statuses = [report["status"] for report in outcome.document["files"]]
    assert statuses == ["failed", "failed", "failed", "loaded"]
