"""`suppressions`: who is not to be contacted, as people enter it, look at it and take it back."""

import io
import re
import subprocess
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from recovery_batch.store import Store
from tests.e2e.commands import Outcome, Shell, clean_environment, command_line
from tests.e2e.exports import ORGANIZATION, campaign, element, write_campaigns, write_export

CAMPAIGN = campaign()["id"]
UNKNOWN = "00000000-0000-4000-8000-000000000000"
NUMBER = "310 765 4321"
DIGITS = re.compile(r"[0-9][0-9 ()-]{5,}4321")


@pytest.fixture
def stored(shell: Shell, tmp_path: Path) -> Shell:
    """A store with a payment and a campaign."""
    shell.ok("load", write_export(tmp_path / "e.ndjson", element()))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    return shell


def listed(shell: Shell, *options: object) -> list[dict[str, Any]]:
    data: list[dict[str, Any]] = shell.ok("suppressions", "list", *options, "--json").document["data"]
    return data


def file(tmp_path: Path, content: str | bytes) -> Path:
    path = tmp_path / "opt_outs"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


def test_an_entry_is_added_once_shown_masked_and_removed(stored: Shell) -> None:
    added = stored.ok("suppressions", "add", "--phone", f"+57 {NUMBER}", "--source", "hotline", "--json")
    data = added.document["data"]
    assert re.fullmatch("[0-9a-f]{16}", data["id"])
    assert data["status"] == "added"
    assert data["phone"] == "••••••••4321"
    assert (data["organization_code"], data["campaign_id"], data["user_id"]) == (None, None, None)
    again = stored.ok("suppressions", "add", "--phone", NUMBER, "--country", "co", "--json").document["data"]
    assert again == data | {"status": "already there"}
    (shown,) = listed(stored)
    assert shown == {name: value for name, value in data.items() if name != "status"}
    removed = stored.ok("suppressions", "remove", data["id"], "--json").document["data"]
    assert removed == data | {"status": "removed"}
    assert listed(stored) == []
    assert stored.ok("suppressions", "list").out == "Nobody is on the list.\n"


def test_digits_that_may_lack_a_country_code_are_another_entry(stored: Shell) -> None:
    for phone in ("+573107654321", "573107654321"):
        assert stored.ok("suppressions", "add", "--phone", phone, "--json").document["data"]["status"] == "added"
    stored.ok("suppressions", "remove", "--phone", "573107654321")
    assert [row["phone"] for row in listed(stored, "--show")] == ["+573107654321"]


def test_scopes_are_entries_of_their_own(stored: Shell) -> None:
    scopes: list[list[str]] = [[], ["--organization", ORGANIZATION], ["--campaign", CAMPAIGN]]
    for scope in scopes:
        stored.ok("suppressions", "add", "--user-id", "user-1", *scope)
    assert {(row["organization_code"], row["campaign_id"]) for row in listed(stored)} == {
        (None, None),
        (ORGANIZATION, None),
        (None, CAMPAIGN),
    }
    stored.ok("suppressions", "remove", "--user-id", "user-1", "--campaign", CAMPAIGN.upper())
    missing = stored("suppressions", "remove", "--user-id", "user-1", "--campaign", CAMPAIGN)
    assert missing.status == 4
    assert missing.err.startswith("error: no entry is about this customer in this scope\nhint: ")
    assert len(listed(stored)) == 2


def test_numbers_and_users_are_plain_only_where_they_are_asked_for(stored: Shell) -> None:
    for whom in (["--phone", f"+57 {NUMBER}"], ["--phone", NUMBER], ["--user-id", "ana.nogal@example.com"]):
        told = stored.ok("suppressions", "add", *whom)
        assert not DIGITS.search(told.out + told.err)
        assert "nogal" not in told.out + told.err
    for options in ([], ["--json"]):
        outcome = stored.ok("suppressions", "list", *options)
        assert not DIGITS.search(outcome.out + outcome.err)
        assert "nogal" not in outcome.out + outcome.err
        assert max(map(len, outcome.out.splitlines())) <= 80
    shown = {row["phone"] or row["user_id"] for row in listed(stored, "--show")}
    assert shown == {"+573107654321", "3107654321", "ana.nogal@example.com"}
    assert "+573107654321" in stored.ok("suppressions", "list", "--show").out


def test_an_organization_that_nobody_knows_is_warned_of(stored: Shell, tmp_path: Path) -> None:
    warning = f"warning: organization {UNKNOWN} has no payment and no campaign here"
    assert warning in stored.ok("suppressions", "add", "--user-id", "u", "--organization", UNKNOWN).err
    known = stored.ok("suppressions", "add", "--user-id", "u", "--organization", ORGANIZATION.upper())
    assert "warning" not in known.err
    path = file(tmp_path, f"user_id,organization_code\nu,{UNKNOWN}\nv,{UNKNOWN}\nv,{ORGANIZATION}\nv,\n")
    outcome = stored.ok("suppressions", "import", path, "--json")
    assert outcome.document["unknown_organizations"] == [UNKNOWN]
    assert outcome.err.count(warning) == 1


