"""Campaign files, JSON and YAML: read and validated whole, every problem listed at once, and written."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from io import StringIO
from pathlib import Path
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from recovery_batch.campaigns.models import Campaign
from recovery_batch.campaigns.parsing import lines_of, parse_text
from recovery_batch.campaigns.validating import campaign_of, shown
from recovery_batch.errors import Problem, ProblemsFound, escape_pointer

_YAML_NAMES: Final = frozenset({".yaml", ".yml"})
_SHAPES: Final = 'a campaign, an array of campaigns, {"campaigns": […]} or {"data": …}'
_HOLDERS: Final = frozenset({"campaigns", "data"})
_HINT: Final = "Nothing was read from these files; mend every place and try again."


def is_yaml(path: Path) -> bool:
    """Whether a file is YAML by its name."""
    return path.suffix.lower() in _YAML_NAMES


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
            campaigns += parse_campaigns(text, source=str(path), is_yaml=is_yaml(path))
        except ProblemsFound as error:
            problems += error.problems
    problems += _repeated(campaigns)
    if problems:
        raise ProblemsFound(problems, hint=_HINT)
    return tuple(campaigns)


def read_document(text: str, *, source: str, is_yaml: bool = False) -> Any:
    """The plain values of a JSON or YAML text: the body of an operation.

    Raises:
        ProblemsFound: it is neither, or has what makes it mean something else than it shows.
    """
    parsed = parse_text(text, is_json=not is_yaml)
    if parsed.problems:
        raise ProblemsFound([_placed(problem, parsed.lines, source) for problem in parsed.problems], hint=_HINT)
    return parsed.value


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
            campaign = campaign_of(item, pointer, problems)
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
            unknown = sorted(document.keys() - {holder, "meta", "$schema"})
            problems += [_unknown(f"/{escape_pointer(key)}", key) for key in unknown]
            document, place = document[holder], f"/{holder}"
            break
    if isinstance(document, dict) and document:
        return [(place, document)]
    if isinstance(document, list):
        return [(f"{place}/{number}", item) for number, item in enumerate(document)]
    problems.append(Problem(place, "not campaigns", shown(document), _SHAPES, code=400))
    return []


def _unknown(place: str, key: str) -> Problem:
    return Problem(place, f"unknown field {key[:40]}", None, "only documented fields")


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
