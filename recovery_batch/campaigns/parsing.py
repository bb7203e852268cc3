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
from ruamel.yaml.events import AliasEvent, CollectionEndEvent, CollectionStartEvent, NodeEvent
from ruamel.yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from recovery_batch.errors import Problem, escape_pointer

LARGEST_BYTES: Final = 20_000_000
_DEEPEST: Final = 50
_LOCATED_CHARACTERS: Final = 200_000
"""Up to this size a faulty JSON file is read once more for its lines, which takes some seconds a million characters."""
_TAG: Final = "tag:yaml.org,2002:"


@dataclass(slots=True)
class Parsed:
    """A document as plain values, the line of each place (by JSON pointer), and what was wrong with its text."""

    value: Any = None
    lines: dict[str, int] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)
    is_whole: bool = False
    """Whether the value is that of the whole text, so that it can be validated, whatever else is wrong with it."""


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


def lines_of(text: str) -> dict[str, int]:
    """The line of each place of a JSON text, read as the YAML that it is too; empty where it cannot be."""
    parsed = Parsed()
    if len(text) <= _LOCATED_CHARACTERS:
        _parse_yaml(text, parsed)
    return parsed.lines


def _parse_json(text: str, parsed: Parsed) -> None:
    repeated = False

    def noted(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal repeated
        found = dict(pairs)
        repeated |= len(found) < len(pairs)
        return found

    def no_constant(word: str) -> None:
        raise ValueError(f"{word} is not JSON")

    try:
        parsed.value = json.loads(
            text,
            object_pairs_hook=noted,
            parse_constant=no_constant,
            parse_float=UnquotedNumber,
            parse_int=UnquotedNumber,
        )
        parsed.is_whole = True
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        parsed.problems.append(Problem("", f"not JSON: {error.msg} at {place}", None, "one JSON document", code=400))
    except RecursionError:
        parsed.problems.append(Problem("", "nested too deep", None, f"at most {_DEEPEST} levels", code=400))
    except ValueError as error:
        parsed.problems.append(Problem("", f"not JSON: {str(error)[:80]}", None, "one JSON document", code=400))
    if repeated:
        if len(text) <= _LOCATED_CHARACTERS:
            _parse_yaml(text, parsed)  # which knows their places
        if not parsed.problems:
            parsed.problems.append(Problem("", "a key stands twice in one object", None, "once"))


def _parse_yaml(text: str, parsed: Parsed) -> None:
    yaml = YAML(typ="safe", pure=True)
    depth = 0
    try:
        for event in yaml.parse(text):
            line = event.start_mark.line + 1
            depth += isinstance(event, CollectionStartEvent) - isinstance(event, CollectionEndEvent)
            if depth > _DEEPEST:
                allowed = f"at most {_DEEPEST} levels"
                parsed.problems.append(Problem("", f"nested too deep on line {line}", None, allowed, code=400))
                return
            if isinstance(event, AliasEvent) or (isinstance(event, NodeEvent) and event.anchor):
                parsed.problems.append(Problem("", f"an anchor or an alias on line {line}", None, "each value in full"))
                return
            if tag := getattr(event, "tag", None):
                parsed.problems.append(Problem("", f"a tag on line {line}", str(tag), "plain values, no tags"))
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
    value = None if node is None else _plain(node, "", parsed)
    if not parsed.is_whole:
        parsed.value, parsed.is_whole = value, True


def _plain(node: Node, pointer: str, parsed: Parsed) -> Any:
    parsed.lines[pointer] = node.start_mark.line + 1
    if isinstance(node, SequenceNode):
        return [_plain(item, f"{pointer}/{n}", parsed) for n, item in enumerate(node.value)]
    if isinstance(node, MappingNode):
        return _mapping(node, pointer, parsed)
    assert isinstance(node, ScalarNode)
    return _scalar(str(node.tag).removeprefix(_TAG), node.value)


def _mapping(node: MappingNode, pointer: str, parsed: Parsed) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key_node, value_node in node.value:
        key = str(key_node.value)
        place = f"{pointer}/{escape_pointer(key)}"
        if key in found:
            parsed.problems.append(Problem(place, f"the key {key[:40]!r} stands twice", None, "once"))
        found[key] = _plain(value_node, place, parsed)
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
    """A number of a campaign file, where none belongs; remembers how it was written."""

    text: str

    def __new__(cls, text: str) -> UnquotedNumber:
        """Keep the text; the number itself is never used."""
        number = super().__new__(cls, 0.0)
        number.text = text
        return number
