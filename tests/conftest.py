"""What every test shares: Hypothesis profiles, a clean environment, and what happens without a browser or Prism."""

import os
import shutil
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings

REQUIRE_BROWSER = "RECOVERY_BATCH_REQUIRE_BROWSER"
FUZZ = "RECOVERY_BATCH_FUZZ"
NO_CHROMIUM = "there is no chromium here"
REQUIRE_PRISM = "RECOVERY_BATCH_REQUIRE_PRISM"
NO_PRISM = "there is no Prism here"
PRISM = Path(__file__).parent / "e2e" / "prism" / "node_modules" / ".bin" / "prism"

# The same examples every time, however slow the machine is: a failure belongs to the change that caused it.
settings.register_profile(
    "ci",
    derandomize=True,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
# To look for new failures: HYPOTHESIS_PROFILE=search make pytest
settings.register_profile("search", deadline=None, max_examples=1_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "ci"))


def find_chromium() -> str | None:
    """Find the browser of the machine; Playwright's own is not downloaded."""
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    return next((found for name in names if (found := shutil.which(name))), None)


def pytest_configure() -> None:
    """Forget the settings of whoever runs the tests: theirs may point at a real database."""
    for name in list(os.environ):
        if name.startswith("RECOVERY_BATCH_") and name not in (REQUIRE_BROWSER, REQUIRE_PRISM, FUZZ):
            del os.environ[name]
    os.environ["RECOVERY_BATCH_LOG"] = "none"  # a test that is about the log asks for it


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without what it needs, a test marked `browser` or `prism` is skipped, or fails where that is required."""
    for marker, is_here, missing, required in (
        ("browser", find_chromium() is not None, NO_CHROMIUM, REQUIRE_BROWSER),
        ("prism", PRISM.exists() and shutil.which("node") is not None, NO_PRISM, REQUIRE_PRISM),
    ):
        if item.get_closest_marker(marker) and not is_here:
            if os.environ.get(required):
                pytest.fail(f"{missing}, and {required} is set", pytrace=False)
            pytest.skip(missing)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, next to the result, which tests did not run for want of a program."""
    reports = terminalreporter.stats.get("skipped", [])
    for title, missing, remedy in (
        ("BROWSER TESTS", NO_CHROMIUM, "On Debian: apt-get install chromium"),
        ("TESTS AGAINST THE MOCK", NO_PRISM, "Install Node and npm (Debian: apt-get install npm), then: make pytest"),
    ):
        skipped = sum(missing in str(report.longrepr) for report in reports)
        if skipped:
            terminalreporter.section(f"{title} DID NOT RUN", sep="!", red=True, bold=True)
            terminalreporter.line(f"{skipped} skipped: {missing}. {remedy}", red=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, for a test marked `browser`: `launch(executable_path=chromium)`."""
    found = find_chromium()
    assert found, NO_CHROMIUM
    return found
