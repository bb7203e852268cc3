"""Prism on a port of its own: as a mock of the documented endpoints, or in front of a server, whose guard it is."""

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic, sleep
from typing import Any

from tests.conftest import PRISM
from tests.e2e.servers import free_port

_DOCUMENT = Path(__file__).parent / "openapi.yaml"
_SECONDS_TO_START = 60


@contextmanager
def prism(log: Path, upstream: str | None = None) -> Iterator[str]:
    """Start Prism, and give its base URL.

    Args:
        log: The file that gets what it says.
        upstream: The server that gets what is valid; None: Prism answers itself.
    """
    port = free_port()
    words = ["mock", str(_DOCUMENT)] if upstream is None else ["proxy", str(_DOCUMENT), upstream]
    with log.open("wb") as output:
        process = subprocess.Popen([PRISM, *words, "--errors", "--port", str(port)], stdout=output, stderr=output)
        try:
            _wait(port, process, log)
            yield f"http://127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def post(base: str, path: str, body: Any, **headers: str) -> tuple[int, bytes]:
    """Post a document, without any of what is tested."""
    connection = HTTPConnection(base.removeprefix("http://"), timeout=30)
    try:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json", **named})
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def _wait(port: int, process: "subprocess.Popen[bytes]", log: Path) -> None:
    end = monotonic() + _SECONDS_TO_START
    while monotonic() < end and process.poll() is None:
        connection = HTTPConnection("127.0.0.1", port, timeout=5)
        try:
            connection.request("GET", "/")
            connection.getresponse().read()
        except OSError:
            sleep(0.1)
        else:
            return
        finally:
            connection.close()
    raise AssertionError(f"Prism did not start: {log.read_text('utf-8', 'replace')}")
