"""Response codes after which nobody should be asked to pay again with the same card, each with its source.

The meaning of a code is what the source says of it. A code that the two sources name stands here once, with both.
Visa moved 03, 62, 78 and 93 out of its category 1 on that day, so they are not here; 14 stands in categories 1 and 3.
Mastercard says "do not try again" in a field of its own (merchant advice codes 03 and 21), not in the response code, so
that nothing of it is in this table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import numpy as np

from recovery_batch.campaigns.findings import Finding
from recovery_batch.campaigns.linting.cases import holds_for
from recovery_batch.campaigns.linting.notes import Notes
from recovery_batch.campaigns.models import Campaign

_ISO: Final = "ISO 8583:1987, response code (data element 39)"
_VISA: Final = "Visa, decline codes of category 1 (the issuer will never approve), as of 17 April 2021"
_ISO_YEAR: Final = 1987
_VISA_YEAR: Final = 2021


@dataclass(frozen=True, slots=True)
class Code:
    """One response code that should not be chased.

    Attributes:
        code: As exports spell it.
        meaning: What it says.
        source: Who says so.
        year: The year of the newest source.
    """

    code: str
    meaning: str
    source: str
    year: int


def _codes(*entries: Code) -> Mapping[str, Code]:
    return MappingProxyType({entry.code: entry for entry in entries})


def _both(code: str, meaning: str) -> Code:
    return Code(code, meaning, f"{_ISO}; {_VISA}", _VISA_YEAR)


def _visa(code: str, meaning: str) -> Code:
    return Code(code, meaning, _VISA, _VISA_YEAR)


DO_NOT_CHASE: Final = _codes(
    _both("04", "pick up the card"),
    _both("07", "pick up the card, special condition"),
    _both("12", "invalid transaction"),
    _both("14", "invalid card number"),
    _both("15", "no such issuer"),
    _both("41", "lost card"),
    _both("43", "stolen card"),
    _visa("46", "closed account"),
    _both("57", "transaction not permitted to the cardholder"),
    Code("59", "suspected fraud", _ISO, _ISO_YEAR),
    _visa("R0", "stop payment order"),
    _visa("R1", "revocation of authorization order"),
    _visa("R3", "revocation of all authorizations"),
)
"""The codes by their spelling."""

_KINDS_OF_PAYMENT: Final = frozenset({"PAYMENT_METHOD", "CATEGORY"})
_READERS: Final = frozenset({"RESPONSE_CODE", "ISO_RESPONSE_CODE"})


def codes_not_excluded(campaign: Campaign) -> tuple[str, ...]:
    """The codes of `DO_NOT_CHASE` that no active rule on either response code keeps out, in the table's order."""
    codes = tuple(DO_NOT_CHASE)
    let_through = np.ones(len(codes), dtype=np.bool_)
    for rule in campaign.targeting_rules:
        if rule.rule_type in _READERS:
            let_through &= holds_for(rule, codes)
    return tuple(code for code, passes in zip(codes, let_through, strict=True) if passes)


def check_codes(notes: Notes) -> Iterator[Finding]:
    """The finding about codes that are not excluded."""
    codes = codes_not_excluded(notes.campaign)
    if codes and not _leaves_cards_out(notes.campaign):
        listed = ", ".join(f"{code} ({DO_NOT_CHASE[code].meaning})" for code in codes)
        reason = (
            "Payments that were declined because a card is stolen, lost, closed or used for fraud, or will never be "
            f"approved, can be targeted: the campaign does not exclude the codes {listed}. "
            "Codes reach the campaign on ISO_RESPONSE_CODE or on RESPONSE_CODE."
        )
        advice = (
            f"Add a rule NOT_ONE_OF with {', '.join(codes)} on the response code that your exports fill, or on both. "
            "Where the payments are not made with cards, say so with a rule on PAYMENT_METHOD."
        )
        yield notes.warning("fraud_codes_not_excluded", reason, advice)


def _leaves_cards_out(campaign: Campaign) -> bool:
    """Whether a rule says that payments with cards are not meant: the codes are those of cards."""
    return any(
        rule.rule_type in _KINDS_OF_PAYMENT and not holds_for(rule, ("CARD",))[0] for rule in campaign.targeting_rules
    )