def test_who_is_on_the_list_is_left_out_of_a_run(shell: Shell, tmp_path: Path) -> None:
    payments = (element(str(place), created_at="2026-10-30 10:00:00") for place in range(3))
    shell.ok("load", write_export(tmp_path / "e.ndjson", *payments, element("4", created_at="2026-10-30 10:00:00")))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    whom = (["--user-id", "user-1"], ["--user-id", "user-2", "--organization", UNKNOWN])
    for each in whom:
        shell.ok("suppressions", "add", *each)
    first = shell.ok("run", "--out", tmp_path / "out", "--as-of", "2026-10-30T11:00:00Z", "--json").document
    assert (first["totals"]["records"], first["suppressed"]) == (3, {"opted_out": 1})
    shell.ok("suppressions", "remove", "--user-id", "user-1")
    shell.ok("suppressions", "add", "--phone", "(310) 123 45 67", "--campaign", CAMPAIGN)
    second = shell.ok("run", "--out", tmp_path / "out", "--as-of", "2026-10-30T12:00:00Z", "--json").document
    assert (second["totals"]["records"], second["suppressed"]) == (0, {"opted_out": 1})


def test_pages(stored: Shell) -> None:
    for number in range(3):
        stored.ok("suppressions", "add", "--user-id", f"user-{number}")
    document = stored.ok("suppressions", "list", "--limit", 2, "--offset", 1, "--show", "--json").document
    assert [row["user_id"] for row in document["data"]] == ["user-1", "user-0"]
    assert document["meta"] == {"total": 3, "limit": 2, "offset": 1}
    assert "2 of 3 entries" in stored.ok("suppressions", "list", "--limit", 2).err
    for options in (("--limit", 0), ("--limit", 101), ("--offset", -1)):
        assert stored("suppressions", "list", *options).status == 3


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ([], 2, "--phone or --user-id"),
        (["--phone", NUMBER, "--user-id", "u"], 2, "--phone or --user-id"),
        (["--phone", NUMBER, "--organization", "o", "--campaign", CAMPAIGN], 2, "--organization or --campaign"),
        (["--phone", NUMBER, "--organization", " "], 2, "--organization is blank"),
        (["--user-id", ""], 2, "--user-id is blank"),
        (["--phone", "310 no 4321"], 3, "/phone: a phone number has digits"),
        (["--phone", NUMBER, "--country", "XX"], 3, "/country: unknown country"),
        (["--phone", NUMBER, "--campaign", "no-uuid"], 3, "campaign_id"),
        (["--phone", NUMBER, "--campaign", UNKNOWN], 4, f"no campaign {UNKNOWN}"),
    ],
)
def test_wrong_entries_are_refused(stored: Shell, options: list[str], status: int, words: str) -> None:
    for command in ("add", "remove"):
        outcome = stored("suppressions", command, *options)
        assert outcome.status == status, outcome
        assert words in outcome.err
        assert not DIGITS.search(outcome.out + outcome.err)
    assert listed(stored) == []


def test_a_number_in_the_place_of_an_id_is_not_repeated(stored: Shell) -> None:
    outcome = stored("suppressions", "remove", "3107654321")
    assert outcome.status == 3
    assert not DIGITS.search(outcome.err)
    assert stored("suppressions", "remove", "0123456789abcdef").status == 4
    assert stored("suppressions", "remove", "0123456789abcdef", "--user-id", "u").status == 2


def test_the_good_lines_of_a_file_are_imported_and_the_bad_ones_named(stored: Shell, tmp_path: Path) -> None:
    text = (
        "Phone;user_id;organization_code;campaign_id;country;source;added_at\r\n"
        f"{NUMBER};;;;CO;letter;2026-09-01\r\n"
        f"+57 {NUMBER};;;;;;\r\n"
        "\r\n"
        f"x{NUMBER};;;;XX;;\r\n"
        f'"{NUMBER};;;;;;\r\n'
        f";u1;{ORGANIZATION};{CAMPAIGN};;;\r\n"
        f";u1;{UNKNOWN};{CAMPAIGN};;;\r\n"
        f";u1;;{UNKNOWN};;;\r\n"
        ";u1;;no-uuid;;;31/12/2026\r\n"
        f"{NUMBER};u2\r\n"
        f"{NUMBER};u3;;;;;;more\r\n"
        ";;;;CO;nobody;\r\n"
    )
    path = file(tmp_path, "\ufeff" + text)
    outcome = stored("suppressions", "import", path, "--json")
    assert outcome.status == 3
    document = outcome.document
    assert {name: document[name] for name in ("lines", "added", "already_there", "refused")} == {
        "lines": 11,
        "added": 4,
        "already_there": 1,
        "refused": 7,
    }
    assert [(each["line"], each["place"], each["code"]) for each in document["problems"]] == [
        (5, "/country", 422),
        (6, "", 400),
        (8, "/organization_code", 422),
        (9, "/campaign_id", 422),
        (10, "/campaign_id", 400),
        (10, "/added_at", 422),
        (12, "", 400),
        (13, "", 400),
    ]
    assert all(each["file"] == str(path) and each["found"] is None for each in document["problems"])
    assert {
        (row["user_id"], row["phone"], row["campaign_id"], row["added_at"][:10]) for row in listed(stored, "--show")
    } >= {
        (None, "+573107654321", None, "2026-09-01"),
        ("u1", None, CAMPAIGN, listed(stored)[0]["added_at"][:10]),
    }
    assert {row["organization_code"] for row in listed(stored)} == {None}
    again = stored("suppressions", "import", path)
    assert again.status == 3
    assert " 11      0              5        7" in again.out
    assert f"refused: {path}:6: (whole document): not a line of CSV" in again.err
    for out in (outcome, again):
        assert not DIGITS.search(out.out + out.err)


