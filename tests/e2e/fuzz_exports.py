"""Small valid exports in JSON with something wrong in them, for the fuzz test."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

import msgspec
import zstandard

from tests.e2e.fuzzing import Mutant
from tests.e2e.mutations import Mutator, encoded

LINES: Final = 24
"""Mutants in a file whose records stand by themselves, each between good ones."""

ORGANIZATION: Final = "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b001"
NAME: Final = "Quillfeather, Zénobia"
PHONE: Final = "3177705512"

Line = Callable[[Mutator, str], bytes]
Maker = Callable[[Mutator, int], Mutant]


def payment(payment_id: str) -> dict[str, Any]:
    """A declined payment that can be submitted."""
    return {
        "payment": {
            "organization_code": ORGANIZATION,
            "id": payment_id,
            "order_id": "order",
            "country": "CO",
            "status": "DECLINED",
            "description": "shoes",
            "amount_value": msgspec.Raw(b"1234.56"),
            "currency_code": "COP",
            "reject_reason": "insufficient funds",
            "additional_data": {"user_id": "u-1", "metadata": [{"key": "tier", "value": "gold"}]},
            "created_at": "2026-10-01 15:00:00",
        },
        "transactions": [
            {
                "id": "t1",
                "amount": msgspec.Raw(b"1234.56"),
                "status": "DECLINED",
                "payment_method_type": "CARD",
                "description": "shoes",
                "card": {"id": 45, "card_iin": "411111", "card_lfd": "1111", "card_expiration_year": 2029},
                "created_at": "2026-10-01T15:00:00-05:00",
            },
            {"id": "t2", "amount": 5, "status": "DECLINED", "payment_method_type": "CARD", "description": ""},
        ],
        "customer_payer": {"name": NAME, "phone_number": PHONE, "phone_country_code": "57"},
    }


def flow(session_id: str) -> dict[str, Any]:
    """An abandoned flow that can be submitted."""
    return {
        "customer": {
            "full_name": NAME,
            "phone_number": f"+57 {PHONE}",
            "email": "quill.feather@example.com",
            "country_code": "CO",
        },
        "session": {
            "abandonment_timestamp": "2026-09-20T15:00:00Z",
            "flow_stage": "checkout",
            "platform": "web",
            "session_id": session_id,
        },
        "cart": {
            "total_value": msgspec.Raw(b"1234.56"),
            "currency": "COP",
            "items": [{"name": "Lamp", "sku": "L-1", "quantity": 2, "price": msgspec.Raw(b"99.95")}],
        },
        "engagement": {"preferred_channel": "whatsapp", "metadata": {"utm": [1, {"a": None}]}},
    }


def request(element: bytes) -> bytes:
    """A request around an element."""
    return b'{"organization_code":"' + ORGANIZATION.encode() + b'","external_data":[' + element + b"]}"


def among_good(
    name: str, number: int, mutator: Mutator, good: Callable[[str], bytes], bad: Line, head: bytes
) -> Mutant:
    """A file of lines: bad ones, each between good ones; sometimes a bad one is the first."""
    lines, ids = [], []
    is_bad_first = not mutator.random.randrange(4)
    for place in range(LINES):
        ids.append(f"g{number}-{place}")
        pair = [good(ids[-1]), bad(mutator, f"b{number}-{place}")]
        lines += pair[::-1] if is_bad_first else pair
    ids.append(f"g{number}-last")
    content = head + b"\n".join([*lines, good(ids[-1])]) + b"\n" * mutator.random.randrange(2)
    return Mutant(f"{name}/{number}", {f"{name}.txt": content}, frozenset(ids), loads=True)


def json_line(make: Callable[[str], dict[str, Any]], around: Callable[[bytes], bytes]) -> Line:
    """A damaged line of NDJSON."""

    def line(mutator: Mutator, own_id: str) -> bytes:
        value, spared = make(own_id), list[tuple[int, int]]()
        match mutator.any(4, 1, 2, 1):
            case 0:
                return around(mutator.record(value, mutator.random.choice((1, 1, 2))))
            case 1:
                return mutator.damaged(mutator.record(value))
            case 2:
                text, spared = mutator.planted(value)
                if mutator.random.random() < 0.5:
                    return around(text)
                return mutator.damaged(text, spared)
            case _:
                return mutator.damaged(around(encoded(value)), times=mutator.random.choice((1, 1, 2, 5)))

    return line


def ndjson(make: Callable[[str], dict[str, Any]], around: Callable[[bytes], bytes] = bytes) -> Maker:
    """NDJSON with damaged lines."""
    bad = json_line(make, around)

    def mutant(mutator: Mutator, number: int) -> Mutant:
        return among_good("ndjson", number, mutator, lambda own_id: around(encoded(make(own_id))), bad, b"")

    return mutant


def document(make: Callable[[str], dict[str, Any]], before: bytes, after: bytes) -> Maker:
    """A JSON document of a damaged record between good ones, or with damage anywhere."""

    def mutant(mutator: Mutator, number: int) -> Mutant:
        ids = [f"g{number}-{place}" for place in range(3)]
        texts = [encoded(make(each)) for each in ids]
        is_whole = not mutator.random.randrange(3)
        bad = encoded(make(f"b{number}")) if is_whole else json_line(make, bytes)(mutator, f"b{number}")
        texts.insert(mutator.random.randrange(4), bad)
        content = before + mutator.random.choice((b",", b" ,\n", b",\r\n\t")).join(texts) + after
        if is_whole:
            content = mutator.damaged(content, times=mutator.random.choice((1, 1, 3)))
            return Mutant(f"document/{number}", {"document.json": content})
        return Mutant(f"document/{number}", {"document.json": content}, frozenset(ids), loads=_is_json(content))

    return mutant


def element(mutator: Mutator, number: int) -> Mutant:
    """One damaged element alone in its file."""
    make = mutator.random.choice((payment, flow))
    return Mutant(f"element/{number}", {"element.json": json_line(make, bytes)(mutator, f"b{number}")})


def _is_json(text: bytes) -> bool:
    try:
        msgspec.json.decode(text)
    except (ValueError, RecursionError):  # of these too some load
        return False
    return True


def packed(mutator: Mutator, number: int) -> Mutant:
    """NDJSON that is packed, damaged before or after."""
    made = ndjson(payment)(mutator, number)
    (content,) = made.files.values()
    is_gzip = mutator.random.random() < 0.5
    middle = len(content) // 2
    parts = [content[:middle], content[middle:]] if mutator.random.random() < 0.5 else [content]
    compressor = zstandard.ZstdCompressor()
    packed = [gzip.compress(each, mtime=0) if is_gzip else compressor.compress(each) for each in parts]
    files = {"packed.gz" if is_gzip else "packed.zst": b"".join(packed)}
    if mutator.random.random() < 0.3:
        return replace(made, name=f"packed/{number}", files=files)
    files = {name: mutator.damaged(each, times=mutator.random.choice((1, 2))) for name, each in files.items()}
    return Mutant(f"packed/{number}", files)
