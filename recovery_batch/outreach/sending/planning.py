"""What of a run would be sent now, and what would not, and why."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from recovery_batch.outreach.sending.journal import Entry, RequestKey
from recovery_batch.outreach.sending.sealed import Batch, PaymentKey
from recovery_batch.outreach.sending.states import MAY_HAVE_ARRIVED, State


@dataclass(frozen=True, slots=True)
class Planned:
    """One request of a run, and where it stands.

    Attributes:
        batch: Its file.
        line: Its line; 0: the file is the request.
        state: Where it stands. One that is `unsent` is due again, or its window is over.
        attempts: How often it was tried.
        status_code: Of the last answer; None: none came.
        message: What a person should know of it; None: nothing.
    """

    batch: Batch
    line: int
    state: State
    attempts: int = 0
    status_code: int | None = None
    message: str | None = None

    @property
    def key(self) -> RequestKey:
        """What tells it from the other requests of its run."""
        return self.batch.path, self.line

    @property
    def records(self) -> int:
        """How many payments or flows it holds."""
        return self.batch.records if self.line == 0 else 1


@dataclass(frozen=True, slots=True)
class Choices:
    """What the user said.

    Attributes:
        any_time: Send outside of the send windows, too.
        repeat: Send payments that another request sends, too.
    """

    any_time: bool = False
    repeat: bool = False


def is_over(batch: Batch, now: datetime, choices: Choices) -> bool:
    """Whether the send window of a file has ended."""
    return now >= batch.not_after and not choices.any_time


def plan(
    batches: Sequence[Batch],
    entries: Mapping[RequestKey, Entry],
    taken: Mapping[PaymentKey, str],
    now: datetime,
    choices: Choices,
) -> list[Planned]:
    """Where every request stands, in the order of the manifest.

    Args:
        batches: The files of the run.
        entries: What the journal has of it.
        taken: Payments that requests of other runs have sent, or may have, and in which file.
        now: The time.
        choices: What the user said.
    """
    planned = [
        _stands(batch, line, entries.get((batch.path, line)), now, choices) for batch in batches for line in batch.lines
    ]
    return planned if choices.repeat else _without_repeats(planned, taken)


def _stands(batch: Batch, line: int, entry: Entry | None, now: datetime, choices: Choices) -> Planned:
    if now < batch.not_before and not choices.any_time:
        state = State.NOT_DUE
    else:
        state = State.EXPIRED if is_over(batch, now, choices) else State.DUE
    if entry is None:
        return Planned(batch, line, state)
    if entry.state is not State.UNSENT:
        state = entry.state
    return Planned(batch, line, state, entry.attempts, entry.status_code, entry.message)


def _without_repeats(planned: Sequence[Planned], taken: Mapping[PaymentKey, str]) -> list[Planned]:
    """Hold back each file that is due and holds a payment that went out before, or goes out with a file before it."""
    owners = dict(taken)
    for each in planned:
        if each.state in MAY_HAVE_ARRIVED:
            owners.update(dict.fromkeys(each.batch.payments, each.batch.path))
    judged = []
    for each in planned:
        repeats = Counter(owners[key] for key in each.batch.payments if key in owners)
        if each.state is State.DUE and repeats:
            judged.append(dataclasses.replace(each, state=State.REPEATED, message=_repeated(each, repeats)))
            continue
        if each.state is State.DUE:
            owners.update(dict.fromkeys(each.batch.payments, each.batch.path))
        judged.append(each)
    return judged


def _repeated(request: Planned, repeats: Counter[str]) -> str:
    other, _ = repeats.most_common(1)[0]
    more = f" and {len(repeats) - 1} more" if len(repeats) > 1 else ""
    records = f"{repeats.total()} of its {request.records} records"
    return f"{records} stand in another request, too: {other}{more}"
