"""The folder of a run held against its manifest: nothing missing, changed, strange, or open to others."""

from __future__ import annotations

import hashlib
import os
import stat
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from recovery_batch.campaigns.models import CHANNELS
from recovery_batch.clock import parse_instant
from recovery_batch.contract.abandoned import Engagement
from recovery_batch.contract.fields import documented
from recovery_batch.errors import NotFound, Problem
from recovery_batch.outreach.batches import ENDPOINTS
from recovery_batch.outreach.folder import MANIFEST
from recovery_batch.outreach.validating.bodies import Tally, amount_texts, check_bodies
from recovery_batch.outreach.validating.manifests import BatchEntry, FileEntry, Manifest, read_manifest_text

REFUSED: Final = "refused"
"""The folder that submission adds, with what the other side refused; no manifest names what is in it."""

_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


@dataclass(frozen=True, slots=True)
class Validation:
    """What a check of a folder found.

    Attributes:
        folder: The folder.
        run_id: Of its manifest; None: that cannot be read.
        files: How many files with requests the manifest names.
        records: How many payments and flows could be read.
        problems: Everything that is wrong; file and place, never what stood there.
    """

    folder: Path
    run_id: str | None
    files: int
    records: int
    problems: tuple[Problem, ...]

    def as_json(self) -> dict[str, Any]:
        """The findings in the shape of `outreach validate --json`."""
        return {
            "folder": str(self.folder),
            "run_id": self.run_id,
            "files": self.files,
            "records": self.records,
            "problems": [problem.as_json() for problem in self.problems],
        }


def validate_folder(folder: Path) -> Validation:
    """Hold the folder of a run against its manifest, and every request body against the contract.

    Raises:
        NotFound: there is no such folder.
    """
    if not folder.is_dir():
        raise NotFound(f"no folder {folder}", hint="recovery-batch outreach list shows the folders of runs.")
    tally = Tally(problems=list(_open_to_others(folder)))
    content = _content(folder, MANIFEST, tally)
    manifest = None
    if content is not None:
        read = read_manifest_text(content)
        if isinstance(read, Manifest):
            manifest = read
            _check(folder, manifest, tally)
        else:
            tally.problems += read
    problems = tuple(tally.problems)
    if manifest is None:
        return Validation(folder, None, 0, 0, problems)
    return Validation(folder, manifest.run_id, len(manifest.files), tally.records, problems)


def _check(folder: Path, manifest: Manifest, tally: Tally) -> None:
    if manifest.run_id != folder.resolve().name:
        tally.problems.append(_of_manifest("/run_id", "not the name of the folder", folder.resolve().name))
    tally.problems += _strangers(folder, manifest)
    for place, entry in enumerate(manifest.files):
        tally.problems += _wrong_entry(entry, f"/files/{place}")
        content = _checked_content(folder, entry, tally)
        if content is not None:
            check_bodies(entry, content, tally)
    for other in manifest.other_files:
        _checked_content(folder, other, tally)
    tally.problems += list(_wrong_totals(manifest, tally))


def _open_to_others(folder: Path) -> Iterator[Problem]:
    """What somebody else than the owner may read, or what leads out of the folder."""
    for path in (folder, *sorted(folder.rglob("*"))):
        name = path.relative_to(folder).as_posix()
        mode = path.lstat().st_mode
        if path != folder and not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            yield Problem("", "a link or a device", None, "files and folders", source=name)
        elif path.stat().st_mode & _OTHERS:
            allowed = "0700" if path.is_dir() else "0600"
            yield Problem("", f"mode {path.stat().st_mode & 0o777:04o}", None, allowed, source=name)


def _strangers(folder: Path, manifest: Manifest) -> Iterator[Problem]:
    """Files that the manifest does not name, and files that it names twice."""
    named = Counter([MANIFEST, *(each.path for each in (*manifest.files, *manifest.other_files))])
    for base, folders, files in os.walk(folder):
        if Path(base) == folder and REFUSED in folders:
            folders.remove(REFUSED)
        for file in sorted(files):
            name = (Path(base) / file).relative_to(folder).as_posix()
            if name not in named:
                yield Problem("", "not in the manifest", None, "files of the run", source=name)
    for name, times in named.items():
        if times > 1:
            yield Problem("", "named more than once", None, "each file once", source=name)


def _checked_content(folder: Path, entry: FileEntry, tally: Tally) -> bytes | None:
    """The content of a file; None where there is none. It is read further even where it was changed."""
    content = _content(folder, entry.path, tally)
    if content is not None and (len(content), hashlib.sha256(content).hexdigest()) != (entry.bytes, entry.sha256):
        sizes = f"{len(content)} bytes, the manifest says {entry.bytes}"
        message = f"changed since it was written ({sizes})" if len(content) != entry.bytes else "changed, of equal size"
        tally.problems.append(Problem("", message, None, "SHA-256 of the manifest", source=entry.path))
    return content


def _content(folder: Path, name: str, tally: Tally) -> bytes | None:
    try:
        return (folder / name).read_bytes()
    except OSError as error:
        message = f"cannot be read ({error.strerror})"
        tally.problems.append(Problem("", message, None, "a file of the run", source=name))
        return None


def _wrong_entry(entry: BatchEntry, pointer: str) -> Iterator[Problem]:
    """What a manifest says of a file that cannot be."""
    is_declined = entry.kind == "declined"
    for name, value in (("campaign_id", entry.campaign_id), ("organization_code", entry.organization_code)):
        if (value is not None) != is_declined:
            allowed = "a value" if is_declined else "null"
            yield _of_manifest(f"{pointer}/{name}", f"not as {entry.kind} records have it", allowed)
    if entry.endpoint != ENDPOINTS[entry.kind]:
        yield _of_manifest(f"{pointer}/endpoint", "not that of its kind", ENDPOINTS[entry.kind])
    channel = next(each for each in documented(Engagement) if each.name == "preferred_channel").meaning
    assert channel is not None
    if entry.channel not in CHANNELS if is_declined else not channel.holds(entry.channel):
        allowed = ", ".join(CHANNELS) if is_declined else channel.allowed
        yield _of_manifest(f"{pointer}/channel", "not a channel of its kind", allowed)
    if parse_instant(entry.not_before) >= parse_instant(entry.not_after):
        yield _of_manifest(f"{pointer}/not_after", "not after not_before", "a later instant")


def _wrong_totals(manifest: Manifest, tally: Tally) -> Iterator[Problem]:
    """Totals that do not foot: to what the manifest says of the files, and to what was read."""
    totals, files = manifest.totals, manifest.files
    suppressed = sum(manifest.suppressed.values())
    sums = {
        "files": (totals.files, len(files)),
        "records": (totals.records, sum(entry.records for entry in files)),
        "bytes": (totals.bytes, sum(entry.bytes for entry in files)),
        "suppressed": (totals.suppressed, suppressed),
        "matched": (totals.matched, totals.records + suppressed),
    }
    if not tally.problems:  # else what was read is not all that there is
        sums["repeated_records"] = (totals.repeated_records, tally.repeated_payments)
        if totals.amounts != amount_texts(tally.amounts):
            yield _of_manifest("/totals/amounts", "does not foot", "the sums of the files, by currency")
    for name, (said, found) in sums.items():
        if said != found:
            yield _of_manifest(f"/totals/{name}", f"{said} does not foot", str(found))


def _of_manifest(place: str, message: str, allowed: str) -> Problem:
    return Problem(place, message, None, allowed, source=MANIFEST)
