"""Folders of runs for tests, made by hand: what `run` writes, with any window and any content."""

import hashlib
import json
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from recovery_batch.clock import parse_instant
from recovery_batch.outreach.batches import ENDPOINTS
from recovery_batch.store import Store
from tests.e2e.commands import Shell
from tests.e2e.exports import ORGANIZATION, element, encoded

RUN_ID = "20261001T150000Z-0123456789ab"
OPEN = ("2020-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
NOT_YET = ("2099-01-01T00:00:00Z", "2100-01-01T00:00:00Z")
OVER = ("2020-01-01T00:00:00Z", "2020-01-02T00:00:00Z")


@dataclass(frozen=True)
class RunFile:
    """A file of a run; `window` is its not-before and its not-after."""

    path: str
    content: bytes
    records: int = 1
    kind: str = "declined"
    window: tuple[str, str] = OPEN


def declined(number: int, *payments: str, **options: Any) -> RunFile:
    """A file of declined payments; without ids it holds one of its own."""
    ids = payments or (f"p{number}",)
    return RunFile(f"declined-payments/a/{number:04d}.json", declined_body(*ids), len(ids), **options)


def declined_body(*payments: str) -> bytes:
    return encoded({"organization_code": ORGANIZATION, "external_data": [element(each) for each in payments]})


def flows(number: int, *sessions: str, **options: Any) -> RunFile:
    """A file of abandoned flows, one a session."""
    content = b"".join(flow_body(each) + b"\n" for each in sessions)
    return RunFile(f"abandoned-flows/{number:04d}.ndjson", content, len(sessions), "abandoned", **options)


def flow_body(session: str) -> bytes:
    return encoded(
        {
            "customer": {"full_name": "ANA NOGAL", "phone_number": "+573101234567", "country_code": "CO"},
            "session": {
                "abandonment_timestamp": "2026-10-01T15:00:00Z",
                "flow_stage": "checkout",
                "platform": "web",
                "session_id": session,
            },
            "engagement": {"preferred_channel": "auto"},
        }
    )


def make_run(folder: Path, *files: RunFile, run_id: str = RUN_ID) -> Path:
    """Write the folder of a run."""
    folder.mkdir(parents=True, exist_ok=True)
    for each in files:
        path = folder / each.path
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(each.content)
    manifest = {"run_id": run_id, "files": [_entry(each) for each in files]}
    (folder / "manifest.json").write_text(json.dumps(manifest), encoding="utf-8")
    return folder


def _entry(file: RunFile) -> dict[str, Any]:
    return {
        "path": file.path,
        "sha256": hashlib.sha256(file.content).hexdigest(),
        "records": file.records,
        "kind": file.kind,
        "endpoint": ENDPOINTS[file.kind],
        "not_before": file.window[0],
        "not_after": file.window[1],
    }


def empty_store(path: Path) -> Shell:
    """Commands on a store with nothing in it."""
    with Store.open(path, write=True):
        return Shell(path)


def moment(text: str) -> datetime:
    return parse_instant(text)
