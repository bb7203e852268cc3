"""Rate limits (SPEC 4, 6 and 7), and one contact an order: who is sent, decided one after the other for each user.

Whether a candidate is sent depends on what the same user was sent before, so the candidates of one user are a chain;
different users never touch. The k-th candidates of all users are decided together, for k = 0, 1, 2, …: as many rounds
as the heaviest user has candidates, each of them vectorised.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from recovery_batch.clock import DAY_US, Micros, WallClock

Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

SENT: Final = 0
UNIQUE: Final = 1
PER_DAY: Final = 2
SAME_ORDER: Final = 3
NO_ORDER: Final = -1
NO_LIMIT: Final = np.iinfo(np.int64).max


@dataclass(frozen=True, slots=True)
class Chains:
    """Candidates that may count towards limits, ordered by user and then by SPEC 4.

    Attributes:
        user: Number of the user, ascending.
        planned: When it would go out, microseconds UTC; ascending within a user.
        campaign: Number of the campaign.
        unique: Whether the campaign has UNIQUE_BY_USER.
        per_day: The campaign's smallest USER_COMMS_PER_DAY; NO_LIMIT without one.
        sent_that_day: Earlier communications of the user (the history) on the candidate's calendar day.
        order: Number of the campaign's order, where it contacts customers about one attempt at an order only;
            `NO_ORDER` otherwise.
        sent_by_campaign: Whether the campaign has sent to the user before (the history).
        day_spans: Pairs (first instant, first instant after) that make up the candidate's calendar day in its
            campaign's zone. One pair, but where a clock change puts a part of a day after the next one has begun.
    """

    user: Ints
    planned: Micros
    campaign: Ints
    unique: Flags
    per_day: Ints
    order: Ints
    sent_that_day: Ints
    sent_by_campaign: Flags
    day_spans: tuple[tuple[Micros, Micros], ...]


def day_spans(clock: WallClock, planned: Micros) -> tuple[tuple[Micros, Micros], ...]:
    """The spans of instants that have the same calendar day as each planned instant."""
    days = clock.local(planned) // DAY_US
    ends = np.append(clock.starts[1:], clock.end)
    first_day = (clock.starts + clock.offsets) // DAY_US
    last_day = (ends - 1 + clock.offsets) // DAY_US
    spans: list[tuple[Micros, Micros]] = []
    place = np.searchsorted(clock.starts, planned, side="right") - 1
    # a day can reach into the spans of constant offset just before and just after the one it was looked up in
    for step in (-1, 0, 1):
        other = np.clip(place + step, 0, len(clock.starts) - 1)
        there = (place + step == other) & (first_day[other] <= days) & (days <= last_day[other])
        begin = np.maximum(days * DAY_US - clock.offsets[other], clock.starts[other])
        finish = np.minimum((days + 1) * DAY_US - clock.offsets[other], ends[other])
        there &= begin < finish
        if there.any():
            spans.append((np.where(there, begin, planned), np.where(there, finish, planned)))
    return tuple(spans)


def decide(chains: Chains) -> npt.NDArray[np.int8]:
    """SENT, SAME_ORDER, UNIQUE or PER_DAY for each candidate, in the order given."""
    size = len(chains.user)
    if not size:
        return np.zeros(0, dtype=np.int8)
    starts, counts = _blocks(chains.user)
    bounds = _day_bounds(chains)
    earlier = _same_before(chains.user, chains.campaign)
    attempt = np.where(chains.order == NO_ORDER, size, _same_before(chains.user, chains.order))
    outcome = np.zeros(size, dtype=np.int8)
    # one more place a user than it has candidates: sent_before[p + n] is what user n was sent before candidate p
    sent_before = np.zeros(size + len(starts), dtype=np.int64)
    # of both the last place stands for "no earlier candidate"
    campaign_sent, order_sent = np.zeros(size + 1, dtype=np.bool_), np.zeros(size + 1, dtype=np.bool_)
    heaviest_first = np.argsort(-counts, kind="stable")
    first, shift = starts[heaviest_first], heaviest_first
    still_there = np.searchsorted(-counts[heaviest_first], -np.arange(counts.max()), side="left")
    for step, users in enumerate(still_there):
        here, slot = first[:users] + step, shift[:users]
        that_day = chains.sent_that_day[here]
        for low, high in bounds:
            that_day = that_day + sent_before[np.minimum(high[here], here) + slot]
            that_day = that_day - sent_before[np.minimum(low[here], here) + slot]
        before = campaign_sent[earlier[here]] | chains.sent_by_campaign[here]
        repeated = chains.unique[here] & before
        over = that_day >= chains.per_day[here]
        tried = order_sent[attempt[here]]
        outcome[here] = np.where(tried, SAME_ORDER, np.where(repeated, UNIQUE, np.where(over, PER_DAY, SENT)))
        sent = ~(tried | repeated | over)
        order_sent[here] = sent | tried
        campaign_sent[here] = sent | campaign_sent[earlier[here]]
        sent_before[here + slot + 1] = sent_before[here + slot] + sent
    return outcome


def _blocks(user: Ints) -> tuple[Ints, Ints]:
    starts = np.flatnonzero(np.append(True, user[1:] != user[:-1]))
    return starts, np.diff(np.append(starts, len(user)))


def _day_bounds(chains: Chains) -> list[tuple[Ints, Ints]]:
    """For each span of a candidate's day: the places, among the user's candidates, where it begins and ends."""
    instants = np.unique(np.concatenate([chains.planned, *(edge for span in chains.day_spans for edge in span)]))
    ranks = len(instants) + 1
    key = chains.user * ranks + np.searchsorted(instants, chains.planned)

    def place(edge: Micros) -> Ints:
        return np.searchsorted(key, chains.user * ranks + np.searchsorted(instants, edge), side="left")

    return [(place(begin), place(finish)) for begin, finish in chains.day_spans]


def _same_before(user: Ints, what: Ints) -> Ints:
    """The place of the previous candidate of the same user and the same of something; without one that after all."""
    size = len(user)
    order = np.lexsort((np.arange(size), what, user))
    same = (user[order][1:] == user[order][:-1]) & (what[order][1:] == what[order][:-1])
    earlier = np.full(size, size, dtype=np.int64)
    earlier[order[1:][same]] = order[:-1][same]
    return earlier
