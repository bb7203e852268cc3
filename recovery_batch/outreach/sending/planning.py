"""What of a run would be sent now, and what would not, and why."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType

from recovery_batch.outreach.sending.journal import Entry, RequestKey
from recovery_batch.outreach.sending.sealed import Batch, PaymentKey
from recovery_batch.outreach.sending.states import MAY_HAVE_ARRIVED, State

Held = Mapping[tuple[str, PaymentKey | int], str]
"""Records that are not to be sent any more, and why: by file, and payment or line of an abandoned flow."""


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
        left_out: Payments of the file that are not sent with it.
    """

    batch: Batch
    line: int
    state: State
    attempts: int = 0
    status_code: int | None = None
    message: str | None = None
    left_out: frozenset[PaymentKey] = frozenset()

    @property
    def key(self) -> RequestKey:
        """What tells it from the other requests of its run."""
        return self.batch.path, self.line

    @property
    def records(self) -> int:
        """How many payments or flows it holds."""
        return self.batch.records - len(self.left_out) if self.line == 0 else 1


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


class Turns:
    """The requests of a run, in the order of the manifest, and what is decided when the turn of each comes.

    What a request holds depends on what became of those before it: a payment that one of them has sent is left out.

    Attributes:
        requests: Where each stands, whatever the others send.
    """

    def __init__(
        self, requests: Sequence[Planned], taken: Mapping[PaymentKey, str], choices: Choices, held: Held
    ) -> None:
        """Begin with what has been sent so far."""
        self.requests = [_without_held_lines(each, held) if each.state is State.DUE else each for each in requests]
        self._held = held
        self._repeat = choices.repeat
        self._owners: dict[PaymentKey, str] = {} if choices.repeat else _owners(self.requests, taken)

    def decide(self, request: Planned) -> Planned:
        """A request as it is to be sent, or is not, if its turn is now."""
        if request.state is not State.DUE or request.line:
            return request
        return _without_payments(request, self._held, self._owners)

    def sent(self, request: Planned) -> None:
        """Remember what a request has sent, or may have."""
        if not self._repeat:
            payments = set(request.batch.payments) - request.left_out
            self._owners.update(dict.fromkeys(payments, request.batch.path))

    def standing(self) -> list[Planned]:
        """Where every request stands if none of the others goes out before it."""
        return [self.decide(each) for each in self.requests]

    def plan(self) -> list[Planned]:
        """Where every request will stand when its turn comes, if the other side accepts all before it."""
        before = dict(self._owners)
        planned = []
        for each in self.requests:
            decided = self.decide(each)
            if decided.state is State.DUE:
                self.sent(decided)
            planned.append(decided)
        self._owners = before
        return planned


def turns(
    batches: Sequence[Batch],
    entries: Mapping[RequestKey, Entry],
    taken: Mapping[PaymentKey, str],
    now: datetime,
    choices: Choices,
    held: Held = MappingProxyType({}),
) -> Turns:
    """The requests of a run, and what is known of them.

    Args:
        batches: The files of the run.
        entries: What the journal has of it.
        taken: Payments that requests of other runs have sent, or may have, and in which file.
        now: The time.
        choices: What the user said.
        held: Records that are not to be sent any more.
    """
    planned = [
        _stands(batch, line, entries.get((batch.path, line)), now, choices) for batch in batches for line in batch.lines
    ]
    return Turns(planned, taken, choices, held)


def _owners(planned: Sequence[Planned], taken: Mapping[PaymentKey, str]) -> dict[PaymentKey, str]:
    """Which request has sent a payment, or may have."""
    owners = dict(taken)
    for each in planned:
        if each.state in MAY_HAVE_ARRIVED:
            owners.update(dict.fromkeys(each.batch.payments, each.batch.path))
    return owners


def _without_held_lines(request: Planned, held: Held) -> Planned:
    reason = held.get((request.batch.path, request.line)) if request.line else None
    return request if reason is None else dataclasses.replace(request, state=State.WITHHELD, message=reason)


def _without_payments(request: Planned, held: Held, owners: Mapping[PaymentKey, str]) -> Planned:
    """A request without the payments that are not to be sent any more, or that another request sends.

    One of which nothing is left is not sent.
    """
    path, payments = request.batch.path, request.batch.payments
    withheld = {key: reason for key in payments if (reason := held.get((path, key))) is not None}
    repeats = {key: owners[key] for key in payments if key in owners and key not in withheld}
    left_out = frozenset(withheld) | frozenset(repeats)
    if not left_out:
        return request
    message = f"{len(left_out)} of {len(payments)} records left out: {_in_words(withheld, repeats)}"
    if len(left_out) < len(payments):
        return dataclasses.replace(request, left_out=left_out, message=message)
    return dataclasses.replace(request, state=State.REPEATED if repeats else State.WITHHELD, message=message)


def _in_words(withheld: Mapping[PaymentKey, str], repeats: Mapping[PaymentKey, str]) -> str:
    counts = Counter(withheld.values())
    parts = [f"{reason} {counts[reason]}" for reason in sorted(counts)]
    if repeats:
        others = Counter(repeats.values())
        other, _ = others.most_common(1)[0]
        more = f" and {len(others) - 1} more" if len(others) > 1 else ""
        parts.append(f"in another request, too {len(repeats)} ({other}{more})")
    return ", ".join(parts)


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
