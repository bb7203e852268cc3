"""The decision about each abandoned flow that no run has emitted: sent, or suppressed for the first reason that holds.

Nothing of it is final: what is suppressed is judged anew by the next run. A flow goes out while the daily window is
open on the wall clock of its phone number. Where a number may be in several zones, the window has to be open in all of
them; where they lie so far apart that it never is (a toll-free number of North America may be anywhere from Guam to
Newfoundland), the flow is `outside_window`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

import phonenumbers
import polars as pl

from recovery_batch.clock import from_micros, to_micros
from recovery_batch.contract.abandoned import clean_phone
from recovery_batch.keys import Hasher, flows_hashed, open_hasher, phones_hashed
from recovery_batch.money import AMOUNT
from recovery_batch.outreach.flows.numbers import FlowNumber, read_number
from recovery_batch.phones import only_digits, payer_keys
from recovery_batch.schema import UTC_TIME
from recovery_batch.settings import Flows, Settings
from recovery_batch.simulation import SEND, SUPPRESS
from recovery_batch.simulation.windows import first_opening
from recovery_batch.store import Store

FLOW_DECISIONS: Final = pl.Schema(
    [
        ("flow_id", pl.String),
        ("session_id", pl.String),
        ("abandoned_at", UTC_TIME),
        ("channel", pl.String),
        ("planned_at", UTC_TIME),
        ("window_closes_at", UTC_TIME),
        ("decision", pl.String),
        ("reason", pl.String),
        ("cart_total", AMOUNT),
        ("cart_currency", pl.String),
    ]
)
"""The columns of flow decisions."""

_ENDING_DIGITS: Final = 6
"""By so many last digits payments and flows are brought together before numbers are compared. Shorter numbers are of
countries without trunk prefixes, so that with their country code they end the same too."""


def decide_flows(
    store: Store, as_of: datetime, settings: Settings, opted_out: Callable[[pl.Series], pl.Series]
) -> pl.DataFrame:
    """Decide about every flow abandoned at or before `as_of` that no run has emitted.

    The reasons, of which the first that holds is given: `opted_out`; `already_paid` (a successful payment by the same
    number, of whatever organization, created after the flow was abandoned, before `planned_at` and at or before
    `as_of`); `too_old`; `not_submittable`; `invalid_phone`; `outside_window` (see above); `repeated_flow` (the number
    was contacted about a flow less than `again_after_hours` before `planned_at`, or is about to be: of its flows the
    one abandoned last is sent, of two of one instant that with the lesser flow_id).

    Args:
        store: The store.
        as_of: The instant of the run.
        settings: The installation's settings.
        opted_out: Tells which of some phone numbers, distinct and without blanks and brackets, are on the suppression
            list.

    Returns:
        One row a flow, the columns of `FLOW_DECISIONS`, sorted by abandoned_at and flow_id. `channel` is the record's
        own, else that of the settings; `planned_at` and `window_closes_at` are null for a flow that is too old, or
        whose number has no opening; `session_id`, `cart_total` and `cart_currency` are null where the export had none;
        `reason` is null for SEND.

    Raises:
        SystemFailed: the store holds hashes of erased or purged flows, and their key is not there or another store's.
    """
    hasher = open_hasher(store)
    flows = _pending(store, as_of, settings, hasher)
    flows = _with_opt_outs(flows, opted_out)
    payments = _payments_after(store, flows, as_of, settings.payments.successful_statuses)
    numbers = _read_numbers(flows.filter(~pl.col("too_old") | pl.col("flow_id").is_in(payments["flow_id"].implode())))
    flows = flows.join(_planned(numbers, settings.flows, as_of), on="phone", how="left", maintain_order="left")
    flows = flows.join(_first_paid(payments, flows), on="flow_id", how="left", maintain_order="left")
    reasons = {
        "opted_out": pl.col("opted_out"),
        "already_paid": pl.col("paid_at") < pl.coalesce("planned_at", pl.lit(as_of)),
        "too_old": pl.col("too_old"),
        "not_submittable": ~pl.col("is_submittable"),
        "invalid_phone": pl.col("key").is_null(),
        "outside_window": pl.col("planned_at").is_null(),
    }
    first = pl.coalesce(pl.when(holds).then(pl.lit(name)) for name, holds in reasons.items())
    pause = timedelta(hours=settings.flows.again_after_hours)
    flows = flows.with_columns(first.alias("reason"))
    flows = _without_repeats(flows, _contacted(store, flows, as_of - pause, hasher), pause)
    in_time = pl.when(~pl.col("too_old"))
    return flows.with_columns(
        in_time.then("planned_at").alias("planned_at"),
        in_time.then("window_closes_at").alias("window_closes_at"),
        pl.when(pl.col("reason").is_null()).then(pl.lit(SEND)).otherwise(pl.lit(SUPPRESS)).alias("decision"),
    ).select(pl.col(name).cast(dtype) for name, dtype in FLOW_DECISIONS.items())


def first_paid(store: Store, flows: pl.DataFrame, statuses: Sequence[str], as_of: datetime) -> pl.DataFrame:
    """When customers first paid after they left a flow, whatever they bought.

    Args:
        store: The store.
        flows: One row a flow: flow_id, abandoned_at, and phone as `clean_phones` gives it.
        statuses: Statuses of payments that were paid.
        as_of: Later payments are not known.

    Returns:
        One row a flow whose customer has paid: flow_id, paid_at.
    """
    payments = _payments_after(store, flows, as_of, statuses)
    numbers = _read_numbers(flows.filter(pl.col("flow_id").is_in(payments["flow_id"].implode())))
    keys = pl.DataFrame(
        [(text, number.key) for text, number in numbers.items()],
        schema={"phone": pl.String, "key": pl.String},
        orient="row",
    )
    return _first_paid(payments, flows.join(keys, on="phone", how="left", maintain_order="left"))


def clean_phones(flows: pl.DataFrame) -> pl.DataFrame:
    """Flows with `phone`: their phone_number without what people put between its digits; null: there is none."""
    cleaned = [text and clean_phone(text) for text in flows["phone_number"]]
    return flows.with_columns(pl.Series("phone", cleaned, dtype=pl.String))


def _pending(store: Store, as_of: datetime, settings: Settings, hasher: Hasher | None) -> pl.DataFrame:
    """The flows to decide about, with `phone` (without what people put between its digits) and `too_old`."""
    flows = store.frame("flows/pending", {"as_of": as_of, "default_channel": settings.flows.channel})
    if hasher is not None:  # a flow that was purged, and loaded again, stands in the ledger under a hash
        emitted = store.lookup("flows/emitted", flows_hashed(store, hasher, flows))
        flows = flows.join(emitted, on="flow_id", how="anti", maintain_order="left")
    oldest = as_of - timedelta(hours=settings.run.too_old_hours)
    return clean_phones(flows).with_columns((pl.col("abandoned_at") < pl.lit(oldest)).alias("too_old"))


def _with_opt_outs(flows: pl.DataFrame, opted_out: Callable[[pl.Series], pl.Series]) -> pl.DataFrame:
    phones = _distinct(flows)
    flags = pl.DataFrame({"phone": phones, "opted_out": opted_out(phones)})
    return flows.join(flags, on="phone", how="left", maintain_order="left")


def _distinct(flows: pl.DataFrame) -> pl.Series:
    return flows["phone"].drop_nulls().unique(maintain_order=True)


def _payments_after(store: Store, flows: pl.DataFrame, as_of: datetime, statuses: Sequence[str]) -> pl.DataFrame:
    """Payments that may be by the customer of a flow, after it: of numbers that end like its number."""
    digits = flows.select("flow_id", "abandoned_at", pl.col("phone").str.replace_all("[^0-9]", ""))
    endings = digits.drop_nulls("phone").select(
        "flow_id", "abandoned_at", pl.col("phone").str.tail(_ENDING_DIGITS).alias("ending")
    )
    parameters = {"statuses": list(statuses), "as_of": as_of}
    return store.lookup("flows/paid", endings, parameters).with_columns(pl.col("paid_at").cast(UTC_TIME))


def _first_paid(payments: pl.DataFrame, flows: pl.DataFrame) -> pl.DataFrame:
    """When the customer of each flow first paid after it; those who did not are missing."""
    keyed = payments.join(flows.select("flow_id", "key").drop_nulls(), on="flow_id")
    known: dict[tuple[str | None, str, str], frozenset[str]] = {}
    same = []
    for key, *written in keyed.select("key", "phone_country_code", "phone_number", "country").iter_rows():
        if (spelling := tuple(written)) not in known:
            known[spelling] = _keys_of_payer(*spelling)
        same.append(key in known[spelling])
    return keyed.filter(pl.Series(same, dtype=pl.Boolean)).group_by("flow_id").agg(pl.col("paid_at").min())


def _keys_of_payer(country_code: str | None, number: str, country: str) -> frozenset[str]:
    # without a calling code the number is taken to be of the country that the payment was made in
    code = country_code if country_code and only_digits(country_code) else None
    return payer_keys(code or str(phonenumbers.country_code_for_region(country) or ""), number)


def _read_numbers(flows: pl.DataFrame) -> dict[str, FlowNumber]:
    """The possible ones among the phone numbers of some flows."""
    read = ((text, read_number(text)) for text in _distinct(flows))
    return {text: number for text, number in read if number is not None}


def _planned(numbers: Mapping[str, FlowNumber], settings: Flows, as_of: datetime) -> pl.DataFrame:
    """When each number can be called: `planned_at` and `window_closes_at`, null where no opening is in all its zones.

    Every flow was abandoned by `as_of`, so numbers of the same zones have the same opening.
    """
    openings = {zones: _opening(zones, settings, as_of) for zones in {each.zones for each in numbers.values()}}
    rows = [(text, each.key, *openings[each.zones]) for text, each in numbers.items()]
    schema = pl.Schema(
        [("phone", pl.String), ("key", pl.String), ("planned_at", UTC_TIME), ("window_closes_at", UTC_TIME)]
    )
    return pl.DataFrame(rows, schema=schema, orient="row")


def _opening(zones: Iterable[str], settings: Flows, as_of: datetime) -> tuple[datetime, datetime] | tuple[None, None]:
    found = first_opening(settings.daily_start_time, settings.daily_end_time, tuple(zones), to_micros(as_of))
    return (None, None) if found is None else (from_micros(found[0]), from_micros(found[1]))


def _contacted(store: Store, flows: pl.DataFrame, since: datetime, hasher: Hasher | None) -> pl.DataFrame:
    """When numbers (`key`) were last contacted about a flow (`contacted_at`), by their own row or by their hash."""
    contacted = store.frame("flows/contacted", {"since": since})
    numbers = contacted["phone_number"].drop_nulls().unique()
    keys = {text: number.key for text in numbers if (number := read_number(text))}
    key = pl.col("phone_number").replace_strict(keys, default=None, return_dtype=pl.String)
    found = contacted.select("planned_at", key=key)
    hashed = contacted.select("planned_at", "phone_hash").drop_nulls()
    if hasher is not None and hashed.height:  # of flows that were erased or purged
        asked = phones_hashed(store, hasher, flows.select("key").drop_nulls().unique())
        found = pl.concat([found, hashed.join(asked, on="phone_hash").select("planned_at", "key")])
    return found.drop_nulls("key").group_by("key").agg(pl.col("planned_at").max().cast(UTC_TIME).alias("contacted_at"))


def _without_repeats(flows: pl.DataFrame, last: pl.DataFrame, pause: timedelta) -> pl.DataFrame:
    """Fill `reason` for flows of a number that was contacted lately, or that a later flow is sent of."""
    going = flows.filter(pl.col("reason").is_null()).select("flow_id", "key", "abandoned_at", "planned_at")
    free = (
        going.join(last, on="key", how="left")
        .filter((pl.col("contacted_at") <= pl.col("planned_at") - pause) | pl.col("contacted_at").is_null())
        .sort("abandoned_at", "flow_id", descending=[True, False])
        .unique("key", keep="first", maintain_order=True)
    )
    repeated = pl.col("reason").is_null() & ~pl.col("flow_id").is_in(free["flow_id"].implode())
    return flows.with_columns(pl.when(repeated).then(pl.lit("repeated_flow")).otherwise("reason").alias("reason"))
