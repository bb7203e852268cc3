"""The states of a request, and what each means to a person."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType
from typing import Final


class State(StrEnum):
    """Where a request stands. The store keeps the first five; the others follow from them and the time."""

    SENDING = "sending"
    ACCEPTED = "accepted"
    REFUSED = "refused"
    UNKNOWN = "unknown"
    UNSENT = "unsent"
    DUE = "due"
    NOT_DUE = "not_due"
    EXPIRED = "expired"
    REPEATED = "repeated"
    WITHHELD = "withheld"


MEANINGS: Final = MappingProxyType(
    {
        State.SENDING: "being sent by another process, or left by one that was killed",
        State.ACCEPTED: "the other side has it",
        State.REFUSED: "the other side will not have it: see the folder refused/",
        State.UNKNOWN: "it may have arrived: find out, then `submissions resolve`",
        State.UNSENT: "it did not arrive; the next submit sends it",
        State.DUE: "its turn: --yes sends it",
        State.NOT_DUE: "its send window has not begun",
        State.EXPIRED: "its send window is over: it is not sent any more",
        State.WITHHELD: "everybody in it has paid, said no, or was erased since: it is not sent",
        State.REPEATED: "holds only payments that another request sends: --repeat sends them again",
    }
)
"""What a person is told of each state."""

MAY_HAVE_ARRIVED: Final = frozenset({State.ACCEPTED, State.UNKNOWN, State.SENDING})
"""What must not be sent again by itself."""

NEEDS_A_PERSON: Final = frozenset({State.REFUSED, State.UNKNOWN, State.SENDING, State.REPEATED})
"""What a submission cannot settle alone."""
