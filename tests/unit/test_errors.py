"""The tree of errors: exit statuses and codes as they are promised, and how an error reads."""

from collections.abc import Iterator

import pytest

from recovery_batch import errors
from recovery_batch.errors import AppError, NotFound, Problem, ProblemsFound


def tree(root: type[AppError] = AppError) -> Iterator[type[AppError]]:
    yield root
    for child in root.__subclasses__():
        yield from tree(child)


# by DESIGN 4: 1 a bug or the system, 2 usage, 3 refused (400 and 422), 4 not found (404)
PROMISED = {
    "AppError": (500, 1),
    "UsageError": (400, 2),
    "SettingsInvalid": (400, 2),
    "StoreForeign": (400, 2),
    "BadRequest": (400, 3),
    "ExportUnreadable": (400, 3),
    "Refused": (422, 3),
    "ProblemsFound": (422, 3),
    "StaleLoad": (422, 3),
    "TooManyContacts": (422, 3),
    "NotFound": (404, 4),
    "StoreMissing": (404, 4),
    "SystemFailed": (500, 1),
    "StoreLocked": (500, 1),
    "Locked": (500, 1),
}


def test_every_error_has_a_code_an_exit_status_and_a_slug_of_its_own() -> None:
    found = {each.__name__: (each.code, each.exit_status) for each in tree() if each.__module__ == errors.__name__}
    assert found == PROMISED
    slugs = [each.slug for each in tree()]
    assert len(set(slugs)) == len(slugs)


def test_the_docstring_draws_the_tree() -> None:
    assert errors.__doc__
    assert {name for name in PROMISED if name in errors.__doc__} == set(PROMISED)


def test_an_error_as_json_has_the_three_promised_keys() -> None:
    bare = AppError("it failed")
    assert bare.as_json() == {"code": 500, "message": "it failed", "details": {"slug": "failed"}}
    details = {"payment_id": "p"}
    error = NotFound("no payment p", hint="Look again.", details=details)
    assert error.as_json() == {
        "code": 404,
        "message": "no payment p",
        "details": {"slug": "not_found", "payment_id": "p", "hint": "Look again."},
    }
    assert details == {"payment_id": "p"}
    assert str(error) == "no payment p"


@pytest.mark.parametrize(
    ("problem", "text"),
    [
        (
            Problem("/country", "unknown country", '"XX"', "CO or MX", source="c.yaml", line=5),
            'c.yaml:5: /country: unknown country; found "XX"; allowed: CO or MX',
        ),
        (
            Problem("/name", "name is missing", None, "a value", 400, "c.json"),
            "c.json: /name: name is missing; allowed: a value",
        ),
        (Problem("", "not JSON", None, "one document"), "(whole document): not JSON; allowed: one document"),
    ],
)
def test_a_problem_reads_as_one_line(problem: Problem, text: str) -> None:
    assert str(problem) == text


def test_problems_are_listed_at_once_under_the_gravest_code() -> None:
    missing = Problem("/name", "name is missing", None, "a value", code=400)
    bad = Problem("/country", "unknown country", '"XX"', "CO", code=422)
    assert ProblemsFound([missing]).as_json()["code"] == 400
    both = ProblemsFound([missing, bad], hint="Mend both.")
    assert both.as_json()["code"] == 422
    assert both.message == f"2 problems found:\n  {missing}\n  {bad}"
    assert ProblemsFound([bad]).message.startswith("1 problem found:")
    assert both.as_json()["details"] == {
        "slug": "problems_found",
        "problems": [missing.as_json(), bad.as_json()],
        "hint": "Mend both.",
    }
    assert set(bad.as_json()) == {"file", "line", "place", "message", "found", "allowed", "code"}
