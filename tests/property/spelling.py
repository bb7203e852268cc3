"""JSON texts of records as exports could spell them: plain, strange, and not quite JSON."""

from __future__ import annotations

import json
from collections.abc import Callable
from copy import deepcopy
from decimal import Decimal
from random import Random
from typing import Any

from recovery_batch.ingest.faults import FarNumber
from tests.property.oddities import (
    CARD_DATA,
    CODES,
    KEYS,
    NUMBERS,
    OF_CARD,
    OF_TRANSACTION,
    SECRET_KEYS,
    STRINGS,
    TEXTS,
    TIMES,
    WORDS,
    Token,
)
from tests.unit.ingest.samples import ORGANIZATION, Record


def is_token_key(key: str) -> bool:
    """Whether a key stands for its own spelling."""
    return "\\" in key


class Pairs(list[tuple[str, Any]]):
    """An object with its keys in order, some of them perhaps twice. A key with a backslash is spelled as it stands."""


def tinkered(made: Record, random: Random) -> Any:
    """A record with strange things in the places that loading looks at."""
    made = deepcopy(made)
    for _ in range(random.choice((0, 1, 1, 1, 2, 3))):
        random.choice(TINKERINGS)(made, random)
    return made


def _payment(made: Record) -> Record:
    payment = made.get("payment")
    return payment if isinstance(payment, dict) else {}


def _transaction(made: Record, random: Random) -> Record:
    transactions = made.get("transactions")
    if not isinstance(transactions, list) or not transactions:
        transactions = made["transactions"] = [{}]
    chosen = random.choice(transactions)
    return chosen if isinstance(chosen, dict) else {}


def _some_holder(made: Record, random: Random) -> Record:
    """Any object of the record."""
    holders: list[Record] = []

    def walk(value: Any) -> None:
        if isinstance(value, dict):
            holders.append(value)
            for each in value.values():
                walk(each)
        elif isinstance(value, list) and not isinstance(value, Pairs):
            for each in value:
                walk(each)

    walk(made)
    return random.choice(holders)


def _other(random: Random) -> Any:
    return random.choice(random.choice((NUMBERS, NUMBERS, WORDS, STRINGS)))


def _data(holder: Record, random: Random) -> Record:
    """The additional_data of a payment or transaction, made where there is none."""
    data = holder.get("additional_data")
    if not isinstance(data, dict) or random.random() < 0.1:
        data = holder["additional_data"] = {}
    return data


def _tinker_text(made: Record, random: Random) -> None:
    value = _other(random) if random.random() < 0.8 else random.choice(CARD_DATA)
    _payment(made)[random.choice(TEXTS)] = value


def _tinker_organization(made: Record, random: Random) -> None:
    _payment(made)["organization_code"] = random.choice(("23", '"o"', "", "o", "2", " "))


def _tinker_amount(made: Record, random: Random) -> None:
    value = random.choice(NUMBERS) if random.random() < 0.8 else _other(random)
    if random.random() < 0.5:
        _payment(made)["amount_value"] = value
    else:
        _transaction(made, random)["amount"] = value


def _tinker_time(made: Record, random: Random) -> None:
    value = random.choice(TIMES) if random.random() < 0.9 else _other(random)
    (_payment(made) if random.random() < 0.6 else _transaction(made, random))["created_at"] = value


def _tinker_transaction(made: Record, random: Random) -> None:
    _transaction(made, random)[random.choice(OF_TRANSACTION)] = _other(random)


def _tinker_many(made: Record, random: Random) -> None:
    """Several transactions, some at the same time, some without one."""
    moments = (None, TIMES[0], TIMES[2], Token('"2026-09-20 16:00:00"'), Token('"2026-09-20T10:00:00-05:00"'))
    made["transactions"] = [
        {
            "id": f"t{n}",
            "amount": Decimal(n),
            "status": "S",
            "payment_method_type": random.choice(("CARD", "", None)),
            "description": "",
            "created_at": random.choice(moments),
            "response_code": random.choice(("05", None, n)),
        }
        for n in range(random.randrange(5))
    ]


