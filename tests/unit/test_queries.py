"""Every file of queries/: one statement, a header that tells the truth, and somebody who runs it."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import duckdb
import pytest

from recovery_batch import assets
from recovery_batch.store import Store, query_text

QUERIES = assets.path("queries")
FILES = sorted(path.relative_to(QUERIES).with_suffix("").as_posix() for path in QUERIES.rglob("*.sql"))
PACKAGE = Path(assets.__file__).parent
RUN_BY_THEIR_FOLDER = ("schema/",)


def header(query: str) -> dict[str, str]:
    """What the header says of parameters, grain and columns; its first line is the purpose."""
    lines = re.findall(r"^-- ?(.*)$", (QUERIES / f"{query}.sql").read_text(encoding="utf-8"), flags=re.MULTILINE)
    fields = dict(re.findall(r"^(parameters|grain|columns): (.+)$", "\n".join(lines), flags=re.MULTILINE))
    return {"purpose": lines[0], **fields}


def statement(query: str) -> str:
    """The text without its comments."""
    return re.sub(r"--.*$", "", query_text(query), flags=re.MULTILINE).strip()


def parameters(query: str) -> list[str]:
    declared = header(query)["parameters"]
    return [] if declared == "none" else declared.split(", ")


def gives_rows(query: str) -> bool:
    return statement(query).upper().startswith(("SELECT", "WITH", "FROM"))


ROWS = [query for query in FILES if gives_rows(query)]


def test_there_are_queries() -> None:
    assert len(FILES) > 40
    assert len(ROWS) > 10


@pytest.mark.parametrize("query", FILES)
def test_a_query_says_what_it_is_for(query: str) -> None:
    text = (QUERIES / f"{query}.sql").read_text(encoding="utf-8")
    assert text.startswith("-- ")
    assert re.match(r"[A-Z].+[.:;,a-z0-9)]$", header(query)["purpose"])
    assert text.endswith("\n")
    assert not text.endswith("\n\n")


@pytest.mark.parametrize("query", FILES)
def test_the_declared_parameters_are_those_used(query: str) -> None:
    used = set(re.findall(r"\$([A-Za-z_0-9]+)", statement(query)))
    assert set(parameters(query)) == used
    assert "?" not in re.sub(r"'[^']*'", "", statement(query))


@pytest.mark.parametrize("query", FILES)
def test_a_file_is_one_statement(query: str) -> None:
    assert len(duckdb.extract_statements(query_text(query))) == 1
    assert ";" not in re.sub(r"'[^']*'", "", statement(query))


@pytest.mark.parametrize("query", ROWS)
def test_a_query_that_gives_rows_says_which(query: str) -> None:
    assert {"grain", "columns"} <= set(header(query))


def strings_of_the_package() -> list[re.Pattern[str]]:
    """Every text in the code that could name a query; what is filled into an f-string may be anything."""
    patterns = []
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.JoinedStr):
                parts = [re.escape(str(p.value)) if isinstance(p, ast.Constant) else "[a-z_]+" for p in node.values]
                patterns.append(re.compile("".join(parts)))
            elif isinstance(node, ast.Constant) and isinstance(node.value, str):
                patterns.append(re.compile(re.escape(node.value)))
    return [pattern for pattern in patterns if "/" in pattern.pattern and len(pattern.pattern) < 80]


def test_every_query_is_run_by_the_code() -> None:
    named = strings_of_the_package()
    unused = [
        query
        for query in FILES
        if not query.startswith(RUN_BY_THEIR_FOLDER) and not any(pattern.fullmatch(query) for pattern in named)
    ]
    assert unused == []


def test_there_is_no_sql_in_the_code() -> None:
    words = re.compile(
        r"\b(SELECT\s.+\sFROM|INSERT\s+INTO|DELETE\s+FROM|UPDATE\s.+\sSET|CREATE\s+(TEMP|TABLE))\b", re.DOTALL
    )
    found = [path.name for path in PACKAGE.rglob("*.py") if words.search(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    """An open store, with the temporary tables of a load."""
    with Store.open(tmp_path_factory.mktemp("queries") / "store.duckdb", write=True) as opened:
        yield opened


@pytest.mark.parametrize(
    "query", [q for q in ROWS if "incoming" not in statement(q) and "those of" not in header(q).get("columns", "")]
)
def test_a_query_gives_the_columns_that_it_names(store: Store, query: str) -> None:
    listed = re.sub(r" *\([^)]*\)", "", header(query)["columns"])
    assert store.frame(query, dict.fromkeys(parameters(query))).columns == listed.split(", ")