def test_ndjson_from_standard_input(stored: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    lines = (
        b'{"phone": 573107654321, "source": null}',
        b'{"user_id": "\xc3\xa9", "added_at": "2026-09-01T10:00:00-05:00"}',
        b'{"phone": "+57 310 765 4321", "phone": "+57 310 765 4322"}',
        b'{"phone": 5.73e11}',
        b'{"phone": ["+57 310 765 4321"]}',
        b'{"telefono": "+57 310 765 4321"}',
        b'["+57 310 765 4321"]',
        b'{"user_id": "\xff"}',
        b'{"user_id": "\\ud800"}',
        b'{"user_id": true}',
        b"+57 310 765 4321",
        b"[" * 100_000,
    )
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(b"\n".join(lines))))
    outcome = stored("suppressions", "import", "-", "--json")
    assert outcome.status == 3
    assert (outcome.document["added"], outcome.document["refused"]) == (2, 10)
    assert [(each["line"], each["place"]) for each in outcome.document["problems"]] == [
        (3, ""),
        (4, "/phone"),
        (5, "/phone"),
        (6, ""),
        (7, ""),
        (8, ""),
        (9, "/user_id"),
        (10, "/user_id"),
        (11, ""),
        (12, ""),
    ]
    assert not DIGITS.search(outcome.out + outcome.err)
    assert {(row["user_id"], row["phone"], row["added_at"][:19]) for row in listed(stored, "--show")} >= {
        ("é", None, "2026-09-01T15:00:00")
    }


@pytest.mark.parametrize(
    "content",
    [
        "",
        " \n\n",
        "3107654321\n",
        "telefono\n3107654321\n",
        "source,added_at\n",
        "phone,phone\n",
        '"phone\n',
        b"\xff\xfep\0",
    ],
)
def test_a_file_that_is_no_list_is_refused_whole(stored: Shell, tmp_path: Path, content: str | bytes) -> None:
    outcome = stored("suppressions", "import", file(tmp_path, content), "--json")
    assert outcome.status == 3
    assert outcome.error["code"] == 400
    assert not DIGITS.search(outcome.out)
    assert listed(stored) == []


def test_a_header_alone_is_nothing_to_do(stored: Shell, tmp_path: Path) -> None:
    assert stored.ok("suppressions", "import", file(tmp_path, "phone\n"), "--json").document["lines"] == 0


def test_a_file_that_is_not_there_is_named(stored: Shell, tmp_path: Path) -> None:
    outcome: Outcome = stored("suppressions", "import", tmp_path / "none.csv")
    assert outcome.status == 3
    assert outcome.err.startswith(f"error: {tmp_path / 'none.csv'}: No such file")


def test_an_import_that_is_broken_off_leaves_nothing(
    stored: Shell, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("recovery_batch.outreach.opt_outs.secrets.token_hex", fail)
    assert stored("suppressions", "import", file(tmp_path, f"phone\n{NUMBER}\n")).status == 130
    monkeypatch.undo()
    assert listed(stored) == []


@pytest.mark.slow
def test_a_wish_waits_for_whoever_holds_the_store(stored: Shell, tmp_path: Path) -> None:
    with Store.open(stored.db, write=True):
        adding = subprocess.Popen(
            command_line("--db", stored.db, "suppressions", "add", "--user-id", "user-1"),
            env=clean_environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        with pytest.raises(subprocess.TimeoutExpired):
            adding.wait(3)
    assert adding.communicate(timeout=30)[1] == b""
    assert adding.returncode == 0
    assert [row["user_id"] for row in listed(stored, "--show")] == ["user-1"]


@pytest.mark.parametrize(
    ("entered", "exported"), [("Jose\u0301", "Jos\u00e9"), ("u\u200b-1", "u-1"), ("u-1", "\u200fu-1 ")]
)
def test_users_who_look_the_same_are_the_same(stored: Shell, tmp_path: Path, entered: str, exported: str) -> None:
    created = "2026-10-01 12:00:00"
    payment = element("p", additional_data={"user_id": exported}, created_at=created)
    stored.ok("load", write_export(tmp_path / "one.ndjson", payment))
    stored.ok("suppressions", "add", "--user-id", entered)
    arguments = ("run", "--out", tmp_path / "out", "--as-of", "2026-10-01T15:00:00Z", "--json")
    assert stored.ok(*arguments).document["suppressed"]["opted_out"] == 1
