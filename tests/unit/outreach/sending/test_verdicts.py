"""What an answer means, for every status and every fault: sent again by itself only where nothing can have happened."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.outreach.sending.states import State
from recovery_batch.outreach.sending.transport import Answer
from recovery_batch.outreach.sending.verdicts import judge

NOW = datetime(2026, 10, 30, 15, tzinfo=UTC)


def answer(status: int | None, retry_after: str | None = None, fault: str | None = None, began: bool = True) -> Answer:
    return Answer(status, b"", retry_after, fault, began)


@given(
    status=st.none() | st.integers(100, 999),
    retry_after=st.none() | st.sampled_from(["0", "10", "soon", "", "-1"]) | st.text(max_size=20),
    fault=st.none() | st.just("broken"),
    began=st.booleans(),
)
def test_only_what_cannot_have_arrived_is_tried_again(
    status: int | None, retry_after: str | None, fault: str | None, began: bool
) -> None:
    if status is None:
        fault = "broken"
    verdict = judge(answer(status, retry_after, fault, began), NOW)
    if verdict.again:
        assert verdict.state is State.UNSENT
        assert (status is None and not began) or (fault is None and status in (429, 503))
    if verdict.stops:
        assert (verdict.state, fault) == (State.UNSENT, None)
        assert status in (401, 403, 404)
    if verdict.state is State.UNSENT:
        assert verdict.again != verdict.stops
    if verdict.state is State.ACCEPTED:
        assert fault is None
        assert status is not None
        assert 200 <= status < 300
    if verdict.state is State.REFUSED:
        assert fault is None
        assert status is not None
        assert 400 <= status < 500
    assert (verdict.message is None) == (verdict.state is State.ACCEPTED)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("120", 120.0),
        (" 7 ", 7.0),
        (format_datetime(NOW + timedelta(seconds=90), usegmt=True), 90.0),
        ("Fri, 30 Oct 2026 15:00:30 -0000", 30.0),
        ("Fri, 30-Oct-26 15:01:00 GMT", 60.0),
        (format_datetime(NOW - timedelta(days=1), usegmt=True), 0.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", 0.0),
        ("", None),
        ("soon", None),
        ("-5", None),
        ("1.5", None),
        ("1e3", None),
        ("٣", None),
        ("9" * 400, None),
        ("Fri, 99 Oct 2026 15:00:30 GMT", None),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    busy = judge(answer(503, text), NOW)
    assert (busy.again, busy.after) == (seconds is not None, seconds)
    assert busy.state is (State.UNKNOWN if seconds is None else State.UNSENT)
    limited = judge(answer(429, text), NOW)
    assert (limited.again, limited.after) == (True, seconds)
