"""Sending what is due, one request after the other: record, send, record, go on."""

from __future__ import annotations

import dataclasses
import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any, Final

from recovery_batch.errors import AppError, Refused, SystemFailed
from recovery_batch.outreach.sending.access import Keys
from recovery_batch.outreach.sending.journal import Entry, Journal
from recovery_batch.outreach.sending.planning import Choices, Planned, Turns, is_over
from recovery_batch.outreach.sending.sealed import SealedRun, without
from recovery_batch.outreach.sending.states import MAY_HAVE_ARRIVED, State
from recovery_batch.outreach.sending.transport import Transport
from recovery_batch.outreach.sending.verdicts import Verdict, judge
from recovery_batch.outreach.sending.waiting import TryAgain, attempts
from recovery_batch.reporting.formats import plural
from recovery_batch.settings import Submit

if TYPE_CHECKING:
    from pyrate_limiter import Limiter

REFUSED_FOLDER: Final = "refused"
"""The folder in that of a run that keeps what the other side said of the requests that it refused."""
_BROKEN_OFF: Final = "broken off before an answer came"
_MILLISECONDS: Final = 1_000


class Unreachable(SystemFailed):
    """The other side cannot be reached, or is too busy: nothing more is sent."""

    slug = "unreachable"


class AccessRefused(Refused):
    """The other side wants other keys, or another address: nothing more is sent."""

    slug = "access_refused"


@dataclass(frozen=True, slots=True)
class Sender:
    """What sending needs besides the requests.

    Attributes:
        run: The run whose requests are sent.
        journal: Where it is written down what became of them; it is held.
        settings: How fast, how often, how long.
        urls: Where to, by kind.
        keys: What opens the door.
        choices: What the user said.
        now: Tells the time.
        tell: Is told what takes long or went wrong, in a sentence without personal data.
        is_known: Whether the store knew the run when all this began.
    """

    run: SealedRun
    journal: Journal
    settings: Submit
    urls: Mapping[str, str]
    keys: Keys
    choices: Choices
    now: Callable[[], datetime]
    tell: Callable[[str], None]
    is_known: bool

    def send(self, turns: Turns) -> Iterator[Planned]:
        """Send what is due, and give every such request as it stands then, in order.

        Raises:
            Unreachable, AccessRefused: nothing more can be sent; what was given before stands.
            Overtaken: somebody else sends this run, too.
            RunWithdrawn: it was taken back meanwhile.
            StoreLocked: another process holds the store for too long.
            FolderChanged: a file is not what it was.
            KeyboardInterrupt: what was in flight is recorded as unknown.
        """
        from pyrate_limiter import Limiter, Rate

        # one at a time, evenly: a burst is what the other side would answer with 429
        rate = Rate(1, max(1, round(_MILLISECONDS / self.settings.requests_per_second)))
        with Transport(self.settings.timeout_seconds) as transport, Limiter(rate, buffer_ms=1) as limiter:
            path, bodies = "", {}
            for each in map(turns.decide, turns.requests):
                if each.state is not State.DUE:
                    continue
                if each.batch.path != path:
                    path, bodies = each.batch.path, dict(self.run.bodies(each.batch))
                body = without(bodies[each.line], each.left_out) if each.left_out else bodies[each.line]
                done = _Delivery(self, each, body).carry_out(transport, limiter)
                if done.state in MAY_HAVE_ARRIVED:
                    turns.sent(done)
                yield done


