"""The two kinds of exports: declined payments and abandoned flows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Kind:
    """What exports can hold: payments or flows, and where they are stored.

    Attributes:
        name: What `--kind` and `loads.kind` call it.
        key: The columns that identify one.
        main: The table with a row for each, with unfit_fields and content_hash.
        texts: The table with the record of each.
        others: The other tables.
        told: Columns of the main table of which a change is told by name, and what stood there.
    """

    name: str
    key: tuple[str, ...]
    main: str
    texts: str
    others: tuple[str, ...]
    told: tuple[str, ...]

    @property
    def tables(self) -> tuple[str, ...]:
        """All tables."""
        return (self.main, *self.others, self.texts)


DECLINED: Final = Kind(
    "declined",
    ("organization_code", "payment_id"),
    "payments",
    "records",
    ("transactions", "payers"),
    (
        "status", "sub_status", "code", "amount_value", "currency_code", "country", "order_id", "reject_reason",
        "created_at", "payment_method", "provider", "category", "response_code", "iso_response_code",
    ),
)  # fmt: skip
ABANDONED: Final = Kind(
    "abandoned",
    ("flow_id",),
    "flows",
    "flow_records",
    ("flow_items", "flow_customers"),
    ("flow_stage", "platform", "preferred_channel", "abandoned_at", "cart_total", "cart_currency", "items"),
)

KINDS: Final = {kind.name: kind for kind in (DECLINED, ABANDONED)}
"""Both, by name."""
