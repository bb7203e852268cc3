"""What rules read of a record besides its documented fields (SPEC 2.2): the decisive transaction, codes, metadata."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
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
    """The place of the latest transaction: greatest created_at (none is the oldest); a tie goes to the later place."""

    def age(place: int) -> tuple[bool, datetime, int]:
        moment = transactions[place].get("created_at")
        return moment is not None, moment or _OLDEST, place

    return max(range(len(transactions)), key=age, default=None)


def first_present(record: dict[str, Any], decisive_place: int | None, paths: Sequence[str]) -> str | None:
    """The text of the first path that holds a value; None where none does."""
    for path in paths:
        value = _at(record, decisive_place, path)
        if value is not None and (text := text_of(value)) is not None:
            return text
    return None


def metadata_of(record: dict[str, Any], decisive_place: int | None, paths: Sequence[str]) -> dict[str, str]:
    """The text of every metadata key, each from the first of the paths that has it."""
    found: dict[str, str] = {}
    for path in paths:
        holder = _at(record, decisive_place, path)
        for key, value in holder.items() if isinstance(holder, dict) else _pairs(holder):
            if key not in found and (text := text_of(value)) is not None:
                found[key] = text
    return found


def _pairs(holder: object) -> Iterator[tuple[str, object]]:
    """The keys and values of an array of `{"key": …, "value": …}`."""
    if isinstance(holder, list):
        for pair in holder:
            if isinstance(pair, dict) and isinstance(pair.get("key"), str):
                yield pair["key"], pair.get("value")


@cache
def _steps(path: str) -> tuple[bool, tuple[str, ...]]:
    """Whether a path begins at the decisive transaction (else at the payment), and the keys from there."""
    root, *keys = path.split(".")
    return root == "transaction", tuple(keys)


def _at(record: dict[str, Any], decisive_place: int | None, path: str) -> object:
    of_transaction, keys = _steps(path)
    if of_transaction and decisive_place is None:
        return None
    value: Any = record["transactions"][decisive_place] if of_transaction else record["payment"]
    for key in keys:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value