def _tinker_code(made: Record, random: Random) -> None:
    holder = _payment(made) if random.random() < 0.3 else _transaction(made, random)
    if random.random() < 0.7:
        holder = _data(holder, random)
    for _ in range(random.choice((1, 2))):
        holder[random.choice(CODES)] = _other(random)


def _tinker_card(made: Record, random: Random) -> None:
    one = _transaction(made, random)
    if not isinstance(one.get("card"), dict):
        one["card"] = random.choice(({}, {"id": 1}, {"card_iin": "411111"}))
    key = random.choice(OF_CARD) if random.random() < 0.7 else random.choice(KEYS)
    one["card"][key] = random.choice(CARD_DATA) if random.random() < 0.6 else _other(random)


def _tinker_secret(made: Record, random: Random) -> None:
    value = random.choice(CARD_DATA) if random.random() < 0.6 else _other(random)
    if random.random() < 0.2:
        value = {random.choice(KEYS): value}
    key = random.choice(SECRET_KEYS)
    holder = _some_holder(made, random)
    if random.random() < 0.3:  # named by what stands beside it
        label = Token(f'"{key}"') if random.random() < 0.5 else Token(f'"\\u{ord(key[0]):04x}{key[1:]}"')
        holder[random.choice(KEYS)] = [{"key": label, "value": value}]
    else:
        holder[key] = value


def _metadata(random: Random, depth: int = 0) -> Any:
    """Metadata as an object, with keys repeated, or as an array of keys and values."""
    count = random.randrange(4)

    def value() -> Any:
        chosen = random.random()
        return "v" + str(random.randrange(3)) if chosen < 0.4 else [] if chosen > 0.95 else _other(random)

    if random.random() < 0.5:
        pairs = Pairs((random.choice(KEYS), value()) for _ in range(count))
        if depth == 0 and random.random() < 0.4:
            pairs.insert(random.randrange(len(pairs) + 1), ("metadata", _metadata(random, 1)))
        return pairs
    listed: list[Any] = []
    for _ in range(count):
        label = random.choice((random.choice(KEYS), "user_id", Token('"user\\u005fid"')))
        pair: list[tuple[str, Any]] = [("key", label), ("value", value())]
        if random.random() < 0.15:
            pair[0] = ("key", _other(random))
        if random.random() < 0.1:
            pair.append((random.choice(("key", "value", "more")), value()))
        if random.random() < 0.1:
            pair.pop(random.randrange(len(pair)))
        random.shuffle(pair)
        listed.append(Pairs(pair) if random.random() < 0.93 else _other(random))
    return listed


def _tinker_metadata(made: Record, random: Random) -> None:
    payment = _payment(made)
    for _ in range(random.choice((1, 2, 3))):
        place = random.randrange(4)
        if place == 0:
            payment["additional_data"] = _metadata(random)
        elif place == 1:
            _data(payment, random)["metadata"] = _metadata(random, 1)
        elif place == 2:
            payment["metadata"] = _metadata(random)
        else:
            _data(payment, random)[random.choice(KEYS)] = _other(random)


def _tinker_payer(made: Record, random: Random) -> None:
    payer = made.get("customer_payer")
    if isinstance(payer, dict):
        payer[random.choice(("name", "phone_number", "phone_country_code", "additional_data"))] = _other(random)


def _tinker_shape(made: Record, random: Random) -> None:
    place = random.choice(("payment", "transactions", "customer_payer", "card", "additional_data", "one"))
    value = _other(random)
    if place == "card":
        _transaction(made, random)["card"] = value
    elif place == "additional_data":
        random.choice((_payment(made), _transaction(made, random)))["additional_data"] = value
    elif place == "one" and isinstance(made.get("transactions"), list):
        made["transactions"].append(value)
    elif random.random() < 0.5:
        made.pop(place, None)
    else:
        made[place] = value


def _tinker_missing(made: Record, random: Random) -> None:
    holder = _some_holder(made, random)
    if holder:
        key = random.choice(sorted(holder))
        if random.random() < 0.5:
            holder[key] = random.choice((None, ""))
        else:
            del holder[key]


