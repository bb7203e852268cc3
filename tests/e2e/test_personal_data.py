"""Names, phone numbers and e-mail addresses reach the store and the batch files, and nothing else."""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from tests.e2e.commands import AS_OF, CAMPAIGNS, EXPORTS, Outcome, Shell
from tests.e2e.exports import element, read_elements, write_export

EMAIL = re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+")


def personal_data() -> set[str]:
    """What the example exports say of customers; nothing short enough to occur by chance."""
    found: set[str] = set()
    for path in sorted(EXPORTS.iterdir()):
        for each in read_elements(path):
            payer = each.get("customer_payer")
            if isinstance(payer, dict):
                values = (payer.get("name"), payer.get("phone_number"))
                found |= {value for value in values if isinstance(value, str) and len(value) >= 7}
            found |= set(EMAIL.findall(json.dumps(each, default=str, ensure_ascii=False)))
    return found


PERSONAL = personal_data()
NUMBERS = {re.sub(r"\D", "", each) for each in PERSONAL if "@" not in each}


def leaks(text: str) -> set[str]:
    """Personal data that stands in a text, or in it as a browser shows it."""
    shown = html.unescape(text)
    numbers = set(re.findall(r"(?<![0-9.])[0-9]{7,}(?![0-9])", shown)) & NUMBERS
    names = pl.Series([text, shown]).str.extract_many(sorted(PERSONAL)).explode().drop_nulls()
    return set(names) | numbers


def texts(outcome: Outcome) -> Iterator[str]:
    yield outcome.out
    yield outcome.err


def test_the_example_exports_hold_personal_data_to_look_for() -> None:
    assert len(PERSONAL) > 2_000
    assert {"JUAN PEREZ", "3101234567", "john.doe@example.com"} <= PERSONAL
    assert leaks("a line that says juan, JUAN PEREZ and 3101234567") == {"JUAN PEREZ", "3101234567"}
    assert leaks("&quot;john.doe@example.com&quot;")
    assert not leaks("2026-10-30T15:00:00Z 330.13 MXN")


@pytest.fixture(scope="module")
def outputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Every text that the commands make of the example exports, batch files left out, by where it stands."""
    folder = tmp_path_factory.mktemp("personal")
    shell = Shell(folder / "store.duckdb")
    exports = sorted(EXPORTS.iterdir())
    found: dict[str, str] = {}
    for arguments in (
        ("load", *exports),
        ("campaigns", "import", CAMPAIGNS / "recovery.yaml"),
        ("campaigns", "list"),
        ("backtest", "--decisions", folder / "d.csv", "--report", folder / "r.html"),
        ("explain", "553000764"),
        ("explain", "123456789"),
        ("run", "--out", folder / "out", "--as-of", AS_OF),
        ("run", "--out", folder / "later", "--as-of", "2026-11-03T15:00:00Z"),
        ("demo", "--out", folder / "demo"),
    ):
        for options in ((), ("--json",)):
            outcome = shell(*arguments, *options)
            assert outcome.status in (0, 3), outcome
            for stream, text in zip(("out", "err"), texts(outcome), strict=True):
                found[f"{arguments[0]} {' '.join(options)} {stream}"] = text
    for path in sorted(folder.rglob("*")):
        if path.is_file() and "declined-payments" not in path.parts and ".duckdb" not in path.name:
            found[str(path.relative_to(folder))] = path.read_text(encoding="utf-8")
    return found


def test_nothing_but_batch_files_shows_personal_data(outputs: dict[str, str]) -> None:
    names = {Path(where).name for where in outputs}
    assert {"d.csv", "r.html", "manifest.json", "left_out.csv", "report.html"} <= names
    assert {where: found for where, text in outputs.items() if (found := leaks(text))} == {}


def test_reports_show_customers_masked(outputs: dict[str, str]) -> None:
    page = outputs["r.html"]
    assert page.count("•••") > 100


def test_errors_about_a_customer_do_not_show_what_stood_there(shell: Shell, tmp_path: Path) -> None:
    def bad(**payer: Any) -> dict[str, Any]:
        one = element()
        one["customer_payer"] |= payer
        return one

    lines = [
        bad(name=["ANA NOGAL"]),
        bad(phone_number=3101234567),
        bad(phone_country_code={"ANA NOGAL": "3101234567"}),
        bad(additional_data="ana.nogal@example.com"),
        {"payment": element()["payment"], "customer_payer": "ANA NOGAL 3101234567"},
    ]
    path = write_export(tmp_path / "e.ndjson", *lines, element("good"))
    for options in ((), ("--json",)):
        outcome = shell("load", path, *options)
        assert outcome.status == 3
        for word in ("NOGAL", "3101234567", "ana.nogal"):
            assert word not in outcome.out + outcome.err
    rejected = shell.ok("explain", "good", "--json")
    assert "NOGAL" not in rejected.out


def test_a_bad_line_is_not_shown(shell: Shell, tmp_path: Path) -> None:
    path = write_export(tmp_path / "e.ndjson", element("good"))
    with path.open("a") as file:
        file.write('{"customer_payer": {"name": "ANA NOGAL", "phone_number": "3101234567"\n')
    outcome = shell("load", path)
    assert outcome.status == 3
    assert "NOGAL" not in outcome.out + outcome.err
    (tmp_path / "one.json").write_text('{"customer_payer": {"name": "ANA NOGAL"')
    outcome = shell("load", tmp_path / "one.json", "--json")
    assert "NOGAL" not in outcome.out + outcome.err
