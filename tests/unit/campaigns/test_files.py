"""Campaign files: what they may look like, what is refused and where, and that writing and reading agree."""

import json
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

import pytest

from recovery_batch.campaigns import parse_campaigns, read_campaigns, write_campaigns
from recovery_batch.campaigns.validating import require_uuid
from recovery_batch.errors import Problem, ProblemsFound
from tests.e2e.exports import ORGANIZATION, campaign

YAML = """\
- name: "x"
  account_id: "7d1f0a52-53c4-4c88-b1a6-9f6f3a1cc001"
  organization_code: "5a1f6c0e-7b52-4d0b-9d6e-0c6a54f1b001"
  country: CO
  channel: "PHONE_CALL"
  schedule: {daily_start_time: "08:00", daily_end_time: "20:00", time_zone: "America/Bogota"}
  duration: {start_at: "2026-09-01", end_at: "2026-12-01"}
  rules:
    - {rule_type: "RESPONSE_CODE", conditional: "ONE_OF", values: ["05", "51"]}
"""


def problems(text: str, *, is_yaml: bool = False) -> list[Problem]:
    with pytest.raises(ProblemsFound) as caught:
        parse_campaigns(text, source="c", is_yaml=is_yaml)
    return list(caught.value.problems)


def places(text: str) -> list[tuple[int | None, str, str | None]]:
    return [(each.line, each.place, each.found) for each in problems(text, is_yaml=True)]


def changed(old: str, new: str) -> str:
    assert YAML.count(old) == 1
    return YAML.replace(old, new)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda one: one,
        lambda one: [one],
        lambda one: {"campaigns": [one]},
        lambda one: {"data": one},
        lambda one: {"data": [one], "meta": {"total": 1}},
    ],
    ids=["alone", "array", "campaigns", "data of get", "data of list"],
)
def test_every_shape_of_a_file_is_read(wrap: Any) -> None:
    (one,) = parse_campaigns(json.dumps(wrap(campaign())))
    assert one.name == "Colombia"
    assert parse_campaigns(json.dumps(wrap(campaign())), is_yaml=True) == (one,)  # JSON is YAML


@pytest.mark.parametrize("text", ["", "   \n", "null", "5", '"x"', "{}", '{"campaigns": 5}', '{"data": null}'])
@pytest.mark.parametrize("is_yaml", [True, False])
def test_other_shapes_are_refused_with_those_that_are_allowed(text: str, is_yaml: bool) -> None:
    (problem,) = problems(text, is_yaml=is_yaml)
    assert (problem.message, problem.code) == ("not campaigns", 400)
    assert problem.allowed == 'a campaign, an array of campaigns, {"campaigns": […]} or {"data": …}'


def test_a_file_without_campaigns_is_in_order() -> None:
    assert parse_campaigns("[]") == ()
    assert parse_campaigns("campaigns: []", is_yaml=True) == ()


def test_ids_that_are_missing_follow_from_organization_and_name() -> None:
    (one,) = parse_campaigns(json.dumps(campaign(id=None)))
    identity = str(uuid5(UUID(ORGANIZATION), "Colombia"))
    assert one.id == identity
    assert {rule.campaign_id for rule in one.rules} == {identity}
    (renamed,) = parse_campaigns(json.dumps(campaign(id=None, name="Kolumbien")))
    assert renamed.id != identity


def test_ids_of_rules_that_are_missing_follow_from_what_the_rules_say() -> None:
    unique = {"rule_type": "UNIQUE_BY_USER"}
    daily = {"rule_type": "USER_COMMS_PER_DAY", "values": ["2"]}
    (before,) = parse_campaigns(json.dumps(campaign(rules=[daily])))
    (after,) = parse_campaigns(json.dumps(campaign(rules=[unique, daily, daily])))
    assert after.rules[1].id == before.rules[0].id
    assert len({rule.id for rule in after.rules}) == 3


def test_fields_beside_the_campaigns_are_refused() -> None:
    text = json.dumps({"data": [campaign()], "meta": {"total": 1}, "status": "PAUSED"})
    assert [(each.place, each.message) for each in problems(text)] == [("/status", "unknown field status")]


