"""When to try again: stamina's backoff, told to whoever waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from recovery_batch.errors import StoreLocked
from recovery_batch.store import Store

if TYPE_CHECKING:
    from stamina.instrumentation import RetryDetails


@dataclass(frozen=True, slots=True)
class Pace:
    """How long is waited, in seconds.

    Attributes:
        first_wait: Before a request is tried for the second time; doubled each time after that.
        longest_wait: At most so long, where the server names no time.
        jitter: At most so much more, by chance, so that many clients do not come back at once.
        longest_retry_after: At most so long, where the server names a time.
        store_patience: For a store that another process holds, in all.
    """

    first_wait: float = 0.5
    longest_wait: float = 30.0
    jitter: float = 0.5
    longest_retry_after: float = 300.0
    store_patience: float = 60.0


DEFAULT_PACE: Final = Pace()


class TryAgain(Exception):
    """What was tried did nothing, and may be tried again.

    Attributes:
        tell: Is told how many seconds are waited.
        after: How long to wait; None: as the backoff says.
    """

    def __init__(self, tell: Callable[[float], None], after: float | None = None) -> None:
        super().__init__()
        self.tell = tell
        self.after = after


def attempts(number: int, pace: Pace) -> Iterator[AbstractContextManager[None]]:
    """Contexts that swallow `TryAgain` and wait, but the last, which lets it through."""
    import stamina

    def wait(error: Exception) -> bool | float:
        if not isinstance(error, TryAgain):
            return False
        return True if error.after is None else min(error.after, pace.longest_retry_after)

    _tell_waits()
    yield from stamina.retry_context(
        on=wait,
        attempts=number,
        timeout=None,
        wait_initial=pace.first_wait,
        wait_max=pace.longest_wait,
        wait_jitter=pace.jitter,
    )


def until_free(pace: Pace) -> Iterator[AbstractContextManager[None]]:
    """Contexts that wait for a store that another process holds, until patience ends."""
    import stamina

    _tell_waits()
    yield from stamina.retry_context(
        on=StoreLocked, attempts=None, timeout=pace.store_patience, wait_initial=0.05, wait_max=2.0, wait_jitter=0.1
    )


@contextmanager
def open_when_free(db: Path, *, write: bool, pace: Pace) -> Iterator[Store]:
    """Open a store that is there, as soon as nobody else holds it.

    Raises:
        StoreMissing: there is none.
        StoreLocked: another process held it too long.
    """
    with ExitStack() as stack:
        for attempt in until_free(pace):
            with attempt:  # opening alone is tried again, never what is done with the store
                store = stack.enter_context(Store.open(db, write=write, make=False))
        yield store


def _tell_waits() -> None:
    """Take the place of what stamina does by itself: write to a log that nobody set up, on standard output."""
    from stamina.instrumentation import set_on_retry_hooks

    set_on_retry_hooks([_tell])


def _tell(details: RetryDetails) -> None:
    if isinstance(details.caused_by, TryAgain):
        details.caused_by.tell(details.wait_for)
