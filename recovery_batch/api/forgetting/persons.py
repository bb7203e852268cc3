"""Who is meant by a phone number or a user, and where in the store they stand."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

import polars as pl

from recovery_batch.errors import NotFound, Refused
from recovery_batch.ingest.erased import dialled
from recovery_batch.ingest.naming import Named, named_in, token
from recovery_batch.phones import WrittenPhone, calling_code, is_possible, only_digits, payer_keys
from recovery_batch.store import Store

_MOST_REACHED: Final = 10
"""More phones or users than this are not one person's: a shop's till, a call centre, a number that stands for none."""

_TAIL: Final = 4
_FEWEST_DIGITS: Final = 6
_PAYMENT: Final = ("organization_code", "payment_id")
_USER: Final = ("organization_code", "user_id")
_NUMBER: Final = ("country", "phone_country_code", "phone_number")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who is asked for: a phone number or a user.

    Attributes:
        phone: The number; None: a user is asked for.
        user_id: The user; None: a number is asked for.
        organization_code: Whose user; None: that of every organization that the store knows to have one.
        is_alone: Whether only what carries exactly this is meant, and not what leads on from there.
    """

    phone: WrittenPhone | None = None
    user_id: str | None = None
    organization_code: str | None = None
    is_alone: bool = False


@dataclass(frozen=True, slots=True)
class Person:
    """A person, and where they stand in the store.

    Attributes:
        users: Their user ids: one row a user; organization_code, user_id.
        payments: Their payments: one row a payment; organization_code, payment_id.
        flows: Their abandoned flows: one row a flow; flow_id.
        rejects: What is quarantined of them: one row a record; reject_id.
        opt_outs: What stands of them on the suppression list: one row an entry; opt_out_id.
        names: What they are known by, to be hashed.
        texts: Their numbers and user ids, as a rule of a campaign may have them as a value.
    """

    users: pl.DataFrame
    payments: pl.DataFrame
    flows: pl.DataFrame
    rejects: pl.DataFrame
    opt_outs: pl.DataFrame
    names: frozenset[Named]
    texts: frozenset[str]


def find_person(store: Store, asked: Asked) -> Person:
    """Find a person, by one step: from a number to its users and all they paid, from a user to their numbers.

    Raises:
        NotFound: nothing is known of them, and what is asked for does not say enough to know them later.
        Refused: the number may be of people in several countries, or the step leads to too many numbers or users.
    """
    users, own, keys = _by_user(store, asked) if asked.phone is None else _by_phone(store, asked.phone, asked.is_alone)
    called = _near(store, "forget/payers_near", keys)
    _check_reach(called.select(_USER).drop_nulls().unique().height, "users", asked)
    flows = _near(store, "forget/flows_near", keys)
    numbers = pl.concat([called.select(_NUMBER), flows.select(_NUMBER)]).unique(maintain_order=True)
    keys |= frozenset[str]().union(*map(_keys, numbers.iter_rows()))
    if asked.phone is not None and not asked.phone.is_international and not numbers.height:
        raise NotFound(
            "nobody has this phone number, and its country is not known",
            hint="Say which country's it is with --country, or begin it with + and the country code; then it is also "
            "kept out of later loads.",
        )
    payments = pl.concat([own, called]).select(_PAYMENT).unique(maintain_order=True)
    phones = _international(asked.phone, numbers, keys)
    words = _words(phones | keys, [*users["user_id"], *flows["email"].drop_nulls()])
    names = [
        *(Named("phone", "", digits) for digits in phones),
        *(Named("user", *user) for user in users.iter_rows()),
        *(Named("payment", *key) for key in payments.iter_rows()),
        *(Named("flow", "", flow_id) for flow_id in flows["flow_id"]),
        *map(token, words),
    ]
    return Person(
        users,
        payments,
        flows.select("flow_id").unique(maintain_order=True),
        _rejects(store, frozenset(names), words),
        _opt_outs(store, users, keys),
        frozenset(names),
        words | frozenset(users["user_id"]),
    )


def _by_phone(store: Store, phone: WrittenPhone, is_alone: bool) -> tuple[pl.DataFrame, pl.DataFrame, frozenset[str]]:
    """The users of a number, all payments of theirs, and what the number is compared by."""
    found = _near(store, "forget/payers_near", phone.keys())
    whose = {_dialled(number) for number in found.select(_NUMBER).unique().iter_rows()}
    if not phone.is_international and len(whose) > 1:
        raise Refused(
            f"without its country the phone number may be any of {len(whose)} that are stored",
            hint="Say which country's it is with --country, or begin it with + and the country code.",
            details={"field": "phone"},
        )
    users = found.select(_USER).drop_nulls().unique(maintain_order=True)
    if is_alone:
        users = users.clear()
    _check_reach(users.height, "users", Asked(phone, is_alone=is_alone))
    return users, store.lookup("forget/payments_of_users", users), phone.keys()


