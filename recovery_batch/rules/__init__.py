"""Campaign rules: one table of rule types and conditionals, a model, and what is made from them."""

from recovery_batch.rules.catalogue import CONDITIONALS, RULE_TYPES, Conditional, Kind, Part, RuleType
from recovery_batch.rules.compiling import METADATA_PREFIX, column_read, compile_rule, metadata_column
from recovery_batch.rules.model import Rule
from recovery_batch.rules.wording import sentence, summary

__all__ = [
    "CONDITIONALS",
    "METADATA_PREFIX",
    "RULE_TYPES",
    "Conditional",
    "Kind",
    "Part",
    "Rule",
    "RuleType",
    "column_read",
    "compile_rule",
    "metadata_column",
    "sentence",
    "summary",
]
