"""What an answer means: whether the request arrived, and whether it may be sent again.

Neither endpoint documents an idempotency key. So a request is sent again by itself only where nothing can have
happened: the server said so (429, or 503 with a time to come back at), or no byte of the body went out.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

from recovery_batch.outreach.sending.states import State
from recovery_batch.outreach.sending.transport import Answer

_SECONDS: Final = re.compile(r"[0-9]{1,9}")
_CONCERNS_EVERYTHING: Final = {
    401: "the keys were not accepted",
    403: "the keys may not do this",
    404: "there is no such endpoint at this address",
}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer means.

    Attributes:
        state: accepted, refused, unknown or unsent.
        message: What went wrong, in our words; None: nothing did.
        again: Whether the same request may be tried again at once.
        after: How many seconds the server asks to wait first; None: it does not say.
        stops: Whether every other request would fare the same.
    """

    state: State
    message: str | None = None
    again: bool = False
    after: float | None = None
    stops: bool = False


def judge(answer: Answer, now: datetime) -> Verdict:
    """What an answer means."""
    if answer.fault is None and answer.status_code is not None:
        return _judge_status(answer.status_code, answer, now)
    if answer.status_code is None and not answer.body_began:
        return Verdict(State.UNSENT, answer.fault, again=True)
    return Verdict(State.UNKNOWN, answer.fault)


def _judge_status(status: int, answer: Answer, now: datetime) -> Verdict:
    after = None if answer.retry_after is None else _seconds(answer.retry_after, now)
    if 200 <= status < 300:
        return Verdict(State.ACCEPTED)
    if status == 429 or (status == 503 and after is not None):
        return Verdict(State.UNSENT, f"the server is busy ({status})", again=True, after=after)
    if status in _CONCERNS_EVERYTHING:
        return Verdict(State.UNSENT, f"{_CONCERNS_EVERYTHING[status]} ({status})", stops=True)
    if 400 <= status < 500:
        return Verdict(State.REFUSED, f"the server refused it ({status})")
    return Verdict(State.UNKNOWN, f"the server answered {status}, which does not say whether it has the request")


def _seconds(text: str, now: datetime) -> float | None:
    """How long a Retry-After asks to wait: seconds, or until a date. None where it is neither."""
    if _SECONDS.fullmatch(text.strip()):
        return float(text)
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    return max(0.0, (moment.replace(tzinfo=moment.tzinfo or UTC) - now).total_seconds())
