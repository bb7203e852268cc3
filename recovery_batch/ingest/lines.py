"""Records on their way from a file to typed rows: the JSON text of each, some ten thousand at a time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import pyarrow as pa

from recovery_batch.ingest.faults import Fault


class Unread(NamedTuple):
    """A record of which no text could be made.

    Attributes:
        number: Its number in the file.
        fault: What kept it from being a record.
        text: What stood there.
    """

    number: int
    fault: Fault
    text: str


@dataclass(frozen=True, slots=True)
class Lines:
    """Some records of a file, in its order. Every format is read into these.

    Attributes:
        numbers: Number of each record from 1, int64: its line in NDJSON, its row of data in CSV, Parquet and Excel, its
            place in a document.
        texts: Its JSON text, UTF-8 without blanks around it; no nulls. Nobody has looked yet at whether it is JSON.
        prefixes: JSON pointer of the record in its line; None: the line is the record.
        roots: The organization_code of the request around it, as JSON; null, or None: there is none.
        unread: Records that have no text.
        part: Which of the files of the source they are of: 0, or 1 for those of the file that was joined to it.
        is_document: Whether they are parts of one JSON document, of which nothing loads when one is no JSON.
    """

    numbers: Any
    texts: Any
    prefixes: Any = None
    roots: Any = None
    unread: Sequence[Unread] = ()
    is_document: bool = False
    part: int = 0

    def __len__(self) -> int:
        """The number of records, those without a text not among them."""
        return len(self.texts)


def lines_of(numbers: Sequence[int], texts: Sequence[bytes | str]) -> Lines:
    """Records from plain sequences."""
    return Lines(pa.array(numbers, pa.int64()), pa.array(texts, pa.string()))
