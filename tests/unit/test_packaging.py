"""A wheel and a source archive carry all that the tool needs, and nothing else."""

import os
import subprocess
import sys
import sysconfig
import tarfile
import venv
import zipfile
from pathlib import Path, PurePosixPath

import pytest

from recovery_batch import __version__, assets

ROOT = Path(__file__).parents[2]
PACKAGED = ("queries", "reports", "fixtures/exports", "fixtures/campaigns")

# One worker builds for all of them.
pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("packaging")]


def run(*command: str | Path, cwd: Path) -> str:
    """Run a program that must succeed, away from this process's import path; returns what it printed."""
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the source archive, and the wheel that was built from that archive."""
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, ROOT, cwd=folder)
    return folder


@pytest.fixture(scope="module")
def wheel(dist: Path) -> Path:
    return dist / f"recovery_batch-{__version__}-py3-none-any.whl"


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin/ of a fresh environment with the wheel in it; it borrows the libraries and needs no network."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, with_pip=False, symlinks=True)
    python = home / "bin" / "python"
    site_packages = Path(run(python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))", cwd=home).strip())
    # A plain path in a .pth file does not follow the .pth files in there: this checkout stays out of sight.
    (site_packages / "borrowed.pth").write_text(f"{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    run(
        *(sys.executable, "-m", "pip", "--python", python, "install", "--no-deps", "--no-index", wheel),
        cwd=home,
    )
    return home / "bin"


def members(wheel: Path) -> list[str]:
    with zipfile.ZipFile(wheel) as archive:
        return sorted(archive.namelist())


def test_the_wheel_holds_the_package_and_nothing_beside_it(wheel: Path) -> None:
    tops = {PurePosixPath(name).parts[0] for name in members(wheel)}
    assert tops == {"recovery_batch", f"recovery_batch-{__version__}.dist-info"}


@pytest.mark.parametrize("folder", PACKAGED)
def test_the_wheel_holds_every_asset(wheel: Path, folder: str) -> None:
    expected = {path.relative_to(ROOT).as_posix() for path in (ROOT / folder).rglob("*") if path.is_file()}
    prefix = f"recovery_batch/{folder}/"
    packaged = {name.removeprefix("recovery_batch/") for name in members(wheel) if name.startswith(prefix)}
    assert expected
    assert packaged == expected


def test_the_wheel_says_that_it_is_typed(wheel: Path) -> None:
    assert "recovery_batch/py.typed" in members(wheel)


def test_the_wheel_of_the_checkout_is_the_wheel_of_the_source_archive(wheel: Path, tmp_path: Path) -> None:
    run(sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", tmp_path, ROOT, cwd=tmp_path)
    assert members(tmp_path / wheel.name) == members(wheel)


def test_the_source_archive_holds_the_tests(dist: Path) -> None:
    with tarfile.open(dist / f"recovery_batch-{__version__}.tar.gz") as archive:
        names = {PurePosixPath(name).relative_to(f"recovery_batch-{__version__}") for name in archive.getnames()}
    assert {PurePosixPath("tests/conftest.py"), PurePosixPath("Makefile"), PurePosixPath("LICENSE")} <= names


def test_the_installed_command_runs_from_another_folder(installed: Path, tmp_path: Path) -> None:
    assert __version__ in run(installed / "recovery-batch", "--version", cwd=tmp_path)


@pytest.mark.parametrize("folder", assets.FOLDERS)
def test_the_installed_package_finds_its_own_assets(installed: Path, tmp_path: Path, folder: str) -> None:
    program = f"from recovery_batch import assets; print(assets.path({folder!r}))"
    found = Path(run(installed / "python", "-c", program, cwd=tmp_path).strip())
    assert found.is_relative_to(installed.parent)
    assert found.is_dir()


def test_the_demo_needs_nothing_but_the_wheel(installed: Path, tmp_path: Path) -> None:
    run(installed / "recovery-batch", "demo", "--out", tmp_path / "demo", cwd=tmp_path)
    assert (tmp_path / "demo" / "report.html").is_file()
