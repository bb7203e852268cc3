"""The kinds of field that campaigns and rules share."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from pydantic import BaseModel, ValidationError

from recovery_batch.rules.fields import Instant, Text, Uuid, is_uuid, one_of


class Holder(BaseModel):
    at: Instant | None = None
    text: Text | None = None
    id: Uuid | None = None


MIDNIGHT = datetime(2026, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    "given",
    [
        "2026-03-01",
        "2026-03-01T00:00:00Z",
        "2026-03-01T00:00",
        "2026-03-01 00:00:00",
        "2026-03-01T00:00:00.000000000z",
        "2026-02-28T19:00:00-05:00",
        "2026-03-01T05:30:00+0530",
        MIDNIGHT,
        MIDNIGHT.replace(tzinfo=None),  # without a zone it is UTC, in whichever form it comes
        MIDNIGHT.astimezone(timezone(timedelta(hours=-5))),
    ],
)
def test_a_time_is_an_instant_in_utc(given: object) -> None:
    at = Holder.model_validate({"at": given}).at
    assert at == MIDNIGHT
    assert at.tzinfo is UTC


@pytest.mark.parametrize(
    "given",
    [
        "", "yesterday", "2026-3-1", "2026-02-29", "2026-03-01T24:00:01Z", "2026-03-01T00:60:00Z", "01/03/2026",
        " 2026-03-01", "2026-03-01\n", "2026-03-01T00:00:00+25:00", "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-01:00", "\uff12026-03-01", 1772323200, 0, 1.5, True, MIDNIGHT.date(), [], {},
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
    ],
)  # fmt: skip
def test_what_is_no_time_is_refused(given: object) -> None:
    with pytest.raises(ValidationError) as caught:
        Holder.model_validate({"at": given})
    (error,) = caught.value.errors()
    assert (error["loc"], error["msg"], error["ctx"]["code"]) == (("at",), "not a time", 422)
    assert "2026-09-01T00:00:00Z" in error["ctx"]["allowed"]


@pytest.mark.parametrize(
    "text",
    ["0001-01-01T00:00:00Z", "1969-12-31T23:59:59.000001Z", "2026-03-01T04:05:06Z", "9999-12-31T23:59:59.999999Z"],
)
def test_a_time_goes_out_as_it_came_in(text: str) -> None:
    holder = Holder.model_validate({"at": text})
    assert holder.model_dump(mode="json")["at"] == text
    assert Holder.model_validate(holder.model_dump(mode="json")) == holder


@pytest.mark.parametrize("text", ["", "é", "\0", "👩‍👧", "\ue000", "\uffff", "\U0010ffff"])
def test_a_text_is_any_unicode(text: str) -> None:
    assert Holder.model_validate({"text": text}).text == text


@pytest.mark.parametrize("text", ["\ud800", "👩\ud83d"])
def test_a_text_is_whole(text: str) -> None:
    with pytest.raises(ValidationError, match="half a surrogate pair"):
        Holder.model_validate({"text": text})


UUID = "e4c03f29-b0f6-403a-8814-9aee1a88d60e"


@pytest.mark.parametrize("text", [UUID, UUID.upper(), "0" * 8 + "-0000" * 3 + "-" + "0" * 12])
def test_a_uuid(text: str) -> None:
    assert is_uuid(text)
    assert Holder.model_validate({"id": text}).id == text


@pytest.mark.parametrize(
    "value",
    ["", UUID[:-1], UUID + "0", UUID + "\n", " " + UUID, UUID.replace("-", ""), f"urn:uuid:{UUID}", "g" + UUID[1:], 5],
)
def test_what_is_no_uuid(value: object) -> None:
    assert not is_uuid(value)
    with pytest.raises(ValidationError):
        Holder.model_validate({"id": value})


def test_a_word_is_one_of_a_list_or_refused() -> None:
    assert one_of("A", ("A", "B"), "letter") == "A"
    for value in ("a", "", "AB", 5, None, ["A"]):
        with pytest.raises(Exception, match="unknown letter"):
            one_of(value, ("A", "B"), "letter")
