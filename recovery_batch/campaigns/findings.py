"""What lint finds in campaigns: a finding is a remark, not a verdict."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any


class Severity(Enum):
    """How grave a finding is."""

    ERROR = "error"  # the campaign cannot do what it says
    WARNING = "warning"  # it probably does not do what was meant
    INFO = "info"  # worth a look


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding.

    Attributes:
        slug: What kind of finding it is; stable.
        severity: How grave it is.
        campaign_id: The campaign.
        campaign_name: Its name.
        rule_ids: The rules that it is about, in the campaign's order; empty: the whole campaign.
        reason: What is the matter, in plain words.
        advice: What to do.
        counts: Figures from the data by name, such as payments; empty where no data was looked at.
    """

    slug: str
    severity: Severity
    campaign_id: str
    campaign_name: str
    rule_ids: tuple[str, ...]
    reason: str
    advice: str
    counts: Mapping[str, int] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """The finding as a plain mapping."""
        return {
            "slug": self.slug,
            "severity": self.severity.value,
            "campaign_id": self.campaign_id,
            "campaign_name": self.campaign_name,
            "rule_ids": list(self.rule_ids),
            "reason": self.reason,
            "advice": self.advice,
            "counts": dict(self.counts),
        }
