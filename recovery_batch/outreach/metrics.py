"""Figures of the last run, as a file for the textfile collector of Prometheus' node exporter.

The file says how the last run ended, and when one last succeeded: what an alert asks for. Values are floating-point
numbers, as everywhere in Prometheus; the exact amounts stand in the manifest. Labels are ids and codes, never names.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from prometheus_client import CollectorRegistry, Gauge, write_to_textfile
from prometheus_client.parser import text_string_to_metric_families

from recovery_batch.clock import parse_instant
from recovery_batch.errors import SystemFailed, UsageError
from recovery_batch.simulation import REASONS

_SUFFIX: Final = ".prom"
_ENDED: Final = "recovery_batch_last_run_timestamp_seconds"
_SUCCEEDED: Final = "recovery_batch_last_success_timestamp_seconds"
_SUCCESS: Final = "recovery_batch_last_run_success"
_DURATION: Final = "recovery_batch_last_run_duration_seconds"
_FAILURE: Final = "recovery_batch_last_run_failure"
_AS_OF: Final = "recovery_batch_last_run_as_of_timestamp_seconds"
_FILES: Final = "recovery_batch_last_run_files"
_RECORDS: Final = "recovery_batch_last_run_records"
_AMOUNT: Final = "recovery_batch_last_run_amount"
_SUPPRESSED: Final = "recovery_batch_last_run_suppressed"

_BY_CAMPAIGN: Final = ("campaign_id", "channel")
_METRICS: Final[Mapping[str, tuple[str, tuple[str, ...]]]] = MappingProxyType(
    {
        _ENDED: ("When the last run ended, however it did.", ()),
        _SUCCEEDED: ("When a run last succeeded.", ()),
        _SUCCESS: ("Whether the last run succeeded: 1, or 0.", ()),
        _DURATION: ("How long the last run took.", ()),
        _FAILURE: ("Why the last run failed: 1 for the slug of its error.", ("slug",)),
        _AS_OF: ("The instant that the last run was as of.", ()),
        _FILES: ("Files with requests that the last run emitted; flows have no campaign.", _BY_CAMPAIGN),
        _RECORDS: ("Payments and abandoned flows that the last run emitted.", _BY_CAMPAIGN),
        _AMOUNT: ("What the emitted payments and carts amount to.", (*_BY_CAMPAIGN, "currency")),
        _SUPPRESSED: ("Matches and abandoned flows that the last run left out.", ("reason",)),
    }
)
"""Help and labels of each metric. Between two runs a help text must not change: the collector refuses one metric with
two of them."""


def require_textfile(path: Path) -> None:
    """Refuse a file that the collector would not read; to be asked before a run, not after it.

    Raises:
        UsageError: its name does not end in `.prom`, or its folder is not there.
    """
    if path.suffix != _SUFFIX or path.is_dir():
        raise UsageError(f"{path}: not a file for the textfile collector; allowed: a name that ends in {_SUFFIX}")
    if not path.parent.is_dir():
        raise UsageError(f"{path.parent}: no such folder", hint="Give the folder that the textfile collector reads.")


def write_metrics(path: Path, manifest: Mapping[str, Any], *, seconds: float, finished_at: datetime) -> None:
    """Write the figures of a run that succeeded, whole or not at all.

    Args:
        path: The file, which is replaced.
        manifest: The manifest of the run.
        seconds: How long it took.
        finished_at: When it ended.

    Raises:
        UsageError: the collector would not read such a file.
        SystemFailed: the disk refuses; the file is as it was.
    """
    figures = _Figures()
    figures.add_end(finished_at, seconds, succeeded_at=finished_at.timestamp(), success=True)
    figures.add(_AS_OF, parse_instant(manifest["as_of"]).timestamp())
    for each in manifest["campaigns"]:  # one that emits nothing has figures too: an alert can ask for it
        campaign = each["campaign"]
        for name in (_FILES, _RECORDS):
            figures.add(name, 0, campaign["id"], campaign["channel"])
    for file in manifest["files"]:
        labels = (file["campaign_id"] or "", file["channel"])
        figures.add(_FILES, 1, *labels)
        figures.add(_RECORDS, file["records"], *labels)
        for currency, amount in file["amounts"].items():
            figures.add(_AMOUNT, float(amount), *labels, currency)
    for reason in REASONS:
        figures.add(_SUPPRESSED, manifest["suppressed"].get(reason, 0), reason)
    figures.write(path)


def write_failure(path: Path, slug: str, *, seconds: float, finished_at: datetime) -> None:
    """Write that a run failed, whole or not at all; when one last succeeded stays as the file says.

    Args:
        path: The file, which is replaced.
        slug: The slug of the error.
        seconds: How long the run took.
        finished_at: When it ended.

    Raises:
        UsageError: the collector would not read such a file.
        SystemFailed: the disk refuses; the file is as it was.
    """
    figures = _Figures()
    figures.add_end(finished_at, seconds, succeeded_at=_last_success(path), success=False)
    figures.add(_FAILURE, 1, slug)
    figures.write(path)


class _Figures:
    """Metrics of a registry of their own: nothing of this process is among them."""

    def __init__(self) -> None:
        self._registry = CollectorRegistry()
        self._gauges: dict[str, Gauge] = {}

    def add(self, name: str, value: float, *labels: str) -> None:
        """Add to a metric, which begins at 0."""
        if name not in self._gauges:
            about, label_names = _METRICS[name]
            self._gauges[name] = Gauge(name, about, label_names, registry=self._registry)
        gauge = self._gauges[name]
        (gauge.labels(*labels) if labels else gauge).inc(value)

    def add_end(self, finished_at: datetime, seconds: float, *, succeeded_at: float | None, success: bool) -> None:
        """Add what is known of every run."""
        self.add(_ENDED, finished_at.timestamp())
        self.add(_DURATION, seconds)
        self.add(_SUCCESS, int(success))
        if succeeded_at is not None:
            self.add(_SUCCEEDED, succeeded_at)

    def write(self, path: Path) -> None:
        """Write the file beside its place, and move it there."""
        require_textfile(path)
        try:
            write_to_textfile(str(path), self._registry)
        except OSError as error:
            raise SystemFailed(
                f"{path}: {error.strerror or error}", hint="Check the folder, its permissions and the free space."
            ) from error


def _last_success(path: Path) -> float | None:
    """When a run last succeeded, as the file of the run before says; None: it does not."""
    try:
        return next(_values(path, _SUCCEEDED), None)
    except (OSError, ValueError):  # no file, or none of ours
        return None


def _values(path: Path, name: str) -> Iterator[float]:
    for family in text_string_to_metric_families(path.read_text(encoding="utf-8")):
        yield from (sample.value for sample in family.samples if sample.name == name)
