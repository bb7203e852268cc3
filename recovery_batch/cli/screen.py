"""What the command line prints: JSON for programs, plain tables that fit 80 columns for people, errors with a hint.

Text of the data is shown with its control characters made visible, so that no export can drive a terminal.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple

import click
from rich.console import Console
from rich.table import Table
from rich.text import Text
from rich.tree import Tree

from recovery_batch.errors import AppError
from recovery_batch.reporting.formats import count, visible

NARROW = 80


def print_json(document: Any) -> None:
    """Print one JSON document on standard output."""
    text = json.dumps(document, ensure_ascii=False, indent=2)
    # half of a surrogate pair, which only bad input holds, goes out as JSON's own escape
    click.echo(text.encode("utf-8", "backslashreplace").decode())


def say(text: str = "") -> None:
    """Print a line of text on standard output."""
    click.echo(visible(text))


def note(text: str) -> None:
    """Print a line on standard error: what happens, what to look at; never part of the result."""
    click.echo(visible(text), err=True)


def counted(counts: Counter[str]) -> str:
    """What was counted, the most frequent first: `missing 10, bad_amount 3`."""
    return ", ".join(f"{name} {count(number)}" for name, number in counts.most_common())


def remark(text: str) -> None:
    """Print an item of a list on standard output, wrapped at 80 columns."""
    click.echo(textwrap.fill(visible(text), NARROW, initial_indent="  - ", subsequent_indent="    "))


def print_table(headers: Sequence[str], rows: Iterable[Sequence[object]], *, numbers: Sequence[str] = ()) -> None:
    """Print a table: columns named in `numbers` are aligned to the right, one named `id` is never broken."""
    console = Console(file=sys.stdout, highlight=False, soft_wrap=False)
    if not console.is_terminal:
        console.width = NARROW
    table = Table(box=None, pad_edge=False, header_style="bold", show_header=any(headers))
    for header in headers:
        justify: Literal["left", "right"] = "right" if header in numbers else "left"
        table.add_column(header, justify=justify, overflow="fold", no_wrap=header == "id")
    for row in rows:
        table.add_row(*(Text(_lines(str(cell))) for cell in row))
    console.print(table)


class Branch(NamedTuple):
    """A line of a tree, and what stands below it."""

    text: str
    below: Sequence[Branch] = ()


def print_tree(root: Branch) -> None:
    """Print a tree on standard output, its lines wrapped at 80 columns where it is no terminal."""
    console = Console(file=sys.stdout, highlight=False)
    if not console.is_terminal:
        console.width = NARROW
    tree = Tree(Text(visible(root.text)))
    _grow(tree, root.below)
    console.print(tree)


def _grow(tree: Tree, branches: Sequence[Branch]) -> None:
    for branch in branches:
        _grow(tree.add(Text(visible(branch.text))), branch.below)


def print_error(error: AppError, *, as_json: bool) -> None:
    """Print an error: as JSON on standard output where JSON was asked for, else as text on standard error."""
    if as_json:
        print_json(error.as_json())
        return
    click.echo(f"error: {_lines(error.message)}", err=True)
    if error.hint:
        click.echo(f"hint: {error.hint}", err=True)


def _lines(text: str) -> str:
    return "\n".join(visible(line) for line in text.split("\n"))
