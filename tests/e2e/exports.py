"""Exports for tests: elements made to measure, and the records of the example exports."""

import gzip
import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import zstandard

from tests.e2e.commands import EXPORTS

ORGANIZATION = "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b001"
ACCOUNT = "7d1f0a52-53c4-4c88-b1a6-9f6f3a1cc001"
OLDEST_FIRST = sorted(EXPORTS.glob("payments_*"))

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def element(payment_id: str = "1", **payment: Any) -> dict[str, Any]:
    """A declined payment that can be submitted; `payment` changes its fields, None takes one away."""
    fields = {
        "organization_code": ORGANIZATION,
        "id": payment_id,
        "order_id": f"order-{payment_id}",
        "country": "CO",
        "status": "DECLINED",
        "description": "shoes",
        "amount_value": Decimal("10.00"),
        "currency_code": "COP",
        "reject_reason": "insufficient funds",
        "additional_data": {"user_id": f"user-{payment_id}"},
        "created_at": "2026-10-01 15:00:00",
    }
    return {
        "payment": {name: value for name, value in (fields | payment).items() if value is not None},
        "customer_payer": {"name": "ANA NOGAL", "phone_number": "3101234567", "phone_country_code": "57"},
    }


def encoded(value: Any) -> bytes:
    """A value as JSON, decimals as numbers with all their digits."""
    return _ENCODER.encode(value)


def write_export(path: Path, *elements: Any) -> Path:
    """An export of elements, one a line."""
    path.write_bytes(b"".join(encoded(each) + b"\n" for each in elements))
    return path


def campaign(**changes: Any) -> dict[str, Any]:
    """A campaign that targets the declined payments of Colombia at any time of the day but one minute."""
    return {
        "id": "0f5b6c1a-1d7e-4a55-9a10-0000000000a1",
        "name": "Colombia",
        "account_id": ACCOUNT,
        "organization_code": ORGANIZATION,
        "country": "CO",
        "channel": "WHATSAPP_MESSAGE",
        "schedule": {"daily_start_time": "00:00", "daily_end_time": "23:59", "time_zone": "America/Bogota"},
        "duration": {"start_at": "2025-01-01T00:00:00Z", "end_at": "2100-01-01T00:00:00Z"},
        "created_at": "2026-08-20T15:00:00Z",
        "rules": [{"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]}],
    } | changes


def write_campaigns(path: Path, *campaigns: dict[str, Any]) -> Path:
    """A campaign file in JSON."""
    path.write_text(json.dumps({"campaigns": campaigns}), encoding="utf-8")
    return path


def read_elements(path: Path) -> Iterator[dict[str, Any]]:
    """The elements of an example export, numbers as Decimal; lines that are no JSON object are passed over."""
    content = path.read_bytes()
    if path.suffix == ".gz":
        content = gzip.decompress(content)
    if path.suffix == ".zst":
        content = zstandard.ZstdDecompressor().stream_reader(content, read_across_frames=True).read()
    text = content.decode("utf-8", "replace")
    for document in _documents(text):
        for each in document if isinstance(document, list) else [document]:
            if isinstance(each, dict):
                elements = each.get("external_data", [each])
                yield from (one for one in elements if isinstance(one, dict)) if isinstance(elements, list) else ()


def _documents(text: str) -> Iterator[Any]:
    try:
        yield json.loads(text, parse_float=Decimal)
    except ValueError:
        for line in text.splitlines():
            try:
                yield json.loads(line, parse_float=Decimal)
            except ValueError:
                continue
