"""The files of a run with request bodies, held against the contract and against what the manifest says of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Context, Decimal
from typing import Any, Final

from pydantic import BaseModel

from recovery_batch.contract.abandoned import DEFAULT_CHANNEL, AbandonedFlow
from recovery_batch.contract.declined import Request
from recovery_batch.errors import Problem
from recovery_batch.ingest.decoding import decoded, encoded, has_repeated_keys
from recovery_batch.outreach.validating.contract import Finding, contract_findings
from recovery_batch.outreach.validating.manifests import BatchEntry
from recovery_batch.phones import is_possible, read_phone
from recovery_batch.reporting.formats import exact_amount

_LINE_END: Final = b"\n"
_EXACT: Final = Context(prec=200)


@dataclass(slots=True)
class Tally:
    """What the bodies of a folder hold, as far as they could be read.

    Attributes:
        problems: What is wrong, in the order of the files.
        amounts: Of all files, by currency.
        payments: Where each (campaign, organization, payment) stands.
        flows: Where each flow, by session and by number, stands.
        records: How many payments and flows.
    """

    problems: list[Problem] = field(default_factory=list)
    amounts: dict[str, Decimal] = field(default_factory=dict)
    payments: dict[tuple[str, ...], str] = field(default_factory=dict)
    flows: dict[tuple[str, ...], str] = field(default_factory=dict)
    records: int = 0

    @property
    def repeated_payments(self) -> int:
        """How many payments stand there once more, for another campaign."""
        return len(self.payments) - len({key[1:] for key in self.payments})


def check_bodies(entry: BatchEntry, content: bytes, tally: Tally) -> None:
    """Hold the bodies of a file against the contract and what the manifest says of them; the tally gets what is found.

    Counts and amounts are compared only where every body of the file is one.
    """
    _FileCheck(entry, tally).run(content)


class _FileCheck:
    def __init__(self, entry: BatchEntry, tally: Tally) -> None:
        self._entry = entry
        self._tally = tally
        self._amounts: dict[str, Decimal] = {}
        self._records = 0

    def run(self, content: bytes) -> None:
        is_sound = self._read_declined(content) if self._entry.kind == "declined" else self._read_abandoned(content)
        if is_sound:
            self._foot()

    def _read_declined(self, content: bytes) -> bool:
        """Check one request of many payments; whether it is one."""
        body, is_sound = self._read(Request, content, None)
        if is_sound:
            self._check_organizations(body)
            for place, each in enumerate(body["external_data"]):
                self._check_payment(each, f"/external_data/{place}")
        return is_sound

    def _read_abandoned(self, content: bytes) -> bool:
        """Check requests of a flow, one a line; whether each line is one."""
        lines = content.removesuffix(_LINE_END).split(_LINE_END)
        are_sound = True
        for number, line in enumerate(lines, 1):
            body, is_sound = self._read(AbandonedFlow, line, number)
            if is_sound:
                self._check_flow(body, number)
            are_sound = are_sound and is_sound
        return are_sound

    def _read(self, model: type[BaseModel], text: bytes, line: int | None) -> tuple[Any, bool]:
        """A body, and whether it is one."""
        body, fault = decoded(text)
        if fault is not None:
            findings = [Finding("", "cannot be read", fault.expected)]
        elif has_repeated_keys(text, encoded(body)):
            findings = [Finding("", "a key stands twice in an object", "each key once")]
        else:
            findings = list(contract_findings(model, body))
        for finding in findings:
            self._add(finding.pointer, finding.message, finding.allowed, line)
        return body, not findings

    def _check_organizations(self, body: Any) -> None:
        organization = body["organization_code"]
        if organization != self._entry.organization_code:
            self._add("/organization_code", "not the organization of the manifest", "one organization a file", None)
        for place, each in enumerate(body["external_data"]):
            if each["payment"]["organization_code"] != organization:
                pointer = f"/external_data/{place}/payment/organization_code"
                self._add(pointer, "not the organization of the request", "that of the request", None)

    def _check_payment(self, element: Any, pointer: str) -> None:
        payment, payer = element["payment"], element["customer_payer"]
        if not _can_be_called(payer["phone_country_code"], payer["phone_number"]):
            self._add(f"{pointer}/customer_payer/phone_number", "no possible number", "a number that can be", None)
        key = (str(self._entry.campaign_id), payment["organization_code"], payment["id"])
        where = f"{self._entry.path} at {pointer}"
        if self._tally.payments.setdefault(key, where) != where:
            self._add(pointer, f"the payment stands in {self._tally.payments[key]} already", "once a campaign", None)
        self._count(payment["amount_value"], payment["currency_code"])

    def _check_flow(self, flow: Any, line: int) -> None:
        customer, session = flow["customer"], flow["session"]
        phone = customer["phone_number"]
        if not _is_e164(phone):
            self._add("/customer/phone_number", "no possible number", "a number that can be", line)
        where = f"{self._entry.path} in line {line}"
        for name, key in (("session", session.get("session_id")), ("phone number", phone)):
            if key is not None and self._tally.flows.setdefault((name, key), where) != where:
                self._add("", f"its {name} stands in {self._tally.flows[name, key]} already", "once a run", line)
        channel = (flow.get("engagement") or {}).get("preferred_channel", DEFAULT_CHANNEL)
        if self._entry.channel not in (DEFAULT_CHANNEL, channel):
            self._add("/engagement/preferred_channel", "not the channel of the file", self._entry.channel, line)
        cart = flow.get("cart") or {}
        self._count(cart.get("total_value"), cart.get("currency"))

    def _count(self, amount: Any, currency: str | None) -> None:
        self._records += 1
        if amount is not None and currency is not None:
            for sums in (self._amounts, self._tally.amounts):
                sums[currency] = _EXACT.add(sums.get(currency, Decimal(0)), Decimal(amount))

    def _foot(self) -> None:
        """Hold what the file holds against what the manifest says of it."""
        self._tally.records += self._records
        if self._records != self._entry.records:
            self._add("", f"{self._records} records", f"{self._entry.records}, as the manifest says", None)
        said = self._entry.amounts
        found = amount_texts(self._amounts)
        for currency in sorted(said.keys() | found.keys()):
            if said.get(currency) != found.get(currency):
                amount = f"{currency} {found.get(currency, 'none')}"
                self._add("", f"amounts: {amount}", f"{said.get(currency, 'none')}, as the manifest says", None)

    def _add(self, pointer: str, message: str, allowed: str, line: int | None) -> None:
        self._tally.problems.append(Problem(pointer, message, None, allowed, source=self._entry.path, line=line))


def amount_texts(amounts: Mapping[str, Decimal]) -> dict[str, str]:
    """Amounts as a manifest writes them."""
    return {currency: exact_amount(amount, currency) for currency, amount in amounts.items()}


def _can_be_called(code: str, number: str) -> bool:
    """Whether the digits that go out are a number; an export may have the country code in the number, too."""
    return is_possible(code, number) or is_possible(code, f"+{number}")


def _is_e164(phone: str) -> bool:
    try:
        return f"+{read_phone(phone).digits}" == phone
    except ValueError:
        return False
