"""What commands are given to read: a file, or standard input; bodies of operations are JSON or YAML."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from recovery_batch.campaigns import is_yaml, read_document
from recovery_batch.errors import BadRequest


def read_input(file: Path) -> tuple[bytes, str]:
    """The content of a file and what to call it; `-` is standard input.

    Raises:
        BadRequest: there is no such file.
    """
    if str(file) == "-":
        return sys.stdin.buffer.read(), "standard input"
    try:
        return file.read_bytes(), str(file)
    except OSError as error:
        raise BadRequest(f"{file}: {error.strerror}", hint="Check the path.") from error


def read_body(file: Path) -> Any:
    """The plain values of a body; `-` is standard input.

    Raises:
        BadRequest: there is no such file, or it is not UTF-8.
        ProblemsFound: it is neither JSON nor YAML.
    """
    content, source = read_input(file)
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadRequest(f"{source}: not UTF-8", hint="Save it as UTF-8.") from error
    return read_document(text, source=source, is_yaml=is_yaml(file))
