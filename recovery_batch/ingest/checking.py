"""One record checked against the documented fields of its contract; here, one of a declined-payment export (SPEC 1.1).

This is the slow, plain statement of what is loadable and what is submittable; it raises nothing, it collects. `Walk`
serves any contract.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from decimal import Context, Decimal, Inexact, InvalidOperation
from typing import Any, Final

from pydantic import BaseModel

from recovery_batch.clock import parse_instant
from recovery_batch.contract.declined import LOADABLE, Element, Payment
from recovery_batch.contract.fields import Documented, Form, documented, mandatory_paths
from recovery_batch.ingest.faults import Fault, found, type_name
from recovery_batch.money import FRACTION_DIGITS, WHOLE_DIGITS, amount_fault

_INTEGERS: Final = 2**63
_STEP: Final = Decimal(1).scaleb(-FRACTION_DIGITS)
_EXACT: Final = Context(prec=WHOLE_DIGITS + FRACTION_DIGITS, traps=[Inexact, InvalidOperation])
_TIME_ALLOWED: Final = "a time such as 2026-09-01 13:45:00 or 2026-09-01T13:45:00-05:00"
_LOADABLE: Final[dict[type[BaseModel], frozenset[str]]] = {Payment: LOADABLE}


@dataclass(slots=True)
class CheckedRecord:
    """What a record holds.

    Attributes:
        payment: The documented fields of `payment` that are there; times as instants in UTC, amounts with six digits
            after the point.
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
    if not isinstance(record, dict):
        allowed = "an object with payment and customer_payer"
        return CheckedRecord(faults=[Fault("wrong_type", "", allowed, type_name(record))])
    walk = Walk(_LOADABLE, zone)
    walked = walk.shape(Element, record, "")
    checked = CheckedRecord(
        walked.get("payment", {}),
        walked.get("transactions", []),
        walked.get("customer_payer", {}),
        walk.faults,
        walk.unfit,
    )
    organization = checked.payment.get("organization_code")
    if root_organization not in (None, "") and organization is not None and organization != root_organization:
        expected = f"the request's organization_code, {found(root_organization, '')}"
        pointer = "/payment/organization_code"
        checked.faults.append(Fault("organization_mismatch", pointer, expected, found(organization, pointer)))
    return checked


@dataclass(slots=True)
class Walk:
    """A walk over the documented fields of a record, which notes what it meets.

    Attributes:
        loadable: The fields that loading needs, by model.
        zone: How times without a zone are read.
        faults: What keeps the record from being loaded.
        unfit: Dotted paths of the fields that keep it from being submitted: missing, or not as a request wants them.
    """

    loadable: Mapping[type[BaseModel], frozenset[str]]
    zone: tzinfo
    faults: list[Fault] = field(default_factory=list)
    unfit: list[str] = field(default_factory=list)

    def shape(self, model: type[BaseModel], value: dict[str, Any], pointer: str) -> dict[str, Any]:
        """The documented fields of an object that are there and of their type."""
        kept: dict[str, Any] = {}
        for each in documented(model):
            item = value.get(each.name)
            if each.is_free and item and isinstance(item, str):
                kept[each.name] = item  # most fields are of this kind
            elif item is None or (item == "" and not each.empty_counts):
                if each.mandatory:
                    self.missing(model, each, f"{pointer}/{each.name}")
            elif (held := self.value(each, item, f"{pointer}/{each.name}")) is not None:
                kept[each.name] = held
        return kept

    def missing(self, model: type[BaseModel], each: Documented, place: str) -> None:
        """Note a mandatory field that is absent: a fault where loading needs it, else unfit to submit."""
        path = place[1:].replace("/", ".")
        if each.shape in self.loadable:
            self.faults.append(Fault("missing", place, f"an object with the {each.name}", None))
        elif each.form is Form.SHAPE and each.shape is not None:
            self.unfit += [f"{path}.{name}" for name in mandatory_paths(each.shape)]
        elif each.name in self.loadable.get(model, ()):
            allowed = each.meaning.allowed if each.meaning else _TIME_ALLOWED if each.is_time else each.form.value
            self.faults.append(Fault("missing", place, f"{allowed}, not empty", None))
        else:
            self.unfit.append(path)

    def value(self, each: Documented, item: Any, place: str) -> Any:
        """The value of a field as columns hold it; None, and a fault, where it is not of the documented type."""
        form = each.form
        if form is Form.STRING and isinstance(item, str):
            return self.text(each, item, place)
        if form is Form.NUMBER and isinstance(item, int | Decimal) and not isinstance(item, bool):
            return self.amount(item, place)
        if form is Form.SHAPE and isinstance(item, dict):
            assert each.shape is not None
            return self.shape(each.shape, item, place)
        if form is Form.SHAPES and isinstance(item, list):
            return self.shapes(each, item, place)
        is_other = form is Form.OBJECT and isinstance(item, dict)
        if is_other or (form is Form.INTEGER and _is_integer(item)):
            return item
        self.faults.append(Fault("wrong_type", place, form.value, found(item, place)))
        return None

    def amount(self, item: int | Decimal, place: str) -> Decimal | None:
        """An amount with the digits of its column; a fault where it has more of them, or is negative."""
        try:
            held = Decimal(item).quantize(_STEP, context=_EXACT)
            if held >= 0:
                return held
        except (Inexact, InvalidOperation):
            pass
        allowed = amount_fault(item)
        assert allowed is not None
        self.faults.append(Fault("bad_amount", place, allowed, found(item, place)))
        return None

    def shapes(self, each: Documented, items: list[Any], place: str) -> list[dict[str, Any]]:
        """The objects of an array; a fault for each element that is none."""
        assert each.shape is not None
        kept = []
        for number, item in enumerate(items):
            here = f"{place}/{number}"
            if isinstance(item, dict):
                kept.append(self.shape(each.shape, item, here))
            else:
                self.faults.append(Fault("wrong_type", here, "an object", found(item, here)))
        return kept

    def text(self, each: Documented, item: str, place: str) -> Any:
        """A text, or the instant it stands for; a fault where it does not mean what it must."""
        if each.meaning is not None and not each.meaning.holds(item):
            self.faults.append(Fault(f"unknown_{each.name}", place, each.meaning.allowed, found(item, place)))
            return None
        if each.is_time:
            return self.instant(item, place)
        if not (each.digits_only or each.left_out or each.allows(item)):
            self.unfit.append(place[1:].replace("/", "."))
        return item

    def instant(self, item: str, place: str) -> datetime | None:
        """The instant of a time in UTC; a fault where it is none."""
        try:
            return parse_instant(item, self.zone)
        except ValueError:
            self.faults.append(Fault("not_a_time", place, _TIME_ALLOWED, found(item, place)))
            return None


def _is_integer(item: object) -> bool:
    return isinstance(item, int) and not isinstance(item, bool) and -_INTEGERS <= item < _INTEGERS
