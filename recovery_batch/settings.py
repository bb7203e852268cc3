"""Settings of an installation: a TOML file and its defaults, each with its source.

[payments]
successful_statuses = ["SUCCEEDED", "APPROVED", "CAPTURED", "PAID"]
[sources]
response_code = ["transaction.response_code", "payment.additional_data.error_code"]
[run]
too_old_hours = 72
"""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from recovery_batch.clock import minute_of_day
from recovery_batch.errors import SettingsInvalid

if TYPE_CHECKING:
    from pydantic_core import ErrorDetails

SourcePath = Annotated[str, StringConstraints(pattern=r"^(transaction|payment)(\.[^.]+)+$")]

ClockTime = Annotated[str, StringConstraints(pattern=r"^(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
CountryCode = Annotated[str, StringConstraints(pattern=r"^[A-Z]{2}$")]
_DAY_MINUTES: Final = 24 * 60


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Sources(_Section):
    """Where the two code rules and the metadata come from: the first path that holds a value counts (SPEC 2.2).

    `transaction` stands for the decisive transaction, `payment` for the payment.
    """

    response_code: tuple[SourcePath, ...] = (
        "transaction.response_code",
        "transaction.additional_data.response_code",
        "transaction.additional_data.provider_response_code",
        "transaction.additional_data.error_code",
        "payment.additional_data.response_code",
        "payment.additional_data.error_code",
    )
    iso_response_code: tuple[SourcePath, ...] = (
        "transaction.iso_response_code",
        "transaction.additional_data.iso_response_code",
        "transaction.additional_data.iso8583_response_code",
        "transaction.additional_data.network_response_code",
        "payment.additional_data.iso_response_code",
    )
    metadata: tuple[SourcePath, ...] = (
        "payment.additional_data",
        "payment.additional_data.metadata",
        "payment.metadata",
    )


class Payments(_Section):
    """What a payment's status means (SPEC 6)."""

    successful_statuses: tuple[str, ...] = ("SUCCEEDED", "APPROVED", "CAPTURED", "PAID")


class Run(_Section):
    """The nightly run (SPEC 4 and 5)."""

    too_old_hours: Annotated[int, Field(gt=0, le=100_000)] = 72
    newest_load_hours: Annotated[int, Field(gt=0, le=100_000)] = 26
    file_records: Annotated[int, Field(gt=0)] = 500
    file_bytes: Annotated[int, Field(ge=10_000)] = 5_000_000


class Flows(_Section):
    """Abandoned flows in the nightly run: when on the customer's clock, on which channel, and how soon again."""

    daily_start_time: ClockTime = "09:00"
    daily_end_time: ClockTime = "20:00"
    channel: Literal["call", "whatsapp", "auto"] = "auto"
    again_after_hours: Annotated[int, Field(gt=0, le=100_000)] = 72

    @model_validator(mode="after")
    def _opens(self) -> Self:
        start, end = minute_of_day(self.daily_start_time), minute_of_day(self.daily_end_time)
        if start % _DAY_MINUTES == end % _DAY_MINUTES and start >= end:
            raise ValueError("daily_end_time is daily_start_time; allowed: another time, or 00:00 and 24:00")
        return self


BaseUrl = Annotated[str, StringConstraints(pattern=r"^(https?://[^\s/?#@]+(/[^\s?#]*)?)?$")]


class Submit(_Section):
    """Submission: where to, under which names the keys go, how fast, how long an answer may take.

    An empty address means that nothing of that kind is sent.
    """

    declined_url: BaseUrl = ""
    abandoned_url: BaseUrl = ""
    headers: Literal["abandoned-flows", "campaigns"] = "abandoned-flows"
    requests_per_second: Annotated[float, Field(gt=0, le=1_000)] = 5
    timeout_seconds: Annotated[float, Field(gt=0, le=600)] = 30
    attempts: Annotated[int, Field(gt=0, le=20)] = 5


class Load(_Section):
    """Loading exports."""

    unpacked_bytes: Annotated[int, Field(gt=0)] = 50_000_000_000


class ContactDay(_Section):
    """From a time of day to before another, on a day on which people may be contacted."""

    start: ClockTime
    end: ClockTime


class Country(_Section):
    """The hours in which people of a country may be contacted; a day without hours is one without contacts."""

    monday: ContactDay | None = None
    tuesday: ContactDay | None = None
    wednesday: ContactDay | None = None
    thursday: ContactDay | None = None
    friday: ContactDay | None = None
    saturday: ContactDay | None = None
    sunday: ContactDay | None = None
    holidays: bool = False
    source: Annotated[str, Field(min_length=1)]
    year: Annotated[int, Field(ge=1900, le=2200)]


class Lint(_Section):
    """What `campaigns lint` holds campaigns against."""

    overlap_share: Annotated[float, Field(gt=0, le=1)] = 0.5
    contact_hours: dict[CountryCode, Country] = {}


class Settings(_Section):
    """Everything that an installation may set."""

    payments: Payments = Payments()
    sources: Sources = Sources()
    load: Load = Load()
    run: Run = Run()
    flows: Flows = Flows()
    submit: Submit = Submit()
    lint: Lint = Lint()
    version: Literal[1] = 1


def read_settings(path: Path | None) -> Settings:
    """The settings of a TOML file; the defaults without one.

    Raises:
        SettingsInvalid: the file cannot be read, or holds what is not allowed; names every such place.
    """
    if path is None:
        return Settings()
    try:
        return Settings.model_validate(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"{path}: {error}", hint="See docs/settings.md for an example.") from error
    except ValidationError as error:
        places = "; ".join(f"{'.'.join(map(str, each['loc']))}: {_said(each)}" for each in error.errors())
        raise SettingsInvalid(f"{path}: {places}", hint="See docs/settings.md for what may be set.") from error


def _said(error: ErrorDetails) -> str:
    """What is wrong with a place: of a key that is not known, which are."""
    if error["type"] != "extra_forbidden":
        return error["msg"]
    section: type[_Section] = Settings
    for part in error["loc"][:-1]:
        field = section.model_fields.get(str(part))
        if field is not None:  # else it is a name of the installation's, a country
            types = (field.annotation, *get_args(field.annotation))
            section = next(each for each in types if isinstance(each, type) and issubclass(each, _Section))
    return f"unknown key; allowed: {', '.join(section.model_fields)}"
