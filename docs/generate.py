"""The generated pages of docs/: rules.md and campaigns.schema.json from the catalogue, tables.md from the schema.

A test keeps them true.

python docs/generate.py
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from pathlib import Path

from recovery_batch.campaigns import campaign_file_schema
from recovery_batch.rules import CONDITIONALS, RULE_TYPES, Kind, Rule, sentence
from recovery_batch.rules.catalogue import allowed_conditionals
from recovery_batch.schema import TABLES

HERE = Path(__file__).parent
_MADE = "<!-- Made by docs/generate.py; change the code's table, not this page. -->"


def _table(headers: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    escaped = [[cell.replace("|", "\\|") for cell in row] for row in rows]
    return [f"| {' | '.join(row)} |" for row in (headers, ["---"] * len(headers), *escaped)]


def rules_page() -> str:
    """Every rule type and conditional."""
    types = [
        (
            f"`{each.name}`",
            each.source,
            each.kind.value,
            ", ".join(f"`{name}`" for name in allowed_conditionals(each)) or "none",
        )
        for each in RULE_TYPES.values()
    ]
    examples = []
    for rule_type in RULE_TYPES.values():
        shown = rule_type.example
        rule = Rule(
            rule_type=rule_type.name,
            conditional=shown.conditional,
            values=shown.values or None,
            metadata_key=shown.metadata_key,
        )
        written = " ".join([rule_type.name, *([shown.conditional] if shown.conditional else [])])
        key = f" on `{shown.metadata_key}`" if shown.metadata_key else ""
        values = f" `{json.dumps(shown.values)}`" if shown.values else ""
        examples.append((f"`{written}`{key}{values}", sentence(rule), shown.true, shown.false, shown.missing))
    conditionals = []
    for each in CONDITIONALS.values():
        fewest, most = each.arity(Kind.METADATA)
        values = f"{fewest}" if most == fewest else f"{fewest} or more"
        example = ", ".join(each.example.values)
        conditionals.append(
            (
                f"`{each.name}`",
                values,
                "numbers" if each.numeric else "as the rule type compares",
                f"[{example}]",
                f"`{each.example.true}`",
                f"`{each.example.false}`",
                "true" if each.when_missing else "false",
            )
        )
    return "\n".join(
        [
            _MADE,
            "# Rules",
            "",
            "A campaign targets the payments for which every ACTIVE rule holds. Text is compared exactly: case counts,",
            "`05` is not `5`. Amounts and numbers are compared as exact decimals.",
            "",
            "## Rule types",
            "",
            *_table(("rule type", "reads", "compares", "conditionals"), types),
            "",
            "`AMOUNT_AND_CURRENCY` takes the currency as one more value, always the last. `METADATA` needs a",
            "`metadata_key`. `USER_COMMS_PER_DAY` takes one whole number and no conditional, `UNIQUE_BY_USER` neither.",
            "",
            "## Holdout",
            "",
            "A campaign may keep some of its users out, so that its lift can be measured. It says so beside its rules:",
            "",
            "```yaml",
            "holdout: {share: 0.1, seed: 2026-q4}",
            "```",
            "",
            "A tenth of the users then get nothing from it (`holdout` in `left_out.csv`), the same ones every night.",
            "Campaigns with one seed keep the same users out; without a seed each draws its own.",
            "",
            "## A rule of each type",
            "",
            *_table(("rule", "in plain words", "true for", "false for", "missing"), examples),
            "",
            "## Conditionals",
            "",
            *_table(
                ("conditional", "values", "compares", "example", "true for", "false for", "missing is"), conditionals
            ),
            "",
        ]
    )


def tables_page() -> str:
    """Every table that exports are loaded into, or that runs write."""
    lines = [
        _MADE,
        "# Tables of the store",
        "",
        "Times are UTC. A payment is identified by (organization_code, payment_id). Personal data stands only where",
        "it says so.",
    ]
    for name, columns in TABLES.items():
        rows = [
            (
                f"`{column.name}`",
                f"`{column.dtype}`",
                ("personal: " if column.personal else "") + column.about,
                "yes" if column.nullable else "",
            )
            for column in columns
        ]
        lines += ["", f"## {name}", "", *_table(("column", "type", "what it holds", "null"), rows)]
    return "\n".join([*lines, ""])


def schema_page() -> str:
    """The JSON Schema of campaign files."""
    return json.dumps(campaign_file_schema(), ensure_ascii=False, indent=2) + "\n"


PAGES = {"rules.md": rules_page, "tables.md": tables_page, "campaigns.schema.json": schema_page}

if __name__ == "__main__":
    for file, page in PAGES.items():
        (HERE / file).write_text(page(), encoding="utf-8")
