"""`pytest tests/golden --accept-goldens` writes what the cases give now as what they are expected to give."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the option; it is known only where this folder is named on the command line."""
    parser.addoption("--accept-goldens", action="store_true", help="write the goldens anew; look at the diff")


@pytest.fixture
def accept(request: pytest.FixtureRequest) -> bool:
    """Whether the goldens are to be written."""
    return bool(request.config.getoption("--accept-goldens", default=False))
