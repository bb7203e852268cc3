"""Keys are never shown, and only addresses that are safe to send to are taken."""

from pathlib import Path

import pytest

from recovery_batch.errors import UsageError
from recovery_batch.outreach.sending.access import check_ready, destinations, read_keys
from recovery_batch.settings import Submit

ENVIRONMENT = {"RECOVERY_BATCH_PUBLIC_API_KEY": "open-1", "RECOVERY_BATCH_PRIVATE_SECRET_KEY": "closed-2"}


def test_keys_hide_themselves() -> None:
    keys = read_keys(None, ENVIRONMENT)
    for shown in (repr(keys), str(keys), f"{keys}"):
        assert "open-1" not in shown
        assert "closed-2" not in shown
    assert keys.headers("abandoned-flows") == {"public-api-key": "open-1", "private-secret-key": "closed-2"}
    assert keys.headers("campaigns") == {"X-Public-Api-Key": "open-1", "X-Private-Secret-Key": "closed-2"}


def test_without_keys_no_header_is_sent() -> None:
    assert read_keys(None, {}).headers("campaigns") == {}
    assert read_keys(None, dict.fromkeys(ENVIRONMENT, "")).headers("campaigns") == {}


@pytest.mark.parametrize("text", ["with blank", "line\nbreak", "é", "nul\0", "x" * 5000])
def test_what_can_be_no_key_is_refused_and_not_shown(text: str) -> None:
    with pytest.raises(UsageError) as caught:
        read_keys(None, {**ENVIRONMENT, "RECOVERY_BATCH_PRIVATE_SECRET_KEY": text})
    assert "RECOVERY_BATCH_PRIVATE_SECRET_KEY" in caught.value.message
    assert text not in str(caught.value.as_json())


def test_a_folder_of_secrets_is_the_only_source_where_it_is_named(tmp_path: Path) -> None:
    (tmp_path / "public_api_key").write_text("of-a-file\n")
    (tmp_path / "public_api_key").chmod(0o600)
    assert read_keys(tmp_path, ENVIRONMENT).headers("abandoned-flows") == {"public-api-key": "of-a-file"}


def test_bytes_that_are_no_text_are_refused_and_not_shown(tmp_path: Path) -> None:
    path = tmp_path / "private_secret_key"
    path.write_bytes(b"\xff\xfesecret")
    path.chmod(0o600)
    with pytest.raises(UsageError, match="not UTF-8") as caught:
        read_keys(tmp_path, {})
    assert "secret\\" not in repr(caught.value)
    assert caught.value.__cause__ is None


def test_the_command_line_goes_before_the_settings() -> None:
    settings = Submit(declined_url="https://a.example/x/", abandoned_url="https://b.example")
    assert destinations(settings, None, None) == {
        "declined": "https://a.example/x/declined-payments/external",
        "abandoned": "https://b.example/smart-support/external/payments",
    }
    assert destinations(settings, "https://c.example", "") == {
        "declined": "https://c.example/declined-payments/external"
    }
    assert destinations(Submit(), None, None) == {}


def test_what_is_missing_is_named() -> None:
    keys = read_keys(None, {})
    check_ready({"declined"}, {"declined": "https://a"}, keys)
    check_ready(set(), {}, keys)
    with pytest.raises(UsageError, match="abandoned flows need two keys"):
        check_ready({"abandoned"}, {"abandoned": "https://a"}, keys)
    with pytest.raises(UsageError, match="no base URL for requests of the kind abandoned"):
        check_ready({"abandoned"}, {"declined": "https://a"}, read_keys(None, ENVIRONMENT))
