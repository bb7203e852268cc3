"""Campaign files, JSON and YAML: read and validated whole, every problem listed at once, and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid5

from pydantic import ValidationError
from pydantic_core import ErrorDetails
from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from recovery_batch.campaigns.models import Campaign
from recovery_batch.campaigns.parsing import Parsed, UnquotedNumber, parse_text
from recovery_batch.errors import Problem, ProblemsFound
from recovery_batch.rules.fields import is_uuid

_YAML_NAMES: Final = frozenset({".yaml", ".yml"})
_SHAPES: Final = 'a campaign, an array of campaigns, {"campaigns": […]} or {"data": …}'
_LONGEST_SHOWN: Final = 60
_HINT: Final = "Nothing was read from these files; mend every place and try again."
_ALLOWED: Final = {
    "missing": "a value: the field is required",
    "string_type": "a text in quotes",
    "tuple_type": "an array of texts",
    "model_type": "an object",
    "model_attributes_type": "an object",
    "dict_type": "an object",
    "extra_forbidden": "only documented fields",
}


def read_campaigns(paths: Iterable[Path]) -> tuple[Campaign, ...]:
    """The campaigns of files, in order, each with an id.

    Raises:
        ProblemsFound: with every problem of every file.
    """
    campaigns: list[Campaign] = []
    problems: list[Problem] = []
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8"
            problems.append(Problem("", str(reason), None, "a campaign file in UTF-8", 400, str(path)))
            continue
        try:
            campaigns += parse_campaigns(text, source=str(path), is_yaml=path.suffix.lower() in _YAML_NAMES)
        except ProblemsFound as error:
            problems += error.problems
    problems += _repeated(campaigns)
    if problems:
        raise ProblemsFound(problems, hint=_HINT)
    return tuple(campaigns)


def parse_campaigns(text: str, *, source: str | None = None, is_yaml: bool = False) -> tuple[Campaign, ...]:
    """The campaigns of a text.

    Args:
        text: JSON or YAML.
        source: The name of the file, for problems.
        is_yaml: Whether it is YAML even where it begins like JSON.

    Raises:
        ProblemsFound: with every problem of the text.
    """
    is_json = not is_yaml and text.lstrip()[:1] in ("{", "[")
    parsed = parse_text(text, is_json=is_json)
    problems = list(parsed.problems)
    campaigns: list[Campaign] = []
    if not problems:
        for pointer, item in _items(parsed.value, problems):
            campaign = _campaign(item, pointer, problems)
            if campaign is not None:
                campaigns.append(campaign)
    if problems:
        raise ProblemsFound([_placed(problem, parsed, source) for problem in problems], hint=_HINT)
    return tuple(campaigns)


def write_campaigns(campaigns: Sequence[Campaign], *, as_yaml: bool) -> str:
    """Campaigns with their rules as the text of a file that `read_campaigns` reads to the same campaigns."""
    document = {"campaigns": [campaign.as_json() for campaign in campaigns]}
    if not as_yaml:
        return json.dumps(document, ensure_ascii=False, indent=2) + "\n"
    yaml = YAML()
    yaml.default_flow_style = False
    yaml.width = 4096
    out = StringIO()
    yaml.dump(_quoted(document), out)
    return out.getvalue()


def _quoted(value: Any) -> Any:
    """Every text in double quotes, so that no reader takes one for something else."""
    if isinstance(value, dict):
        return {key: _quoted(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_quoted(item) for item in value]
    return DoubleQuotedScalarString(value) if isinstance(value, str) else value


def _items(document: Any, problems: list[Problem]) -> list[tuple[str, Any]]:
    """The campaigns of a document, each with its place."""
    place = ""
    if isinstance(document, dict):
        for key in ("campaigns", "data"):
            if key in document:
                document, place = document[key], f"/{key}"
                break
    if isinstance(document, dict) and document:
        return [(place, document)]
    if isinstance(document, list):
        return [(f"{place}/{number}", item) for number, item in enumerate(document)]
    problems.append(Problem(place, "not campaigns", _shown(document), _SHAPES, code=400))
    return []


def _campaign(item: Any, pointer: str, problems: list[Problem]) -> Campaign | None:
    try:
        campaign = Campaign.model_validate(item)
    except ValidationError as error:
        problems += [_problem(each, pointer) for each in error.errors(include_url=False)]
        return None
    identity = campaign.id or str(uuid5(UUID(campaign.organization_code), campaign.name))
    rules = []
    for number, rule in enumerate(campaign.rules):
        if rule.campaign_id is not None and rule.campaign_id != identity:
            place = f"{pointer}/rules/{number}/campaign_id"
            problems.append(Problem(place, "the id of another campaign", _shown(rule.campaign_id), identity))
        rule_id = rule.id or str(uuid5(UUID(identity), f"rule {number}"))
        rules.append(rule.model_copy(update={"id": rule_id, "campaign_id": identity}))
    ids = [rule.id for rule in rules]
    for number, each in enumerate(ids):
        if each in ids[:number]:
            place = f"{pointer}/rules/{number}/id"
            problems.append(Problem(place, "the id of an earlier rule", _shown(each), "an id of its own"))
    return campaign.model_copy(update={"id": identity, "rules": tuple(rules)})


def _problem(error: ErrorDetails, pointer: str) -> Problem:
    context: Mapping[str, Any] = error.get("ctx") or {}
    kind, name = error["type"], str(error["loc"][-1]) if error["loc"] else "the document"
    place = "".join(f"/{part}" for part in error["loc"])
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
    found = None if missing else _shown(error["input"])
    return Problem(pointer + place, message, found, str(allowed), 400 if missing else int(context.get("code", 422)))


def _shown(value: Any) -> str:
    text = value.text if isinstance(value, UnquotedNumber) else json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_SHOWN else f"{text[:_LONGEST_SHOWN]}…"


def _placed(problem: Problem, parsed: Parsed, source: str | None) -> Problem:
    """The problem with its file and, where the text told it, the line."""
    place = problem.place
    while place and place not in parsed.lines:
        place = place.rpartition("/")[0]
    return Problem(
        problem.place,
        problem.message,
        problem.found,
        problem.allowed,
        problem.code,
        source,
        parsed.lines.get(place) if problem.place else None,
    )


def _repeated(campaigns: Sequence[Campaign]) -> list[Problem]:
    """Campaigns that stand twice in the files of one command."""
    seen: set[str] = set()
    problems = []
    for campaign in campaigns:
        key = campaign.identity.lower()
        if key in seen:
            problems.append(Problem("", f"the campaign {campaign.name[:40]!r} stands twice", campaign.id, "once"))
        seen.add(key)
    return problems


def require_uuid(text: str, what: str) -> str:
    """An identifier of the command line or the API, in lower case.

    Raises:
        ProblemsFound: it is no UUID (400).
    """
    if not is_uuid(text):
        allowed = "a UUID such as e4c03f29-b0f6-403a-8814-9aee1a88d60e"
        raise ProblemsFound([Problem(f"/{what}", f"{what} is not a UUID", _shown(text), allowed, code=400)])
    return text.lower()
