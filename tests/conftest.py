"""What every test shares: Hypothesis profiles, a clean environment, and what happens without a browser."""

import os
import shutil

import pytest
from hypothesis import HealthCheck, settings

REQUIRE_BROWSER = "RECOVERY_BATCH_REQUIRE_BROWSER"
FUZZ = "RECOVERY_BATCH_FUZZ"
NO_CHROMIUM = "there is no chromium here"

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
        if name.startswith("RECOVERY_BATCH_") and name not in (REQUIRE_BROWSER, FUZZ):
            del os.environ[name]


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Without chromium, a test marked `browser` is skipped, or fails where a browser is required."""
    if item.get_closest_marker("browser") and find_chromium() is None:
        if os.environ.get(REQUIRE_BROWSER):
            pytest.fail(f"{NO_CHROMIUM}, and {REQUIRE_BROWSER} is set", pytrace=False)
        pytest.skip(NO_CHROMIUM)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say loudly, next to the result, that browser tests did not run."""
    reports = terminalreporter.stats.get("skipped", [])
    skipped = sum(NO_CHROMIUM in str(report.longrepr) for report in reports)
    if skipped:
        terminalreporter.section("BROWSER TESTS DID NOT RUN", sep="!", red=True, bold=True)
        terminalreporter.line(f"{skipped} skipped: {NO_CHROMIUM}. On Debian: apt-get install chromium", red=True)


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of the browser, for a test marked `browser`: `launch(executable_path=chromium)`."""
    found = find_chromium()
    assert found, NO_CHROMIUM
    return found
