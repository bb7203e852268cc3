"""Times are stored in UTC, and each payment knows where its own comes from."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.unit.ingest.samples import (
    LATER,
    NOW,
    Loads,
    as_json,
    as_lines,
    counted,
    record,
    transaction,
    with_transactions,
)

READ = [
    ("2026-09-20 15:00:00", "UTC", "2026-09-20 15:00:00"),
    ("2026-09-20T15:00:00", "UTC", "2026-09-20 15:00:00"),
    ("2026-09-20T15:00:00Z", "America/Bogota", "2026-09-20 15:00:00"),
    ("2026-09-20T15:00:00+00:00", "America/Bogota", "2026-09-20 15:00:00"),
    ("2026-09-20T15:00:00.123456-05:00", "UTC", "2026-09-20 20:00:00.123456"),
    ("2026-09-20 15:00:00+05:30", "America/Bogota", "2026-09-20 09:30:00"),
    ("2026-09-20 15:00:00", "America/Bogota", "2026-09-20 20:00:00"),
    ("2026-09-20 15:00:00", "-05:00", "2026-09-20 20:00:00"),
    ("2026-09-20 15:00:00", "+05:45", "2026-09-20 09:15:00"),
    ("2026-01-20 15:00:00", "America/Santiago", "2026-01-20 18:00:00"),
    ("2026-06-20 15:00:00", "America/Santiago", "2026-06-20 19:00:00"),
    ("1999-12-31 23:59:59", "UTC", "1999-12-31 23:59:59"),
]


@pytest.mark.parametrize(("text", "zone", "utc"), READ)
def test_times_are_stored_in_utc(loads: Loads, text: str, zone: str, utc: str) -> None:
    loads.load(as_json(with_transactions(transaction(created_at=text), created_at=text)), timezone=zone)
    wanted = datetime.fromisoformat(utc).replace(tzinfo=UTC)
    assert loads.one("created_at") == loads.one("created_at", "transactions") == wanted
    assert loads.query("SELECT created_at_origin, timezone FROM payments, loads") == [("payment", zone)]
    assert f'"created_at":"{text}"' in loads.one("record", "records")


@pytest.mark.parametrize(
    "value",
    [
        "yesterday",
        "2026-09-20",
        "2026-02-30 10:00:00",
        "2026-09-20 25:00:00",
        "20.09.2026 10:00",
        "",
        " ",
        1_789_000_000,
        "2026-09-20 10:00:00 UTC",
        "\uff12\uff10\uff12\uff16-09-20 10:00:00",
        "0001-01-01T00:00:00+14:00",
        "2026-09-20 10:00:00+99:00",
    ],
)
def test_what_is_no_time_is_quarantined(loads: Loads, value: object) -> None:
    lines = [record("p1", created_at=value), with_transactions(transaction(created_at=value), payment_id="p2")]
    assert counted(loads.load(as_lines(lines))) == {"records": 2, "quarantined": 2}
    assert loads.rejects("pointer") == [("/payment/created_at",), ("/transactions/0/created_at",)]


def test_where_a_time_comes_from(loads: Loads) -> None:
    early, late = "2026-09-01 10:00:00", "2026-09-02T10:00:00-05:00"
    own = with_transactions(transaction(created_at=late), payment_id="p1", created_at=early)
    latest = with_transactions(
        transaction(created_at=early), transaction(created_at=late), transaction(), payment_id="p2", created_at=None
    )
    none = with_transactions(transaction(), payment_id="p3", created_at=None)
    bare = with_transactions(payment_id="p4", created_at=None)
    report = loads.load(as_lines([own, latest, none, bare]))
    assert loads.query("SELECT payment_id, created_at_origin, created_at FROM payments ORDER BY payment_id") == [
        ("p1", "payment", datetime(2026, 9, 1, 10, tzinfo=UTC)),
        ("p2", "transaction", datetime(2026, 9, 2, 15, tzinfo=UTC)),
        ("p3", "load", NOW),
        ("p4", "load", NOW),
    ]
    assert report.facts["time_of_transaction"] == 1
    assert report.facts["time_of_load"] == 2
    assert report.facts["created_at"] == {"first": "2026-09-01T10:00:00Z", "last": "2026-09-02T15:00:00Z"}


def test_a_time_of_null_is_none(loads: Loads) -> None:
    content = as_json({**record(), "payment": {**record(created_at=None)["payment"], "created_at": None}})
    report = loads.load(content)
    assert loads.one("created_at_origin") == "load"
    assert report.facts["created_at"] is None


def test_loading_again_does_not_change_a_time_of_the_load(loads: Loads) -> None:
    content = as_json(with_transactions(created_at=None))
    loads.load(content, at=NOW)
    assert counted(loads.load(content, at=LATER)) == {"records": 1, "unchanged": 1}
    assert loads.one("created_at") == NOW
    changed = as_json(with_transactions(created_at=None, status="EXPIRED"))
    assert counted(loads.load(changed, at=LATER)) == {"records": 1, "updated": 1}
    assert loads.one("created_at") == LATER


def test_a_time_of_the_load_survives_a_file_that_ends_as_it_was(loads: Loads) -> None:
    first, second = (as_json(with_transactions(created_at=None, status=status)) for status in ("A", "B"))
    loads.load(first, at=NOW)
    report = loads.load(b"\n".join([second, first]), at=LATER)
    assert counted(report) == {"records": 2, "updated": 2}
    assert loads.one("created_at") == NOW


def test_a_time_that_a_clock_skips_or_repeats_is_read(loads: Loads) -> None:
    skipped, repeated = "2026-03-08 02:30:00", "2026-11-01 01:30:00"
    loads.load(
        as_lines([record("p1", created_at=skipped), record("p2", created_at=repeated)]), timezone="America/New_York"
    )
    times = loads.query("SELECT created_at FROM payments ORDER BY payment_id")
    assert times == [(datetime(2026, 3, 8, 7, 30, tzinfo=UTC),), (datetime(2026, 11, 1, 5, 30, tzinfo=UTC),)]
