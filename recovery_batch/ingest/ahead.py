"""One thing is made while the one before it is used."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

_Item = TypeVar("_Item")


def ahead(items: Iterable[_Item]) -> Iterator[_Item]:
    """The items of an iterable, of which a thread works out the next while the caller is busy with one."""
    source = iter(items)
    end = object()
    with ThreadPoolExecutor(1, "ahead") as thread:
        future = thread.submit(next, source, end)
        while (item := future.result()) is not end:
            future = thread.submit(next, source, end)
            yield item  # type: ignore[misc]  # not the end
