"""Settings: defaults as documented, a file that says otherwise, and every mistake named."""

from __future__ import annotations

from pathlib import Path

import pytest

from recovery_batch.errors import SettingsInvalid
from recovery_batch.settings import Settings, read_settings


def written(folder: Path, text: str) -> Path:
    path = folder / "settings.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_there_are_defaults() -> None:
    settings = read_settings(None)
    assert settings == Settings()
    assert settings.payments.successful_statuses == ("SUCCEEDED", "APPROVED", "CAPTURED", "PAID")
    assert (settings.run.too_old_hours, settings.run.file_records, settings.run.file_bytes) == (72, 500, 5_000_000)


@pytest.mark.parametrize("text", ["", "version = 1\n", "# nothing\n[run]\n"])
def test_an_empty_file_changes_nothing(tmp_path: Path, text: str) -> None:
    assert read_settings(written(tmp_path, text)) == Settings()


def test_what_a_file_sets(tmp_path: Path) -> None:
    settings = read_settings(
        written(
            tmp_path,
            """
            [payments]
            successful_statuses = ["OK"]
            [sources]
            response_code = ["transaction.response_code", "payment.additional_data.error_code"]
            iso_response_code = []
            metadata = ["payment.labels"]
            [run]
            too_old_hours = 24
            file_records = 10
            file_bytes = 10000
            """,
        )
    )
    assert settings.payments.successful_statuses == ("OK",)
    assert settings.sources.response_code == ("transaction.response_code", "payment.additional_data.error_code")
    assert settings.sources.iso_response_code == ()
    assert settings.sources.metadata == ("payment.labels",)
    assert settings.run.model_dump() == {
        "too_old_hours": 24,
        "newest_load_hours": 26,
        "file_records": 10,
        "file_bytes": 10_000,
    }


def test_the_example_of_the_module_is_one(tmp_path: Path) -> None:
    import recovery_batch.settings

    assert recovery_batch.settings.__doc__ is not None
    example = recovery_batch.settings.__doc__.partition("\n\n")[2]
    settings = read_settings(written(tmp_path, example))
    assert settings.run == Settings().run
    assert len(settings.sources.response_code) == 2


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("[run", "settings.toml: "),
        ("x = 1", "x: unknown key; allowed: payments, sources, load, run, flows, submit, lint, version"),
        ("[load]\nhours = 1", "load.hours: unknown key; allowed: unpacked_bytes"),
        ("[lint.contact_hours.CO.monday]\nx = 1", "lint.contact_hours.CO.monday.x: unknown key; allowed: start, end"),
        (
            "[lint.contact_hours.CO]\nx = 1",
            "lint.contact_hours.CO.x: unknown key; allowed: monday, tuesday, wednesday, thursday, friday, saturday, "
            "sunday, holidays, source, year",
        ),
        ("[run]\ntoo_old_hours = 0", "run.too_old_hours: "),
        ("[run]\ntoo_old_hours = 'x'", "run.too_old_hours: "),
        ("[run]\nfile_bytes = 9999", "run.file_bytes: "),
        ("[run]\nfile_records = 1.5", "run.file_records: "),
        ("[payments]\nsuccessful_statuses = 'PAID'", "payments.successful_statuses: "),
        ("[payments]\nsuccessful_statuses = [1]", "payments.successful_statuses.0: "),
        ("[sources]\nmetadata = ['payment']", "sources.metadata.0: "),
        ("[sources]\nmetadata = ['payment.']", "sources.metadata.0: "),
        ("[sources]\nmetadata = ['customer.name']", "sources.metadata.0: "),
        ("[sources]\nmetadata = ['payment.a..b']", "sources.metadata.0: "),
        ("[flows]\ndaily_start_time = '20:00'", "flows: "),
        ("[flows]\ndaily_start_time = '24:00'\ndaily_end_time = '00:00'", "flows: "),
        ("version = 2", "version: "),
        ("run = 1", "run: "),
    ],
)
def test_mistakes_are_named(tmp_path: Path, text: str, named: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(written(tmp_path, text))
    assert named in caught.value.message
    assert str(tmp_path / "settings.toml") in caught.value.message
    assert caught.value.exit_status == 2
    assert "docs/settings.md" in caught.value.hint


@pytest.mark.parametrize(("start", "end"), [("00:00", "24:00"), ("22:00", "06:00"), ("22:00", "00:00")])
def test_the_window_of_flows_may_be_a_day_or_run_over_midnight(tmp_path: Path, start: str, end: str) -> None:
    text = f"[flows]\ndaily_start_time = '{start}'\ndaily_end_time = '{end}'"
    assert read_settings(written(tmp_path, text)).flows.daily_end_time == end


def test_all_mistakes_are_named_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        read_settings(written(tmp_path, "x = 1\n[run]\ntoo_old_hours = -1\nfile_records = 0\n"))
    for name in ("x: ", "run.too_old_hours: ", "run.file_records: "):
        assert name in caught.value.message


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    binary = tmp_path / "binary.toml"
    binary.write_bytes(b"\xff\xfe")
    for path in (tmp_path / "none.toml", tmp_path, binary):
        with pytest.raises(SettingsInvalid, match=str(path)):
            read_settings(path)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().run.too_old_hours = 1  # type: ignore[misc]
