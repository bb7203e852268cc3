"""What of a run is due, and what is not: windows, what became of a request before, and payments that repeat."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.outreach.sending.journal import Entry
from recovery_batch.outreach.sending.planning import Choices, Held, turns
from recovery_batch.outreach.sending.sealed import Batch
from recovery_batch.outreach.sending.states import MAY_HAVE_ARRIVED, State

NOW = datetime(2026, 10, 30, 15, tzinfo=UTC)
HOUR = timedelta(hours=1)
STORED = (State.SENDING, State.ACCEPTED, State.REFUSED, State.UNKNOWN, State.UNSENT)


def batch(number: int, payments: tuple[str, ...], opens: int = -1, closes: int = 1) -> Batch:
    keys = tuple(("o", payment) for payment in payments)
    return Batch(f"{number}", "", len(keys), "declined", NOW + opens * HOUR, NOW + closes * HOUR, keys)


def entry(path: str, state: State, line: int = 0) -> Entry:
    return Entry("r", path, line, state, 2, 500, "before", NOW)


@pytest.mark.parametrize("stored", STORED)
@pytest.mark.parametrize(
    ("opens", "closes", "window"), [(-1, 1, State.DUE), (1, 2, State.NOT_DUE), (-2, -1, State.EXPIRED)]
)
def test_what_became_of_a_request_counts_before_its_window(
    stored: State, opens: int, closes: int, window: State
) -> None:
    one = batch(1, ("p",), opens, closes)
    (planned,) = turns([one], {("1", 0): entry("1", stored)}, {}, NOW, Choices()).plan()
    assert planned.state is (window if stored is State.UNSENT else stored)
    assert (planned.attempts, planned.status_code) == (2, 500)
    (anew,) = turns([one], {}, {}, NOW, Choices()).plan()
    assert (anew.state, anew.attempts, anew.message) == (window, 0, None)
    (always,) = turns([one], {}, {}, NOW, Choices(any_time=True)).plan()
    assert always.state is State.DUE


def test_each_line_of_a_file_of_flows_is_a_request() -> None:
    flows = Batch("f", "", 3, "abandoned", NOW - HOUR, NOW + HOUR, ())
    planned = turns([flows], {("f", 2): entry("f", State.ACCEPTED, 2)}, {}, NOW, Choices()).plan()
    assert [(each.line, each.state.value, each.records) for each in planned] == [
        (1, "due", 1), (2, "accepted", 1), (3, "due", 1),
    ]  # fmt: skip


runs = st.lists(
    st.tuples(
        st.lists(st.sampled_from("abcdef"), min_size=1, max_size=3, unique=True),
        st.none() | st.sampled_from(STORED),
        st.sampled_from([(-1, 1), (1, 2), (-2, -1)]),
    ),
    max_size=6,
)


@given(run=runs, elsewhere=st.sets(st.sampled_from("abcdef"), max_size=2))
def test_no_payment_goes_out_twice(
    run: list[tuple[list[str], State | None, tuple[int, int]]], elsewhere: set[str]
) -> None:
    batches = [batch(number, tuple(payments), *window) for number, (payments, _, window) in enumerate(run)]
    entries = {(str(n), 0): entry(str(n), state) for n, (_, state, _) in enumerate(run) if state is not None}
    taken = {("o", payment): "elsewhere" for payment in elsewhere}
    planned = turns(batches, entries, taken, NOW, Choices()).plan()
    out = set(taken) | {key for each in planned if each.state in MAY_HAVE_ARRIVED for key in each.batch.payments}
    for each in planned:
        payments = set(each.batch.payments)
        repeated = out & payments if each.state in (State.DUE, State.REPEATED) else set()
        if each.state is State.DUE:
            assert each.left_out == repeated < payments
            assert each.records == len(payments) - len(repeated)
            out |= payments
        elif each.state is State.REPEATED:
            assert repeated == payments
        if repeated:
            assert each.message is not None
            assert each.message.startswith(f"{len(repeated)} of {len(payments)} records left out: ")
    repeating = turns(batches, entries, taken, NOW, Choices(repeat=True)).plan()
    assert [each.state for each in repeating] == [
        State.DUE if each.state is State.REPEATED else each.state for each in planned
    ]
    assert not any(each.left_out for each in repeating)


@given(run=runs, no_more=st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["paid", "said no"])))
def test_nobody_is_sent_who_is_not_to_be_contacted_any_more(
    run: list[tuple[list[str], State | None, tuple[int, int]]], no_more: dict[str, str]
) -> None:
    batches = [batch(number, tuple(payments)) for number, (payments, _, _) in enumerate(run)]
    held: Held = {(each.path, ("o", name)): reason for each in batches for name, reason in no_more.items()}
    for each in turns(batches, {}, {}, NOW, Choices(repeat=True), held).plan():
        theirs = {key for key in each.batch.payments if key[1] in no_more}
        assert each.state is (State.WITHHELD if theirs == set(each.batch.payments) else State.DUE)
        if each.state is State.DUE:
            assert each.left_out == theirs
