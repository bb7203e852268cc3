"""Campaign files, JSON and YAML: read and validated whole, every problem listed at once, and written."""

from __future__ import annotations

import json
from collections import Counter
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
from recovery_batch.campaigns.parsing import UnquotedNumber, lines_of, parse_text
from recovery_batch.errors import Problem, ProblemsFound, escape_pointer
from recovery_batch.rules import Rule
from recovery_batch.rules.fields import is_uuid

_YAML_NAMES: Final = frozenset({".yaml", ".yml"})
_SHAPES: Final = 'a campaign, an array of campaigns, {"campaigns": […]} or {"data": …}'
_HOLDERS: Final = frozenset({"campaigns", "data"})
_LONGEST_SHOWN: Final = 60
_DEEPEST_SHOWN: Final = 9
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
    if parsed.is_whole:
        for pointer, item in _items(parsed.value, problems):
            campaign = _campaign(item, pointer, problems)
            if campaign is not None:
                campaigns.append(campaign)
    if problems:
        lines = parsed.lines or (lines_of(text) if parsed.is_whole else {})
        raise ProblemsFound([_placed(problem, lines, source) for problem in problems], hint=_HINT)
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
        for holder in sorted(_HOLDERS & document.keys()):
            unknown = sorted(document.keys() - {holder, "meta"})
            problems += [_unknown(f"/{escape_pointer(key)}", key) for key in unknown]
            document, place = document[holder], f"/{holder}"
            break
    if isinstance(document, dict) and document:
        return [(place, document)]
    if isinstance(document, list):
        return [(f"{place}/{number}", item) for number, item in enumerate(document)]
    problems.append(Problem(place, "not campaigns", _shown(document), _SHAPES, code=400))
    return []


def _unknown(place: str, key: str) -> Problem:
    return Problem(place, f"unknown field {key[:40]}", None, _ALLOWED["extra_forbidden"])


def derived_id(organization_code: str, name: str) -> str:
    """The id of a campaign whose file gives none: the UUIDv5 of its organization and name (SPEC 2.1)."""
    return str(uuid5(UUID(organization_code), name))


def _campaign(item: Any, pointer: str, problems: list[Problem]) -> Campaign | None:
    try:
        campaign = Campaign.model_validate(item)
    except ValidationError as error:
        problems += [_problem(each, pointer) for each in error.errors(include_url=False)]
        return None
    identity = campaign.id or derived_id(campaign.organization_code, campaign.name)
    rules: list[Rule] = []
    seen: Counter[str] = Counter()
    for number, rule in enumerate(campaign.rules):
        place = f"{pointer}/rules/{number}"
        if rule.campaign_id is not None and rule.campaign_id.lower() != identity.lower():
            shown = _shown(rule.campaign_id)
            problems.append(Problem(f"{place}/campaign_id", "the id of another campaign", shown, identity))
        # from what the rule says, so that another one put before it changes nothing
        essence = json.dumps([rule.rule_type, rule.conditional, rule.values, rule.metadata_key])
        seen[essence] += 1
        rule_id = rule.id or str(uuid5(UUID(identity), f"{essence} {seen[essence]}"))
        if rule_id.lower() in {(earlier.id or "").lower() for earlier in rules}:
            problems.append(Problem(f"{place}/id", "the id of an earlier rule", _shown(rule_id), "an id of its own"))
        rules.append(rule.model_copy(update={"id": rule_id, "campaign_id": identity}))
    return campaign.model_copy(update={"id": identity, "rules": tuple(rules)})


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
    found = None if missing else _shown(error["input"])
    return Problem(pointer + place, message, found, str(allowed), 400 if missing else int(context.get("code", 422)))


def _shown(value: Any) -> str:
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


def _placed(problem: Problem, lines: Mapping[str, int], source: str | None) -> Problem:
    """The problem with its file and, where the text told it, the line."""
    place = problem.place
    while place and place not in lines:
        place = place.rpartition("/")[0]
    return Problem(
        problem.place,
        problem.message,
        problem.found,
        problem.allowed,
        problem.code,
        source,
        lines.get(place) if problem.place else None,
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
