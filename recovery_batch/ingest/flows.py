"""Abandoned flows (SPEC 1.2): one record checked against the documented fields, named, and made into typed rows."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field
from datetime import tzinfo
from typing import Any, Final

import pyarrow as pa
from pydantic import BaseModel

from recovery_batch.clock import iso
from recovery_batch.contract.abandoned import (
    DEFAULT_CHANNEL,
    FLOW_LOADABLE,
    AbandonedFlow,
    Customer,
    Session,
    clean_phone,
)
from recovery_batch.contract.fields import documented
from recovery_batch.ingest.checking import Walk
from recovery_batch.ingest.decoding import canonical
from recovery_batch.ingest.faults import Fault, type_name
from recovery_batch.ingest.rows import Batch, Read, staged
from recovery_batch.schema import FLOW_CUSTOMERS, FLOW_ITEMS, FLOW_RECORDS, FLOWS

_LOADABLE: Final[dict[type[BaseModel], frozenset[str]]] = {Session: FLOW_LOADABLE}
(_EMAIL,) = (each for each in documented(Customer) if each.name == "email")

_DIGIT: Final = re.compile(r"[0-9]")


@dataclass(slots=True)
class CheckedFlow:
    """What a record holds.

    Attributes:
        customer: The documented fields of `customer` that are there.
        session: The same of `session`; abandonment_timestamp as an instant in UTC.
        cart: The same of `cart`; amounts with six digits after the point, `items` an array of mappings.
        engagement: The same of `engagement`.
        faults: What keeps the record from being loaded; empty for a loadable record.
        unfit: Dotted paths of the fields that keep it from being submitted: missing, or not as a request wants them.
    """

    customer: dict[str, Any] = field(default_factory=dict)
    session: dict[str, Any] = field(default_factory=dict)
    cart: dict[str, Any] = field(default_factory=dict)
    engagement: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)


def check_flow(record: Any, zone: tzinfo) -> CheckedFlow:
    """Check one abandoned flow.

    Args:
        record: The decoded record, numbers as int or Decimal.
        zone: How a time without a zone is read.

    Returns:
        What it holds. Its faults show what stood there, personal data too: `FlowBatch` hides that.
    """
    if not isinstance(record, dict):
        allowed = "an object with customer and session"
        return CheckedFlow(faults=[Fault("wrong_type", "", allowed, type_name(record))])
    walk = Walk(_LOADABLE, zone)
    walked = walk.shape(AbandonedFlow, record, "")
    return CheckedFlow(
        walked.get("customer", {}),
        walked.get("session", {}),
        walked.get("cart", {}),
        walked.get("engagement", {}),
        walk.faults,
        walk.unfit,
    )


def flow_id(checked: CheckedFlow, text: str) -> str:
    """What identifies a flow that loads: a letter that says of what it is made, a colon, and the identity.

    Its text, the record as JSON, is looked at only where there is nothing else:

    - `s:` and the session_id, where there is one; one of blanks alone is none.
    - `p:` and the SHA-256 of phone number and time, the number without blanks, dashes, dots and brackets. A number has
      digits: `n/a` is none.
    - `a:` and the SHA-256 of the record as canonical JSON, for a flow of nobody known: two of them at one moment are
      two flows, and the same one again is the same.
    """
    session = checked.session
    if (session_id := _session_id(session)) is not None:
        return f"s:{session_id}"
    phone = clean_phone(checked.customer.get("phone_number", ""))
    if _DIGIT.search(phone):
        moment = iso(session["abandonment_timestamp"])
        return f"p:{_sha256(f'{phone} {moment}'.encode())}"
    return f"a:{_sha256(canonical(text.encode()))}"


def _session_id(session: dict[str, Any]) -> str | None:
    # an export with columns of one width has blanks where it has no id
    session_id: str = session.get("session_id", "")
    return session_id if session_id.strip() else None


def is_email(text: str) -> bool:
    """Whether a text has the shape of an e-mail address; what has not is left out of batches."""
    return _EMAIL.allows(text)


FLOW_STAGED: Final[dict[str, pa.Schema]] = {
    "flows": staged(FLOWS),
    "flow_items": staged(FLOW_ITEMS),
    "flow_customers": staged(FLOW_CUSTOMERS),
    "flow_records": staged(FLOW_RECORDS),
}
"""What a batch of flows holds for each table."""

# Fields that columns hold as they are, in the order of the columns.
_ITEM: Final = ("sku", "name", "quantity", "price")
_CUSTOMER: Final = ("full_name", "phone_number", "email", "language")


class FlowBatch(Batch):
    """Abandoned flows, in the columns of `FLOW_STAGED`."""

    staged = FLOW_STAGED

    def check(self, record: Any, read: Read) -> tuple[CheckedFlow, list[Fault], list[str]]:
        """See `check_flow`."""
        checked = check_flow(record, self.options.zone)
        return checked, checked.faults, checked.unfit

    def accept(self, record: dict[str, Any], checked: CheckedFlow, read: Read, text: str) -> None:
        """Add a flow with its items and its customer."""
        key = (read.seq, flow_id(checked, text))
        items = checked.cart.get("items", [])
        origin = 0, read.number  # whoever has the hashes of all records puts them in
        self.rows["flows"].append((*key, *_flow(checked, len(items)), *origin))
        self.rows["flow_items"] += [(*key, place, *map(item.get, _ITEM)) for place, item in enumerate(items)]
        self.rows["flow_customers"].append((*key, *map(checked.customer.get, _CUSTOMER)))
        self.rows["flow_records"].append((*key, text))


def _flow(checked: CheckedFlow, items: int) -> tuple[Any, ...]:
    """The columns of a flow between its key and the hash of its content."""
    customer, session, cart, engagement = checked.customer, checked.session, checked.cart, checked.engagement
    email = customer.get("email", "").strip()
    return (
        _session_id(session),
        session["abandonment_timestamp"],
        session["flow_stage"],
        session["platform"],
        engagement.get("preferred_channel", DEFAULT_CHANNEL),
        engagement.get("reason"),
        customer.get("country_code"),
        customer.get("language"),
        cart.get("total_value"),
        cart.get("currency"),
        items,
        customer.get("phone_number"),
        is_email(customer["email"]) if email else None,
        checked.unfit,
    )


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
