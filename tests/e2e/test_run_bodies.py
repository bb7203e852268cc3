"""Batch files are request bodies: the documented rules, written down a second time, and the values of the source."""

import json
import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from recovery_batch.contract.declined import Request
from tests.e2e.commands import Shell, call
from tests.e2e.exports import OLDEST_FIRST, campaign, element, read_elements, write_campaigns, write_export

# The documented fields of one element (SPEC 1.1): those that are mandatory, then those that are not.
Fields = tuple[tuple[str, ...], tuple[str, ...]]
PAYMENT: Fields = (
    (
        *("organization_code", "id", "order_id", "country", "status"),
        *("description", "amount_value", "currency_code", "reject_reason"),
    ),
    ("code", "sub_status", "additional_data", "created_at"),
)
TRANSACTION: Fields = (
    ("id", "amount", "status", "payment_method_type", "description"),
    ("card", "code", "type", "provider", "category", "reject_reason", "additional_data", "created_at"),
)
CARD: Fields = (
    (),
    (
        *("id", "card_iin", "card_lfd", "card_type", "issuer_name", "transaction_id"),
        *("card_expiration_year", "card_expiration_month"),
    ),
)
PAYER: Fields = (("name", "phone_number", "phone_country_code"), ("additional_data",))
TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}")


