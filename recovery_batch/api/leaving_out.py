"""Whom the suppression list leaves out: many candidates held against many entries at once.

An entry is about a user or a phone number; about the customers of every organization or of one; about every campaign or
one. Phone numbers are compared by the keys of `phones`: what is costly is done once for each distinct number, and only
for those that end like a number of the list.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

import polars as pl

from recovery_batch.api.frames import KEY
from recovery_batch.campaigns import Campaign
from recovery_batch.ingest.erased import dialled
from recovery_batch.keys import HASHED, LEFT_ALONE, Hasher, open_hasher
from recovery_batch.phones import WrittenPhone, end_like, payer_keys
from recovery_batch.schema import TEXTS
from recovery_batch.store import Store

_ENTRIES: Final = "opt_outs/all"
_SCOPE: Final = ("only_organization", "only_campaign")
"""Of an entry, in lower case as both are compared; null: every one."""
_NUMBER: Final = ("phone_country_code", "phone_number")
_LOOKS: Final = pl.col("user_id").str.replace_all(r"\p{Cf}", "").str.normalize("NFC").str.strip_chars()
"""A user id as it looks: what is invisible in it, or blank around it, is a slip of whoever wrote one of the two."""


def opted_out(
    store: Store, payments: pl.DataFrame, candidates: pl.DataFrame, campaigns: Sequence[Campaign]
) -> pl.Series:
    """Which candidates the suppression list leaves out.

    Every entry counts, whenever it was added: who said no after a run's as-of said no.

    Args:
        store: Where the list and the phone numbers are.
        payments: One row a payment, with `organization_code`, `payment_id`, `country` and `user_id` (null: none).
        candidates: One row a (campaign, payment): `campaign_no`, a place in `campaigns`, and `payment_no`, a row of
            `payments`.
        campaigns: Those that were evaluated.

    Returns:
        `opted_out`: a Boolean a row of `candidates`, in their order; no nulls.
    """
    entries, hasher = _entries(store), _hasher(store)
    if (entries.is_empty() and hasher is None) or candidates.is_empty():
        return pl.Series("opted_out", [False] * candidates.height, dtype=pl.Boolean)
    asked = payments.select(*KEY, "user_id", "country").with_row_index("payment_no")
    asked = asked[candidates["payment_no"].unique().sort()]
    hits = pl.concat([_by_user(asked, entries), _by_phone(store, asked, entries), _by_hash(store, asked, hasher)])
    of_campaign = pl.Series([each.identity.lower() for each in campaigns], dtype=pl.String)
    scoped = candidates.select(
        pl.col("payment_no").cast(pl.UInt32),
        row=pl.int_range(pl.len()),
        campaign=of_campaign.gather(candidates["campaign_no"]),
        organization=payments["organization_code"].gather(candidates["payment_no"]).str.to_lowercase(),
    ).join(hits, on="payment_no")
    about = scoped.filter(
        _is_within("only_organization", "organization"),
        _is_within("only_campaign", "campaign"),
    )
    rows = pl.int_range(candidates.height, eager=True)
    return rows.is_in(about["row"].implode()).alias("opted_out")


def opted_out_phones(store: Store, phones: pl.Series) -> pl.Series:
    """Which phone numbers of abandoned flows the suppression list leaves out.

    A flow names no organization and no campaign, so that every entry counts that is not about one campaign alone.

    Args:
        store: Where the list is.
        phones: Numbers that begin with their country code, in any notation; null: none is known.

    Returns:
        `opted_out`: a Boolean a number, in their order; no nulls.
    """
    entries = _entries(store).filter(pl.col("only_campaign").is_null())
    asked = pl.DataFrame({"phone_number": phones.cast(pl.String)})
    numbers = asked.unique().drop_nulls().with_columns(phone_country_code=pl.lit(""))
    found = _numbers_left_out(numbers, entries)["phone_number"].unique()
    if (hasher := _hasher(store)) is not None:
        spelled = dialled(numbers.with_columns(number="phone_number", country=pl.lit(None, dtype=pl.String)))
        found = pl.concat([found, _known(store, hasher, spelled, "phone")["number"]])
    return asked["phone_number"].is_in(found.implode()).fill_null(value=False).alias("opted_out")


def _is_within(scope: str, column: str) -> pl.Expr:
    return pl.col(scope).is_null() | (pl.col(scope) == pl.col(column))


def _entries(store: Store) -> pl.DataFrame:
    """The list: one row an entry; `_SCOPE`, phone and is_international (null: a user), user_id (null: a phone)."""
    return store.frame(_ENTRIES).select(
        pl.col("organization_code").str.to_lowercase().alias("only_organization"),
        pl.col("campaign_id").str.to_lowercase().alias("only_campaign"),
        "phone",
        "is_international",
        "user_id",
    )


def _by_user(asked: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """The payments of users on the list: one row a payment and scope; `payment_no`, `_SCOPE`."""
    users = entries.select(_LOOKS, *_SCOPE).drop_nulls("user_id").unique()
    return asked.with_columns(_LOOKS).join(users, on="user_id").select("payment_no", *_SCOPE)


def _by_phone(store: Store, asked: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """The payments of phone numbers on the list: one row a payment and scope; `payment_no`, `_SCOPE`."""
    if entries["phone"].null_count() == entries.height:
        return pl.DataFrame(schema={"payment_no": pl.UInt32, **dict.fromkeys(_SCOPE, pl.String)})
    payers = (
        store.lookup("read/payers", asked.select(KEY))
        .filter(pl.col("phone_number").is_not_null())
        .select(*KEY, pl.col("phone_country_code").fill_null(""), "phone_number")
    )
    numbers = _numbers_left_out(payers.select(_NUMBER).unique(), entries)
    return asked.join(payers.join(numbers, on=_NUMBER), on=KEY).select("payment_no", *_SCOPE)


def _hasher(store: Store) -> Hasher | None:
    """The hasher of a store from which somebody was erased who had asked to be left alone; None where nobody was."""
    return open_hasher(store) if store.frame("forget/holds_left_alone").item() else None


def _by_hash(store: Store, asked: pl.DataFrame, hasher: Hasher | None) -> pl.DataFrame:
    """The payments of people who were erased after they had asked to be left alone; `payment_no`, `_SCOPE`."""
    nowhere = {scope: pl.lit(None, dtype=pl.String) for scope in _SCOPE}
    if hasher is None:
        return asked.clear().select("payment_no", **nowhere)
    users = asked.drop_nulls("user_id").with_columns(value=pl.col("user_id"))
    numbers = asked.select("payment_no", *KEY, "country").join(
        store.lookup("read/payers", asked.select(KEY)).select(*KEY, *_NUMBER), on=KEY
    )
    theirs = [
        _known(store, hasher, users, "user"),
        _known(store, hasher, dialled(numbers).with_columns(organization_code=pl.lit("")), "phone"),
    ]
    return pl.concat(each.select("payment_no") for each in theirs).unique().with_columns(**nowhere)


def _known(store: Store, hasher: Hasher, rows: pl.DataFrame, kind: str) -> pl.DataFrame:
    """Those of some rows (value, and organization_code unless there is none) that were hashed as left alone."""
    scoped = rows if "organization_code" in rows.columns else rows.with_columns(organization_code=pl.lit(""))
    named = scoped.with_columns(kind=pl.lit(LEFT_ALONE + kind))
    known = hasher.known(store, named.select(HASHED.names()).unique())
    return named.join(known, on=HASHED.names(), how="semi")


def _numbers_left_out(numbers: pl.DataFrame, entries: pl.DataFrame) -> pl.DataFrame:
    """Which numbers are on the list, and for whom.

    Args:
        numbers: One row a distinct number: `_NUMBER`, no nulls.
        entries: As `_entries` gives them.

    Returns:
        One row a number and scope: `_NUMBER`, `_SCOPE`.
    """
    written = entries.select("phone", "is_international", *_SCOPE).drop_nulls("phone").unique()
    if written.is_empty() or numbers.is_empty():
        return pl.DataFrame(schema=dict.fromkeys((*_NUMBER, *_SCOPE), pl.String))
    phones = [WrittenPhone(*pair) for pair in written.select("phone", "is_international").iter_rows()]
    on_list = _with_keys(written, (phone.keys() for phone in phones))
    asked = numbers.filter(end_like(numbers["phone_number"], phones))
    of_payers = _with_keys(asked, (payer_keys(*pair) for pair in asked.select(_NUMBER).iter_rows()))
    return of_payers.join(on_list, on="key").select(*_NUMBER, *_SCOPE).unique()


def _with_keys(rows: pl.DataFrame, keys: Iterable[Iterable[str]]) -> pl.DataFrame:
    """The rows once a key."""
    column = pl.Series("key", [list(each) for each in keys], dtype=TEXTS)
    return rows.with_columns(column).explode("key").drop_nulls("key")
