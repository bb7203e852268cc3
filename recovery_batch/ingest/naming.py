"""What in a quarantined text could name a person: phone numbers, users, e-mail addresses, the payment or the flow.

Most such texts are no records that could be read, and so everything in them counts that could be one of these.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import accumulate
from typing import Any, Final, NamedTuple

from recovery_batch.ingest.decoding import decoded
from recovery_batch.ingest.enriching import text_of
from recovery_batch.keys import Kind

_FEWEST_DIGITS, _MOST_DIGITS = 6, 18
_FEWEST_LETTERS: Final = 5
"""Shorter words are a user's only where they are called so: `1` is not everybody who is user 1."""

_RUN: Final = re.compile(r"[0-9]+(?:[ \u00a0()./+\-\u2010-\u2015]{1,3}[0-9]+)*")
"""Groups of digits, and what people put between those of a phone number."""
_GROUP: Final = re.compile(r"[0-9]+")
_WORD: Final = re.compile(r"""[^\s",;:|<>{}\[\]\\']+""")
_USER: Final = re.compile(r"""(?i)user_?id[\s",;:=|\\'}]+(?:value[\s",;:=|\\']+)?([^\s",;:|<>{}\[\]\\']+)""")


class Named(NamedTuple):
    """Something that may name a person, as it is hashed: a kind, an organization (empty: none), a value."""

    kind: Kind
    organization_code: str
    value: str


def token(text: str) -> Named:
    """A text that names a person wherever it stands: digits of a phone number, a user_id, an e-mail address."""
    return Named("token", "", text.casefold())


def named_in(raw: str, root: str | None) -> set[Named]:
    """Everything in a quarantined text that could name a person.

    Args:
        raw: The text.
        root: organization_code of the request around it, as JSON; None: there was none.
    """
    found = {token(digits) for digits in _phones(raw)}
    found |= {token(word) for word in _WORD.findall(raw) if len(word) >= _FEWEST_LETTERS}
    found |= {token(match) for match in _USER.findall(raw)}
    record, fault = decoded(raw.encode())
    if fault is None:
        found |= set(_in_value(record))
        if isinstance(record, dict):
            found |= set(_identity(record, None if root is None else decoded(root.encode())[0]))
    return found


def _phones(text: str) -> Iterator[str]:
    """The digits of what could be phone numbers: groups of digits that stand together, without leading zeros."""
    for run in _RUN.findall(text):
        groups = _GROUP.findall(run)
        for first in range(len(groups)):
            for digits in accumulate(groups[first:]):
                if len(digits) > _MOST_DIGITS:
                    break
                if len(bare := digits.lstrip("0")) >= _FEWEST_DIGITS:
                    yield bare


def _in_value(value: Any, key: str = "") -> Iterator[Named]:
    """The texts and numbers of a record; escapes are read, and texts count whole."""
    if isinstance(value, dict):
        label = value.get("key")
        for name, item in value.items():
            yield from _in_value(item, label if name == "value" and isinstance(label, str) else name)
    elif isinstance(value, list):
        for item in value:
            yield from _in_value(item)
    elif (text := text_of(value)) is not None:
        if len(text) >= _FEWEST_LETTERS or (text and key == "user_id"):
            yield token(text)
        yield from map(token, _phones(text))


def _identity(record: dict[str, Any], root: object) -> Iterator[Named]:
    """The payment or the flow that a record is of, as far as it can be told."""
    payment, session = record.get("payment"), record.get("session")
    if isinstance(payment, dict):
        organization, payment_id = payment.get("organization_code", root), payment.get("id")
        if isinstance(organization, str) and isinstance(payment_id, str):
            yield Named("payment", organization, payment_id)
    if isinstance(session, dict) and isinstance(session.get("session_id"), str):
        yield Named("flow", "", f"s:{session['session_id']}")
