"""What lint says of campaigns on loaded payments: each finding where it belongs, and not where it does not."""

import json
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from recovery_batch.api.linting import lint_data
from recovery_batch.campaigns import parse_campaigns
from recovery_batch.campaigns.findings import Finding, Severity
from recovery_batch.ingest import LoadOptions, load_files
from recovery_batch.settings import Settings
from recovery_batch.store import Store
from tests.e2e.exports import campaign
from tests.unit.ingest.samples import NOW, ORGANIZATION, Record, as_lines, spelled, transaction, with_transactions

Lint = Callable[..., tuple[Finding, ...]]
DECLINED = {"rule_type": "PAYMENT_STATUS", "conditional": "EQUAL", "values": ["DECLINED"]}


def payment(number: int, *, metadata: dict[str, Any] | None = None, times: int = 1, **changes: Any) -> list[Record]:
    """So many payments of a kind; changes are of the payment where it has such a field, else of its transaction."""
    of_payment = {"status", "country", "amount_value", "currency_code", "created_at"}
    fields = {name: value for name, value in changes.items() if name in of_payment}
    of_transaction = {name: value for name, value in changes.items() if name not in of_payment}
    return [
        with_transactions(
            transaction(f"t{number}-{copy}", **of_transaction),
            payment_id=f"p{number}-{copy}",
            additional_data=metadata or {},
            **fields,
        )
        for copy in range(times)
    ]


def card(iin: str) -> Record:
    return {"id": 450_000_001, "card_iin": iin, "card_lfd": "1111", "card_type": "CREDIT"}


def rule(rule_type: str, conditional: str | None = None, *values: str, key: str | None = None) -> dict[str, Any]:
    return {
        "rule_type": rule_type,
        "conditional": conditional,
        "values": list(values) or None,
        "metadata_key": key,
    }


def linted(folder: Path, payments: Sequence[list[Record]], *made: Any, **options: Any) -> tuple[Finding, ...]:
    """Load payments, and lint campaigns, each given as its only rule or as changes of a campaign."""
    path = folder / "e.ndjson"
    path.write_bytes(as_lines(each for group in payments for each in group))
    bodies = [{"rules": [each]} if "rule_type" in each else each for each in made]
    names = [{"id": f"0f5b6c1a-1d7e-4a55-9a10-{n:012}", "name": f"c{n}"} for n in range(len(bodies))]
    own = {"organization_code": ORGANIZATION}
    text = json.dumps([campaign(**(own | name | body)) for name, body in zip(names, bodies, strict=True)])
    with Store.open(folder / "s.duckdb", write=True) as store:
        if payments:
            (report,) = load_files(store, [path], LoadOptions(NOW))
            assert report.error is None
            assert report.counts["quarantined"] == 0
        return lint_data(store, parse_campaigns(text), Settings(), **options)


@pytest.fixture
def lint(tmp_path: Path) -> Lint:
    return partial(linted, tmp_path)


def slugs(found: Sequence[Finding]) -> list[str]:
    return [each.slug for each in found]


def test_a_store_without_payments_gives_no_findings(lint: Lint) -> None:
    assert lint([], rule("PROVIDER", "EQUAL", "stripe")) == ()


def test_no_campaigns_give_no_findings(lint: Lint) -> None:
    assert lint([payment(1)]) == ()