def _tinker_anywhere(made: Record, random: Random) -> None:
    holder = _some_holder(made, random)
    key = random.choice(sorted(holder)) if holder and random.random() < 0.5 else random.choice(KEYS)
    holder[key] = _other(random)


TINKERINGS: tuple[Callable[[Record, Random], None], ...] = (
    _tinker_text, _tinker_organization, _tinker_amount, _tinker_time, _tinker_transaction, _tinker_many, _tinker_code,
    _tinker_card, _tinker_secret, _tinker_metadata, _tinker_metadata, _tinker_payer, _tinker_shape, _tinker_missing,
    _tinker_anywhere,
)  # fmt: skip


def spelled(value: Any, random: Random) -> str:
    """A value as JSON text: compact, with blanks here or there, with escapes, now and then with a fault."""
    writer = _Writer(random)
    text = writer.write(value)
    if random.random() < 0.02:
        place = random.randrange(len(text) + 1)
        text = (
            text[:place]
            + random.choice((",", "}", "]", " ", '"', "/**/", "\\", "\u00a0", "\x00", "x", "-"))
            + text[place:]
        )
    return text.strip(" \t\r\n") or "null"


class _Writer:
    def __init__(self, random: Random) -> None:
        self._random = random
        self._comma: str | None
        self._colon: str | None
        self._comma, self._colon = random.choice(((",", ":"), (",", ":"), (", ", ": "), (None, None)))
        self._ascii_only = random.random() < 0.5
        self._escapes = random.random() < 0.1
        self._repeats = 0.05 if random.random() < 0.3 else 0.0
        self._trailing = 0.05 if random.random() < 0.05 else 0.0

    def write(self, value: Any) -> str:
        if isinstance(value, Token | FarNumber):
            return value.spelled
        if isinstance(value, Pairs | dict):
            return self._object(list(value.items() if isinstance(value, dict) else value))
        if isinstance(value, list):
            return "[" + self._joined([self.write(each) for each in value]) + "]"
        if isinstance(value, str):
            return self._string(value)
        return str(value) if isinstance(value, Decimal) else json.dumps(value)

    def _object(self, pairs: list[tuple[str, Any]]) -> str:
        if pairs and self._random.random() < self._repeats:
            key, value = self._random.choice(pairs)
            again = value if self._random.random() < 0.3 else _other(self._random)
            pairs.insert(self._random.randrange(len(pairs) + 1), (key, again))
        return (
            "{"
            + self._joined([f"{self._key(key)}{self._between(self._colon, ':')}{self.write(v)}" for key, v in pairs])
            + "}"
        )

    def _key(self, key: str) -> str:
        return f'"{key}"' if is_token_key(key) and key not in ("\\",) and _is_spelling(key) else self._string(key)

    def _string(self, text: str) -> str:
        spelled = json.dumps(text, ensure_ascii=self._ascii_only)
        if self._escapes and text.isascii() and text.isalnum():
            place = self._random.randrange(len(text))
            return f'"{text[:place]}\\u{ord(text[place]):04x}{text[place + 1 :]}"'
        return spelled.replace("/", "\\/") if self._escapes else spelled

    def _joined(self, parts: list[str]) -> str:
        joined = "".join(part + self._between(self._comma, ",") for part in parts[:-1]) + "".join(parts[-1:])
        if parts and self._random.random() < self._trailing:
            joined += self._between(self._comma, ",")
        return joined

    def _between(self, mark: str | None, plain: str) -> str:
        if mark is not None:
            return mark
        before, after = ("".join(self._random.choices(" \t\r\n", k=self._random.choice((0, 0, 0, 1, 2)))) for _ in "ab")
        return before + plain + after


def _is_spelling(key: str) -> bool:
    try:
        json.loads(f'"{key}"')
    except ValueError:
        return False
    return True


def organizations(random: Random) -> str | None:
    """The organization_code of the request around a record, as JSON text; None where there is none."""
    return random.choice(
        (
            None,
            None,
            "null",
            '""',
            f'"{ORGANIZATION}"',
            f'"{ORGANIZATION}"',
            '"o"',
            "1",
            '["o"]',
            "1234",
            "[23]",
            '"\\u0033c"',
            "{}",
        )
    )
