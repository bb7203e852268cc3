"""One abandoned flow to one request body: documented fields only, with the values that the export had (SPEC 5)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from recovery_batch.clock import iso
from recovery_batch.contract.abandoned import DEFAULT_CHANNEL, AbandonedFlow
from recovery_batch.ingest.decoding import decoded
from recovery_batch.outreach.bodies import project, write_body


@dataclass(frozen=True, slots=True)
class FlowBody:
    """A request body.

    Attributes:
        line: The body as JSON, on one line, without its end.
        email_left_out: Whether the record has an e-mail address that is none, and that does not go out.
    """

    line: bytes
    email_left_out: bool


def flow_body(record: str, name: str, abandoned_at: datetime, e164: str, channel: str) -> FlowBody:
    """The request body of a flow.

    Args:
        record: The original record as JSON.
        name: What an error calls it.
        abandoned_at: When the flow was left, as the load read it.
        e164: The customer's number.
        channel: What it goes out on. The body says so, but for the default of the contract, of which it says what the
            record says.

    Raises:
        ValueError: the record cannot be read, or the contract would refuse the body; a bug, since such records are left
            out before.
    """
    value, fault = decoded(record.encode())
    if fault is not None:
        raise ValueError(f"{name}: a stored record that cannot be read: {fault.reason}")
    value["customer"]["phone_number"] = e164
    value["session"]["abandonment_timestamp"] = iso(abandoned_at)
    if channel != DEFAULT_CHANNEL:
        value["engagement"] = {**(value.get("engagement") or {}), "preferred_channel": channel}
    body = project(AbandonedFlow, value)
    email = value["customer"].get("email") or ""
    return FlowBody(write_body(AbandonedFlow, body, name), bool(email.strip()) and "email" not in body["customer"])
