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
    return write_body(Element, project(Element, value), f"payment {value['payment']['id']}")


def write_body(model: type[BaseModel], body: dict[str, Any], name: str) -> bytes:
    """A body as JSON, numbers with their digits.

    Args:
        model: The contract that it has to keep.
        body: The body, as `project` makes it.
        name: What an error calls it.

    Raises:
        ValueError: the contract would refuse it.
    """
    try:
        model.model_validate(_decimals(model, body))
    except ValidationError as error:
        places = ", ".join(".".join(map(str, each["loc"])) for each in error.errors(include_input=False))
        raise ValueError(f"{name}: the contract would refuse {places}") from error
    return encoded(body)


def _written(moment: datetime | None) -> str | None:
    # not strftime, which writes the year 1 of a "null date" as `1`
    return None if moment is None else moment.astimezone(UTC).replace(tzinfo=None).isoformat(" ", "seconds")


def project(model: type[BaseModel], value: dict[str, Any]) -> dict[str, Any]:
    """The documented fields that have a value, as they go out; without a text that is better left out."""
    fields = ((each, value.get(each.name)) for each in documented(model))
    return {each.name: _field(each, item) for each, item in fields if _goes_out(each, item)}


def _goes_out(each: Documented, item: Any) -> bool:
    return item is not None and not (each.left_out and not each.allows(item))


def _field(each: Documented, item: Any) -> Any:
    if each.form is Form.SHAPE:
        assert each.shape is not None
        return project(each.shape, item)
    if each.form is Form.SHAPES:
        assert each.shape is not None
        return [project(each.shape, part) for part in item]
    return only_digits(item) if each.digits_only else item


def _decimals(model: type[BaseModel], body: dict[str, Any]) -> dict[str, Any]:
    """The body with every amount as a Decimal, as the models hold them: a JSON integer is an amount too."""
    return {each.name: _held(each, body[each.name]) for each in documented(model) if each.name in body}


def _held(each: Documented, item: Any) -> Any:
    if each.form is Form.NUMBER:
        return Decimal(item)
    if each.form is Form.SHAPE:
        assert each.shape is not None
        return _decimals(each.shape, item)
    if each.form is Form.SHAPES:
        assert each.shape is not None
        return [_decimals(each.shape, part) for part in item]
    return item
