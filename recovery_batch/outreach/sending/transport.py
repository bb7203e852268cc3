"""One request over HTTP: no redirects, no cookies, no proxy of the environment, a connection of its own.

What matters besides the answer is whether a byte of the body may have gone out. The HTTP library tells when it begins
to write the body; that moment counts, not what the network did with it.
"""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from socket import SHUT_RDWR, socket
from threading import Timer
from time import monotonic
from types import TracebackType
from typing import TYPE_CHECKING, Any, Final, Self

if TYPE_CHECKING:
    import httpx2

_MOST_OF_AN_ANSWER: Final = 1_000_000
"""So many bytes of an answer's body are read; what comes after them says nothing more about the outcome."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came of one request.

    Attributes:
        status_code: Of the answer; None: none came.
        body: The answer's body, or its beginning: not to be trusted, and perhaps personal.
        retry_after: The header Retry-After, as it came; None: there is none.
        fault: What went wrong on the way, in our words; None: a whole answer came.
        body_began: Whether a byte of the request's body may have gone out.
    """

    status_code: int | None
    body: bytes
    retry_after: str | None
    fault: str | None
    body_began: bool


class Transport:
    """Sends requests, one at a time. A context manager."""

    def __init__(self, timeout: float) -> None:
        """Prepare to send.

        Args:
            timeout: Seconds to connect in, and then seconds from the connection to the end of the answer.
        """
        import httpx2

        self._timeout = timeout
        self._http = httpx2.HTTPTransport(trust_env=False, limits=httpx2.Limits(max_keepalive_connections=0))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._http.close()

    def post(self, url: str, headers: Mapping[str, str], body: bytes) -> Answer:
        """Send a body of JSON once. Whatever the network does is an answer, never an exception."""
        import httpx2

        exchange = _Exchange(self._timeout)
        request = httpx2.Request(
            "POST",
            url,
            headers={
                "Content-Type": "application/json",
                "Accept": "application/json",
                "Accept-Encoding": "identity",
                "Connection": "close",
                "User-Agent": "recovery-batch",
                **headers,
            },
            content=body,
            extensions={"timeout": httpx2.Timeout(self._timeout).as_dict(), "trace": exchange.trace},
        )
        status_code, retry_after, content = None, None, b""
        try:
            with exchange.bounded():
                response = self._http.handle_request(request)
                status_code, retry_after = response.status_code, response.headers.get("Retry-After")
                try:
                    content = _beginning(response)
                finally:
                    response.close()
        except (httpx2.HTTPError, OSError) as error:
            return Answer(status_code, content, retry_after, exchange.fault(error), exchange.body_began)
        early = None if exchange.body_ended else "the answer came before the whole request was sent"
        return Answer(status_code, content, retry_after, early if status_code < 300 else None, exchange.body_began)


def _beginning(response: httpx2.Response) -> bytes:
    """The body of an answer as it came, or its first part."""
    content = b""
    for chunk in response.iter_raw():
        content += chunk
        if len(content) > _MOST_OF_AN_ANSWER:
            return content[:_MOST_OF_AN_ANSWER]
    return content


class _Exchange:
    """What is known of a request under way, and its end at the latest.

    The library's time-outs are of one read: a server that sends a byte now and then would never meet them. So a timer
    shuts the socket down.
    """

    def __init__(self, timeout: float) -> None:
        self.body_began = self.body_ended = False
        self._timeout = timeout
        self._began = monotonic()
        self._twin: socket | None = None
        self._timer = Timer(timeout, self._cut)
        self._timer.daemon = True

    def trace(self, event: str, info: dict[str, Any]) -> None:
        """Hear of an event of the library's."""
        if event == "connection.connect_tcp.complete":
            # a descriptor of its own: that of the library may be closed, and its number used again, at any moment
            self._twin = info["return_value"].get_extra_info("socket").dup()
            self._began = monotonic()
            self._timer.start()
        elif event.endswith(".send_request_body.started"):
            self.body_began = True
        elif event.endswith(".send_request_body.complete"):
            self.body_ended = True

    @contextmanager
    def bounded(self) -> Iterator[None]:
        """Until here the exchange must have ended."""
        try:
            yield
        finally:
            self._timer.cancel()
            if self._twin is not None:
                self._timer.join()
                self._twin.close()

    def fault(self, error: Exception) -> str:
        """What went wrong, without a word of the server's."""
        import httpx2

        if isinstance(error, httpx2.ConnectError):
            return _why_no_connection(error)
        if isinstance(error, httpx2.ConnectTimeout):
            return f"no connection within {self._timeout:g} seconds"
        if isinstance(error, httpx2.TimeoutException) or monotonic() - self._began >= self._timeout:
            return f"no whole answer within {self._timeout:g} seconds"
        if isinstance(error, httpx2.RemoteProtocolError):
            return "the answer broke off, or was no HTTP"
        return "the connection broke"

    def _cut(self) -> None:
        if self._twin is not None:
            with suppress(OSError):
                self._twin.shutdown(SHUT_RDWR)


def _why_no_connection(error: BaseException) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"no connection: the certificate is not valid ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return "no connection: no TLS with this server"
        if isinstance(cause, OSError) and cause.strerror:
            return f"no connection: {cause.strerror}"
        cause = cause.__cause__ or cause.__context__
    return "no connection"
