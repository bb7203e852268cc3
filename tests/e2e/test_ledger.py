"""The ledger: never a campaign and a payment twice, limits that count what was sent, and what is decided for good."""

import json
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pytest

from recovery_batch.locks import beside, beside_submissions, exclusive
from tests.e2e.commands import Shell, call
from tests.e2e.exports import ORGANIZATION, campaign, element, write_campaigns, write_export

NIGHTS = [f"2026-10-{day:02d}T15:00:00Z" for day in range(1, 8)]
UNIQUE = {"rule_type": "UNIQUE_BY_USER"}
ANY = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]}
FLOW = {
    "customer": {"full_name": "ANA NOGAL", "phone_number": "+573005550101", "country_code": "CO"},
    "session": {"abandonment_timestamp": "2026-11-01T10:00:00Z", "flow_stage": "checkout", "platform": "web"},
}
FIRST = "0f5b6c1a-1d7e-4a55-9a10-0000000000a1"


def per_day(number: int) -> dict[str, Any]:
    return {"rule_type": "USER_COMMS_PER_DAY", "values": [str(number)]}


def prepare(shell: Shell, *elements: dict[str, Any], campaigns: list[dict[str, Any]] | None = None) -> None:
    folder = shell.db.parent
    shell.ok("load", write_export(folder / "e.ndjson", *elements))
    shell.ok("campaigns", "import", write_campaigns(folder / "c.json", *(campaigns or [campaign()])))


def night(shell: Shell, as_of: str, *options: object) -> dict[str, Any]:
    manifest: dict[str, Any] = shell.ok(
        "run", "--out", shell.db.parent / "out", "--as-of", as_of, *options, "--json"
    ).document
    return manifest


def ids(shell: Shell, manifest: dict[str, Any]) -> list[str]:
    """The payments that a run emits, in order."""
    folder = shell.db.parent / "out" / manifest["run_id"]
    bodies = [json.loads((folder / each["path"]).read_text(encoding="utf-8")) for each in manifest["files"]]
    return [one["payment"]["id"] for body in bodies for one in body["external_data"]]


def rows(shell: Shell, query: str) -> list[tuple[Any, ...]]:
    with duckdb.connect(str(shell.db), read_only=True) as connection:
        return connection.sql(query).fetchall()


def test_nothing_is_emitted_twice_by_any_number_of_runs(shell: Shell) -> None:
    prepare(shell, *(element(f"p{n}", created_at=f"2026-10-0{n} 12:00:00") for n in range(1, 8)))
    found: Counter[str] = Counter()
    for as_of in (NIGHTS[2], NIGHTS[2], NIGHTS[1], NIGHTS[3], NIGHTS[6], NIGHTS[0], NIGHTS[5], NIGHTS[4], NIGHTS[6]):
        manifest = night(shell, as_of)
        if manifest["run_id"] not in found:
            found.update([manifest["run_id"], *ids(shell, manifest)])
    assert {name: number for name, number in found.items() if name.startswith("p")} == {f"p{n}": 1 for n in range(1, 8)}
    assert len(list((shell.db.parent / "out").iterdir())) == 7


def test_the_ledger_says_what_the_files_hold(shell: Shell) -> None:
    other = campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", name="calls", channel="PHONE_CALL", rules=[ANY, UNIQUE])
    twice = [element(f"p{n}", additional_data={"user_id": "u"}) for n in range(2)]
    prepare(shell, *twice, element("none", additional_data={}), campaigns=[campaign(), other])
    manifest = night(shell, NIGHTS[0])
    listed = sorted((each["campaign_id"], each["channel"], each["path"]) for each in manifest["files"])
    query = "SELECT DISTINCT campaign_id, channel, path FROM communications WHERE run_id = '{}' ORDER BY ALL"
    assert rows(shell, query.format(manifest["run_id"])) == listed
    assert rows(
        shell,
        "SELECT payment_id, order_id, user_id, user_hash, organization_code FROM communications "
        "WHERE channel = 'WHATSAPP_MESSAGE' ORDER BY payment_id",
    ) == [
        ("none", "order-none", None, None, ORGANIZATION),
        ("p0", "order-p0", "u", None, ORGANIZATION),
        ("p1", "order-p1", "u", None, ORGANIZATION),
    ]
    assert rows(shell, "SELECT payment_id, reason, channel FROM final_suppressions") == [
        ("p1", "unique_by_user", "PHONE_CALL")
    ]
    assert manifest["suppressed"] == {"missing_user_id": 1, "unique_by_user": 1}
    again = night(shell, NIGHTS[1])
    assert (again["totals"]["matched"], again["totals"]["settled_before"]) == (1, 5)
    assert again["suppressed"] == {"missing_user_id": 1}  # judged anew
    assert [each["settled_before"] for each in again["campaigns"]] == [3, 2]


