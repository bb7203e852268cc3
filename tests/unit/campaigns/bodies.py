"""The body of a campaign as operations take it, for the tests that change one."""

from typing import Any

BODY: dict[str, Any] = {
    "name": "Carts",
    "account_id": "e4c03f29-b0f6-403a-8814-9aee1a88d60e",
    "organization_code": "b3b6a4a4-52a4-4c1e-93a1-6f0d0d5a0001",
    "country": "CO",
    "channel": "PHONE_CALL",
    "schedule": {"daily_start_time": "08:00", "daily_end_time": "18:00", "time_zone": "America/Bogota"},
    "duration": {"start_at": "2026-09-01", "end_at": "2026-10-01"},
}
NOBODY = "00000000-0000-4000-8000-000000000000"
"""An id that nothing has."""
