"""Keyed hashes of what people were known by: the store holds the hashes, a file outside of it the key.

A hash is the HMAC-SHA256 (RFC 2104) of a kind, an organization and a value, worked out in one place, the query
`forget/hashes`. Without the key nobody can tell by trying whose it is; with it, a load knows a person again who was
erased, and a rate limit what was sent to them. Row `check` of the table `forgotten` tells the right key.
"""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

import polars as pl

from recovery_batch.disk import sync
from recovery_batch.errors import SystemFailed
from recovery_batch.store import Store

Kind = Literal["phone", "user", "payment", "flow", "token", "left_alone_phone", "left_alone_user", "check"]

LEFT_ALONE: Final = "left_alone_"
"""What comes before `phone` and `user` for one who had asked to be left alone: that outlasts the erasure."""

KEY_FILE: Final = "RECOVERY_BATCH_KEY_FILE"
"""The environment variable that names the file of the key."""

HASHED: Final = pl.Schema({"kind": pl.String, "organization_code": pl.String, "value": pl.String})
"""What is hashed: a kind, the organization that the value belongs to (empty: none), and the value."""

_UNLINKED: Final = ("p:", "a:")
"""How flow_id begins where it is a hash of personal data."""

_KEY_BYTES: Final = 32
_BLOCK_BYTES: Final = 64  # of SHA-256
_INNER, _OUTER = 0x36, 0x5C
_PRIVATE: Final = 0o600
_CHECK: Final = pl.DataFrame([("check", "", "recovery-batch")], schema=HASHED, orient="row")


def key_path(store: Store) -> Path:
    """The file of a store's key: what `RECOVERY_BATCH_KEY_FILE` names, else the store's path and `.key`.

    It is one file for all names that the store has: a symbolic link to it is followed.
    """
    if named := os.environ.get(KEY_FILE):
        return Path(named)
    real = store.path.resolve()
    return real.with_name(f"{real.name}.key")


def holds_hashes(store: Store) -> bool:
    """Whether anything in a store was hashed, so that the key is needed."""
    return bool(store.frame("forget/holds_hashes").item())


@dataclass(frozen=True, slots=True)
class Hasher:
    """Hashes with the key of a store. Use `open_hasher` or `make_hasher`."""

    _key: bytes = field(repr=False)

    def hashes(self, store: Store, values: pl.DataFrame) -> pl.DataFrame:
        """The hashes of values.

        Args:
            store: Any open store; it only computes.
            values: The columns of `HASHED`, without nulls; more columns are kept.

        Returns:
            The same rows, in any order, with the column hash: 64 hexadecimal digits.
        """
        block = self._key.ljust(_BLOCK_BYTES, b"\0")
        pads = {"inner": bytes(byte ^ _INNER for byte in block), "outer": bytes(byte ^ _OUTER for byte in block)}
        return store.lookup("forget/hashes", values, pads)

    def known(self, store: Store, values: pl.DataFrame) -> pl.DataFrame:
        """Those of some values that were hashed when somebody was erased, with hash and forgotten_at."""
        return store.lookup("forget/known", self.hashes(store, values))

    def check_rows(self, store: Store) -> pl.DataFrame:
        """The row of `forgotten` that tells this key: columns kind and hash."""
        return self.hashes(store, _CHECK).select("kind", "hash")


def open_hasher(store: Store) -> Hasher | None:
    """The hasher of a store; None where nothing in it was hashed, and no key is needed.

    Raises:
        SystemFailed: the key is not there, cannot be read, or is another store's.
    """
    if not holds_hashes(store):
        return None
    path = key_path(store)
    hasher = _read(path)
    if hasher is None:
        raise SystemFailed(
            f"{path}: the key of the store's hashes is not there",
            hint=f"Put the file back, from its backup, or name it in {KEY_FILE}. Without it people who were erased "
            "would come back, and limits would not count what was sent to them.",
        )
    if not hasher.known(store, _CHECK).height:
        raise SystemFailed(
            f"{path}: this is the key of another store",
            hint=f"Put the right file there, from its backup, or name it in {KEY_FILE}.",
        )
    return hasher


