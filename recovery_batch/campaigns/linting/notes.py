"""How findings about one campaign are written."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.campaigns.models import Campaign
from recovery_batch.rules import Rule, sentence

_LONGEST: Final = 200


@dataclass(frozen=True, slots=True)
class Notes:
    """Writes findings about a campaign."""

    campaign: Campaign

    def error(self, slug: str, reason: str, advice: str, rules: Sequence[Rule] = ()) -> Finding:
        """The campaign cannot do what it says."""
        return self._finding(slug, Severity.ERROR, reason, advice, rules)

    def warning(self, slug: str, reason: str, advice: str, rules: Sequence[Rule] = ()) -> Finding:
        """The campaign probably does not do what was meant."""
        return self._finding(slug, Severity.WARNING, reason, advice, rules)

    def info(self, slug: str, reason: str, advice: str, rules: Sequence[Rule] = ()) -> Finding:
        """Something is worth a look."""
        return self._finding(slug, Severity.INFO, reason, advice, rules)

    def _finding(self, slug: str, severity: Severity, reason: str, advice: str, rules: Sequence[Rule]) -> Finding:
        about = {id(rule) for rule in rules}
        # by identity: the same rule may stand in a campaign twice, in a file even without an id
        names = tuple(
            rule.id or f"rule {place}" for place, rule in enumerate(self.campaign.rules, start=1) if id(rule) in about
        )
        return Finding(slug, severity, self.campaign.id or "", self.campaign.name, names, reason, advice)


def said(rules: Sequence[Rule]) -> str:
    """Rules in a row: “amount is above 100” and “amount is below 50”."""
    return joined([f"“{_short(sentence(rule))}”" for rule in rules])


def _short(text: str) -> str:
    # a rule may list thousands of BINs
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def joined(words: Sequence[str]) -> str:
    """Words in a row: a, b and c."""
    return " and ".join([", ".join(words[:-1]), *words[-1:]] if len(words) > 1 else words)
