"""How personal data is shown on a screen or in a report: masked, so that two people can still be told apart."""

from __future__ import annotations

_DOT = "•"
_SHOWN_DIGITS = 4


def mask_name(name: str) -> str:
    """`LUCY ROBLES` becomes `L••• R•••`: initials only, whatever the length."""
    return " ".join(part[0] + _DOT * 3 for part in name.split())


def mask_phone(phone: str) -> str:
    """`3183497646` becomes `••••••7646`; a number of four digits or fewer is hidden whole."""
    digits = "".join(filter(str.isdigit, phone))
    if len(digits) <= _SHOWN_DIGITS:
        return _DOT * len(digits)
    return _DOT * (len(digits) - _SHOWN_DIGITS) + digits[-_SHOWN_DIGITS:]
