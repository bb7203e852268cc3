"""Records to elements of a request body: documented fields only, with the values that the export had (SPEC 5)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from pydantic import BaseModel, ValidationError

from recovery_batch.contract.declined import Element
from recovery_batch.contract.fields import Documented, Form, documented
from recovery_batch.ingest.decoding import decoded, encoded
from recovery_batch.phones import only_digits


def element(record: str, created_at: datetime | None, transaction_times: Sequence[datetime | None]) -> bytes:
    """One element of `external_data` as JSON.

    Args:
        record: The original record as JSON.
        created_at: The payment's own time; None where it had none, whatever stands in for it.
        transaction_times: The time of each transaction; None where it had none.

    Raises:
        ValueError: the record cannot be read, or the contract would refuse the element; a bug, since such records are
            left out before.
    """
    value, fault = decoded(record.encode())
    if fault is not None:
        raise ValueError(f"a stored record that cannot be read: {fault.reason}")
    value["payment"]["created_at"] = _written(created_at)
    for transaction, moment in zip(value.get("transactions") or [], transaction_times, strict=True):
        transaction["created_at"] = _written(moment)
    body = _project(Element, value)
    try:
        Element.model_validate(_decimals(body))
    except ValidationError as error:
        places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise ValueError(f"payment {value['payment']['id']}: the contract would refuse {places}") from error
    return encoded(body)


def _written(moment: datetime | None) -> str | None:
    # not strftime, which writes the year 1 of a "null date" as `1`
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def _project(model: type[BaseModel], value: dict[str, Any]) -> dict[str, Any]:
    """The documented fields that have a value."""
    fields = ((each, value.get(each.name)) for each in documented(model))
    return {each.name: _field(each, item) for each, item in fields if item is not None}


def _field(each: Documented, item: Any) -> Any:
    if each.form is Form.SHAPE:
        assert each.shape is not None
        return _project(each.shape, item)
    if each.form is Form.SHAPES:
        assert each.shape is not None
        return [_project(each.shape, part) for part in item]
    return only_digits(item) if each.digits_only else item


def _decimals(body: dict[str, Any]) -> dict[str, Any]:
    """The body with every amount as a Decimal, as the models hold them: a JSON integer is an amount too."""
    payment = {**body["payment"], "amount_value": Decimal(body["payment"]["amount_value"])}
    transactions = [{**each, "amount": Decimal(each["amount"])} for each in body.get("transactions", [])]
    return {**body, "payment": payment, **({"transactions": transactions} if "transactions" in body else {})}
