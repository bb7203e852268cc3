"""The figures of a run as Prometheus reads them."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from recovery_batch.errors import SystemFailed, UsageError
from recovery_batch.outreach.metrics import require_textfile, write_failure, write_metrics
from recovery_batch.simulation import REASONS

ENDED = datetime(2026, 10, 30, 15, 2, tzinfo=UTC)
LATER = datetime(2026, 10, 31, 15, 2, tzinfo=UTC)
QUIET, BUSY = "00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"


def file(campaign_id: str | None, channel: str, records: int, **amounts: str) -> dict[str, Any]:
    return {"campaign_id": campaign_id, "channel": channel, "records": records, "amounts": amounts}


MANIFEST: Mapping[str, Any] = {
    "as_of": "2026-10-30T15:00:00Z",
    "files": [
        file(BUSY, "PHONE_CALL", 500, COP="10.10", USD="1.00"),
        file(BUSY, "PHONE_CALL", 7, COP="0.90"),
        file(None, "whatsapp", 2),
    ],
    "suppressed": {"opted_out": 3, "too_old": 2},
    "campaigns": [
        {"campaign": {"id": QUIET, "channel": "WHATSAPP_MESSAGE", "name": "Ana Nogal"}},
        {"campaign": {"id": BUSY, "channel": "PHONE_CALL", "name": "Ana Nogal"}},
    ],
}


def samples(path: Path) -> dict[str, dict[tuple[str, ...], float]]:
    """The values of each metric, without what all their names begin with, by the values of their labels."""
    found: dict[str, dict[tuple[str, ...], float]] = {}
    for family in text_string_to_metric_families(path.read_text()):
        assert family.type == "gauge"
        assert family.documentation
        for sample in family.samples:
            name = sample.name.removeprefix("recovery_batch_last_")
            found.setdefault(name, {})[tuple(sample.labels.values())] = sample.value
    return found


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "run.prom"


def test_a_run_that_succeeded(path: Path) -> None:
    write_metrics(path, MANIFEST, seconds=12.5, finished_at=ENDED)
    assert samples(path) == {
        "run_timestamp_seconds": {(): ENDED.timestamp()},
        "success_timestamp_seconds": {(): ENDED.timestamp()},
        "run_success": {(): 1.0},
        "run_duration_seconds": {(): 12.5},
        "run_as_of_timestamp_seconds": {(): ENDED.timestamp() - 120},
        "run_files": {(QUIET, "WHATSAPP_MESSAGE"): 0.0, (BUSY, "PHONE_CALL"): 2.0, ("", "whatsapp"): 1.0},
        "run_records": {(QUIET, "WHATSAPP_MESSAGE"): 0.0, (BUSY, "PHONE_CALL"): 507.0, ("", "whatsapp"): 2.0},
        "run_amount": {(BUSY, "PHONE_CALL", "COP"): 11.0, (BUSY, "PHONE_CALL", "USD"): 1.0},
        "run_suppressed": {(reason,): float(MANIFEST["suppressed"].get(reason, 0)) for reason in REASONS},
    }
    assert "Nogal" not in path.read_text()


def test_a_run_that_failed_says_why_and_when_one_last_succeeded(path: Path) -> None:
    write_failure(path, "store_locked", seconds=1, finished_at=ENDED)
    assert samples(path) == {
        "run_timestamp_seconds": {(): ENDED.timestamp()},
        "run_success": {(): 0.0},
        "run_duration_seconds": {(): 1.0},
        "run_failure": {("store_locked",): 1.0},
    }
    write_metrics(path, MANIFEST, seconds=1, finished_at=ENDED)
    for _ in range(2):  # however often it fails
        write_failure(path, "stale_load", seconds=1, finished_at=LATER)
        found = samples(path)
        assert found["success_timestamp_seconds"] == {(): ENDED.timestamp()}
        assert found["run_timestamp_seconds"] == {(): LATER.timestamp()}
        assert found["run_failure"] == {("stale_load",): 1.0}
        assert "run_records" not in found


def test_help_texts_do_not_change_from_run_to_run(path: Path) -> None:
    def helps() -> set[str]:
        return {line for line in path.read_text().splitlines() if line.startswith("# ")}

    write_metrics(path, MANIFEST, seconds=12.5, finished_at=ENDED)
    first = helps()
    write_metrics(path, {**MANIFEST, "files": [], "suppressed": {}}, seconds=1, finished_at=LATER)
    assert first - helps() == {line for line in first if "_amount" in line}
    assert helps() < first


def test_a_run_without_campaigns(path: Path) -> None:
    write_metrics(path, {**MANIFEST, "files": [], "campaigns": []}, seconds=0, finished_at=ENDED)
    assert "run_records" not in samples(path)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=60) | st.text('recovery_batch_last{}"=,.# \n1e', max_size=60).map(str.encode))
def test_whatever_stood_there_a_failure_is_written(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    write_failure(path, "bug", seconds=1, finished_at=ENDED)
    assert samples(path)["run_success"] == {(): 0.0}


def test_a_file_that_the_collector_would_not_read_is_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.prom").mkdir()
    for name in ("run.txt", "run", ".prom", "folder.prom", "none/run.prom"):
        with pytest.raises(UsageError):
            require_textfile(tmp_path / name)
        with pytest.raises(UsageError):
            write_failure(tmp_path / name, "bug", seconds=1, finished_at=ENDED)
    require_textfile(tmp_path / "run.prom")


@pytest.mark.fault
@pytest.mark.parametrize("step", ["rename", "open"])
def test_a_full_disk_leaves_the_file_as_it_was(path: Path, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    write_metrics(path, MANIFEST, seconds=1, finished_at=ENDED)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    where = "prometheus_client.exposition.os.rename" if step == "rename" else "builtins.open"
    with monkeypatch.context() as broken:
        broken.setattr(where, fail)
        with pytest.raises(SystemFailed, match=r"run\.prom: No space left on device"):
            write_metrics(path, MANIFEST, seconds=2, finished_at=LATER)
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]
