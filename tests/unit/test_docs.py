import runpy
from pathlib import Path

import pytest

from recovery_batch.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", sorted(PAGES))
def test_generated_page_says_what_the_code_says(name: str) -> None:
    assert (DOCS / name).read_text(encoding="utf-8") == PAGES[name](), "run: python docs/generate.py"


def test_settings_page_shows_the_defaults() -> None:
    import tomllib

    text = (DOCS / "settings.md").read_text(encoding="utf-8")
    shown = tomllib.loads(text.partition("```toml\n")[2].partition("```")[0])
    assert Settings.model_validate(shown) == Settings()
    assert shown.keys() == Settings().model_dump().keys() - {"version"}
    for section, values in shown.items():
        assert values.keys() == getattr(Settings(), section).model_dump().keys()
