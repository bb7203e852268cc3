"""Where requests go and with which keys; that the keys are shown nowhere."""

from pathlib import Path

import pytest

from tests.e2e import servers
from tests.e2e.commands import Shell
from tests.e2e.runs import (
    NOT_YET,
    declined,
    flows,
    make_run,
)
from tests.e2e.servers import Server, answer
from tests.e2e.submit.sending import PRIVATE, PUBLIC, send, submit


def test_the_other_documented_headers(shell: Shell, folder: Path, server: Server) -> None:
    settings = shell.db.with_name("s.toml")
    settings.write_text(settings.read_text() + 'headers = "campaigns"\n')
    assert send(shell, folder, server).status == 0
    assert f"x-public-api-key: {PUBLIC}" in server.heads[0].lower()
    assert f"x-private-secret-key: {PRIVATE}" in server.heads[0].lower()
    assert "\r\npublic-api-key" not in server.heads[0].lower()


def test_keys_stand_nowhere(shell: Shell, folder: Path, server: Server) -> None:
    server.script = [answer(400, body=b"no"), answer(500)]
    outcomes = [submit(shell, folder, server, "--yes"), send(shell, folder, server), shell("submissions", "list")]
    shown = "".join(each.out + each.err for each in outcomes)
    files = b"".join(path.read_bytes() for path in shell.db.parent.rglob("*") if path.is_file())
    for key in (PUBLIC, PRIVATE):
        assert key not in shown
        assert key.encode() not in files
    assert "NOGAL" not in shown
    assert "3101234567" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com", "http://10.0.0.1", "http://127.0.0.1.example.com", "http://0x7f000001",
        "ftp://127.0.0.1", "//127.0.0.1", "https://", "https://user:secret@example.com", "https://example.com/?a=b",
        "https://example.com/#a", "http://[::2]", "example.com", "http://localhost.example.com", "https://a b/",
    ],
)  # fmt: skip
def test_an_address_that_is_not_https_is_wrong_usage(shell: Shell, folder: Path, url: str) -> None:
    outcome = submit(shell, folder, None, "--declined-url", url, "--json")
    assert outcome.status == 2, outcome
    assert "the base URL for requests of the kind declined is " in outcome.error["message"]
    assert "secret" not in outcome.out + outcome.err


@pytest.mark.parametrize(
    "url", ["http://localhost:1", "http://127.9.9.9/x/", "http://[::1]:5", "https://example.com/v1"]
)
def test_plain_http_goes_to_this_machine(shell: Shell, folder: Path, url: str) -> None:
    outcome = submit(shell, folder, None, "--declined-url", url, "--json")
    assert outcome.status == 0
    assert outcome.document["requests"][0]["url"] == f"{url.rstrip('/')}/declined-payments/external"


def test_sending_needs_an_address_for_each_kind_that_is_due(shell: Shell, tmp_path: Path, server: Server) -> None:
    folder = make_run(tmp_path / "run", declined(1), flows(1, "s1", window=NOT_YET))
    assert send(shell, folder, None).status == 2
    assert send(shell, folder, None, "--declined-url", server.url).status == 0
    outcome = send(shell, folder, None, "--declined-url", server.url, "--any-time")
    assert (outcome.status, len(server.bodies)) == (2, 1)
    assert "--abandoned-url" in outcome.error["details"]["hint"]


def test_abandoned_flows_need_both_keys(
    shell: Shell, folder: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECOVERY_BATCH_PRIVATE_SECRET_KEY")
    outcome = send(shell, folder, server)
    assert (outcome.status, server.connections) == (2, 0)
    assert "RECOVERY_BATCH_PRIVATE_SECRET_KEY" in outcome.error["details"]["hint"]


def test_declined_payments_go_without_keys(
    shell: Shell, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("RECOVERY_BATCH_PUBLIC_API_KEY")
    monkeypatch.delenv("RECOVERY_BATCH_PRIVATE_SECRET_KEY")
    assert send(shell, make_run(tmp_path / "run", declined(1)), server).status == 0
    assert "key" not in server.heads[0].lower()


def test_keys_of_a_folder_of_secrets(shell: Shell, folder: Path, server: Server, tmp_path: Path) -> None:
    secrets = tmp_path / "secrets"
    assert send(shell, folder, server, "--secrets", secrets).status == 2
    secrets.mkdir()
    (secrets / "public_api_key").write_text("from-a-file\n")
    (secrets / "private_secret_key").write_text("also-from-a-file\r\n")
    (secrets / "private_secret_key").chmod(0o604)
    outcome = send(shell, folder, server, "--secrets", secrets)
    assert outcome.status == 2
    assert "everybody" in outcome.error["message"]
    for path in secrets.iterdir():
        path.chmod(0o640)
    (secrets / "public_api_key").write_text("two\nlines")
    outcome = send(shell, folder, server, "--secrets", secrets)
    assert outcome.status == 2
    assert "lines" not in outcome.out
    assert server.connections == 0
    (secrets / "public_api_key").write_text("from-a-file\n")
    assert send(shell, folder, server, "--secrets", secrets).status == 0
    assert "public-api-key: from-a-file\r\n" in server.heads[0].lower() + "\r\n"
    assert "private-secret-key: also-from-a-file\r\n" in server.heads[0].lower() + "\r\n"


def test_the_environment_names_no_proxy(
    shell: Shell, tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{servers.free_port()}")
    assert send(shell, make_run(tmp_path / "run", declined(1)), server).status == 0
