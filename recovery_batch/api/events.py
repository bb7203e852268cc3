"""What happens in the nightly commands, told to whoever keeps a log: the name of an event, and fields of one list.

The list is closed, and no field of it can hold a name, a phone number, an e-mail address, a user id or a text of the
data: mypy refuses any other, and the log of the command line leaves it out.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol, TypedDict, Unpack

Level = Literal["info", "warning", "error"]


class Fields(TypedDict, total=False):
    """Everything that a log may say besides when, how grave and what, in the order in which it is written.

    Times are ISO 8601 in UTC. Counts are of what the event is about.
    """

    # which run, and where
    run_id: str
    as_of: str
    repeated: bool
    """Whether the run was there already, and is left as it is."""
    step: str
    """What the command is at: a word of the code."""
    folder: str
    path: str
    """A file of a run's folder, as its manifest names it; of a load, the name of the export."""
    kind: str
    campaign_id: str
    organization_code: str
    channel: str
    # how much
    campaigns: int
    payments: int
    matched: int
    sent: int
    suppressed: Mapping[str, int]
    """Counts by reason."""
    flows: int
    files: int
    records: int
    bytes: int
    amounts: Mapping[str, str]
    """Exact sums by currency."""
    settled_before: int
    contacts: int
    max_contacts: int
    unusual: int
    """How many figures are unusual against the last runs."""
    warnings: int
    rows: int
    # what a load made of its records
    inserted: int
    updated: int
    unchanged: int
    quarantined: int
    forgotten: int
    not_submittable: int
    # the newest load
    newest_load_at: str | None
    newest_load_hours: int
    # submission
    host: str
    requests: int
    attempt: int
    status: int
    """The status of an HTTP answer."""
    outcomes: Mapping[str, int]
    """Counts by what became of requests."""
    # who holds a lock, how a command ended, how long it took
    process: int
    slug: str
    exit_status: int
    place: str
    """The module and line of a bug."""
    seconds: float


class Log(Protocol):
    """Takes an event: `log("run_recorded", run_id=run_id, files=12)`."""

    def __call__(self, event: str, /, level: Level = "info", **fields: Unpack[Fields]) -> None:
        """Tell of an event.

        Args:
            event: What happened, as a word of the code: `run_recorded`. Nothing of the data is put into it.
            level: How grave it is.
            **fields: What is to be said of it.
        """


def silent(event: str, /, level: Level = "info", **fields: Unpack[Fields]) -> None:
    """The log of whoever keeps none."""
