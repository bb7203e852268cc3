"""Where the files that are not Python are: queries, report templates and fixtures.

A wheel carries them inside the package. A checkout, installed editable or not at all, has them beside it.
"""

from pathlib import Path

FOLDERS = ("queries", "reports", "fixtures")
"""The asset folders; pyproject.toml maps each into the wheel."""

_PACKAGE = Path(__file__).resolve().parent


def path(*parts: str, package: Path = _PACKAGE) -> Path:
    """Find a file or folder of queries/, reports/ or fixtures/.

    Args:
        *parts: The asset folder, then the way down from it: `"queries", "payments.sql"`.
        package: The package's own folder; only tests give another.

    Returns:
        The absolute path: inside the package if the asset folder is there, else beside the package. The
        file itself need not exist; opening it says so.

    Raises:
        ValueError: If the parts name no asset folder, or lead out of it. Part of a path can come from the
            command line, and that must not reach other files.
    """
    if not parts or parts[0] not in FOLDERS:
        raise ValueError(f"an asset is in one of {', '.join(FOLDERS)}, not in {parts[:1]}")
    inside = package / parts[0]
    folder = inside if inside.is_dir() else package.parent / parts[0]
    found = folder.joinpath(*parts[1:])
    if not found.resolve().is_relative_to(folder.resolve()):
        raise ValueError(f"{'/'.join(parts)} leads out of {parts[0]}/")
    return found