class _Delivery:
    """One request on its way."""

    def __init__(self, sender: Sender, request: Planned, body: bytes) -> None:
        self._sender = sender
        self._request = request
        self._body = body
        self._left_out = request.message if request.left_out else None
        self._tries_before = request.attempts

    @property
    def _name(self) -> str:
        line = f", line {self._request.line}" if self._request.line else ""
        return f"{self._request.batch.path}{line}"

    def carry_out(self, transport: Transport, limiter: Limiter) -> Planned:
        """Send it, again where that is safe, and give it as it stands then."""
        pace = self._sender.journal.pace
        try:
            for attempt in attempts(self._sender.settings.attempts, pace):
                with attempt:
                    limiter.try_acquire()
                    if is_over(self._request.batch, self._sender.now(), self._sender.choices):
                        return dataclasses.replace(self._request, state=State.EXPIRED)
                    verdict = self._attempt(transport)
                    if verdict.again:
                        raise TryAgain(self._announce, verdict.after)
        except TryAgain:
            tries = plural(self._request.attempts - self._tries_before, "try", "tries")
            raise Unreachable(
                f"{self._name}: {self._request.message}, after {tries}",
                hint="Nothing of it arrived. Submit again later; what was accepted is not sent again.",
            ) from None
        if verdict.stops:
            raise AccessRefused(
                f"{self._name}: {self._request.message}",
                hint="Nothing of it was taken. Check the keys, the base URL, and submit.headers in the settings.",
            )
        return self._request

    def _attempt(self, transport: Transport) -> Verdict:
        """Record that it is sent, send it, and record what came of it."""
        sender, kind = self._sender, self._request.batch.kind
        self._request = dataclasses.replace(
            self._request, state=State.SENDING, attempts=self._request.attempts + 1, status_code=None, message=None
        )
        sender.journal.begin(self._entry(), is_known=sender.is_known)
        try:
            answer = transport.post(sender.urls[kind], sender.keys.headers(sender.settings.headers), self._body)
        except BaseException:
            self._stands(Verdict(State.UNKNOWN, _BROKEN_OFF), None)
            raise
        verdict = judge(answer, sender.now())
        if verdict.state is State.REFUSED and not _keep(self._refusal, answer.body):
            sender.tell(f"{self._name}: the server's answer could not be kept in {self._refusal}")
        self._stands(verdict, answer.status_code)
        return verdict

    @property
    def _refusal(self) -> Path:
        line = f".line-{self._request.line}" if self._request.line else ""
        return self._sender.run.folder / REFUSED_FOLDER / PurePosixPath(f"{self._request.batch.path}{line}.txt")

    def _stands(self, verdict: Verdict, status_code: int | None) -> None:
        self._request = dataclasses.replace(
            self._request,
            state=verdict.state,
            status_code=status_code,
            message="; ".join(each for each in (verdict.message, self._left_out) if each) or None,
        )
        with _uninterrupted():
            try:
                self._sender.journal.record(self._entry())
            except AppError as error:
                line = f" --line {self._request.line}" if self._request.line else ""
                raise type(error)(
                    f"{error.message}; {self._name} is {verdict.state}, and that could not be recorded",
                    hint="Until it is settled it counts as unknown: recovery-batch submissions resolve "
                    f"{self._sender.run.run_id} {self._request.batch.path}{line} "
                    f"{'accepted' if verdict.state is State.ACCEPTED else 'accepted|unsent'}",
                ) from error

    def _entry(self) -> Entry:
        each = self._request
        return Entry(
            run_id=self._sender.run.run_id,
            path=each.batch.path,
            line=each.line,
            state=each.state,
            attempts=each.attempts,
            status_code=each.status_code,
            message=each.message,
            changed_at=self._sender.now(),
        )

    def _announce(self, seconds: float) -> None:
        self._sender.tell(f"{self._name}: {self._request.message}; trying again in {seconds:.1f} seconds")


def _keep(path: Path, content: bytes) -> bool:
    """Keep an answer for its owner's eyes only: it is untrusted, and may hold personal data."""
    try:
        for folder in reversed([each for each in path.parents if not each.exists()]):
            folder.mkdir(mode=0o700)
        with suppress(FileNotFoundError):
            path.unlink()
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content)
    except OSError:
        return False
    return True


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Ctrl-C waits until what is inside is done."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    pressed: list[int] = []

    def press(number: int, _: Any) -> None:
        pressed.append(number)

    before = signal.signal(signal.SIGINT, press)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:
        raise KeyboardInterrupt