def make_hasher(store: Store) -> Hasher:
    """The hasher of a store; where nothing in it was hashed yet, its key is made, safe on the disk.

    Raises:
        SystemFailed: the key of a store that needs it is not there or another's, or it cannot be written.
    """
    if (hasher := open_hasher(store)) is not None:
        return hasher
    path = key_path(store)
    if (hasher := _read(path)) is not None:  # made for an erasure that did not come about, or for another store too
        return hasher
    key = secrets.token_bytes(_KEY_BYTES)
    _write(path, key)
    return Hasher(key)


def hash_users(store: Store, users: pl.DataFrame) -> pl.DataFrame:
    """What users are called in rows of people who were erased, or whose data was purged.

    A ledger row is of a user where its user_id is theirs, or its user_hash is this one.

    Args:
        store: The store.
        users: One row a user: organization_code and user_id, without nulls.

    Returns:
        The same rows, in any order, with user_hash; null for all where nothing in the store was hashed.

    Raises:
        SystemFailed: the store holds hashes, and its key is not there, cannot be read, or is another store's.
    """
    hasher = open_hasher(store)
    if hasher is None:
        return users.with_columns(user_hash=pl.lit(None, dtype=pl.String))
    return users_hashed(store, hasher, users)


def users_hashed(store: Store, hasher: Hasher, users: pl.DataFrame) -> pl.DataFrame:
    """Users (organization_code, user_id) with user_hash, by a hasher that is at hand."""
    values = users.select("organization_code", "user_id", kind=pl.lit("user"), value=pl.col("user_id"))
    return hasher.hashes(store, values).select("organization_code", "user_id", user_hash="hash")


def flows_hashed(store: Store, hasher: Hasher, flows: pl.DataFrame) -> pl.DataFrame:
    """What the ledger calls flows that were erased or purged: `h:` and a keyed hash of what they were called.

    Args:
        store: The store.
        hasher: Its hasher.
        flows: One row a flow: flow_id.

    Returns:
        One row a flow of which flow_id is a hash of personal data, which anybody could work out again: flow_id,
        flow_hash. Others, of a session, keep their name.
    """
    values = flows.filter(pl.col("flow_id").str.slice(0, 2).is_in(_UNLINKED)).select(
        "flow_id", kind=pl.lit("flow"), organization_code=pl.lit(""), value=pl.col("flow_id")
    )
    return hasher.hashes(store, values).select("flow_id", flow_hash=pl.lit("h:") + pl.col("hash"))


def phones_hashed(store: Store, hasher: Hasher, phones: pl.DataFrame) -> pl.DataFrame:
    """Phone numbers of flows with phone_hash, what the ledger keeps of them once their flow was erased or purged.

    Args:
        store: The store.
        hasher: Its hasher.
        phones: Column key, the same for all notations of a number (`FlowNumber.key`), without nulls; more are kept.

    Returns:
        The same rows, in any order, with phone_hash.
    """
    values = phones.with_columns(kind=pl.lit("phone"), organization_code=pl.lit(""), value=pl.col("key"))
    return hasher.hashes(store, values).select(*phones.columns, phone_hash="hash")


def _read(path: Path) -> Hasher | None:
    """The hasher of a file; None where there is none."""
    try:
        key = bytes.fromhex(path.read_text(encoding="ascii").strip())
    except FileNotFoundError:
        return None
    except OSError as error:
        raise SystemFailed(f"{path}: the key cannot be read: {error.strerror}", hint=_BROKEN) from error
    except ValueError:  # not chained: the text could be a key that was mistyped
        key = b""
    if len(key) != _KEY_BYTES:
        raise SystemFailed(f"{path}: not a key: allowed are {2 * _KEY_BYTES} hexadecimal digits", hint=_BROKEN)
    return Hasher(key)


_BROKEN: Final = f"Put the file back from its backup, or name another in {KEY_FILE}."


def _write(path: Path, key: bytes) -> None:
    """Write a key so that it is there whole or not at all, and is safe before anything is hashed with it."""
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _PRIVATE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(key.hex().encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        sync(path.parent)
    except OSError as error:
        partial.unlink(missing_ok=True)
        raise SystemFailed(
            f"{path}: the key cannot be written: {error.strerror}",
            hint=f"Check the folder and the free space, or name another file in {KEY_FILE}. Nothing was erased.",
        ) from error
