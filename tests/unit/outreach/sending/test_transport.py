"""One request over HTTP: certificates, time-outs, and whether a byte of the body went out."""

import shutil
import socket
import ssl
import subprocess
import threading
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic

import pytest

from recovery_batch.outreach.sending.transport import Answer, Transport
from tests.e2e import servers
from tests.e2e.servers import answer, raw, serving


def post(url: str, body: bytes = b"{}", timeout: float = 0.5) -> Answer:
    with Transport(timeout) as transport:
        return transport.post(url, {}, body)


def test_an_answer_is_taken_whole() -> None:
    with serving(answer(400, "Retry-After: 7", body=b"\xff why")) as server:
        assert post(server.url, b"[1]") == Answer(400, b"\xff why", "7", None, True)
        assert server.bodies == [b"[1]"]


def test_nobody_listens() -> None:
    found = post(f"http://127.0.0.1:{servers.free_port()}")
    assert found == Answer(None, b"", None, "no connection: Connection refused", False)


def test_a_name_that_nobody_knows() -> None:
    found = post("http://no-such-name.invalid", timeout=5)
    assert (found.status_code, found.body_began) == (None, False)
    assert found.fault is not None
    assert found.fault.startswith("no connection")


@pytest.mark.parametrize("behaviour", [servers.silent, servers.drip], ids=["silent", "dripping"])
def test_the_whole_answer_has_to_come_in_time(behaviour: servers.Behaviour) -> None:
    began = monotonic()
    with serving(behaviour) as server:
        found = post(server.url)
    assert (found.status_code, found.fault, found.body_began) == (None, "no whole answer within 0.5 seconds", True)
    assert monotonic() - began < 5


def test_what_the_server_says_is_not_repeated() -> None:
    with serving(raw(b"ANA NOGAL\r\n\r\n")) as server:
        assert post(server.url).fault == "the answer broke off, or was no HTTP"


def test_an_acceptance_before_the_end_of_the_request_is_none() -> None:
    """The server answers 200 and reads no more: nobody knows what it has."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def accept_early() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(1000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}")

        thread = threading.Thread(target=accept_early)
        thread.start()
        found = post(f"http://127.0.0.1:{listening.getsockname()[1]}", b"x" * 20_000_000, timeout=5)
        thread.join()
    assert found == Answer(200, b"{}", None, "the answer came before the whole request was sent", True)


@pytest.fixture(scope="module")
def own_certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate that nobody vouches for, in one file."""
    openssl = shutil.which("openssl")
    assert openssl is not None
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "2"]
    extension = ["-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost"]
    subprocess.run(
        [openssl, *words, *extension, "-keyout", path, "-out", f"{path}.crt"], check=True, capture_output=True
    )
    path.write_bytes(path.read_bytes() + Path(f"{path}.crt").read_bytes())
    return path


@pytest.fixture
def tls_port(own_certificate: Path) -> Iterator[int]:
    """A TLS server with that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(own_certificate)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            with suppress(OSError):
                connection, _ = listening.accept()
                with context.wrap_socket(connection, server_side=True) as secured:
                    secured.recv(1000)

        thread = threading.Thread(target=serve, daemon=True)
        thread.start()
        yield int(listening.getsockname()[1])
        thread.join(5)


def test_a_certificate_that_nobody_vouches_for_is_no_connection(tls_port: int) -> None:
    found = post(f"https://127.0.0.1:{tls_port}", timeout=5)
    assert (found.status_code, found.body_began) == (None, False)
    assert found.fault is not None
    assert found.fault.startswith("no connection: the certificate is not valid (")
