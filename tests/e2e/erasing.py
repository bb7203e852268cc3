"""A store with two people of whom one is to be forgotten, and a look at all that a store holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import duckdb

from tests.e2e.commands import Shell
from tests.e2e.exports import ORGANIZATION, element, encoded

NAMES = ("ANA NOGAL", "Ana Nogal de Roble")
SPELLINGS = (
    ("57", "3101234567"),
    ("+57", "310 123 4567"),
    ("0057", "(310) 123-4567"),
    ("57", "+57 310 123-45-67"),
    ("57", "573101234567"),
)
"""One number, as exports spell it: country code and number."""

EMAIL = "ana.nogal@example.com"
TRACES = (*NAMES, *(number for _, number in SPELLINGS), "3101234567", EMAIL, "user-ana", "user-of-ana")
OTHER = "LUIS ROBLE"


def of_ana(payment_id: str, spelling: int = 0, user_id: str | None = "user-ana", **payment: Any) -> dict[str, Any]:
    """A payment of the person who is forgotten."""
    code, number = SPELLINGS[spelling]
    data = {} if user_id is None else {"additional_data": {"user_id": user_id, "note": "called ANA NOGAL"}}
    made = element(payment_id, **{"additional_data": None, **data, **payment})
    made["customer_payer"] = {"name": NAMES[spelling % 2], "phone_number": number, "phone_country_code": code}
    return made


def of_luis(payment_id: str, **payment: Any) -> dict[str, Any]:
    """A payment of the other person: the number differs in its country code only."""
    made = element(payment_id, country="US", **payment)
    made["customer_payer"] = {"name": OTHER, "phone_number": "3101234568", "phone_country_code": "1"}
    return made


def flow(session_id: str | None, number: str = "+573101234567", **customer: Any) -> dict[str, Any]:
    """An abandoned flow."""
    session = {"abandonment_timestamp": "2026-10-02T10:00:00Z", "flow_stage": "checkout", "platform": "web"}
    return {
        "customer": {"full_name": NAMES[1], "phone_number": number, "country_code": "CO", "email": EMAIL, **customer},
        "session": session if session_id is None else {"session_id": session_id, **session},
    }


def payments() -> list[dict[str, Any]]:
    """What both paid: Ana in every spelling, and once with another number that only her user id leads to."""
    elsewhere = of_ana("ana-elsewhere")
    elsewhere["customer_payer"]["phone_number"] = "3009998877"
    return [*(of_ana(f"ana-{place}", place) for place in range(len(SPELLINGS))), elsewhere, of_luis("luis")]


def broken() -> list[bytes]:
    """Records and texts that are quarantined: all but the last are of Ana."""
    bad: dict[str, Any] = {"amount_value": "much"}
    return [
        encoded(of_ana("bad-0", **bad)),
        encoded(of_ana("bad-1", 3, None, **bad)),
        b'{"payment": {"id": "bad-2"}, "phone": "+57 310-123-4567", "name": "ANA NOGAL"',
        b'{"payment": {"additional_data": {"user_id": "user-ana"}}}',
        b"ANA NOGAL;310 123 4567;2026-10-01 15:00:00",
        encoded(element("luis-bad", **bad) | {"customer_payer": {"name": OTHER, "phone_number": 5}}),
    ]


def build(shell: Shell) -> None:
    """Load it all: payments, quarantined records, flows, a ledger and opt-outs."""
    folder = shell.db.parent
    shell.ok("load", write(folder / "payments.ndjson", *map(encoded, payments())))
    assert shell("load", "--kind", "declined", write(folder / "broken.ndjson", *broken())).status == 3
    flows = [
        flow("session-1"),
        flow(None, "+57 310 123 4567"),
        flow("session-2", "+12025550123", full_name=OTHER, email=None),
    ]
    shell.ok("load", write(folder / "flows.ndjson", *map(encoded, flows)))
    with duckdb.connect(str(shell.db)) as store:
        store.execute("SET TimeZone = 'UTC'")
        store.execute("INSERT INTO runs VALUES ('r1', '', now(), now(), '/out/r1', NULL, '{}')")
        for payment, user in (("ana-0", "user-ana"), ("ana-1", "user-ana"), ("luis", "user-luis")):
            row = ["campaign", ORGANIZATION, payment, None, user, None, "PHONE_CALL", "2026-10-05 10:00:00+00"]
            store.execute("INSERT INTO communications VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'r1', 'batch.json')", row)
            store.execute("INSERT INTO final_suppressions VALUES (?, ?, ?, ?, ?, ?, ?, ?, 'holdout', 'r1')", row)
        store.execute(
            "INSERT INTO flow_communications SELECT flow_id, NULL, 'call', now(), 'r1', 'flows.ndjson', 1 FROM flows"
        )
        for each in (
            ("1", None, "573101234567", True, None),
            ("2", None, "3101234567", False, None),
            ("3", ORGANIZATION, None, None, "user-ana"),
            ("4", None, "13101234568", True, None),
        ):
            store.execute("INSERT INTO opt_outs VALUES (?, ?, NULL, ?, ?, ?, 'mail', now())", each)


def write(path: Path, *lines: bytes) -> Path:
    """A file of lines."""
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


def content(db: Path) -> dict[str, list[Any]]:
    """The rows of every table, compressed columns too."""
    with duckdb.connect(str(db), read_only=True) as store:
        tables = store.sql("SELECT table_name FROM duckdb_tables() ORDER BY table_name").fetchall()
        return {name: store.table(name).order("ALL").pl().rows() for (name,) in tables}


def traces(db: Path, *words: str) -> set[str]:
    """Which of some texts, of Ana's by default, stand in the tables or in the bytes of any file of the store."""
    files = [path for path in db.parent.glob(f"{db.name}*") if path.is_file() and path.suffix != ".key"]
    held = b"".join(path.read_bytes() for path in files)
    text = str(content(db))
    return {word for word in words or TRACES if word in text or word.encode() in held}
