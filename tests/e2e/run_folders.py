"""Folders of runs made to measure: a sound one, with parts that a test may damage before it is written."""

import hashlib
import json
from pathlib import Path
from typing import Any

from tests.e2e.exports import ORGANIZATION, element, encoded

RUN_ID = "20261030T150000Z-0123456789ab"
CAMPAIGN = "0f5b6c1a-1d7e-4a55-9a10-0000000000a1"
DECLINED = f"declined-payments/{CAMPAIGN}/0001.json"
OTHER = "declined-payments/0f5b6c1a-1d7e-4a55-9a10-0000000000a2/0001.json"
FLOWS = "abandoned-flows/0001.ndjson"
REPORT = "report.html"


def flow(number: int, **session: Any) -> dict[str, Any]:
    """The body of an abandoned flow; `session` changes its fields, phone_number the customer's number."""
    phone = session.pop("phone_number", f"+57310123456{number}")
    fields = {
        "abandonment_timestamp": "2026-10-30T14:00:00Z",
        "flow_stage": "checkout",
        "platform": "web",
        "session_id": f"session-{number}",
    }
    return {
        "customer": {"full_name": "ANA NOGAL", "phone_number": phone, "country_code": "CO"},
        "session": fields | session,
    }


class RunFolder:
    """A sound folder: two campaigns that send a payment, and two flows.

    Attributes:
        bodies: The bodies of each file with requests.
        entries: What the manifest says of each of them besides path, hash and size.
        changes: What the manifest says instead of what is true.
    """

    def __init__(self) -> None:
        """Make a sound one."""
        self.bodies: dict[str, list[Any]] = {
            DECLINED: [{"organization_code": ORGANIZATION, "external_data": [element("1"), element("2")]}],
            OTHER: [{"organization_code": ORGANIZATION, "external_data": [element("1", amount_value=10)]}],
            FLOWS: [flow(1) | {"cart": {"total_value": 5, "currency": "COP"}}, flow(2)],
        }
        declined = {
            "kind": "declined",
            "organization_code": ORGANIZATION,
            "channel": "WHATSAPP_MESSAGE",
            "endpoint": "/declined-payments/external",
            "not_before": "2026-10-30T15:00:00Z",
            "not_after": "2026-10-30T23:00:00Z",
        }
        self.entries: dict[str, dict[str, Any]] = {
            DECLINED: {**declined, "campaign_id": CAMPAIGN, "records": 2, "amounts": {"COP": "20.00"}},
            OTHER: {**declined, "campaign_id": OTHER.split("/")[1], "records": 1, "amounts": {"COP": "10.00"}},
            FLOWS: {
                **declined,
                "kind": "abandoned",
                "organization_code": None,
                "campaign_id": None,
                "channel": "auto",
                "endpoint": "/smart-support/external/payments",
                "records": 2,
                "amounts": {"COP": "5.00"},
            },
        }
        self.totals: dict[str, Any] = {"records": 5, "repeated_records": 1, "amounts": {"COP": "35.00"}}
        self.changes: dict[str, Any] = {}

    def write(self, parent: Path) -> Path:
        """Write it as it is now; the manifest is of what is written."""
        contents = {path: b"\n".join(map(encoded, bodies)) + b"\n" for path, bodies in self.bodies.items()}
        others = {REPORT: b"<html></html>"}
        sizes = sum(map(len, contents.values()))
        manifest = {
            "format": 2,
            "run_id": RUN_ID,
            "files": [{**_signed(path, content), **self.entries[path]} for path, content in contents.items()],
            "other_files": [_signed(path, content) for path, content in others.items()],
            "totals": {"files": 3, "bytes": sizes, "matched": 8, "suppressed": 3, **self.totals},
            "suppressed": {"opted_out": 1, "too_old": 2},
            **self.changes,
        }
        folder = parent / RUN_ID
        for path, content in (contents | others | {"manifest.json": json.dumps(manifest).encode()}).items():
            file = folder / path
            for each in reversed((folder, *(folder / part for part in Path(path).parents))):
                each.mkdir(mode=0o700, parents=True, exist_ok=True)
            file.write_bytes(content)
            file.chmod(0o600)
        return folder


def _signed(path: str, content: bytes) -> dict[str, Any]:
    return {"path": path, "sha256": hashlib.sha256(content).hexdigest(), "bytes": len(content)}
