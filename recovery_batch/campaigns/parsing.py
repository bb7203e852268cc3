"""The text of a campaign file to plain values, and the line on which each of them stands.

JSON and YAML 1.2 are read alike: a text that is quoted stays a text, `NO` and `08:00` are texts, times are left to the
model. What makes a file mean something else than it shows is refused: duplicate keys, anchors and aliases, tags.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, Final

from ruamel.yaml import YAML
from ruamel.yaml.error import MarkedYAMLError, YAMLError
from ruamel.yaml.events import AliasEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from recovery_batch.errors import Problem

LARGEST_BYTES: Final = 20_000_000
_DEEPEST: Final = 50
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Parsed:
    """A document as plain values, the line of each place (by JSON pointer), and what was wrong with its text."""

    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)


def parse_text(text: str, *, is_json: bool) -> Parsed:
    """The values of a JSON or YAML text."""
    parsed = Parsed()
    if len(text) > LARGEST_BYTES:
        parsed.problems.append(Problem("", "the file is too large", f"{len(text)} characters", f"{LARGEST_BYTES}"))
    elif is_json:
        _parse_json(text, parsed)
    else:
        _parse_yaml(text, parsed)
    return parsed


def _parse_json(text: str, parsed: Parsed) -> None:
    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        keys = [key for key, _ in pairs]
        for key in sorted({key for key in keys if keys.count(key) > 1}):
            parsed.problems.append(Problem(f"/{key}", f"the key {key[:40]!r} stands twice in one object", None, "once"))
        return dict(pairs)

    def no_constant(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        parsed.value = json.loads(text, object_pairs_hook=unique, parse_constant=no_constant)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        parsed.problems.append(Problem("", f"not JSON: {error.msg} at {place}", None, "one JSON document", code=400))
    except (ValueError, RecursionError) as error:
        parsed.problems.append(Problem("", f"not JSON: {str(error)[:80]}", None, "one JSON document", code=400))


def _parse_yaml(text: str, parsed: Parsed) -> None:
    yaml = YAML(typ="safe", pure=True)
    try:
        for event in yaml.parse(text):
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                line = event.start_mark.line + 1
                parsed.problems.append(Problem("", f"an anchor or an alias on line {line}", None, "each value in full"))
                return
        node = YAML(typ="safe", pure=True).compose(text)
    except MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        message = f"not YAML: {error.problem} on line {line}"
        parsed.problems.append(Problem("", message, None, "one YAML document", code=400))
        return
    except (YAMLError, RecursionError, ValueError) as error:
        message = f"not YAML: {str(error).partition(chr(10))[0][:80]}"
        parsed.problems.append(Problem("", message, None, "one YAML document", code=400))
        return
    parsed.value = None if node is None else _plain(node, "", 0, parsed)


def _plain(node: Node, pointer: str, depth: int, parsed: Parsed) -> Any:
    parsed.lines[pointer] = node.start_mark.line + 1
    if depth > _DEEPEST:
        parsed.problems.append(Problem(pointer, "nested too deep", None, f"at most {_DEEPEST} levels"))
        return None
    if isinstance(node, SequenceNode):
        return [_plain(item, f"{pointer}/{n}", depth + 1, parsed) for n, item in enumerate(node.value)]
    if isinstance(node, MappingNode):
        return _mapping(node, pointer, depth, parsed)
    assert isinstance(node, ScalarNode)
    return _scalar(str(node.tag).removeprefix(_TAG), node.value)


def _mapping(node: MappingNode, pointer: str, depth: int, parsed: Parsed) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        place = f"{pointer}/{key}"
        if key in found:
            parsed.problems.append(Problem(place, f"the key {key[:40]!r} stands twice", None, "once"))
        found[key] = _plain(value_node, place, depth + 1, parsed)
    return found


def _scalar(tag: str, text: str) -> Any:
    if tag == "null":
        return None
    if tag == "bool":
        return text.lower() == "true"
    if tag in ("int", "float"):
        # a number where a text belongs is shown as it stands: 05, not 5
        return UnquotedNumber(text)
    return text


class UnquotedNumber(float):
    """A number of a YAML file; remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> UnquotedNumber:
        """Keep the text; the number itself is never used."""
        number = super().__new__(cls, 0.0)
        number.text = text
        return number