@pytest.mark.parametrize("as_yaml", [True, False])
def test_what_is_written_is_read_as_the_same_campaigns(as_yaml: bool) -> None:
    values = [
        "05",
        "NO",
        "yes",
        "08:00",
        "1e3",
        "null",
        "~",
        "0x1F",
        " ",
        "é\U0001f600",
        "a: b",
        "#",
        '"',
        "\\",
        "\t\n",
    ]
    rules = [
        {"rule_type": "RESPONSE_CODE", "conditional": "NOT_ONE_OF", "values": values},
        {"rule_type": "METADATA", "metadata_key": "08:00", "conditional": "CONTAINS", "values": ["x"]},
        {"rule_type": "UNIQUE_BY_USER", "status": "INACTIVE"},
    ]
    text = json.dumps([campaign(rules=rules, country="NO", focus="no"), campaign(id=None, name="05", rules=[])])
    campaigns = parse_campaigns(text)
    written = write_campaigns(campaigns, as_yaml=as_yaml)
    assert parse_campaigns(written, is_yaml=as_yaml) == campaigns
    assert write_campaigns(parse_campaigns(written, is_yaml=as_yaml), as_yaml=as_yaml) == written


def test_texts_without_quotes_stay_texts() -> None:
    text = changed("country: CO", "country: NO").replace('"08:00"', "08:00").replace('"2026-09-01"', "2026-09-01")
    (one,) = parse_campaigns(text, is_yaml=True)
    assert (one.country, one.schedule.daily_start_time) == ("NO", "08:00")
    assert one == parse_campaigns(changed("country: CO", 'country: "NO"'), is_yaml=True)[0]


@pytest.mark.parametrize("word", ["05", "5.10", "1e3", "0x1F", ".inf", "-7", "true", "null", "~"])
def test_values_that_are_no_texts_are_shown_as_they_stand(word: str) -> None:
    shown = "null" if word == "~" else word
    assert places(changed('"05"', word)) == [(9, "/0/rules/0/values/0", shown)]
    (problem,) = problems(changed('"05"', word), is_yaml=True)
    assert problem.message == "values/0 is not a text in quotes"


@pytest.mark.parametrize("number", ["5", "5.10", "1e3", "-0", "123456789012345678901234567890"])
def test_numbers_of_a_json_file_are_shown_as_they_stand(number: str) -> None:
    rules = '[{"rule_type": "AMOUNT", "conditional": "EQUAL", "values": [%s]}]'
    text = json.dumps(campaign()).replace(json.dumps(campaign()["rules"]), rules.replace("%s", number))
    assert [(each.place, each.found) for each in problems(text)] == [("/rules/0/values/0", number)]
    rule = f'{{"values": [{number}, "x"]}}'
    inside = json.dumps(campaign()).replace(json.dumps(campaign()["rules"]), rule)
    assert [(each.place, each.found) for each in problems(inside)] == [("/rules", rule)]


def test_a_key_that_stands_twice_is_refused() -> None:
    twice = changed("  country: CO", "  country: CO\n  country: MX")
    assert places(twice) == [(5, "/0/country", None)]
    found = problems('[\n{"name": 1,\n"name": 2}]')
    assert (found[0].message, found[0].place, found[0].line) == ("the key 'name' stands twice", "/0/name", 3)
    assert {each.place for each in found[1:]} > {"/0/country", "/0/schedule"}, "the rest is looked at all the same"


@pytest.mark.parametrize(
    ("old", "new", "line"),
    [
        ("country: CO", "country: &c CO", 4),
        ("country: CO", "country: *c", 4),
        ("  rules:\n", "  rules: &all\n", 8),
    ],
)
def test_anchors_and_aliases_are_refused(old: str, new: str, line: int) -> None:
    (problem,) = problems(changed(old, new), is_yaml=True)
    assert problem.message == f"an anchor or an alias on line {line}"
    assert problem.allowed == "each value in full"


@pytest.mark.parametrize("tag", ["!!str", "!!int", "!!python/object/apply:os.system", "!mine"])
def test_tags_are_refused(tag: str) -> None:
    (problem,) = problems(changed("country: CO", f"country: {tag} CO"), is_yaml=True)
    assert problem.message == "a tag on line 4"