def test_what_was_left_out_for_a_passing_reason_is_judged_anew(shell: Shell) -> None:
    broken = element("p")
    broken["customer_payer"]["phone_number"] = "12"
    prepare(shell, broken)
    assert night(shell, NIGHTS[0])["suppressed"] == {"invalid_phone": 1}
    mended = element("p")
    shell.ok("load", write_export(shell.db.parent / "e.ndjson", mended))
    assert ids(shell, night(shell, NIGHTS[1])) == ["p"]


def test_limits_count_what_earlier_runs_have_sent(shell: Shell) -> None:
    once = campaign(rules=[ANY, UNIQUE])
    daily = campaign(id="0f5b6c1a-1d7e-4a55-9a10-0000000000a2", name="daily", rules=[ANY, per_day(2)])
    user = {"additional_data": {"user_id": "u"}}
    prepare(shell, element("p1", created_at="2026-10-01 12:00:00", **user), campaigns=[once, daily])
    first = night(shell, "2026-10-01T15:00:00Z")
    assert (first["totals"]["records"], first["suppressed"]) == (2, {})
    shell.ok(
        "load", write_export(shell.db.parent / "e.ndjson", element("p2", created_at="2026-10-01 15:30:00", **user))
    )
    # the same day in Bogota: the user has had two communications, by any campaign
    second = night(shell, "2026-10-01T16:00:00Z")
    assert (second["totals"]["records"], second["suppressed"]) == (0, {"unique_by_user": 1, "user_comms_per_day": 1})
    shell.ok(
        "load", write_export(shell.db.parent / "e.ndjson", element("p3", created_at="2026-10-02 12:00:00", **user))
    )
    third = night(shell, "2026-10-02T15:00:00Z")  # final is final: what the limit stopped yesterday stays out
    assert [(each["campaign_id"][-2:], each["records"]) for each in third["files"]] == [("a2", 1)]
    assert ids(shell, third) == ["p3"]


def test_a_backtest_may_count_the_ledger(shell: Shell) -> None:
    user = {"additional_data": {"user_id": "u"}}
    prepare(shell, element("p1", **user), campaigns=[campaign(rules=[ANY, UNIQUE])])
    night(shell, NIGHTS[0])
    assert shell.ok("backtest", "--json").document["sent"] == 1
    counted = shell.ok("backtest", "--history", "ledger", "--json").document
    assert (counted["sent"], counted["suppressed"]) == (0, {"unique_by_user": 1})


