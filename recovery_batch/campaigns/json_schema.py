"""The JSON Schema of campaign files, for editors: made from the tables that validation reads.

What a schema cannot say, such as that end_at is after start_at, is checked when a file is read.
"""

from __future__ import annotations

from typing import Any, Final

from recovery_batch.campaigns.models import CHANNELS, STATUSES
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind
from recovery_batch.rules.catalogue import Conditional, RuleType, allowed_conditionals
from recovery_batch.rules.model import RULE_STATUSES

_UUID: Final = {"type": "string", "pattern": "^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$"}
_CLOCK: Final = {"type": "string", "pattern": "^([01][0-9]|2[0-3]):[0-5][0-9]$"}
_INSTANT: Final = {"type": "string", "description": "ISO 8601; without a zone it is UTC"}
_HOLDOUT: Final = {
    "share": {
        "anyOf": [
            {"type": "number", "exclusiveMinimum": 0, "maximum": 1},
            {"type": "string", "pattern": "^(0\\.(?!0+$)[0-9]{1,6}|1(\\.0{1,6})?)$"},
        ],
        "description": "the part of the users that is kept out for comparison",
    },
    "seed": {"type": ["string", "null"], "pattern": "\\S", "description": "what they are drawn with; else the id"},
}
_STAMPS: Final = {"created_at": {"type": ["string", "null"]}, "updated_at": {"type": ["string", "null"]}}


def campaign_file_schema() -> dict[str, Any]:
    """The schema: a campaign, an array of campaigns, or either under `campaigns` or `data`."""
    campaign = {"$ref": "#/$defs/campaign"}
    campaigns = {"type": "array", "items": campaign}
    either = {"anyOf": [campaign, campaigns]}
    held = [
        {
            "type": "object",
            "required": [name],
            "properties": {name: either, "meta": True, "$schema": {"type": "string"}},
            "additionalProperties": False,
        }
        for name in ("campaigns", "data")
    ]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Campaigns of recovery-batch",
        "anyOf": [campaign, campaigns, *held],
        "$defs": {"campaign": _campaign(), "rule": _rule()},
    }


def _object(required: list[str], properties: dict[str, Any]) -> dict[str, Any]:
    return {"type": "object", "required": required, "properties": properties, "additionalProperties": False}


def _campaign() -> dict[str, Any]:
    schedule = {"daily_start_time": _CLOCK, "daily_end_time": _CLOCK, "time_zone": {"type": "string"}}
    duration = {"start_at": _INSTANT, "end_at": _INSTANT}
    required = {
        "name": {"type": "string", "pattern": "\\S"},
        "account_id": _UUID,
        "organization_code": _UUID,
        "country": {"type": "string", "pattern": "^[A-Z]{2}$", "description": "ISO 3166-1 alpha-2"},
        "channel": {"enum": list(CHANNELS)},
        "schedule": _object(list(schedule), schedule),
        "duration": _object(list(duration), duration),
    }
    optional = {
        "id": {"anyOf": [_UUID, {"type": "null"}]},
        "focus": {"type": ["string", "null"]},
        "status": {"enum": [*STATUSES, None], "default": STATUSES[0]},
        "holdout": {"anyOf": [_object(["share"], _HOLDOUT), {"type": "null"}]},
        "rules": {"anyOf": [{"type": "array", "items": {"$ref": "#/$defs/rule"}}, {"type": "null"}]},
        **_STAMPS,
    }
    return _object(list(required), {**required, **optional})


def _rule() -> dict[str, Any]:
    """A rule: what every rule may have, and for each type which conditionals, and how many values each takes."""
    properties = {
        "id": {"anyOf": [_UUID, {"type": "null"}]},
        "campaign_id": {"anyOf": [_UUID, {"type": "null"}]},
        "rule_type": {"enum": list(RULE_TYPES)},
        "conditional": {"enum": [*CONDITIONALS, None]},
        "values": {"type": ["array", "null"], "items": {"type": "string"}},
        "metadata_key": {"type": ["string", "null"]},
        "status": {"enum": [*RULE_STATUSES, None], "default": RULE_STATUSES[0]},
        **_STAMPS,
    }
    forms = [form for each in RULE_TYPES.values() for form in _forms(each)]
    return {**_object(["rule_type"], properties), "oneOf": forms}


def _forms(rule_type: RuleType) -> list[dict[str, Any]]:
    """The forms that a rule of a type may have: one for each conditional, or the one of a rate limit."""
    key: Any = {"type": "null"}
    if rule_type.kind is Kind.METADATA:
        key = {"type": "string", "minLength": 1}
    own = {"rule_type": {"const": rule_type.name}, "metadata_key": key}
    required = ["rule_type", *(["metadata_key"] if rule_type.kind is Kind.METADATA else [])]
    if rule_type.kind is Kind.RATE_LIMIT:
        values: Any = {"anyOf": [{"type": "array", "maxItems": 0}, {"type": "null"}]}
        if rule_type.daily_limit:
            required.append("values")
            number = {"type": "string", "pattern": "^0*[1-9][0-9]{0,8}$"}
            values = {"type": "array", "minItems": 1, "maxItems": 1, "items": number}
        return [{"required": required, "properties": {**own, "conditional": {"type": "null"}, "values": values}}]
    required += ["conditional", "values"]
    return [
        {
            "required": required,
            "properties": {**own, "conditional": {"const": name}, "values": _values(rule_type, CONDITIONALS[name])},
        }
        for name in allowed_conditionals(rule_type)
    ]


def _values(rule_type: RuleType, conditional: Conditional) -> dict[str, Any]:
    fewest, most = conditional.arity(rule_type.kind)
    schema: dict[str, Any] = {"type": "array", "minItems": fewest, "items": {"type": "string", "minLength": 1}}
    return schema if most is None else {**schema, "maxItems": most}
