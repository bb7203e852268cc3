import hashlib
import hmac
from collections.abc import Iterator
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recovery_batch.errors import SystemFailed
from recovery_batch.keys import HASHED, Hasher, hash_users, holds_hashes, key_path, make_hasher, open_hasher
from recovery_batch.store import Store

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
USERS = pl.DataFrame({"organization_code": ["o", "ñandú"], "user_id": ["u", "u"]})


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "store.duckdb", write=True) as opened:
        yield opened


def put_check(store: Store, hasher: Hasher) -> None:
    store.append("forget/append_forgotten", hasher.check_rows(store), {"forgotten_at": "2026-01-01"})


@pytest.fixture(scope="module")
def scratch() -> Iterator[Store]:
    with Store.scratch() as opened:
        yield opened


@given(key=st.binary(min_size=32, max_size=32), organization=TEXT, value=TEXT)
def test_a_hash_is_the_hmac_of_kind_organization_and_value(
    scratch: Store, key: bytes, organization: str, value: str
) -> None:
    rows = pl.DataFrame([("user", organization, value)], schema=HASHED, orient="row")
    message = f"user:{len(organization.encode())}:{organization}{value}".encode()
    assert Hasher(key).hashes(scratch, rows)["hash"].item() == hmac.new(key, message, hashlib.sha256).hexdigest()


def test_organization_and_value_do_not_run_together(scratch: Store) -> None:
    rows = pl.DataFrame([("user", "ab", "c"), ("user", "a", "bc"), ("phone", "ab", "c")], schema=HASHED, orient="row")
    assert Hasher(b"k" * 32).hashes(scratch, rows)["hash"].n_unique() == 3


def test_a_store_without_hashes_needs_no_key(store: Store) -> None:
    assert not holds_hashes(store)
    assert open_hasher(store) is None
    assert hash_users(store, USERS)["user_hash"].to_list() == [None, None]
    assert hash_users(store, USERS).schema["user_hash"] == pl.String
    assert not key_path(store).exists()


def test_users_are_hashed_with_the_key_of_the_store(store: Store) -> None:
    hasher = make_hasher(store)
    put_check(store, hasher)
    hashed = hash_users(store, USERS).sort("organization_code")
    assert hashed.columns == ["organization_code", "user_id", "user_hash"]
    key = bytes.fromhex(key_path(store).read_text())
    assert hashed["user_hash"].to_list() == [
        hmac.new(key, message.encode(), hashlib.sha256).hexdigest() for message in ("user:1:ou", "user:7:ñandúu")
    ]


def test_a_key_is_made_once(store: Store) -> None:
    assert make_hasher(store) == make_hasher(store)
    put_check(store, make_hasher(store))
    assert open_hasher(store) == make_hasher(store)


def test_a_store_behind_a_link_has_the_key_beside_its_file(tmp_path: Path) -> None:
    path = tmp_path / "store.duckdb"
    with Store.open(path, write=True) as store:
        put_check(store, make_hasher(store))
        expected = key_path(store)
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.duckdb"
    link.symlink_to(path)
    with Store.open(link) as linked:
        assert key_path(linked) == expected
        assert open_hasher(linked) is not None


def test_a_key_is_not_shown(store: Store) -> None:
    assert repr(make_hasher(store)) == "Hasher()"


def test_another_key_is_refused(store: Store) -> None:
    put_check(store, make_hasher(store))
    key_path(store).write_text("11" * 32)
    for call in (open_hasher, make_hasher, lambda opened: hash_users(opened, USERS)):
        with pytest.raises(SystemFailed, match="another store"):
            call(store)


def test_a_key_that_is_gone_is_not_made_anew(store: Store) -> None:
    put_check(store, make_hasher(store))
    key_path(store).unlink()
    with pytest.raises(SystemFailed, match="is not there"):
        make_hasher(store)
    assert not key_path(store).exists()


def test_a_key_that_is_a_folder_is_told(store: Store) -> None:
    key_path(store).mkdir()
    with pytest.raises(SystemFailed, match="Is a directory"):
        make_hasher(store)
