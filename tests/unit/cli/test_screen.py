"""What the command line prints: nothing of the data may drive a terminal, and tables fit it."""

import json

import pytest

from recovery_batch.cli import screen
from recovery_batch.errors import AppError, NotFound

HOSTILE = "a\x1b[31mb\x07\r\nc\u202ed\ud800"


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> pytest.CaptureFixture[str]:
    return capsys


def test_json_is_one_document_with_text_as_it_is(printed: pytest.CaptureFixture[str]) -> None:
    screen.print_json({"name": "é\U0001f600", "hostile": HOSTILE})
    out, err = printed.readouterr()
    assert err == ""
    assert json.loads(out) == {"name": "é\U0001f600", "hostile": HOSTILE}
    assert "é\U0001f600" in out
    assert "\x1b" not in out
    assert out.encode()  # no half of a surrogate pair is left


def test_lines_show_control_characters(printed: pytest.CaptureFixture[str]) -> None:
    for show in (screen.say, screen.note, screen.remark):
        show(HOSTILE)
    out, err = printed.readouterr()
    for text in (out, err):
        assert not set(text) & {"\x1b", "\x07", "\r", "\u202e", "\ud800"}
    assert out.count("\n") == 2
    assert err.count("\n") == 1
    assert "⟨U+001B⟩[31mb" in out


def test_a_remark_is_wrapped_at_80_columns(printed: pytest.CaptureFixture[str]) -> None:
    screen.remark("word " * 50)
    lines = printed.readouterr().out.splitlines()
    assert len(lines) > 3
    assert max(map(len, lines)) <= 80
    assert lines[0].startswith("  - word")
    assert all(line.startswith("    word") for line in lines[1:])


def test_a_table_fits_80_columns_and_shows_control_characters(printed: pytest.CaptureFixture[str]) -> None:
    rows = [("x" * 100, 5, HOSTILE), ("[red]markup[/red]", 1_234, "")]
    screen.print_table(("name", "count", "note"), rows, numbers=("count",))
    out = printed.readouterr().out
    assert max(map(len, out.splitlines())) <= 80
    assert not set(out) & {"\x1b", "\x07", "\r", "\u202e"}
    assert out.replace("\n", "").replace(" ", "").count("x") == 100  # folded, nothing cut off
    assert "[red]markup[/red]" in out
    assert out.splitlines()[0].split() == ["name", "count", "note"]


def test_errors_go_to_standard_error_or_as_json_to_standard_output(printed: pytest.CaptureFixture[str]) -> None:
    error = NotFound(f"no payment {HOSTILE}", hint="Look again.")
    screen.print_error(error, as_json=False)
    out, err = printed.readouterr()
    assert out == ""
    assert err.startswith("error: no payment a⟨U+001B⟩[31mb")
    assert err.endswith("hint: Look again.\n")
    assert "\x1b" not in err
    screen.print_error(error, as_json=True)
    out, err = printed.readouterr()
    assert err == ""
    assert json.loads(out) == error.as_json()
    screen.print_error(AppError("no hint"), as_json=False)
    assert printed.readouterr().err == "error: no hint\n"
