"""The suppression list: who is not to be contacted, entered by phone number or user id, and taken off again.

An entry holds for the customers of every organization, or of one; for every campaign, or for one alone. What is wrong
with an entry is said by field, never with what stood there: it may be somebody's number.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Literal

import phonenumbers
import polars as pl

from recovery_batch.campaigns import all_campaigns, get_campaign
from recovery_batch.clock import parse_bound
from recovery_batch.errors import BadRequest, NotFound, Problem, ProblemsFound
from recovery_batch.phones import WrittenPhone, read_phone
from recovery_batch.rules.fields import is_uuid
from recovery_batch.schema import OPT_OUTS, frame_schema
from recovery_batch.store import Store

FIELDS: Final = ("phone", "user_id", "organization_code", "campaign_id", "country", "source", "added_at")
"""What an entry is entered as."""

Change = Literal["added", "already there"]
Campaigns = Mapping[str, str]
"""The organization of each stored campaign, by id in lower case."""

_SCHEMA: Final = frame_schema(OPT_OUTS)
_IDENTIFYING: Final = ("organization_code", "campaign_id", "phone", "is_international", "user_id")
_IDENTITY: Final = re.compile(r"[0-9a-f]{16}")
_LARGEST_PAGE: Final = 100
_HINT: Final = "recovery-batch suppressions list shows the entries and their ids."


@dataclass(frozen=True, slots=True)
class OptOut:
    """Somebody who is not to be contacted, by phone number or by user id: one of the two is there.

    Attributes:
        phone: The number; None: it is about a user.
        user_id: The user; None: it is about a number.
        organization_code: Whose customers; None: those of every organization.
        campaign_id: The only campaign; None: every campaign.
        source: Where the wish came from; None: nobody said.
        added_at: Since when it stands.
    """

    phone: WrittenPhone | None
    user_id: str | None
    organization_code: str | None
    campaign_id: str | None
    source: str | None
    added_at: datetime

    def as_row(self) -> dict[str, Any]:
        """The entry in the columns of the table, without an id."""
        return {
            "organization_code": self.organization_code,
            "campaign_id": self.campaign_id,
            "phone": self.phone.digits if self.phone else None,
            "is_international": self.phone.is_international if self.phone else None,
            "user_id": self.user_id,
            "source": self.source,
            "added_at": self.added_at,
        }


def stored_campaigns(store: Store) -> Campaigns:
    """The campaigns that an entry may be about."""
    return {each.identity.lower(): each.organization_code for each in all_campaigns(store)}


def read_opt_outs(
    fields: Mapping[str, str | None], campaigns: Campaigns, now: datetime, problems: list[Problem]
) -> list[OptOut]:
    """The entries that fields stand for: one for the phone number, one for the user id; none with a problem.

    Args:
        fields: Texts by the names of `FIELDS`; null and blanks count as absent.
        campaigns: Those that are stored.
        now: When it was entered.
        problems: Gets what is wrong, with the field and without the value.
    """
    given = {name: (fields.get(name) or "").strip() or None for name in FIELDS}
    before = len(problems)
    phone = _phone(given, problems)
    organization, campaign = _scope(given, campaigns, problems)
    added_at = _added_at(given["added_at"], now, problems)
    if not given["phone"] and not given["user_id"]:
        problems.append(Problem("", "neither phone nor user_id", None, "one of the two", code=400))
    if len(problems) > before:
        return []
    who = [(phone, None)] if phone else []
    user = [(None, given["user_id"])] if given["user_id"] else []
    return [OptOut(*each, organization, campaign, given["source"], added_at) for each in (*who, *user)]


def add_opt_outs(store: Store, opt_outs: Sequence[OptOut]) -> list[tuple[Change, str]]:
    """Put entries on the list; one that says the same as another, whenever it was added, is that one.

    Returns:
        What became of each, and the id that it has.
    """
    ids = _known(store, opt_outs)
    rows: list[dict[str, Any]] = []
    outcomes: list[tuple[Change, str]] = []
    for opt_out in opt_outs:
        row = opt_out.as_row()
        same = tuple(row[name] for name in _IDENTIFYING)
        if same in ids:
            outcomes.append(("already there", ids[same][0]))
            continue
        # an id made from the number could be turned back into it
        ids[same] = [secrets.token_hex(8)]
        rows.append({"opt_out_id": ids[same][0], **row})
        outcomes.append(("added", ids[same][0]))
    if rows:
        store.append("opt_outs/append", pl.DataFrame(rows, schema=_SCHEMA))
    return outcomes


def add_opt_out(store: Store, fields: Mapping[str, str | None], now: datetime) -> tuple[Change, dict[str, Any]]:
    """Put one entry on the list.

    Args:
        store: The store, open for writing.
        fields: As `read_opt_outs` takes them, with a phone number or a user id.
        now: When it was entered.

    Returns:
        What became of it, and the row of the list.

    Raises:
        ProblemsFound: a field is wrong.
        NotFound: no such campaign is stored.
    """
    ((change, identity),) = add_opt_outs(store, [_one(store, fields, now)])
    return change, _by_id(store, identity)


def remove_opt_out(store: Store, identity: str) -> dict[str, Any]:
    """Take an entry off the list, and give the row that it was.

    Raises:
        BadRequest: this is no id of an entry.
        NotFound: there is no such entry.
    """
    if not _IDENTITY.fullmatch(identity):  # and not shown: it could be a number
        raise BadRequest("ID is not the id of an entry; allowed: 16 digits from 0 to 9 and a to f", hint=_HINT)
    row = _by_id(store, identity)
    store.run("opt_outs/delete", {"ids": [identity]})
    return row


def remove_same(store: Store, fields: Mapping[str, str | None], now: datetime) -> dict[str, Any]:
    """Take the entry off the list that was added with the same number or user and the same scope.

    Raises:
        ProblemsFound: a field is wrong.
        NotFound: no such campaign is stored, or no such entry is there.
    """
    known = _known(store, [_one(store, fields, now)])
    if not known:
        raise NotFound("no entry is about this customer in this scope", hint=_HINT)
    ((identity, *_),) = known.values()
    return remove_opt_out(store, identity)


def list_opt_outs(store: Store, *, limit: int, offset: int) -> tuple[pl.DataFrame, int]:
    """A page of the list, the newest first, and how many entries there are in all.

    Returns:
        One row an entry, in the columns of `schema.OPT_OUTS`; the numbers and user ids are plain.

    Raises:
        BadRequest: limit is not from 1 to 100, or offset is below 0.
    """
    if not 1 <= limit <= _LARGEST_PAGE:
        raise BadRequest(f"limit is {limit}; allowed: 1 to {_LARGEST_PAGE}", details={"field": "limit"})
    if offset < 0:
        raise BadRequest(f"offset is {offset}; allowed: 0 or more", details={"field": "offset"})
    rows = store.frame("opt_outs/listed", {"most": limit, "skipped": offset})
    return rows, int(store.frame("opt_outs/total").item())


def unknown_organizations(store: Store, codes: Iterable[str]) -> list[str]:
    """Which organizations have neither a payment nor a campaign in the store: entries about them leave nobody out."""
    asked = pl.DataFrame({"organization_code": sorted(set(codes))}, schema={"organization_code": pl.String})
    return store.lookup("opt_outs/unknown_organizations", asked)["organization_code"].to_list()


def _one(store: Store, fields: Mapping[str, str | None], now: datetime) -> OptOut:
    if campaign_id := fields.get("campaign_id"):
        get_campaign(store, campaign_id)
    problems: list[Problem] = []
    opt_outs = read_opt_outs(fields, stored_campaigns(store), now, problems)
    if problems:
        raise ProblemsFound(problems, hint="Nothing was changed.")
    (opt_out,) = opt_outs
    return opt_out


def _by_id(store: Store, identity: str) -> dict[str, Any]:
    rows = store.frame("opt_outs/by_id", {"opt_out_id": identity})
    if rows.is_empty():
        raise NotFound(f"no entry {identity}", hint=_HINT, details={"opt_out_id": identity})
    return rows.row(0, named=True)


def _known(store: Store, opt_outs: Iterable[OptOut]) -> dict[tuple[Any, ...], list[str]]:
    """The ids of the entries of the list that say the same, by what they say."""
    wanted = pl.DataFrame([each.as_row() for each in opt_outs], schema=_SCHEMA).select(_IDENTIFYING).unique()
    ids: dict[tuple[Any, ...], list[str]] = {}
    for number, identity in store.lookup("opt_outs/known", wanted.with_row_index("entry_no")).iter_rows():
        ids.setdefault(wanted.row(number), []).append(identity)
    return ids


def _phone(given: Mapping[str, str | None], problems: list[Problem]) -> WrittenPhone | None:
    country = given["country"].upper() if given["country"] else None
    if country is not None and country not in phonenumbers.SUPPORTED_REGIONS:
        problems.append(Problem("/country", "unknown country", None, "an ISO 3166-1 alpha-2 code such as CO"))
        return None
    if given["phone"] is None:
        return None
    try:
        return read_phone(given["phone"], country)
    except ValueError as error:
        problems.append(Problem("/phone", str(error), None, "a possible number, such as +57 310 1234567"))
        return None


def _scope(
    given: Mapping[str, str | None], campaigns: Campaigns, problems: list[Problem]
) -> tuple[str | None, str | None]:
    """The organization and the campaign of an entry. A campaign is of one organization, which then says no more."""
    organization, campaign_id = given["organization_code"], given["campaign_id"]
    if campaign_id is None:
        return organization, None
    owner = campaigns.get(campaign_id.lower())
    if not is_uuid(campaign_id):
        problems.append(Problem("/campaign_id", "not a UUID", None, "the UUID of a stored campaign", code=400))
    elif owner is None:
        problems.append(Problem("/campaign_id", "no such campaign is stored", None, "the UUID of a stored campaign"))
    elif organization is not None and organization.lower() != owner.lower():
        allowed = "the organization of the campaign, or none"
        problems.append(Problem("/organization_code", "the campaign is another organization's", None, allowed))
    return None, campaign_id.lower()


def _added_at(text: str | None, now: datetime, problems: list[Problem]) -> datetime:
    if text is None:
        return now
    try:
        return parse_bound(text)
    except ValueError:
        problems.append(Problem("/added_at", "not a time", None, "ISO 8601, such as 2026-09-01T08:00:00Z"))
        return now