def test_a_run_of_which_nothing_was_submitted_can_be_taken_back(shell: Shell) -> None:
    prepare(shell, element("p"))
    run_id = night(shell, NIGHTS[0])["run_id"]
    folder = shell.db.parent / "out" / run_id
    for path in folder.parent.glob("*"):
        shutil.rmtree(path)  # the disk that it lay on is gone
    said = shell.ok("outreach", "withdraw", run_id).out
    assert f"{run_id} was taken back" in said
    for table in ("runs", "communications", "final_suppressions"):
        assert rows(shell, f"FROM {table}") == []
    assert shell("outreach", "withdraw", run_id).status == 4
    again = night(shell, NIGHTS[0])
    assert (again["run_id"], ids(shell, again)) == (run_id, ["p"])
    with duckdb.connect(str(shell.db)) as connection:
        row = [run_id, "p", 0, "unknown", 1, None, None, "2026-10-01"]
        connection.execute("INSERT INTO submissions VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)
    refused = shell("outreach", "withdraw", run_id)
    assert (refused.status, folder.exists()) == (3, True)
    assert "1 request sent, or perhaps sent" in refused.err


def test_a_run_cannot_be_taken_back_while_somebody_submits(shell: Shell) -> None:
    prepare(shell, element("p"))
    run_id = night(shell, NIGHTS[0])["run_id"]
    with exclusive(beside_submissions(shell.db), "submit"):
        refused = shell("outreach", "withdraw", run_id)
    assert (refused.status, "submit by process" in refused.err) == (1, True)
    assert rows(shell, "SELECT run_id FROM runs") == [(run_id,)]
    shell.ok("outreach", "withdraw", run_id)
    assert rows(shell, "SELECT run_id, state FROM submissions") == [(run_id, "withdrawn")]  # copies are not sent
    assert night(shell, NIGHTS[0])["run_id"] == run_id
    assert rows(shell, "FROM submissions") == []


def test_a_store_has_one_lock_whatever_it_is_called(shell: Shell, tmp_path: Path) -> None:
    prepare(shell, element("p"))
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "elsewhere" / "link.duckdb"
    link.symlink_to(shell.db)
    with exclusive(beside(shell.db), "a run"):
        assert "a run by process" in Shell(link)("run", "--out", tmp_path / "out", "--as-of", NIGHTS[0]).err
    Shell(link).ok("run", "--out", tmp_path / "out", "--as-of", NIGHTS[0])
    assert sorted(path.name for path in (tmp_path / "elsewhere").iterdir()) == ["link.duckdb"]


def test_runs_beside_it_that_the_ledger_does_not_know_are_said(shell: Shell) -> None:
    prepare(shell, element("p"))
    backup = shell.db.read_bytes()
    run_id = night(shell, NIGHTS[0])["run_id"]
    shell.db.write_bytes(backup)  # the store is restored from its copy of the day before
    said = shell.ok("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[1]).err
    assert f"the ledger does not know {run_id}" in said
    assert "emitted once more" in said


def test_a_repeated_run_whose_folder_is_gone_says_so(shell: Shell) -> None:
    prepare(shell, element("p"))
    night(shell, NIGHTS[0])
    shutil.rmtree(shell.db.parent / "out")
    again = shell.ok("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0])
    assert "its folder is no longer there" in again.err
    assert "outreach withdraw" in again.err


def test_without_a_campaign_a_run_warns(shell: Shell) -> None:
    prepare(shell, element("p"), campaigns=[campaign(status="PAUSED")])
    assert "No campaign is ACTIVE" in shell.ok("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0]).err


def test_explain_says_what_the_ledger_holds(shell: Shell) -> None:
    user = {"additional_data": {"user_id": "u"}}
    prepare(shell, element("p1", **user), element("p2", **user), campaigns=[campaign(rules=[ANY, UNIQUE])])
    assert "ledger:" not in shell.ok("explain", "p1").out
    run_id = night(shell, NIGHTS[0])["run_id"]
    path = f"declined-payments/{FIRST}/0001.json"
    (told,) = shell.ok("explain", "p1", "--json").document["data"][0]["campaigns"]
    assert told["ledger"] == f"emitted by run {run_id} for 2026-10-01T15:00:00Z, in {path}"
    assert (told["outcome"], told["story"]) == ("SEND", "a nightly run has emitted it")
    assert f"ledger: left out for good by run {run_id}: this" in shell.ok("explain", "p2").out
    (told,) = shell.ok("explain", "p2", "--json").document["data"][0]["campaigns"]
    assert (told["outcome"], told["reason"]) == ("SUPPRESS", "unique_by_user")


def test_a_run_logs_what_happens_without_a_word_about_people(shell: Shell) -> None:
    prepare(shell, *(element(f"p{n}", additional_data={"user_id": "user-7734"}) for n in range(2)))
    words = ("--db", shell.db, "run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0])
    log = call("--log", "json", *words, "--json").err
    events = [json.loads(line) for line in log.splitlines()]
    assert [each["event"] for each in events] == ["run_started", "run_decided", "run_recorded", "run_finished"]
    assert (events[-1]["records"], events[-1]["repeated"], events[0]["as_of"]) == (2, False, NIGHTS[0])
    for personal in ("user-7734", "NOGAL", "3101234567"):
        assert personal not in log
    failed = call("--log", "json", *words[:-1], NIGHTS[1], "--max-contacts", 0, "--json").err
    assert json.loads(failed.splitlines()[-1])["event"] == "run_finished"  # nothing is left to emit
    again = call("--log", "json", "--db", shell.db, "run", "--out", "/proc/none", "--as-of", NIGHTS[2], "--json")
    assert again.status == 1
    last = json.loads(again.err.splitlines()[-1])
    assert (last["level"], last["event"], last["slug"], last["exit_status"]) == ("error", "failed", "system_failed", 1)


def test_a_run_writes_figures_for_prometheus(shell: Shell) -> None:
    prepare(shell, element("p"))
    path = shell.db.with_name("run.prom")
    night(shell, NIGHTS[0], "--metrics", path)
    text = path.read_text()
    assert "recovery_batch_last_run_success 1.0" in text
    assert f'recovery_batch_last_run_records{{campaign_id="{FIRST}",channel="WHATSAPP_MESSAGE"}} 1.0' in text
    shell.ok("load", write_export(shell.db.parent / "e.ndjson", element("q")))
    words = ("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[1])
    assert shell(*words, "--max-contacts", 0, "--metrics", path).status == 3
    assert "recovery_batch_last_run_success 0.0" in path.read_text()
    assert 'slug="too_many_contacts"' in path.read_text()
    assert shell(*words, "--metrics", shell.db.with_name("run.txt")).status == 2


def test_members_of_a_holdout_are_recorded_as_would_have_been_sent(shell: Shell) -> None:
    kept = campaign(holdout={"share": "0.3", "seed": "2026-q4"}, rules=[ANY, per_day(1)])
    users = [element(f"p{n}", additional_data={"user_id": f"user {n // 2}"}) for n in range(80)]
    prepare(shell, *users, campaigns=[kept])
    manifest = night(shell, NIGHTS[0])
    held = rows(shell, "SELECT user_id, count(*) FROM final_suppressions WHERE reason = 'holdout' GROUP BY user_id")
    assert 5 < len(held) < 20  # of forty users
    assert {number for _, number in held} == {2}  # a user is drawn, and before limits are counted
    sent = {user for (user,) in rows(shell, "SELECT DISTINCT user_id FROM communications")}
    assert not sent & {user for user, _ in held}
    assert manifest["suppressed"]["holdout"] == 2 * len(held)
    assert rows(shell, "SELECT count(planned_at) FROM final_suppressions WHERE reason = 'holdout'") == [
        (2 * len(held),)
    ]
    later = [
        element(f"q{n}", created_at="2026-10-02 12:00:00", additional_data={"user_id": f"user {n}"}) for n in range(40)
    ]
    shell.ok("load", write_export(shell.db.parent / "e.ndjson", *later))
    assert night(shell, NIGHTS[1])["suppressed"] == {"holdout": len(held)}
    again = rows(shell, "SELECT DISTINCT user_id FROM final_suppressions WHERE reason = 'holdout'")
    assert {user for (user,) in again} == {user for user, _ in held}  # the same for ever
    shown = shell.ok("campaigns", "get", FIRST, "--json").document["data"]
    assert shown["holdout"] == {"share": "0.3", "seed": "2026-q4"}
    assert shell.ok("backtest", "--json").document["suppressed"]["holdout"] == 3 * len(held)


def test_several_attempts_at_an_order_can_be_one_contact(shell: Shell) -> None:
    def attempts(day: int, *names: str) -> list[dict[str, Any]]:
        return [
            element(name, order_id="o", created_at=f"2026-10-0{day} 12:00:0{place}") for place, name in enumerate(names)
        ]

    prepare(shell, *attempts(1, "b", "a", "c"), element("other", order_id=None))
    copy = Shell(shell.db.with_name("copy.duckdb"))
    copy.db.write_bytes(shell.db.read_bytes())
    every = night(copy, NIGHTS[0])
    assert (every["totals"]["records"], every["totals"]["repeated_orders"]) == (3, 2)
    once = night(shell, NIGHTS[0], "--one-per-order")
    assert ids(shell, once) == ["b"]
    assert once["suppressed"] == {"not_submittable": 1, "same_order": 2}
    assert once["totals"]["repeated_orders"] == 0
    shell.ok("load", write_export(shell.db.parent / "e.ndjson", *attempts(2, "d")))
    again = night(shell, NIGHTS[1], "--one-per-order")
    assert again["suppressed"] == {"not_submittable": 1, "same_order": 1}
    assert (
        "2 further attempts at orders that are contacted anyway; --one-per-order"
        in copy.ok("run", "--out", copy.db.parent / "x", "--as-of", NIGHTS[0]).err
    )


def test_a_run_stops_before_it_contacts_too_many(shell: Shell) -> None:
    prepare(shell, *(element(f"p{n}") for n in range(3)))
    stopped = shell("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0], "--max-contacts", 2, "--json")
    assert stopped.status == 3
    assert stopped.error["details"]["slug"] == "too_many_contacts"
    assert "would contact 3 customers (Colombia 3); --max-contacts allows 2" in stopped.error["message"]
    assert not (shell.db.parent / "out").exists()
    assert rows(shell, "SELECT count(*) FROM communications") == [(0,)]
    assert night(shell, NIGHTS[0], "--max-contacts", 3)["totals"]["records"] == 3


def test_a_stale_load_stops_a_run(shell: Shell) -> None:
    shell.ok("campaigns", "import", write_campaigns(shell.db.parent / "c.json", campaign()))
    nothing = shell("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0], "--json")
    assert (nothing.status, nothing.error["details"]["slug"]) == (3, "stale_load")
    assert "nothing was ever loaded" in nothing.error["message"]
    prepare(shell, element())
    with duckdb.connect(str(shell.db)) as connection:
        connection.execute("UPDATE loads SET loaded_at = '2026-10-01 00:00:00Z'")
    # who has paid is not known from what was left in carts
    shell.ok("load", "--kind", "abandoned", write_export(shell.db.parent / "f.ndjson", FLOW))
    assert night(shell, "2026-10-02T02:00:00Z")["totals"]["records"] == 1
    stopped = shell("run", "--out", shell.db.parent / "out", "--as-of", "2026-10-02T02:00:01Z")
    assert stopped.status == 3
    assert "loaded at 2026-10-01T00:00:00Z; allowed: at most 26 hours before the run" in stopped.err
    assert "hint: Load today's export first" in stopped.err
    settings = shell.db.with_name("s.toml")
    settings.write_text("[run]\nnewest_load_hours = 27\n")
    late = call(
        "--config",
        settings,
        "--db",
        shell.db,
        "run",
        "--out",
        shell.db.parent / "out2",
        "--as-of",
        "2026-10-02T02:00:01Z",
    )
    assert late.status == 0, late
    # a run that has happened is printed again, however long ago
    assert "made before" in shell.ok("run", "--out", shell.db.parent / "out", "--as-of", "2026-10-02T02:00:00Z").out


def test_a_store_without_a_successful_payment_is_blind(shell: Shell) -> None:
    prepare(shell, element())
    assert "already_paid is blind" in shell.ok("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[0]).err
    shell.ok("load", write_export(shell.db.parent / "e.ndjson", element("paid", status="PAID")))
    assert "already_paid" not in shell.ok("run", "--out", shell.db.parent / "out", "--as-of", NIGHTS[1]).err


def test_who_asked_to_be_left_alone_is_left_out(shell: Shell) -> None:
    prepare(shell, *(element(f"p{n}") for n in range(3)))
    shell.ok("suppressions", "add", "--user-id", "user-p1", "--source", "call centre")
    manifest = night(shell, NIGHTS[0])
    assert (ids(shell, manifest), manifest["suppressed"]) == (["p0", "p2"], {"opted_out": 1})
    assert shell.ok("backtest", "--json").document["suppressed"] == {"opted_out": 1}


@pytest.mark.parametrize("share", ["0", "1.1", "-0.1", "ten", "0.1234567", True, None, "1e-1"])
def test_a_share_that_is_none_is_refused(shell: Shell, share: Any) -> None:
    path = write_campaigns(shell.db.parent / "c.json", campaign(holdout={"share": share}))
    outcome = shell("campaigns", "import", path, "--json")
    assert outcome.status == 3
    assert "/holdout/share" in outcome.error["message"]


def test_a_share_may_be_a_number_of_a_yaml_file(shell: Shell, tmp_path: Path) -> None:
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    shell.ok("campaigns", "export", "--out", tmp_path / "c.yaml")
    text = (tmp_path / "c.yaml").read_text()
    assert "holdout" not in text
    (tmp_path / "d.yaml").write_text(text.replace("  rules:", "  holdout:\n    share: 0.05\n  rules:"))
    shell.ok("campaigns", "import", tmp_path / "d.yaml")
    assert shell.ok("campaigns", "get", FIRST, "--json").document["data"]["holdout"] == {"share": "0.05", "seed": None}
    assert "holdout.share" in shell.ok("campaigns", "import", "--dry-run", tmp_path / "c.json").out
