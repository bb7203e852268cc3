"""What rules read of a record besides its documented fields (SPEC 2.2): the decisive transaction, codes, metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from recovery_batch.money import plain

_OLDEST: Final = datetime.min.replace(tzinfo=UTC)


def text_of(value: object) -> str | None:
    """The text of a value as rules compare it; None for what counts as missing: null, an object, an array."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | Decimal):
        return plain(value)
    return None


def decisive(transactions: Sequence[dict[str, Any]]) -> int | None:
    """The place of the latest transaction: greatest created_at, none counting as oldest, ties going to the later place."""
    places = range(len(transactions))
    return max(places, key=lambda place: (transactions[place].get("created_at", _OLDEST), place), default=None)


def first_present(record: dict[str, Any], decisive_place: int | None, paths: Sequence[str]) -> str | None:
    """The text of the first path that holds a value; None where none does."""
    for path in paths:
        if (text := text_of(_at(record, decisive_place, path))) is not None:
            return text
    return None


def metadata_of(record: dict[str, Any], decisive_place: int | None, paths: Sequence[str]) -> dict[str, str]:
    """The text of every metadata key, each from the first of the paths that has it."""
    found: dict[str, str] = {}
    for path in paths:
        for key, value in _pairs(_at(record, decisive_place, path)):
            if key not in found and (text := text_of(value)) is not None:
                found[key] = text
    return found


def _pairs(holder: object) -> Iterator[tuple[str, object]]:
    """The keys and values of an object, or of an array of `{"key": …, "value": …}`."""
    if isinstance(holder, dict):
        yield from holder.items()
    elif isinstance(holder, list):
        for pair in holder:
            if isinstance(pair, dict) and isinstance(pair.get("key"), str):
                yield pair["key"], pair.get("value")


def _at(record: dict[str, Any], decisive_place: int | None, path: str) -> object:
    root, *keys = path.split(".")
    if root == "transaction":
        value: Any = None if decisive_place is None else record["transactions"][decisive_place]
    else:
        value = record["payment"]
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value
