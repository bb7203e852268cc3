"""The folder of a run as it may be sent: every file as its manifest says, every body as the contract says."""

from __future__ import annotations

import hashlib
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any, Final, Literal

import msgspec
from pydantic import AwareDatetime, BaseModel, ValidationError

from recovery_batch.contract.abandoned import AbandonedFlow
from recovery_batch.contract.declined import Request
from recovery_batch.errors import NotFound, Refused, SystemFailed
from recovery_batch.outreach.batches import ENDPOINTS, request_body
from recovery_batch.outreach.folder import MANIFEST, read_manifest

PaymentKey = tuple[str, str]
"""Organization and payment id."""
_SHOWN: Final = 5
RESTORE_IT: Final = (
    "Nothing was sent. Restore the folder from a copy, or, if nothing of the run was submitted, take it back: "
    "recovery-batch outreach withdraw RUN_ID"
)
"""What to do about a folder that was changed."""


class FolderChanged(Refused):
    """The folder of a run is not as the run wrote it."""

    slug = "folder_changed"


class _File(BaseModel):
    """What sending needs of an entry of the manifest."""

    path: str
    sha256: str
    records: int
    kind: Literal["declined", "abandoned"]
    endpoint: str
    not_before: AwareDatetime
    not_after: AwareDatetime


class _Manifest(BaseModel):
    run_id: str
    files: list[_File]


@dataclass(frozen=True, slots=True)
class Batch:
    """One file of a run, checked.

    Attributes:
        path: Its path in the folder.
        sha256: What its bytes add up to.
        records: How many payments, or flows.
        kind: declined: the file is one request. abandoned: each line is one.
        not_before: When its send window begins.
        not_after: The first instant after it.
        payments: The payments of a declined file.
    """

    path: str
    sha256: str
    records: int
    kind: str
    not_before: datetime
    not_after: datetime
    payments: tuple[PaymentKey, ...]

    @property
    def lines(self) -> Sequence[int]:
        """Its requests by line: 0 where the file is one request."""
        return (0,) if self.kind == "declined" else range(1, self.records + 1)


@dataclass(frozen=True, slots=True)
class SealedRun:
    """A run whose folder is as it was written."""

    folder: Path
    run_id: str
    batches: tuple[Batch, ...]
    manifest: Mapping[str, Any]

    def bodies(self, batch: Batch) -> Mapping[int, bytes]:
        """The request bodies of a file by line, read anew.

        Raises:
            FolderChanged: the file is not as it was any more.
        """
        return dict(zip(batch.lines, _split(_content(self.folder, batch.path, batch.sha256), batch.kind), strict=True))


def open_run(folder: Path) -> SealedRun:
    """Read and check the folder of a run.

    Raises:
        NotFound: no run is there.
        FolderChanged: the manifest is none, or a file is missing, was changed, or breaks the contract; names the files.
        SystemFailed: the disk refuses.
    """
    document = read_manifest(folder)
    if document is None:
        raise NotFound(f"no run at {folder}", hint=f"Name the folder of a run: the one with {MANIFEST}.")
    try:
        manifest = _Manifest.model_validate(document)
    except ValidationError as error:
        raise FolderChanged(f"{folder / MANIFEST}: {_places(error)}", hint=RESTORE_IT) from None
    batches: list[Batch] = []
    problems: list[str] = []
    for entry in manifest.files:
        try:
            batches.append(_batch(folder, entry))
        except FolderChanged as problem:
            problems.append(problem.message)
    if len({entry.path for entry in manifest.files}) < len(manifest.files):
        problems.append(f"{folder / MANIFEST}: names a file twice")
    if problems:
        more = f"\nand {len(problems) - _SHOWN} more" if len(problems) > _SHOWN else ""
        raise FolderChanged("\n".join(problems[:_SHOWN]) + more, hint=RESTORE_IT, details={"problems": problems})
    return SealedRun(folder, manifest.run_id, tuple(batches), document)


class _Key(msgspec.Struct):
    organization_code: str
    id: str


class _Element(msgspec.Struct):
    payment: _Key


class _Elements(msgspec.Struct):
    organization_code: str
    external_data: list[msgspec.Raw]


def without(body: bytes, payments: Container[PaymentKey]) -> bytes:
    """A request body of declined payments without some of them; the others byte for byte."""
    request = msgspec.json.decode(body, type=_Elements)
    keys = [msgspec.json.decode(raw, type=_Element).payment for raw in request.external_data]
    kept = [
        bytes(raw)
        for raw, key in zip(request.external_data, keys, strict=True)
        if (key.organization_code, key.id) not in payments
    ]
    return request_body(request.organization_code, kept)


def _batch(folder: Path, entry: _File) -> Batch:
    place = folder / entry.path
    if entry.endpoint != ENDPOINTS[entry.kind]:
        raise FolderChanged(f"{place}: the manifest names an endpoint that files of the kind {entry.kind} do not go to")
    bodies = list(_split(_content(folder, entry.path, entry.sha256), entry.kind))
    payments = tuple(_payments(place, bodies[0])) if entry.kind == "declined" else ()
    if entry.kind == "abandoned":
        for number, body in enumerate(bodies, 1):
            _check_flow(place, number, body)
    records = len(payments) if entry.kind == "declined" else len(bodies)
    if records != entry.records:
        raise FolderChanged(f"{place}: holds {records} records, its manifest says {entry.records}")
    return Batch(entry.path, entry.sha256, records, entry.kind, entry.not_before, entry.not_after, payments)


def _content(folder: Path, path: str, sha256: str) -> bytes:
    parts = PurePosixPath(path)
    place = folder / parts
    if parts.is_absolute() or ".." in parts.parts or not place.resolve().is_relative_to(folder.resolve()):
        raise FolderChanged(f"{folder / MANIFEST}: names a file outside of the folder")
    try:
        content = place.read_bytes()
    except (FileNotFoundError, NotADirectoryError, IsADirectoryError):
        raise FolderChanged(f"{place}: is missing") from None
    except OSError as error:
        raise SystemFailed(f"{place}: {error.strerror}", hint="Check the folder and its permissions.") from error
    if hashlib.sha256(content).hexdigest() != sha256:
        raise FolderChanged(f"{place}: was changed: its SHA-256 is not that of its manifest")
    return content


def _split(content: bytes, kind: str) -> Iterator[bytes]:
    if kind == "declined":
        yield content
    elif content:
        yield from content.removesuffix(b"\n").split(b"\n")


def _payments(place: Path, body: bytes) -> Iterator[PaymentKey]:
    try:
        request = Request.model_validate_json(body)
    except ValidationError as error:
        raise FolderChanged(f"{place}: breaks the contract: {_places(error)}") from None
    for number, each in enumerate(request.external_data):
        if each.payment.organization_code != request.organization_code:
            raise FolderChanged(f"{place}: breaks the contract: record {number} is of another organization")
        yield each.payment.organization_code, each.payment.id


def _check_flow(place: Path, line: int, body: bytes) -> None:
    try:
        AbandonedFlow.model_validate_json(body)
    except ValidationError as error:
        raise FolderChanged(f"{place}, line {line}: breaks the contract: {_places(error)}") from None


def _places(error: ValidationError) -> str:
    """Where a document is wrong, without what stood there: it may be personal."""
    found = [f"{'/'.join(map(str, each['loc'])) or 'the document'} ({each['type']})" for each in error.errors()]
    more = f" and {len(found) - _SHOWN} more" if len(found) > _SHOWN else ""
    return ", ".join(found[:_SHOWN]) + more
