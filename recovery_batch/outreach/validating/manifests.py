"""A manifest as a check reads it: the fields that say what a folder holds, each of the type that it must be."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Annotated, Any, Final, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from recovery_batch.clock import parse_instant
from recovery_batch.errors import Problem, escape_pointer
from recovery_batch.ingest.decoding import decoded
from recovery_batch.outreach.folder import MANIFEST
from recovery_batch.outreach.manifest import FORMAT_VERSION


def _inside(path: str) -> str:
    """Refuse a path that leads out of the folder, or is not spelled as the folder's own files are."""
    parts = PurePosixPath(path).parts
    if not path or ".." in parts or path != "/".join(parts) or "\0" in path:
        raise ValueError("a path inside the folder")
    return path


def _instant(text: str) -> str:
    parse_instant(text)
    return text


Count = Annotated[int, Field(ge=0)]
Path = Annotated[str, AfterValidator(_inside)]
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]
Instant = Annotated[str, AfterValidator(_instant)]
Amounts = dict[str, str]


class _Part(BaseModel):
    model_config = ConfigDict(strict=True, frozen=True)


class FileEntry(_Part):
    """What a manifest says of any file."""

    path: Path
    sha256: Sha256
    bytes: Count


class BatchEntry(FileEntry):
    """What a manifest says of a file with requests."""

    records: Count
    kind: Literal["declined", "abandoned"]
    organization_code: str | None
    campaign_id: str | None
    channel: str
    endpoint: str
    not_before: Instant
    not_after: Instant
    amounts: Amounts


class Totals(_Part):
    """The sums over all files."""

    files: Count
    records: Count
    repeated_records: Count
    bytes: Count
    matched: Count
    suppressed: Count
    amounts: Amounts


class Manifest(_Part):
    """What a manifest says of the folder."""

    format: Annotated[int, Field(ge=FORMAT_VERSION, le=FORMAT_VERSION)]
    run_id: str
    files: list[BatchEntry]
    other_files: list[FileEntry]
    totals: Totals
    suppressed: dict[str, Count]


_MISSING: Final = "missing"


def read_manifest_text(content: bytes) -> Manifest | list[Problem]:
    """A manifest, or what keeps it from being one; what stood there is not repeated."""
    value, fault = decoded(content)
    if fault is not None:
        return [_problem("", "cannot be read", fault.expected)]
    try:
        return Manifest.model_validate(value)
    except ValidationError as error:
        found: list[Any] = error.errors(include_url=False, include_input=False, include_context=False)
        return [
            _problem(
                "".join(f"/{escape_pointer(str(key))}" for key in each["loc"]),
                "missing" if each["type"] == _MISSING else "not what a manifest has there",
                "a value" if each["type"] == _MISSING else each["msg"],
            )
            for each in found
        ]


def _problem(place: str, message: str, allowed: str) -> Problem:
    return Problem(place, message, None, allowed, source=MANIFEST)
