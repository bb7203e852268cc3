"""A server on this machine that answers as it is told: well, late, wrongly, half, or not at all.

It counts what matters: how often it got the whole of which body.
"""

import socket
import struct
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import sleep

Behaviour = Callable[[socket.socket, bytes], None]
"""What is done with a connection whose request was read; gets the request's body."""


def answer(status: int, *headers: str, body: bytes = b"{}") -> Behaviour:
    """A whole answer."""

    def behave(connection: socket.socket, _: bytes) -> None:
        described = (f"Content-Length: {len(body)}", "Content-Type: application/json")
        lines = (f"HTTP/1.1 {status} Whatever", *described, *headers)
        connection.sendall("".join(f"{line}\r\n" for line in lines).encode() + b"\r\n" + body)

    return behave


def raw(content: bytes) -> Behaviour:
    """These bytes, and the end of the connection."""
    return lambda connection, _: connection.sendall(content)


def nothing(_: socket.socket, __: bytes) -> None:
    """No answer: the connection is closed."""


def drip(connection: socket.socket, _: bytes) -> None:
    """Headers that never end, a byte at a time."""
    with suppress(OSError):
        connection.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            sleep(0.02)
            connection.sendall(b"a")


def silent(connection: socket.socket, _: bytes) -> None:
    """No answer, while the connection stays open until the other side closes it."""
    with suppress(OSError):
        connection.recv(1)


def unread(connection: socket.socket, _: bytes) -> None:
    """The connection is reset before anything is read."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def half_read(connection: socket.socket, _: bytes) -> None:
    """The connection is reset when a part of the body was read."""
    unread(connection, b"")


@dataclass
class Server:
    """A server that does with each connection what stands next in `script`, and accepts when nothing does."""

    script: list[Behaviour] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    heads: list[str] = field(default_factory=list)
    connections: int = 0
    port: int = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/base"

    @property
    def counts(self) -> Counter[bytes]:
        """How often each body came whole."""
        return Counter(self.bodies)

    def _serve(self, listening: socket.socket) -> None:
        while True:
            try:
                connection, _ = listening.accept()
            except OSError:
                return
            self.connections += 1
            behaviour = self.script.pop(0) if self.script else answer(200)
            threading.Thread(target=self._talk, args=(connection, behaviour), daemon=True).start()

    def _talk(self, connection: socket.socket, behaviour: Behaviour) -> None:
        with connection, suppress(OSError):
            connection.settimeout(30)
            if behaviour is unread:
                unread(connection, b"")
                return
            head, body = b"", b""
            while b"\r\n\r\n" not in head:
                received = connection.recv(65536)
                if not received:
                    return
                head += received
            head, _, body = head.partition(b"\r\n\r\n")
            if behaviour is half_read:
                while not body:
                    body = connection.recv(65536)
                unread(connection, b"")
                return
            length = int(next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))[15:])
            while len(body) < length:
                received = connection.recv(65536)
                if not received:
                    return
                body += received
            self.heads.append(head.decode())
            self.bodies.append(body)
            behaviour(connection, body)


@contextmanager
def serving(*script: Behaviour) -> Iterator[Server]:
    """A server on a port of its own."""
    with socket.create_server(("127.0.0.1", 0), backlog=64) as listening:
        server = Server(list(script), port=listening.getsockname()[1])
        thread = threading.Thread(target=server._serve, args=(listening,), daemon=True)
        thread.start()
        yield server
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()


def free_port() -> int:
    """A port on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        return int(listening.getsockname()[1])
