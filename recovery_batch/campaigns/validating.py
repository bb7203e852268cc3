"""Plain values to campaigns and rules: what is wrong with them becomes problems, each with its place."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from recovery_batch.campaigns.models import Campaign
from recovery_batch.campaigns.parsing import UnquotedNumber
from recovery_batch.errors import Problem, ProblemsFound, escape_pointer
from recovery_batch.rules import Rule
from recovery_batch.rules.fields import STAMPS, is_uuid

_LONGEST_SHOWN: Final = 60
_DEEPEST_SHOWN: Final = 9
_ABSENT_WHEN_NULL: Final = frozenset({"conditional", "values", "metadata_key", "status"})
"""Fields of a rule of which null says the same as nothing (SPEC 2.1)."""

_ALLOWED: Final = {
    "missing": "a value: the field is required",
    "string_type": "a text in quotes",
    "tuple_type": "an array of texts",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "extra_forbidden": "only documented fields",
}


def derived_id(organization_code: str, name: str) -> str:
    """The id of a campaign whose file gives none: the UUIDv5 of its organization and name (SPEC 2.1)."""
    return str(uuid5(UUID(organization_code), name))


def campaign_of(item: Any, pointer: str, problems: list[Problem]) -> Campaign | None:
    """A campaign with an id; what is wrong with it is added to the problems."""
    try:
        campaign = Campaign.model_validate(item)
    except ValidationError as error:
        problems += [_problem(each, pointer) for each in error.errors(include_url=False)]
        return None
    identity = campaign.id or derived_id(campaign.organization_code, campaign.name)
    rules = identified(campaign.rules, identity, (), pointer, problems)
    return campaign.model_copy(update={"id": identity, "rules": rules})


def rules_of(items: Sequence[Any], campaign: Campaign, problems: list[Problem]) -> tuple[Rule, ...]:
    """Rules to add to a campaign, each with an id; what is wrong with them is added to the problems."""
    rules = []
    for number, item in enumerate(items):
        try:
            rules.append(Rule.model_validate(item))
        except ValidationError as error:
            problems += [_problem(each, f"/rules/{number}") for each in error.errors(include_url=False)]
    return () if problems else identified(rules, campaign.identity, campaign.rules, "", problems)


def merged_rule(rule: Rule, item: Any, problems: list[Problem]) -> Rule | None:
    """A rule with the fields of an update, validated as a whole; what is wrong is added to the problems."""
    if not isinstance(item, dict):
        problems.append(Problem("", "not a rule", shown(item), "an object with the fields to change", code=400))
        return None
    given = {
        name: value
        for name, value in item.items()
        if name not in STAMPS and (value is not None or name not in _ABSENT_WHEN_NULL)
    }
    for name in ("id", "campaign_id"):
        kept = getattr(rule, name)
        if name in given and str(given.pop(name)).lower() != str(kept).lower():
            problems.append(
                Problem(f"/{name}", f"{name} cannot be changed", shown(item[name]), f"{kept}, or leave it out")
            )
    try:
        return Rule.model_validate({**rule.model_dump(), **given})
    except ValidationError as error:
        problems += [_problem(each, "") for each in error.errors(include_url=False)]
        return None


def identified(
    rules: Sequence[Rule], identity: str, earlier: Sequence[Rule], pointer: str, problems: list[Problem]
) -> tuple[Rule, ...]:
    """Rules of a campaign that has some earlier ones, each with an id of its own and the campaign's."""
    found: list[Rule] = []
    seen = Counter(map(_essence, earlier))
    known = {(rule.id or "").lower() for rule in earlier}
    for number, rule in enumerate(rules):
        place = f"{pointer}/rules/{number}"
        if rule.campaign_id is not None and rule.campaign_id.lower() != identity.lower():
            stood = shown(rule.campaign_id)
            problems.append(Problem(f"{place}/campaign_id", "the id of another campaign", stood, identity))
        seen[_essence(rule)] += 1
        rule_id = rule.id or str(uuid5(UUID(identity), f"{_essence(rule)} {seen[_essence(rule)]}"))
        if rule_id.lower() in known:
            problems.append(Problem(f"{place}/id", "the id of an earlier rule", shown(rule_id), "an id of its own"))
        known.add(rule_id.lower())
        found.append(rule.model_copy(update={"id": rule_id, "campaign_id": identity}))
    return tuple(found)


def _essence(rule: Rule) -> str:
    """What a rule says: its id is made of that, so that another one put before it changes nothing."""
    return json.dumps([rule.rule_type, rule.conditional, rule.values, rule.metadata_key])


def _problem(error: ErrorDetails, pointer: str) -> Problem:
    context: Mapping[str, Any] = error.get("ctx") or {}
    kind, loc = error["type"], error["loc"]
    name = "/".join(map(str, loc[-2:] if isinstance(loc[-1], int) else loc[-1:])) if loc else "the document"
    place = "".join(f"/{escape_pointer(str(part))}" for part in loc)
    missing = kind == "missing"
    allowed = context.get("allowed") or _ALLOWED.get(kind, error["msg"])
    if kind == "refused":
        message = error["msg"] if name in error["msg"] else f"{name}: {error['msg']}"
    elif missing:
        message = f"{name} is missing"
    elif kind == "extra_forbidden":
        message = f"unknown field {name}"
    else:
        message = f"{name} is not {allowed}"
    found = None if missing else shown(error["input"])
    return Problem(pointer + place, message, found, str(allowed), 400 if missing else int(context.get("code", 422)))


def shown(value: Any) -> str:
    """A value as an error shows it: as JSON text, cut to a readable length."""
    text = _as_written(value)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _as_written(value: Any, depth: int = 0) -> str:
    """A value as JSON text, numbers as the file has them; no deeper than a person would read."""
    if isinstance(value, UnquotedNumber):
        return value.text
    if isinstance(value, dict | list | tuple) and depth == _DEEPEST_SHOWN:
        return "…"
    if isinstance(value, dict):
        items = (f"{_as_written(key)}: {_as_written(item, depth + 1)}" for key, item in value.items())
        return "{" + ", ".join(items) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_as_written(item, depth + 1) for item in value) + "]"
    return json.dumps(value, ensure_ascii=False, default=str)


def require_uuid(text: str, what: str) -> str:
    """An identifier of the command line or the API, in lower case.

    Raises:
        ProblemsFound: it is no UUID (400).
    """
    if not is_uuid(text):
        allowed = "a UUID such as e4c03f29-b0f6-403a-8814-9aee1a88d60e"
        raise ProblemsFound([Problem(f"/{what}", f"{what} is not a UUID", shown(text), allowed, code=400)])
    return text.lower()
