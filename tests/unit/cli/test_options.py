"""How the values of options are read."""

from datetime import UTC, datetime

import pytest
from click import BadParameter

from recovery_batch.cli.options import FILE, INSTANT, ZONE
from tests.e2e.commands import call


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-10-01", datetime(2026, 10, 1, tzinfo=UTC)),
        ("2026-10-01T08:30:00Z", datetime(2026, 10, 1, 8, 30, tzinfo=UTC)),
        ("2026-10-01 08:30", datetime(2026, 10, 1, 8, 30, tzinfo=UTC)),
        ("2026-10-01T08:30:00-05:00", datetime(2026, 10, 1, 13, 30, tzinfo=UTC)),
        ("2026-10-01T08:30:00.000001", datetime(2026, 10, 1, 8, 30, 0, 1, tzinfo=UTC)),
    ],
)
def test_times_are_instants_in_utc(text: str, moment: datetime) -> None:
    assert INSTANT.convert(text, None, None) == moment
    assert INSTANT.convert(moment, None, None) == moment


@pytest.mark.parametrize("text", ["", "today", "2026-02-30", "2026-10", "01/10/2026", "1790812800", "2026-10-01T25:00"])
def test_what_is_no_time_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadParameter, match="is not a time; give 2026-09-01 or 2026-09-01T08:00:00Z"):
        INSTANT.convert(text, None, None)


@pytest.mark.parametrize("text", ["", "  "])
def test_an_empty_path_is_refused_and_is_not_the_current_folder(text: str) -> None:
    with pytest.raises(BadParameter, match="the path is empty"):
        FILE.convert(text, None, None)
    for arguments in (
        ["--db", text, "run", "--out", "x"],
        ["run", "--out", text],
        ["run", "--out", "x", "--metrics", text],
    ):
        outcome = call(*arguments)
        assert (outcome.status, "the path is empty" in outcome.err) == (2, True)


@pytest.mark.parametrize("text", ["UTC", "America/Bogota", "-05:00", "+05:45"])
def test_zones_are_names_or_offsets(text: str) -> None:
    assert ZONE.convert(text, None, None) == text


@pytest.mark.parametrize("text", ["", "Bogota", "america/bogota", "-5", "+15:00", "../../etc/passwd"])
def test_what_is_no_zone_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(BadParameter, match="is not a time zone; give America/Bogota or -05:00"):
        ZONE.convert(text, None, None)
