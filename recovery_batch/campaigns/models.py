"""Campaigns as files, the operations and the store hold them (SPEC 2.1)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Annotated, Any

import pycountry
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    PlainSerializer,
    StrictStr,
    ValidationInfo,
    field_validator,
    model_serializer,
)
from pydantic_core.core_schema import SerializerFunctionWrapHandler

from recovery_batch.clock import iso, parse_zone, to_micros
from recovery_batch.money import plain
from recovery_batch.rules import Rule
from recovery_batch.rules.fields import ACTIVE, STAMPS, Instant, Text, Uuid, absent_is_active, one_of, refuse

CHANNELS = ("WHATSAPP_MESSAGE", "PHONE_CALL")
STATUSES = (ACTIVE, "PAUSED", "COMPLETED", "CANCELLED")
FINAL_STATUSES = frozenset({"COMPLETED", "CANCELLED"})
_SHARE = re.compile(r"[01](\.[0-9]{1,6})?", re.ASCII)
_CLOCK_TIME = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]")


def _named(value: str) -> str:
    if not value.strip():
        refuse("an empty name", "a text that is not blank")
    return value


def _country(value: str) -> str:
    if not (len(value) == 2 and value.isupper() and pycountry.countries.get(alpha_2=value)):
        refuse("unknown country", "an ISO 3166-1 alpha-2 code such as CO or MX")
    return value


def _clock_time(value: str) -> str:
    if not _CLOCK_TIME.fullmatch(value):
        refuse("not a time of day", "HH:MM from 00:00 to 23:59")
    return value


def _zone(value: str) -> str:
    try:
        parse_zone(value)
    except ValueError:
        refuse("unknown time zone", "an IANA name such as America/Bogota, or an offset such as -05:00")
    return value


def _absent_is_empty(value: object) -> object:
    return () if value is None else value


def _holdout(value: object) -> object:
    if value is not None and not isinstance(value, Mapping | Holdout):
        refuse("not an object", "an object with a share, such as {share: 0.1, seed: 2026-q4}; seed may be left out")
    return value


def _share(value: object) -> Decimal:
    given = getattr(value, "text", value)  # a number of a YAML file, as it was written
    text = str(given) if isinstance(given, str | int | float | Decimal) and not isinstance(given, bool) else ""
    if not _SHARE.fullmatch(text) or not 0 < (share := Decimal(text)) <= 1:
        refuse("not a share", "a number above 0 and up to 1 with at most six decimals, such as 0.1")
    return share


ClockTime = Annotated[StrictStr, AfterValidator(_clock_time)]


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Schedule(_Strict):
    """When a campaign may contact people: a daily window on the wall clock of one zone.

    Attributes:
        daily_start_time: First minute of the window, `HH:MM`.
        daily_end_time: First minute after it; earlier than the start means that the window runs over midnight.
        time_zone: IANA name, or an offset such as `-05:00`.
    """

    daily_start_time: ClockTime
    daily_end_time: ClockTime
    time_zone: Annotated[StrictStr, AfterValidator(_zone)]

    @field_validator("daily_end_time")
    @classmethod
    def _not_empty(cls, value: str, info: ValidationInfo) -> str:
        if value == info.data.get("daily_start_time"):
            refuse("daily_end_time equals daily_start_time", "another time than daily_start_time")
        return value


class Duration(_Strict):
    """The payments that a campaign looks at: created from `start_at` on and before `end_at`, in UTC."""

    start_at: Instant
    end_at: Instant

    @field_validator("end_at")
    @classmethod
    def _after_start(cls, value: datetime, info: ValidationInfo) -> datetime:
        start = info.data.get("start_at")
        if start is not None and value <= start:
            refuse("end_at is not after start_at", f"a time after {iso(start)}")
        return value


class Holdout(_Strict):
    """The users that a campaign keeps out for comparison, so that its lift can be measured.

    Attributes:
        share: Which part of its users, above 0 and up to 1.
        seed: What they are drawn with; None stands for the campaign's id. Campaigns with one seed keep the same users
            out.
    """

    share: Annotated[Decimal, BeforeValidator(_share), PlainSerializer(plain, return_type=str, when_used="json")]
    seed: Annotated[Text, AfterValidator(_named)] | None = None


class Campaign(_Strict):
    """One campaign with its rules.

    Attributes:
        id: UUID; a file's campaign without one gets the UUIDv5 of its organization and name.
        holdout: Whom it keeps out for comparison; None: nobody.
        created_at: None only before it is stored; missing sorts last among candidates (SPEC 4).
    """

    id: Uuid | None = None
    name: Annotated[Text, AfterValidator(_named)]
    account_id: Uuid
    organization_code: Uuid
    country: Annotated[StrictStr, AfterValidator(_country)]
    channel: StrictStr
    focus: Text | None = None
    schedule: Schedule
    duration: Duration
    status: Annotated[StrictStr, BeforeValidator(absent_is_active)] = ACTIVE
    holdout: Annotated[Holdout | None, BeforeValidator(_holdout)] = None
    rules: Annotated[tuple[Rule, ...], BeforeValidator(_absent_is_empty), Field()] = ()
    created_at: Instant | None = None
    updated_at: Instant | None = None

    @field_validator("channel")
    @classmethod
    def _known_channel(cls, value: str) -> str:
        return one_of(value, CHANNELS, "channel")

    @field_validator("status")
    @classmethod
    def _known_status(cls, value: str) -> str:
        return one_of(value, STATUSES, "status")

    @model_serializer(mode="wrap")
    def _in_the_shape_of_the_api(self, serialize: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Leave out what the API's shape does not know, where it is not used."""
        fields: dict[str, Any] = serialize(self)
        if self.holdout is None:
            fields.pop("holdout", None)
        return fields

    @property
    def active_rules(self) -> tuple[Rule, ...]:
        """The rules that count."""
        return tuple(rule for rule in self.rules if rule.is_active)

    @property
    def targeting_rules(self) -> tuple[Rule, ...]:
        """The active rules that look at a payment."""
        return tuple(rule for rule in self.active_rules if not rule.is_rate_limit)

    @property
    def rate_limits(self) -> tuple[Rule, ...]:
        """The active rules that look at a user's communications."""
        return tuple(rule for rule in self.active_rules if rule.is_rate_limit)

    @property
    def identity(self) -> str:
        """The id, which every campaign that is evaluated has."""
        assert self.id is not None
        return self.id

    @property
    def seniority(self) -> tuple[bool, int, bytes]:
        """Its place among campaigns when limits take candidates (SPEC 4): by created_at, missing last, then by id."""
        created = self.created_at
        return created is None, 0 if created is None else to_micros(created), self.identity.encode()

    def as_json(self) -> dict[str, Any]:
        """The campaign with its rules in the API's shape."""
        return self.model_dump(mode="json")

    def undated(self) -> dict[str, Any]:
        """The same without the times at which it was stored: what a campaign is, whenever it came."""
        return self.model_dump(mode="json", exclude={**dict.fromkeys(STAMPS, True), "rules": {"__all__": STAMPS}})
