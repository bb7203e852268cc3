"""The runs that happened, as a person looks at them: what each emitted, where its folder is, what was submitted."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Literal

from recovery_batch.clock import iso
from recovery_batch.errors import BadRequest
from recovery_batch.outreach.folder import MANIFEST
from recovery_batch.store import Store

Place = Literal["there", "staged", "missing"]


@dataclass(frozen=True, slots=True)
class ListedRun:
    """A run that happened.

    Attributes:
        run_id: Its id.
        as_of: Its instant.
        recorded_at: When it happened.
        files: How many files with requests it emitted.
        records: How many payments and flows stand in them.
        suppressed: How many matches and flows were left out.
        folder: Where its folder belongs.
        place: Whether the folder is there; staged: it is complete, and waits beside its place for the next run to move
            it; missing: it is neither here nor there.
        submissions: How many requests are in each state of a submission; empty: none was submitted.
    """

    run_id: str
    as_of: datetime
    recorded_at: datetime
    files: int
    records: int
    suppressed: int
    folder: Path
    place: Place
    submissions: Mapping[str, int]

    def as_json(self) -> dict[str, Any]:
        """The run in the shape of `outreach list --json`."""
        return {
            "run_id": self.run_id,
            "as_of": iso(self.as_of),
            "recorded_at": iso(self.recorded_at),
            "files": self.files,
            "records": self.records,
            "suppressed": self.suppressed,
            "folder": str(self.folder),
            "folder_is": self.place,
            "submissions": dict(self.submissions),
        }


def list_runs(store: Store, *, limit: int) -> tuple[list[ListedRun], int]:
    """The last runs, newest first, and how many there are in all.

    Raises:
        BadRequest: limit is below 1.
    """
    if limit < 1:
        raise BadRequest(f"limit is {limit}; allowed: 1 or more", details={"field": "limit"})
    submissions: dict[str, dict[str, int]] = {}
    for run_id, state, requests in store.frame("runs/listed_submissions").iter_rows():
        submissions.setdefault(run_id, {})[state] = requests
    runs, total = [], 0
    for row in store.frame("runs/listed", {"most": limit}).iter_rows(named=True):
        total = row.pop("runs")
        staged, folder = row.pop("staged"), Path(row.pop("folder"))
        place = _place(folder, None if staged is None else Path(staged))
        runs.append(ListedRun(**row, folder=folder, place=place, submissions=submissions.get(row["run_id"], {})))
    return runs, total


def _place(folder: Path, staged: Path | None) -> Place:
    if (folder / MANIFEST).is_file():
        return "there"
    return "staged" if staged is not None and (staged / MANIFEST).is_file() else "missing"
