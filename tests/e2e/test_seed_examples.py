"""The two examples of the public document, loaded and carried to a batch file without losing anything."""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.commands import EXPORTS, Shell
from tests.e2e.exports import campaign, write_campaigns

ORGANIZATIONS = {
    "seed_minimal.json": ("e4c03f29-b0f6-403a-8814-9aee1a88d60e", "CO"),
    "seed_detailed.json": ("f9a2b7d1-c8e5-4b19-a302-5dff6e7789ab", "US"),
}


def carried(shell: Shell, tmp_path: Path, name: str, *configuration: object) -> tuple[dict[str, Any], str]:
    """The body of the one batch file that a campaign for this example makes, decoded and as text."""
    organization, country = ORGANIZATIONS[name]
    shell.ok("load", EXPORTS / name)
    file = write_campaigns(tmp_path / "c.json", campaign(organization_code=organization, country=country))
    shell.ok("campaigns", "import", file)
    # the detailed example is of April 2025, the minimal one has no time of its own and takes that of the load
    as_of = ("--as-of", "2025-04-11") if name == "seed_detailed.json" else ()
    manifest = shell.ok("run", "--out", tmp_path / "out", *as_of, "--json").document
    assert [each["records"] for each in manifest["files"]] == [1], manifest["suppressed"]
    text = (tmp_path / "out" / manifest["run_id"] / manifest["files"][0]["path"]).read_text(encoding="utf-8")
    return json.loads(text, parse_float=Decimal), text


def source(name: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((EXPORTS / name).read_text(encoding="utf-8"), parse_float=Decimal)
    return document["external_data"][0] if "external_data" in document else document


@pytest.mark.parametrize("name", ORGANIZATIONS)
def test_every_field_comes_out_with_the_value_it_had(shell: Shell, tmp_path: Path, name: str) -> None:
    body, _ = carried(shell, tmp_path, name)
    assert list(body) == ["organization_code", "external_data"]
    assert body["organization_code"] == ORGANIZATIONS[name][0]
    (element,) = body["external_data"]
    expected = source(name)
    assert element == expected
    # == on Decimal does not see 10.0 for 10.00
    assert str(element["payment"]["amount_value"]) == str(expected["payment"]["amount_value"])
    for key in ("payment", "customer_payer"):
        assert list(element[key]) == list(expected[key])


def test_digits_nested_objects_and_text_stay_as_they_were(shell: Shell, tmp_path: Path) -> None:
    body, text = carried(shell, tmp_path, "seed_detailed.json")
    assert '"amount_value":199.99,' in text
    assert '"created_at":"2025-04-10 16:30:00"' in text
    assert "Compra de electrónicos" in text
    (element,) = body["external_data"]
    assert element["payment"]["additional_data"] == {"attempts": 3, "error_code": "4002"}
    # a null inside additional_data is the merchant's, and stays
    assert element["transactions"][0]["additional_data"] == {
        "authorization_code": None,
        "network_response_code": "05",
    }


def test_the_time_of_the_load_never_goes_out(shell: Shell, tmp_path: Path) -> None:
    body, text = carried(shell, tmp_path, "seed_minimal.json")
    assert '"amount_value":10.00,' in text
    assert "created_at" not in text
    assert "transactions" not in body["external_data"][0]
