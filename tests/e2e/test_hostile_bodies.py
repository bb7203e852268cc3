"""Operations against hostile bodies: a clear refusal or a correct result, in bounded time, and never a traceback."""

from __future__ import annotations

import json
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import Outcome, Shell
from tests.e2e.test_operations import RULE
from tests.unit.campaigns.bodies import BODY

_AMOUNT = {"rule_type": "AMOUNT", "conditional": "EQUAL"}
_LAUGHS = "\n".join(["a: &a [x]", *(f"{b}: &{b} [{', '.join([f'*{a}'] * 9)}]" for a, b in pairwise("abcdefghij"))])
BODIES: dict[str, str] = {
    "a megabyte of name": json.dumps({**BODY, "name": "x" * 1_000_000}),
    "control characters": json.dumps({**BODY, "name": "a\x00\x1b[2J\u202eb"}),
    "ten thousand values": json.dumps({**BODY, "rules": [{**RULE, "values": [f"{n:05}" for n in range(10_000)]}]}),
    "ten thousand rules": json.dumps({**BODY, "rules": [{**_AMOUNT, "values": [str(n)]} for n in range(10_000)]}),
    "a value of a megabyte": json.dumps({**BODY, "rules": [{**RULE, "values": ["9" * 1_000_000]}]}),
    "a number of a million digits": json.dumps({**BODY, "rules": [{**_AMOUNT, "values": ["9" * 1_000_000]}]}),
    "numbers in every notation": json.dumps(
        {**BODY, "rules": [{**_AMOUNT, "conditional": "ONE_OF", "values": ["1e3", "+.5", "5.", "-0", "1E+2", "007"]}]}
    ),
    "no numbers": json.dumps(
        {**BODY, "rules": [{**_AMOUNT, "values": [each]} for each in ("1_000", "0x10", "\u0661", "\u221e", "NaN")]}
    ),
    "a huge exponent": json.dumps({**BODY, "rules": [{**_AMOUNT, "values": ["1e999999999999999999"]}]}),
    "duplicate keys": json.dumps(BODY)[:-1] + ', "name": "another"}',
    "half a surrogate": json.dumps({**BODY, "name": "\ud800"}),
    "deep nesting": "[" * 100_000 + "]" * 100_000,
    "deep nesting inside": json.dumps(BODY)[:-1] + ', "focus": ' + "[" * 5000 + "]" * 5000 + "}",
    "a number without end": json.dumps(BODY)[:-1] + ', "focus": ' + "9" * 100_000 + "}",
    "no JSON": "\x00\x01\x02",
    "NaN": json.dumps({**BODY, "focus": float("nan")}),
    "nothing": "",
}
YAMLS: dict[str, str] = {
    "a billion laughs": _LAUGHS,
    "an anchor": "name: &n x\nfocus: *n\n",
    "a tag": "name: !!python/object/apply:os.system [id]\n",
    "a merge": "<<: {name: x}\n",
    "several documents": "name: a\n---\nname: b\n",
    "a tab": "name:\n\t- x\n",
}
_WRONG = ("no", "a huge", "duplicate", "half", "deep", "a number w", "NaN")
_REFUSED = {name for name in BODIES if name.startswith(_WRONG)}


def timed(shell: Shell, *arguments: object) -> Outcome:
    began = time.monotonic()
    outcome = shell(*arguments, "--json")
    assert time.monotonic() - began < 60
    return outcome


def check(outcome: Outcome) -> Any:
    """Either a result or a refusal that says what; gives the document."""
    assert outcome.status in (0, 3), outcome.out[:500]
    assert "Traceback" not in outcome.err
    if outcome.status:
        assert outcome.error["code"] in (400, 422)
        assert len(outcome.error["message"]) < 100_000
    return outcome.document


@pytest.mark.parametrize("name", BODIES)
def test_a_hostile_campaign_is_refused_or_right(shell: Shell, tmp_path: Path, name: str) -> None:
    path = tmp_path / "body.json"
    path.write_bytes(BODIES[name].encode("utf-8", "surrogatepass"))
    outcome = timed(shell, "campaigns", "create", path)
    document = check(outcome)
    assert (outcome.status == 3) == (name in _REFUSED), document
    if outcome.status == 0:
        again = shell.ok("campaigns", "get", document["data"]["id"], "--json").document
        assert again == document
        assert shell.ok("campaigns", "get", document["data"]["id"]).out.isprintable() is False  # it has line ends
        assert "\x1b" not in shell.ok("campaigns", "get", document["data"]["id"]).out
        linted = timed(shell, "campaigns", "lint")
        assert linted.document["meta"]["campaigns"] == 1


@pytest.mark.parametrize("name", YAMLS)
def test_hostile_yaml_is_refused(shell: Shell, tmp_path: Path, name: str) -> None:
    path = tmp_path / "body.yaml"
    path.write_text(YAMLS[name], encoding="utf-8")
    for command in ("create", "import"):
        outcome = timed(shell, "campaigns", command, path)
        check(outcome)
        assert outcome.status == 3


@pytest.mark.parametrize(
    "update",
    [
        "null",
        "5",
        "[]",
        '"x"',
        '{"values": {}}',
        '{"values": [null]}',
        '{"values": 5}',
        '{"rule_type": []}',
        '{"": 1}',
        "{",
    ],
)
def test_a_hostile_update_changes_nothing(shell: Shell, tmp_path: Path, update: str) -> None:
    path = tmp_path / "body.json"
    path.write_text(json.dumps({**BODY, "rules": [RULE]}))
    made = shell.ok("campaigns", "create", path, "--json").document["data"]
    path.write_text(update)
    outcome = timed(shell, "rules", "update", made["id"], made["rules"][0]["id"], path)
    check(outcome)
    assert outcome.status == 3
    assert shell.ok("campaigns", "get", made["id"], "--json").document["data"] == made
