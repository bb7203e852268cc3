"""The bodies of operations: a file of JSON or YAML, or JSON on standard input."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from recovery_batch.campaigns import is_yaml, read_document
from recovery_batch.errors import BadRequest


def read_body(file: Path) -> Any:
    """The plain values of a body; `-` is standard input.

    Raises:
        BadRequest: there is no such file, or it is not UTF-8.
        ProblemsFound: it is neither JSON nor YAML.
    """
    is_input = str(file) == "-"
    source = "standard input" if is_input else str(file)
    try:
        content = sys.stdin.buffer.read() if is_input else file.read_bytes()
        text = content.decode("utf-8-sig")
    except OSError as error:
        raise BadRequest(f"{source}: {error.strerror}", hint="Check the path.") from error
    except UnicodeDecodeError as error:
        raise BadRequest(f"{source}: not UTF-8", hint="Save it as UTF-8.") from error
    return read_document(text, source=source, is_yaml=is_yaml(file))