def test_documents_are_read_whole_or_not_at_all() -> None:
    assert "not YAML: but found another document on line 10" in problems(YAML + "---\n- x\n", is_yaml=True)[0].message
    assert problems(YAML[:-5], is_yaml=True)[0].message.startswith("not YAML: ")
    assert problems("[{")[0].message == (
        "not JSON: Expecting property name enclosed in double quotes at line 1, column 3"
    )
    for text in ("[" * 100_000, '{"a":' * 100_000, "- " * 5_000, "[" * 500 + "]" * 500):
        assert len(problems(text)) == 1
        assert problems(text, is_yaml=True)[0].message == "nested too deep on line 1"
    assert problems("[" + "x" * 20_000_000)[0].message == "the file is too large"
    assert problems('{"a": NaN}')[0].message == "not JSON: NaN is not JSON"


def test_every_problem_has_its_line() -> None:
    text = (
        YAML.replace("country: CO", "country: C1")
        .replace('"20:00"', '"8 o\'clock"')
        .replace('"2026-12-01"', '"2026-08-31"')
        .replace('"RESPONSE_CODE"', '"RESPONSE"')
        .replace('  channel: "PHONE_CALL"\n', "  speed: fast\n")
    )
    assert places(text) == [
        (4, "/0/country", '"C1"'),
        (1, "/0/channel", None),
        (6, "/0/schedule/daily_end_time", '"8 o\'clock"'),
        (7, "/0/duration/end_at", '"2026-08-31"'),
        (9, "/0/rules/0/rule_type", '"RESPONSE"'),
        (5, "/0/speed", '"fast"'),
    ]


def test_a_missing_field_is_a_bad_request_and_a_bad_value_is_not() -> None:
    (missing,) = problems(changed("  country: CO\n", ""), is_yaml=True)
    assert (missing.code, missing.message) == (400, "country is missing")
    (bad,) = problems(changed("country: CO", "country: XX"), is_yaml=True)
    assert bad.code == 422
    (malformed,) = problems(changed('"7d1f0a52-53c4-4c88-b1a6-9f6f3a1cc001"', '"7d1f"'), is_yaml=True)
    assert malformed.code == 400


def test_what_stood_there_is_cut_to_a_readable_length() -> None:
    (problem,) = problems(changed("country: CO", f"country: {'X' * 500}"), is_yaml=True)
    assert problem.found is not None
    assert len(problem.found) < 80


def test_ids_of_rules_and_of_their_campaign_must_fit() -> None:
    rule = {"rule_type": "UNIQUE_BY_USER", "id": "0f5b6c1a-0001-4a55-9a10-000000000001"}
    text = json.dumps(campaign(rules=[rule, rule, rule | {"id": None, "campaign_id": ORGANIZATION}]))
    assert [(each.place, each.message) for each in problems(text)] == [
        ("/rules/1/id", "the id of an earlier rule"),
        ("/rules/2/campaign_id", "the id of another campaign"),
    ]


def test_a_campaign_stands_once_in_the_files_of_a_command(tmp_path: Path) -> None:
    one, two = tmp_path / "one.json", tmp_path / "two.json"
    one.write_text(json.dumps(campaign()))
    two.write_text(json.dumps(campaign(id=str(campaign()["id"]).upper())))
    assert len(read_campaigns([one])) == 1
    with pytest.raises(ProblemsFound, match="the campaign 'Colombia' stands twice"):
        read_campaigns([one, two])


def test_a_byte_order_mark_and_other_line_ends_do_no_harm(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + YAML.replace("\n", "\r\n").encode())
    assert read_campaigns([path]) == parse_campaigns(YAML, is_yaml=True)


def test_identifiers_of_the_command_line_are_checked() -> None:
    assert require_uuid(ORGANIZATION.upper(), "campaign") == ORGANIZATION
    for text in ("", "x", ORGANIZATION[:-1], f"{{{ORGANIZATION}}}", ORGANIZATION.replace("-", ""), ORGANIZATION + "\n"):
        with pytest.raises(ProblemsFound, match="campaign is not a UUID") as caught:
            require_uuid(text, "campaign")
        assert caught.value.as_json()["code"] == 400