def test_a_value_that_differs_in_case_is_a_near_miss(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE", times=3), payment(2, provider="KUSHKI", times=2)]
    (found,) = lint(payments, rule("PROVIDER", "EQUAL", "stripe"))
    assert (found.slug, found.severity) == ("near_miss", Severity.WARNING)
    assert found.reason == (
        "provider is stripe: stripe matches 0 of 5 payments, STRIPE would match 3. "
        "STRIPE differs from stripe in case only."
    )
    assert found.counts == {"payments": 5, "values": 1, "matched": 0, "would_match": 3}
    assert len(found.rule_ids) == 1
    assert found.campaign_name == "c0"


def test_a_value_that_is_there_is_no_finding(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE"), payment(2, provider="stripe"), payment(3, provider="KUSHKI")]
    assert lint(payments, rule("PROVIDER", "EQUAL", "stripe")) == ()


def test_inactive_rules_are_not_looked_at(lint: Lint) -> None:
    inactive = rule("PROVIDER", "EQUAL", "stripe") | {"status": "INACTIVE"}
    assert lint([payment(1, provider="STRIPE")], {"rules": [inactive, DECLINED]}) == ()


def test_only_payments_that_the_campaign_may_target_count(lint: Lint) -> None:
    payments = [
        payment(1, provider="STRIPE", times=2),
        payment(2, provider="stripe", country="MX"),
        payment(3, provider="stripe", status="PAID"),
        payment(4, provider="stripe", created_at="2024-01-01 00:00:00"),
        payment(5, provider="KUSHKI"),
    ]
    (found,) = lint(payments, rule("PROVIDER", "EQUAL", "stripe"))
    assert (found.counts["payments"], found.counts["would_match"]) == (3, 2)


@pytest.mark.parametrize(
    ("wanted", "there", "words"),
    [
        ("5", "05", "05 differs from 5 in leading zeros."),
        ("005", "5", "5 differs from 005 in leading zeros."),
        ("A1 ", "A1", "A1 differs from “A1 ” in blanks at the ends."),
        ("a1 ", "A1", "A1 differs from “a1 ” in case and blanks at the ends."),
        ("insufficient funds", "INSUFFICIENT_FUNDS", "It is the closest in spelling."),
    ],
)
def test_what_is_close_is_said_in_words(lint: Lint, wanted: str, there: str, words: str) -> None:
    found = lint([payment(1, response_code=there, times=2)], rule("RESPONSE_CODE", "ONE_OF", wanted, "99"))
    assert slugs(found) == ["near_miss", "value_never_seen"]
    assert found[0].reason.endswith(words)
    assert found[0].counts["would_match"] == 2
    assert "99 matches 0 of 2 payments" in found[1].reason
    assert found[1].severity is Severity.WARNING  # the campaign targets nobody


def test_codes_of_digits_are_not_typos_of_one_another(lint: Lint) -> None:
    (found,) = lint([payment(1, response_code="100051")], rule("RESPONSE_CODE", "EQUAL", "100052"))
    assert found.slug == "value_never_seen"


def test_values_of_a_list_are_judged_each_on_its_own_and_told_together(lint: Lint) -> None:
    payments = [payment(n, response_code=f"0{n}", times=n) for n in range(1, 8)]
    (found,) = lint(payments, rule("RESPONSE_CODE", "IN", "1", "02", *map(str, range(3, 8))))
    assert found.counts == {"payments": 28, "values": 6, "matched": 0, "would_match": 26}
    assert (
        "1, 3, 4, 5, 6 and 1 more match 0 of 28 payments, 01, 03, 04, 05, 06 and 1 more would match 26" in found.reason
    )


def test_what_two_values_are_close_to_is_counted_once(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE", times=3), payment(2, provider="KUSHKI")]
    (found,) = lint(payments, rule("PROVIDER", "ONE_OF", "stripe", "Stripe"))
    assert found.counts == {"payments": 4, "values": 2, "matched": 0, "would_match": 3}
    assert "Stripe, stripe match 0 of 4 payments, STRIPE would match 3." in found.reason


def test_a_value_beside_the_one_that_is_meant_is_no_near_miss(lint: Lint) -> None:
    payments = [payment(1, response_code="05"), payment(2, response_code="51")]
    assert slugs(lint(payments, rule("RESPONSE_CODE", "ONE_OF", "5", "05"))) == ["value_never_seen"]


@pytest.mark.parametrize("conditional", ["NOT_EQUAL", "NOT_ONE_OF"])
def test_a_value_that_excludes_nothing_is_said_to(lint: Lint, conditional: str) -> None:
    payments = [payment(1, provider="STRIPE", times=2), payment(2, provider="KUSHKI")]
    (found,) = lint(payments, rule("PROVIDER", conditional, "stripe"))
    assert found.slug == "near_miss"
    assert "stripe excludes 0 of 3 payments, STRIPE would exclude 2." in found.reason
    # whoever leaves out what is not there yet is careful
    assert "value_never_seen" not in slugs(lint(payments, rule("PROVIDER", conditional, "ADYEN")))


def test_a_bin_of_six_digits_where_the_data_has_eight(lint: Lint) -> None:
    payments = [payment(1, card=card("41111122"), times=2), payment(2, card=card("41111133"))]
    payments.append(payment(3, card=card("55222211")))
    (found,) = lint(payments, rule("CARD_BIN", "ONE_OF", "411111", "55222211"))
    assert "411111 matches 0 of 4 payments, STARTS_WITH would match 3. 41111122 starts with 411111." in found.reason
    assert found.advice.startswith("Use STARTS_WITH")
    assert lint(payments, {"rules": [rule("CARD_BIN", "STARTS_WITH", "411111")]}) == ()


def test_a_bin_of_eight_digits_where_the_data_has_six(lint: Lint) -> None:
    (found,) = lint([payment(1, card=card("411111"), times=2)], rule("CARD_BIN", "STARTS_WITH", "41111122"))
    assert "411111 would match 2. 41111122 starts with 411111." in found.reason


def test_metadata_compares_as_text_so_that_numbers_may_miss(lint: Lint) -> None:
    payments = [payment(1, metadata={"step": spelled("5.0")}), payment(2, metadata={"step": "x"})]
    (found,) = lint(payments, rule("METADATA", "EQUAL", "5.0", key="step"))
    assert "5 would match 1. 5 differs from 5.0 in how the same number is written." in found.reason


def test_contains_ignores_case_but_not_blanks(lint: Lint) -> None:
    payments = [payment(1, metadata={"tier": "Golden"}), payment(2, metadata={"tier": "x"})]
    assert lint(payments, rule("METADATA", "CONTAINS", "GOLD", key="tier")) == ()
    (found,) = lint(payments, rule("METADATA", "CONTAINS", "gold ", key="tier"))
    assert found.reason.endswith("Golden would match 1. Golden would contain “gold ” but for blanks at the ends.")


def test_amounts_in_cents_are_near_misses(lint: Lint) -> None:
    payments = [payment(1, amount_value=spelled("500.00"), times=2), payment(2, amount_value=spelled("70"))]
    (found,) = lint(payments, rule("AMOUNT", "ONE_OF", "50000", "70.000"))
    assert found.slug == "near_miss"
    assert "50000 matches 0 of 3 payments, 500 would match 2." in found.reason
    (found,) = lint(payments, rule("AMOUNT", "EQUAL", "1e999999999"))
    assert found.slug == "value_never_seen"


def test_the_currency_of_an_amount_is_judged_whatever_the_conditional(lint: Lint) -> None:
    payments = [payment(1, times=2), payment(2, currency_code="USD")]
    (found,) = lint(payments, rule("AMOUNT_AND_CURRENCY", "GREATER_THAN", "1", "cop"))
    assert "COP would match 2" in found.reason
    (found,) = lint(payments, rule("AMOUNT_AND_CURRENCY", "EQUAL", "5", "USD"))
    assert (found.slug, found.counts["matched"]) == ("value_never_seen", 0)
    assert lint(payments, rule("AMOUNT_AND_CURRENCY", "EQUAL", "89900", "USD")) == ()


def test_a_bound_that_nothing_reaches_is_never_seen(lint: Lint) -> None:
    (found,) = lint([payment(1)], rule("AMOUNT", "GREATER_THAN", "1000000"))
    assert found.slug == "value_never_seen"
    assert found.reason == "The campaign targets nobody. amount is above 1000000: the rule matches 0 of 1 payment."


def test_an_unknown_key_names_the_closest_that_there_are(lint: Lint) -> None:
    payments = [payment(1, metadata={"loyaltyTier": "gold", "color": "red"}, times=3), payment(2)]
    unknown = rule("METADATA", "EQUAL", "gold", key="loyalty_tier")
    (found,) = lint(payments, unknown)
    assert (found.slug, found.severity) == ("metadata_key_unknown", Severity.WARNING)
    assert "none of 4 payments has metadata “loyalty_tier”; the closest keys are “loyaltyTier” (3)." in found.reason
    assert found.counts == {"payments": 4, "payments with loyaltyTier": 3}
    assert lint(payments, unknown | {"metadata_key": "loyaltyTier"}) == ()
    (found,) = lint(payments, rule("METADATA", "NOT_EQUAL", "gold", key="zzz"))
    assert "or any key that is close to it" in found.reason
    assert found.advice.startswith("The rule excludes nothing.")


def test_keys_that_are_addresses_are_masked(lint: Lint) -> None:
    payments = [payment(1, metadata={"ana@example.com": "x"})]
    (found,) = lint(payments, rule("METADATA", "EQUAL", "x", key="an@example.com"))
    assert found.counts == {"payments": 1, "payments with a•••@example.com": 1}
    assert "ana@" not in found.reason


def test_numbers_that_are_none_are_counted_from_one_percent_on(lint: Lint) -> None:
    payments = [payment(1, metadata={"score": 7}, times=98), payment(2, metadata={"score": "1,000"}), payment(3)]
    numeric = rule("METADATA", "GREATER_THAN", "5", key="score")
    (found,) = lint(payments, numeric)
    assert (found.slug, found.severity) == ("not_numbers", Severity.WARNING)
    assert found.counts == {"payments": 100, "present": 99, "not_numbers": 1}
    assert "1.0\u00a0% of the 99 values are no numbers (1), such as “1,000”." in found.reason


def test_numbers_that_are_few_or_compared_as_text_are_left_alone(lint: Lint) -> None:
    payments = [payment(1, metadata={"score": 7}, times=100), payment(2, metadata={"score": "x"})]
    assert lint(payments, rule("METADATA", "GREATER_THAN", "5", key="score")) == ()
    assert lint(payments, rule("METADATA", "EQUAL", "7", key="score")) == ()


def test_a_campaign_that_targets_nobody_is_no_mere_remark(lint: Lint) -> None:
    payments = [payment(1, provider="STRIPE", times=3)]
    (found,) = lint(payments, rule("PROVIDER", "EQUAL", "XYZ"))
    assert (found.slug, found.severity) == ("value_never_seen", Severity.WARNING)
    assert found.reason.startswith("The campaign targets nobody. ")


def test_a_currency_that_misses_matches_nothing_whatever_the_conditional(lint: Lint) -> None:
    found = lint([payment(1, times=3)], rule("AMOUNT_AND_CURRENCY", "NOT_EQUAL", "5", "cop"))
    assert any("cop matches 0 of 3 payments, COP would match 3" in each.reason for each in found)
