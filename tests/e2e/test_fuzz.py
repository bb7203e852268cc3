"""Exports with anything wrong in them: never a traceback, never a hang, and what was left alone loads (SPEC 1)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.e2e import fuzz_exports, fuzz_tables
from tests.e2e.fuzzing import Mutant, load_all
from tests.e2e.mutations import Mutator

TIMES: Final = int(os.environ.get("RECOVERY_BATCH_FUZZ", "1"))
"""So many times the mutants: RECOVERY_BATCH_FUZZ=20 pytest tests/e2e/test_fuzz.py."""

MAKERS: Final[dict[str, tuple[fuzz_exports.Maker, int]]] = {
    "ndjson_of_elements": (fuzz_exports.ndjson(fuzz_exports.payment), 12),
    "ndjson_of_requests": (fuzz_exports.ndjson(fuzz_exports.payment, fuzz_exports.request), 12),
    "ndjson_of_flows": (fuzz_exports.ndjson(fuzz_exports.flow), 12),
    "array": (fuzz_exports.document(fuzz_exports.payment, b"[", b"]"), 50),
    "request": (fuzz_exports.document(fuzz_exports.payment, *fuzz_exports.request(b"|").split(b"|")), 50),
    "array_of_flows": (fuzz_exports.document(fuzz_exports.flow, b"\n[ ", b"\n]\n"), 40),
    "element": (fuzz_exports.element, 50),
    "csv": (fuzz_tables.CSV["csv"], 12),
    "csv_with_a_mapping": (fuzz_tables.CSV["csv_with_a_mapping"], 12),
    "latin_1": (fuzz_tables.CSV["latin_1"], 8),
    "utf_16": (fuzz_tables.CSV["utf_16"], 8),
    "csv_of_flows": (fuzz_tables.CSV["csv_of_flows"], 8),
    "any_csv": (fuzz_tables.any_csv, 60),
    "mapping": (fuzz_tables.mapped, 40),
    "payments_and_transactions": (fuzz_tables.pair, 40),
    "parquet": (fuzz_tables.parquet, 80),
    "workbook": (fuzz_tables.workbook, 60),
    "packed": (fuzz_exports.packed, 40),
}
"""What makes the mutants of each format, and how many files of them."""


def mutants(name: str, times: int) -> Iterator[Mutant]:
    """The mutants of a format; so many times as many, the first of them always the same."""
    make, count = MAKERS[name]
    for number in range(count * times):
        yield make(Mutator(name, number), number)


@pytest.mark.slow
@pytest.mark.parametrize("name", MAKERS)
def test_whatever_is_wrong_with_a_file_is_a_report(tmp_path: Path, name: str) -> None:
    outcome = load_all(tmp_path, mutants(name, TIMES))
    assert not outcome.problems, "\n".join(outcome.problems[:20])
    assert outcome.loaded
