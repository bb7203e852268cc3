"""What differs between two states of a campaign, field by field and rule by rule."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from recovery_batch.campaigns.models import Campaign
from recovery_batch.rules import Rule, sentence


class Difference(NamedTuple):
    """One thing that differs.

    Attributes:
        field: The field, such as `status` or `schedule.time_zone`; `rule` for a rule as a whole.
        before: What it was, as JSON would have it; a rule in plain words. None: it was not there.
        after: What it is.
        rule_id: The rule, if it is about one.
    """

    field: str
    before: Any
    after: Any
    rule_id: str | None = None


def differences(before: Campaign | None, after: Campaign) -> list[Difference]:
    """What changed from one state to the next, all of it where there was none; times of storing do not count."""
    old = {} if before is None else _fields(before)
    new = _fields(after)
    names = dict.fromkeys((*new, *old))
    changed = [Difference(n, old.get(n), new.get(n)) for n in names if old.get(n) != new.get(n)]
    return changed + list(_of_rules(() if before is None else before.rules, after.rules))


def _fields(campaign: Campaign) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in campaign.undated().items():
        if name == "rules":
            continue
        if isinstance(value, dict):
            found |= {f"{name}.{inner}": each for inner, each in value.items()}
        else:
            found[name] = value
    return found


def _of_rules(before: tuple[Rule, ...], after: tuple[Rule, ...]) -> Iterator[Difference]:
    old = {rule.id: rule for rule in before}
    kept = {rule.id for rule in after}
    for rule in before:
        if rule.id not in kept:
            yield Difference("rule", _said(rule), None, rule.id)
    for rule in after:
        earlier = old.get(rule.id)
        if earlier is None:
            yield Difference("rule", None, _said(rule), rule.id)
        elif earlier.undated() != rule.undated():
            yield Difference("rule", _said(earlier), _said(rule), rule.id)
    common = [rule.id for rule in before if rule.id in kept]
    if common != [rule.id for rule in after if rule.id in old]:
        yield Difference("order of rules", common, [rule.id for rule in after if rule.id in old])


def _said(rule: Rule) -> str:
    return f"{sentence(rule)}{'' if rule.is_active else ' (INACTIVE)'}"
