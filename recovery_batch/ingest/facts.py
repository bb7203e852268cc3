"""What is worth knowing of the records of a file that were loaded: their time span, currencies, what they lack."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

import polars as pl

from recovery_batch.clock import iso

COUNTED: Final = {
    "declined": ("time_of_transaction", "time_of_load", "without_user_id"),
    "abandoned": ("invalid_email",),
}
"""The counts of each kind, by name."""


@dataclass(slots=True)
class Facts:
    """Gathered over the batches of a file.

    Attributes:
        kind: What the file holds.
        counts: Records by what is worth a remark.
        first: The earliest time of a record.
        last: The latest one.
        currencies: The currencies that occur.
    """

    kind: str
    counts: Counter[str] = field(default_factory=Counter)
    first: datetime | None = None
    last: datetime | None = None
    currencies: set[str] = field(default_factory=set)

    def add(self, table: Any) -> None:
        """Take in the rows of the main table of some records."""
        if not table.num_rows:
            return
        if self.kind == "declined":
            self._payments(pl.DataFrame(table.select(_OF_PAYMENTS)))
        else:
            self._flows(pl.DataFrame(table.select(_OF_FLOWS)))

    def as_json(self) -> dict[str, Any]:
        """The facts as reports show them."""
        span = None if self.first is None or self.last is None else {"first": iso(self.first), "last": iso(self.last)}
        return {
            **{name: self.counts[name] for name in COUNTED[self.kind]},
            "currencies": sorted(self.currencies),
            "created_at": span,
        }

    def _payments(self, rows: pl.DataFrame) -> None:
        own = pl.col("created_at_origin") != "load"
        found = rows.select(
            time_of_transaction=(pl.col("created_at_origin") == "transaction").sum(),
            time_of_load=(~own).sum(),
            without_user_id=pl.col("user_id").is_null().sum(),
            first=pl.col("created_at").filter(own).min(),
            last=pl.col("created_at").filter(own).max(),
        ).row(0, named=True)
        self._take(found, rows["currency_code"])

    def _flows(self, rows: pl.DataFrame) -> None:
        found = rows.select(
            invalid_email=(~pl.col("email_valid")).sum(),
            first=pl.col("abandoned_at").min(),
            last=pl.col("abandoned_at").max(),
        ).row(0, named=True)
        self._take(found, rows["cart_currency"])

    def _take(self, found: dict[str, Any], currencies: pl.Series) -> None:
        times = [time for time in (self.first, self.last, found["first"], found["last"]) if time is not None]
        self.first, self.last = min(times, default=None), max(times, default=None)
        self.counts.update({name: found[name] for name in COUNTED[self.kind]})
        self.currencies.update(currencies.drop_nulls().unique().to_list())


_OF_PAYMENTS: Final = ["created_at", "created_at_origin", "user_id", "currency_code"]
_OF_FLOWS: Final = ["abandoned_at", "email_valid", "cart_currency"]
