"""Assets are found inside an installed package, and beside it in a checkout."""

from pathlib import Path

import pytest

from recovery_batch import assets

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("folder", assets.FOLDERS)
def test_finds_the_folders_of_the_checkout(folder: str) -> None:
    assert assets.path(folder) == ROOT / folder
    assert assets.path(folder).is_dir()


def test_finds_an_asset_inside_the_package_when_it_is_there(tmp_path: Path) -> None:
    package = tmp_path / "site-packages" / "recovery_batch"
    (package / "queries").mkdir(parents=True)
    (package.parent / "queries").mkdir()  # another distribution's, which is none of our business

    assert assets.path("queries", "read", "payments.sql", package=package) == (
        package / "queries" / "read" / "payments.sql"
    )


def test_finds_an_asset_beside_the_package_otherwise(tmp_path: Path) -> None:
    package = tmp_path / "recovery_batch"
    package.mkdir()

    assert assets.path("reports", "report.html", package=package) == tmp_path / "reports" / "report.html"


@pytest.mark.parametrize("parts", [(), ("",), ("tests",), ("..", "queries"), ("queries/..",)])
def test_refuses_what_is_no_asset_folder(parts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="an asset is in one of queries, reports, fixtures"):
        assets.path(*parts)


@pytest.mark.parametrize("name", ["../pyproject.toml", "../queries-of-others/x.sql", "/etc/passwd", "read/../../x"])
def test_refuses_a_way_out_of_the_folder(name: str) -> None:
    with pytest.raises(ValueError, match="leads out of queries/"):
        assets.path("queries", name)