@pytest.fixture(scope="module")
def bodies(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """Every request body of a run for which nothing is too old, over campaigns that target nearly everything."""
    folder = tmp_path_factory.mktemp("bodies")
    shell = Shell(folder / "store.duckdb")
    shell.ok("load", *OLDEST_FIRST)
    organizations = {one["payment"]["organization_code"] for path in OLDEST_FIRST for one in read_elements(path)}
    every = [
        campaign(
            id=None,
            name=f"{organization} {country}",
            organization_code=organization,
            country=country,
            rules=[{"rule_type": "PAYMENT_STATUS", "conditional": "NOT_EQUAL", "values": ["none"]}],
        )
        for organization in sorted(organizations)
        for country in ("BR", "CL", "CO", "ES", "MX", "US")
    ]
    shell.ok("campaigns", "import", write_campaigns(folder / "c.json", *every))
    (folder / "s.toml").write_text("[run]\ntoo_old_hours = 9000\n")
    outcome = call(
        "--config",
        folder / "s.toml",
        "--db",
        shell.db,
        "run",
        "--out",
        folder / "out",
        "--as-of",
        "2026-11-03",
        "--json",
    )
    manifest = outcome.document
    assert manifest["totals"]["records"] > 1_500
    root = folder / "out" / manifest["run_id"]
    return [
        json.loads((root / each["path"]).read_text(encoding="utf-8"), parse_float=Decimal) for each in manifest["files"]
    ]


def elements(bodies: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for body in bodies:
        yield from body["external_data"]


def has_only(value: dict[str, Any], fields: Fields) -> None:
    mandatory, optional = fields
    assert set(mandatory) <= set(value) <= {*mandatory, *optional}
    assert None not in value.values()


def test_bodies_have_the_documented_fields_and_no_others(bodies: list[dict[str, Any]]) -> None:
    for body in bodies:
        assert set(body) == {"organization_code", "external_data"}
        assert 1 <= len(body["external_data"]) <= 500
    for each in elements(bodies):
        assert {"payment", "customer_payer"} <= set(each) <= {"payment", "customer_payer", "transactions"}
        has_only(each["payment"], PAYMENT)
        has_only(each["customer_payer"], PAYER)
        for transaction in each.get("transactions", []):
            has_only(transaction, TRANSACTION)
            has_only(transaction.get("card", {}), CARD)


def test_values_are_as_documented(bodies: list[dict[str, Any]]) -> None:
    for each in elements(bodies):
        payment, payer = each["payment"], each["customer_payer"]
        assert isinstance(payment["amount_value"], int | Decimal)
        assert payment["amount_value"] >= 0
        assert re.fullmatch("[A-Z]{2}", payment["country"])
        assert re.fullmatch("[A-Z]{3}", payment["currency_code"])
        assert re.fullmatch("[0-9]{4,15}", payer["phone_number"])
        assert re.fullmatch("[0-9]{1,4}", payer["phone_country_code"])
        for key in ("organization_code", "id", "order_id", "status"):
            assert isinstance(payment[key], str)
            assert payment[key]
        for dated in (payment, *each.get("transactions", [])):
            assert "created_at" not in dated or TIME.fullmatch(dated["created_at"])
            assert isinstance(dated.get("additional_data", {}), dict)


def test_bodies_pass_the_contract_and_its_json_schema(bodies: list[dict[str, Any]]) -> None:
    # \z is how the contract's expressions say "the end"; Python's spell it \Z
    schema = json.loads(json.dumps(Request.model_json_schema()).replace("\\\\z", "\\\\Z"))
    validator = jsonschema.Draft202012Validator(schema)
    for body in bodies:
        Request.model_validate(with_decimals(body))
        assert list(validator.iter_errors(json.loads(json.dumps(body, default=float)))) == []
    broken = json.loads(json.dumps(bodies[0], default=float))
    broken["external_data"][0]["payment"]["country"] = "Mexico"
    broken["external_data"][0]["secret"] = 1
    assert len(list(validator.iter_errors(broken))) == 2


def with_decimals(body: dict[str, Any]) -> dict[str, Any]:
    """The body with its amounts as Decimal where JSON had an integer."""
    body = deepcopy(body)
    for each in body["external_data"]:
        each["payment"]["amount_value"] = Decimal(each["payment"]["amount_value"])
        for transaction in each.get("transactions", []):
            transaction["amount"] = Decimal(transaction["amount"])
    return body


def test_what_goes_out_is_what_came_in(bodies: list[dict[str, Any]]) -> None:
    source = {
        (one["payment"].get("organization_code"), one["payment"].get("id")): one
        for path in OLDEST_FIRST
        for one in read_elements(path)
    }
    seen = 0
    for each in elements(bodies):
        given = source[each["payment"]["organization_code"], each["payment"]["id"]]
        same(each["payment"], given["payment"], PAYMENT)
        same(each["customer_payer"], given["customer_payer"], PAYER)
        transactions = given.get("transactions") or []
        assert len(each.get("transactions", [])) == len(transactions)
        for made, original in zip(each.get("transactions", []), transactions, strict=True):
            same(made, original, TRANSACTION)
        seen += 1
    assert seen > 1_500


def same(made: dict[str, Any], given: dict[str, Any], fields: Fields) -> None:
    """Every documented field with its value, digit by digit; times as instants, phones as digits."""
    for key in (*fields[0], *fields[1]):
        value = given.get(key)
        if value is None:
            assert key not in made
        elif key == "created_at":
            moment = datetime.fromisoformat(value)
            moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
            assert made[key] == moment.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")
        elif key.startswith("phone_"):
            assert made[key] == re.sub("[^0-9]", "", value)
        elif key == "card":
            assert made[key] == {name: item for name, item in value.items() if item is not None and name in CARD[1]}
        else:
            assert repr(without_codes(made[key])) == repr(without_codes(value))


def without_codes(value: Any) -> Any:
    """A value as `repr` compares it: a number by its exact value and digits, an object without security codes."""
    if isinstance(value, dict):
        return {key: without_codes(item) for key, item in value.items() if key not in ("cvv", "cvc", "security_code")}
    if isinstance(value, int) and not isinstance(value, bool):
        return Decimal(value)
    return value


def test_digits_of_every_spelling_of_a_number_are_kept(shell: Shell, tmp_path: Path) -> None:
    digits = ["10.00", "23.790", "0", "0.000001", "999999999999.99", "123456789012345678.123456", "1e2", "5", "0.10"]
    lines = [
        json.dumps(element(f"p{n}", amount_value=0)).replace('"amount_value": 0,', f'"amount_value": {each},')
        for n, each in enumerate(digits)
    ]
    (tmp_path / "e.ndjson").write_text("\n".join(lines))
    shell.ok("load", tmp_path / "e.ndjson")
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    manifest = shell.ok("run", "--out", tmp_path / "out", "--as-of", "2026-10-02", "--json").document
    (file,) = manifest["files"]
    text = (tmp_path / "out" / manifest["run_id"] / file["path"]).read_text()
    written = re.findall(r'"amount_value":([^,]+),', text)
    assert [each.lower().replace("+", "") for each in written] == digits
    assert manifest["totals"]["amounts"] == {"COP": "123457789012345817.003457"}


def test_undocumented_fields_stay_in_the_store(shell: Shell, tmp_path: Path) -> None:
    one = element("p", metadata={"user_id": "u"}, internal="no", customer="no")
    one["extra"] = "no"
    one["customer_payer"]["document"] = "no"
    one["transactions"] = [
        {
            "id": "t",
            "amount": Decimal("10.00"),
            "status": "DECLINED",
            "payment_method_type": "CARD",
            "description": "",
            "category": None,
            "provider": "",
            "response_code": "51",
            "additional_data": {"deep": {"list": [1, Decimal("2.50"), None, {"x": "é"}]}},
            "card": {"id": 7, "card_iin": "41111111", "token": "no", "issuer_name": None},
        }
    ]
    shell.ok("load", write_export(tmp_path / "e.ndjson", one))
    shell.ok("campaigns", "import", write_campaigns(tmp_path / "c.json", campaign()))
    manifest = shell.ok("run", "--out", tmp_path / "out", "--as-of", "2026-10-02", "--json").document
    text = (tmp_path / "out" / manifest["run_id"] / manifest["files"][0]["path"]).read_text()
    (made,) = json.loads(text, parse_float=Decimal)["external_data"]
    assert '"no"' not in text
    assert made["transactions"] == [
        {
            "id": "t",
            "card": {"id": 7, "card_iin": "41111111"},
            "amount": Decimal("10.00"),
            "status": "DECLINED",
            "provider": "",
            "payment_method_type": "CARD",
            "description": "",
            "additional_data": {"deep": {"list": [1, Decimal("2.50"), None, {"x": "é"}]}},
        }
    ]
    assert '{"deep":{"list":[1,2.50,null,{"x":"é"}]}}' in text
