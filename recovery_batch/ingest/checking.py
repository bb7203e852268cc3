"""One record of a declined-payment export, checked against the documented fields (SPEC 1.1).

This is the slow, plain statement of what is loadable and what is submittable; it raises nothing, it collects.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Decimal
from typing import Any, Final

from pydantic import BaseModel

from recovery_batch.clock import parse_instant
from recovery_batch.contract.declined import LOADABLE, CustomerPayer, Element, Payment
from recovery_batch.contract.fields import Documented, Form, documented, mandatory_paths
from recovery_batch.ingest.faults import Fault, found
from recovery_batch.money import amount_fault

_INTEGERS: Final = 2**63
_TIME_ALLOWED: Final = "a time such as 2026-09-01 13:45:00 or 2026-09-01T13:45:00-05:00"


@dataclass(slots=True)
class CheckedRecord:
    """What a record holds.

    Attributes:
        payment: The documented fields of `payment` that are there; times as instants in UTC.
        transactions: The same of each transaction, in order; `card` is a mapping of its own.
        payer: The same of `customer_payer`.
        faults: What keeps the record from being loaded; empty for a loadable record.
        unfit: Dotted paths of the fields that keep it from being submitted: missing, or not as a request wants them.
    """

    payment: dict[str, Any] = field(default_factory=dict)
    transactions: list[dict[str, Any]] = field(default_factory=list)
    payer: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)


def check_record(record: Any, zone: tzinfo, root_organization: object = None) -> CheckedRecord:
    """Check one element of `external_data`.

    Args:
        record: The decoded element, numbers as int or Decimal.
        zone: How times without a zone are read.
        root_organization: The organization_code of the request around it; None where there was none.
    """
    checked = CheckedRecord()
    if not isinstance(record, dict):
        checked.faults.append(Fault("wrong_type", "", "an object with payment and customer_payer", found(record, "")))
        return checked
    walked = _Walk(checked, zone).shape(Element, record, "")
    checked.payment = walked.get("payment", {})
    checked.transactions = walked.get("transactions", [])
    checked.payer = walked.get("customer_payer", {})
    if "payment" not in walked and not any(fault.pointer.startswith("/payment") for fault in checked.faults):
        checked.faults.append(Fault("missing", "/payment", "an object with the payment", None))
    organization = checked.payment.get("organization_code")
    if root_organization not in (None, "") and organization is not None and organization != root_organization:
        expected = f"the request's organization_code, {found(root_organization, '')}"
        pointer = "/payment/organization_code"
        checked.faults.append(Fault("organization_mismatch", pointer, expected, found(organization, pointer)))
    return checked


@dataclass(slots=True)
class _Walk:
    """A walk over the documented fields of a record, which notes what it meets."""

    checked: CheckedRecord
    zone: tzinfo

    def shape(self, model: type[BaseModel], value: dict[str, Any], pointer: str) -> dict[str, Any]:
        """The documented fields of an object that are there and of their type."""
        kept: dict[str, Any] = {}
        for each in documented(model):
            item = value.get(each.name)
            if item is None or (item == "" and not each.empty_counts):
                if each.mandatory:
                    self.missing(model, each, f"{pointer}/{each.name}")
            elif each.is_free and isinstance(item, str):
                kept[each.name] = item
            elif (held := self.value(each, item, f"{pointer}/{each.name}")) is not None:
                kept[each.name] = held
        return kept

    def missing(self, model: type[BaseModel], each: Documented, place: str) -> None:
        """Note a mandatory field that is absent: a fault where loading needs it, else unfit to submit."""
        path = place[1:].replace("/", ".")
        if each.shape is CustomerPayer:
            self.checked.unfit += [f"{path}.{name}" for name in mandatory_paths(CustomerPayer)]
        elif model is Payment and each.name in LOADABLE:
            allowed = each.meaning.allowed if each.meaning else each.form.value
            self.checked.faults.append(Fault("missing", place, f"{allowed}, not empty", None))
        else:
            self.checked.unfit.append(path)

    def value(self, each: Documented, item: Any, place: str) -> Any:
        """The value of a field; None, and a fault, where it is not of the documented type."""
        if each.form is Form.SHAPE and isinstance(item, dict):
            assert each.shape is not None
            return self.shape(each.shape, item, place)
        if each.form is Form.SHAPES and isinstance(item, list):
            return self.shapes(each, item, place)
        if each.form is Form.STRING and isinstance(item, str):
            return self.text(each, item, place)
        if (fault := _CHECKS[each.form](item)) is not None:
            self.checked.faults.append(Fault(fault[0], place, fault[1], found(item, place)))
            return None
        return item

    def shapes(self, each: Documented, items: list[Any], place: str) -> list[dict[str, Any]]:
        """The objects of an array; a fault for each element that is none."""
        assert each.shape is not None
        kept = []
        for number, item in enumerate(items):
            here = f"{place}/{number}"
            if isinstance(item, dict):
                kept.append(self.shape(each.shape, item, here))
            else:
                self.checked.faults.append(Fault("wrong_type", here, "an object", found(item, here)))
        return kept

    def text(self, each: Documented, item: str, place: str) -> Any:
        """A text, or the instant it stands for; a fault where it does not mean what it must."""
        if each.meaning is not None and not each.meaning.holds(item):
            self.checked.faults.append(Fault(f"unknown_{each.name}", place, each.meaning.allowed, found(item, place)))
            return None
        if each.is_time:
            return self.instant(item, place)
        if each.pattern is not None and not each.digits_only and not each.pattern.match(item):
            self.checked.unfit.append(place[1:].replace("/", "."))
        return item

    def instant(self, item: str, place: str) -> datetime | None:
        """The instant of a time in UTC; a fault where it is none."""
        try:
            return parse_instant(item, self.zone)
        except ValueError:
            self.checked.faults.append(Fault("not_a_time", place, _TIME_ALLOWED, found(item, place)))
            return None


def _integer_fault(item: object) -> tuple[str, str] | None:
    is_one = isinstance(item, int) and not isinstance(item, bool) and -_INTEGERS <= item < _INTEGERS
    return None if is_one else ("wrong_type", Form.INTEGER.value)


def _number_fault(item: object) -> tuple[str, str] | None:
    # the documented numbers are all amounts
    if isinstance(item, bool) or not isinstance(item, int | Decimal):
        return "wrong_type", Form.NUMBER.value
    allowed = amount_fault(item)
    return None if allowed is None else ("bad_amount", allowed)


def _object_fault(item: object) -> tuple[str, str] | None:
    return None if isinstance(item, dict) else ("wrong_type", Form.OBJECT.value)


def _always(form: Form) -> Callable[[object], tuple[str, str]]:
    return lambda _: ("wrong_type", form.value)


_CHECKS: Final[dict[Form, Callable[[object], tuple[str, str] | None]]] = {
    Form.STRING: _always(Form.STRING),
    Form.INTEGER: _integer_fault,
    Form.NUMBER: _number_fault,
    Form.OBJECT: _object_fault,
    Form.SHAPE: _always(Form.SHAPE),
    Form.SHAPES: _always(Form.SHAPES),
}
