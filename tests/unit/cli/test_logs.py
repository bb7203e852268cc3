"""The log of the nightly commands: its form, its order, and that nothing personal can get into it."""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.api.events import Fields, silent
from recovery_batch.cli.logs import FORMS, event_logger, failures_logged
from recovery_batch.errors import StaleLoad
from tests.e2e.commands import call


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_is_one_json_object_in_a_fixed_order() -> None:
    stream = io.StringIO()
    log = event_logger("json", stream)
    log("run_recorded", seconds=1.25, suppressed=MappingProxyType({"too_old": 3, "already_paid": 2}), run_id="r-1")
    log("warned", level="warning", newest_load_at=None)
    first, second = lines(stream)
    assert list(first) == ["timestamp", "level", "event", "run_id", "suppressed", "seconds"]
    assert list(first["suppressed"].items()) == [("already_paid", 2), ("too_old", 3)]
    assert (first["level"], first["event"], first["seconds"]) == ("info", "run_recorded", 1.25)
    assert (second["level"], second["newest_load_at"]) == ("warning", None)
    stamp = datetime.fromisoformat(first["timestamp"])
    assert first["timestamp"].endswith("Z")
    assert stamp.utcoffset() == timedelta(0)


def test_a_line_is_ascii_and_one_line() -> None:
    stream = io.StringIO()
    event_logger("json", stream)("run_started", folder="sal\u00edda\n\x1b[31m")
    assert stream.getvalue().isascii()
    assert lines(stream)[0]["folder"] == "sal\u00edda\n\x1b[31m"


def test_a_field_that_is_not_listed_is_named_and_not_shown() -> None:
    stream = io.StringIO()
    said: Mapping[str, Any] = {"phone_number": "+573005550101", "name": "Luc\u00eda", "files": 3}
    event_logger("json", stream)("run_started", **said)
    (line,) = lines(stream)
    assert line["unlisted_fields"] == ["name", "phone_number"]
    assert line["files"] == 3
    assert "5550101" not in stream.getvalue()
    assert "Luc" not in stream.getvalue()


@given(st.dictionaries(st.from_regex("[a-z_]{1,20}", fullmatch=True), st.just("Ana Ferrer"), max_size=5))
def test_no_other_field_ever_shows_its_value(fields: dict[str, Any]) -> None:
    stream = io.StringIO()
    unlisted = {name: value for name, value in fields.items() if name not in {*Fields.__annotations__, "level"}}
    event_logger("json", stream)("run_started", **unlisted)
    (line,) = lines(stream)
    assert "Ana" not in stream.getvalue()
    assert line.get("unlisted_fields", []) == sorted(unlisted)


def test_an_event_is_a_word_of_the_code() -> None:
    stream = io.StringIO()
    event_logger("json", stream)("called +573005550101")
    assert [line["event"] for line in lines(stream)] == ["unnamed_event"]


def test_no_listed_field_is_about_a_person() -> None:
    about_people = ("name", "phone", "mail", "user", "payer", "customer", "payment_id", "order", "message", "body")
    assert [field for field in Fields.__annotations__ if any(word in field for word in about_people)] == []


def test_the_form_follows_the_terminal_where_it_is_left_to() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        event_logger("auto", stream)("run_recorded", run_id="r-1", files=12)
    assert lines(pipe)[0]["files"] == 12
    assert terminal.getvalue() == ""


def test_text_can_be_read_and_has_colours_on_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_COLOR", raising=False)
    pipe, terminal, plain = io.StringIO(), Terminal(), Terminal()
    event_logger("text", pipe)("run_recorded", level="error", run_id="r-1", folder="a\x1b[31mb")
    assert "[error    ] run_recorded" in pipe.getvalue()
    assert "run_id=r-1 folder=" in pipe.getvalue()
    assert "\x1b" not in pipe.getvalue()
    event_logger("text", terminal)("run_recorded")
    assert "\x1b[" in terminal.getvalue()
    monkeypatch.setenv("NO_COLOR", "1")
    event_logger("text", plain)("run_recorded")
    assert "\x1b" not in plain.getvalue()


def test_a_log_that_nobody_asked_for_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    event_logger("none")("run_recorded", run_id="r-1")
    silent("run_recorded", run_id="r-1")
    assert capsys.readouterr() == ("", "")


def test_a_log_that_cannot_be_written_stops_nothing() -> None:
    class Full(io.StringIO):
        def write(self, text: str) -> int:
            raise OSError(28, "No space left on device")

    closed = io.StringIO()
    logs = [event_logger("json", stream) for stream in (Full(), closed)]
    closed.close()
    for log in logs:
        log("run_recorded", run_id="r-1")


def test_without_standard_error_there_is_no_log(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)  # what Python makes of 2>&-
    event_logger("json")("run_recorded", run_id="r-1")


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (StaleLoad("the newest load is old"), {"slug": "stale_load", "exit_status": 3}),
        (OSError(28, "No space left on device"), {"slug": "system_failed", "exit_status": 1}),
        (KeyboardInterrupt(), {"exit_status": 130}),
        (ValueError("+573005550101"), {"slug": "bug", "exit_status": 1}),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_logged_without_its_message_and_goes_on(error: BaseException, expected: dict[str, Any]) -> None:
    stream = io.StringIO()
    with pytest.raises(type(error)), failures_logged(event_logger("json", stream)):
        raise error
    (line,) = lines(stream)
    assert line["level"] == "error"
    assert line["event"] == ("interrupted" if isinstance(error, KeyboardInterrupt) else "failed")
    assert {name: line[name] for name in expected} == expected
    assert ("place" in line) == (expected.get("slug") == "bug")
    assert "5550101" not in stream.getvalue()
    if "place" in line:
        assert line["place"].startswith("test_logs.py:")


def test_the_option_takes_a_form_and_nothing_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for form in FORMS:
        assert call("--log", form, "demo", "--help").status == 0
    assert call("--log", "xml", "demo", "--help").status == 2
    monkeypatch.setenv("RECOVERY_BATCH_LOG", "xml")
    assert call("campaigns", "list").status == 2