def _by_user(store: Store, asked: Asked) -> tuple[pl.DataFrame, pl.DataFrame, frozenset[str]]:
    """A user in each organization, all payments of theirs, and what their numbers are compared by."""
    if asked.organization_code is None:
        known = store.frame("forget/organizations_of_user", {"user_id": asked.user_id})
        if not known.height:
            raise NotFound(
                "no organization is known to have this user",
                hint="Say which one's it is with --organization; then the user is also kept out of later loads.",
            )
    else:
        known = pl.DataFrame({"organization_code": [asked.organization_code]})
    users = known.with_columns(user_id=pl.lit(asked.user_id, dtype=pl.String))
    own = store.lookup("forget/payments_of_users", users)
    numbers = own.select(_NUMBER).drop_nulls("phone_number").unique(maintain_order=True)
    if asked.is_alone:
        numbers = numbers.clear()
    own_numbers = [number for number in numbers.iter_rows() if _is_somebodys(number)]
    _check_reach(len({_dialled(number) for number in own_numbers}), "phone numbers", asked)
    keys = frozenset[str]().union(*map(_keys, own_numbers))
    return users, own, frozenset(key for key in keys if key.startswith("+"))


def _check_reach(number: int, what: str, asked: Asked) -> None:
    if number > _MOST_REACHED and not asked.is_alone:
        raise Refused(
            f"this leads on to {number} {what}; allowed: {_MOST_REACHED}, more are hardly one person's",
            hint="With --alone only what carries exactly what was given is erased.",
            details={"field": "phone" if asked.phone else "user_id", "reached": number, "allowed": _MOST_REACHED},
        )


def _near(store: Store, query: str, keys: frozenset[str]) -> pl.DataFrame:
    """The rows of a query of numbers that end like some, as far as they really are those numbers."""
    tails = pl.DataFrame({"tail": sorted({key[-_TAIL:] for key in keys})}, schema={"tail": pl.String})
    rows = store.lookup(query, tails)
    distinct = rows.select(_NUMBER).drop_nulls("phone_number").unique(maintain_order=True)
    same = [not keys.isdisjoint(_keys(number)) for number in distinct.iter_rows()]
    return rows.join(
        distinct.filter(pl.Series(same, dtype=pl.Boolean)),
        on=_NUMBER,
        how="semi",
        nulls_equal=True,
        maintain_order="left",
    )


def _code(number: Sequence[str | None]) -> str:
    """The country code of a number (country, phone_country_code, phone_number); without one the country's."""
    country, code, _ = number
    return only_digits(code or "").lstrip("0") or calling_code(country or "")


def _is_somebodys(number: Sequence[str | None]) -> bool:
    """Whether a number could be a person's: `0000000000` is what shops write where they have none."""
    text = number[2] or ""
    return is_possible(_code(number), text) and len(set(only_digits(text))) > 1


def _keys(number: Sequence[str | None]) -> frozenset[str]:
    """What a number of a table is compared by; nothing for one that could be nobody's."""
    text = number[2] or ""
    return payer_keys(_code(number), text) if len(only_digits(text)) >= _FEWEST_DIGITS else frozenset()


def _dialled(number: Sequence[str | None]) -> str:
    """One of the keys of a number, the same however it is spelled."""
    return min((key for key in _keys(number) if key.startswith("+")), default="")


def _international(phone: WrittenPhone | None, numbers: pl.DataFrame, keys: frozenset[str]) -> frozenset[str]:
    """The digits, country code first, by which a load knows the numbers again."""
    given = {phone.digits} if phone is not None and phone.is_international else set()
    compared = {key.removeprefix("+") for key in keys if key.startswith("+")}
    return frozenset(given | compared | set(dialled(numbers)["value"]))


def _words(numbers: frozenset[str], others: Iterable[str]) -> frozenset[str]:
    """Texts that name a person wherever they stand: digits of numbers, and others in lower case."""
    digits = {number.removeprefix("+").lstrip("0") for number in numbers}
    return frozenset({each for each in digits if len(each) >= _FEWEST_DIGITS} | {each.casefold() for each in others})


def _rejects(store: Store, names: frozenset[Named], words: frozenset[str]) -> pl.DataFrame:
    tails = [word[-_FEWEST_DIGITS:] for word in words if word.isdecimal()]
    texts = [*words, *(name.value.casefold() for name in names if name.kind in ("payment", "flow"))]
    # a session_id stands in a record without the letter that flow_id begins with
    near = store.frame("forget/rejects_near", {"tails": tails, "texts": [text.removeprefix("s:") for text in texts]})
    theirs = [not names.isdisjoint(named_in(raw, root)) for _, raw, root in near.iter_rows()]
    return near.filter(pl.Series(theirs, dtype=pl.Boolean)).select("reject_id")


def _opt_outs(store: Store, users: pl.DataFrame, keys: frozenset[str]) -> pl.DataFrame:
    rows = store.frame("forget/opt_outs")
    known = set(users.iter_rows())
    ids = set(users["user_id"])
    theirs = [
        (user_id in ids if organization is None else (organization, user_id) in known)
        if phone is None
        else not keys.isdisjoint(WrittenPhone(phone, bool(is_international)).keys())
        for organization, phone, is_international, user_id in rows.drop("opt_out_id").iter_rows()
    ]
    return rows.filter(pl.Series(theirs, dtype=pl.Boolean)).select("opt_out_id")
