"""The one table of columns: what the store's tables hold. `queries/schema/` creates them; a test holds both together.

A payment is identified by (organization_code, payment_id). Times are UTC, amounts exact decimals (`money.AMOUNT`). A
column that may be null says in its description what null means. `personal` columns hold personal data: they never reach
a log, and a screen or a report only masked.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import polars as pl

from recovery_batch.money import AMOUNT

UTC_TIME: Final = pl.Datetime("us", "UTC")
TEXTS: Final = pl.List(pl.String)
PAIRS: Final = pl.List(pl.Struct({"key": pl.String, "value": pl.String}))


@dataclass(frozen=True, slots=True)
class Column:
    """One column of a table: its name, its Polars type, what it holds, whether it may be null, and is personal."""

    name: str
    dtype: pl.DataType | type[pl.DataType]
    about: str
    nullable: bool = False
    personal: bool = False


def _optional(name: str, about: str, dtype: pl.DataType | type[pl.DataType] = pl.String) -> Column:
    return Column(name, dtype, about, nullable=True)


_KEY: Final = (
    Column("organization_code", pl.String, "the organization, as the export spells it"),
    Column("payment_id", pl.String, "payment.id, unique within the organization"),
)

_OF_LOADING: Final = (
    Column(
        "unfit_fields",
        TEXTS,
        "fields that keep the record from being submitted: missing, or not as a request wants them",
    ),
    Column("content_hash", pl.UInt64, "a hash of the record's text and of how it was read: tells contents apart"),
    Column("load_id", pl.Int64, "the load that brought this content"),
    Column("record_no", pl.Int64, "the record's number (its line, in NDJSON) in that load's file"),
)

PAYMENTS: Final = (
    *_KEY,
    _optional("order_id", "payment.order_id; null: the export had none"),
    Column("country", pl.String, "ISO 3166-1 alpha-2"),
    Column("status", pl.String, "payment.status, as the export spells it"),
    _optional("sub_status", "payment.sub_status"),
    _optional("code", "payment.code"),
    _optional("description", "payment.description: free text of the merchant, hostile until escaped"),
    Column("amount_value", AMOUNT, "in units of currency_code"),
    Column("currency_code", pl.String, "ISO 4217"),
    _optional("reject_reason", "payment.reject_reason"),
    Column("created_at", UTC_TIME, "when the payment was created, or what stands in for it"),
    Column("created_at_origin", pl.String, "where created_at comes from: payment, transaction or load"),
    Column("user_id", pl.String, "metadata user_id; null: none, or an empty one", nullable=True, personal=True),
    _optional(
        "payment_method",
        "the decisive transaction's payment_method_type; null: no transaction, or none there",
    ),
    _optional("provider", "the decisive transaction's provider"),
    _optional("card_bin", "the decisive transaction's card.card_iin: the BIN (IIN)"),
    _optional("category", "the decisive transaction's category"),
    _optional("response_code", "the first response code present (SPEC 2.2)"),
    _optional("iso_response_code", "the first ISO 8583 response code present (SPEC 2.2)"),
    Column("metadata", PAIRS, "text of every metadata key (SPEC 2.2); a MAP in the store", personal=True),
    *_OF_LOADING,
)

TRANSACTIONS: Final = (
    *_KEY,
    Column("position", pl.Int32, "place in the record's array, from 0"),
    Column("is_decisive", pl.Boolean, "whether rules read this one: the payment's latest"),
    _optional("transaction_id", "transactions[].id"),
    _optional("status", "transactions[].status"),
    _optional("type", "transactions[].type, such as PURCHASE"),
    _optional("code", "transactions[].code"),
    _optional("amount", "in units of the payment's currency_code", AMOUNT),
    _optional("payment_method_type", "such as CARD"),
    _optional("provider", "such as STRIPE"),
    _optional("category", "such as CARD or PSE"),
    _optional("description", "free text, hostile until escaped"),
    _optional("reject_reason", "transactions[].reject_reason"),
    _optional("created_at", "null: the export had none", UTC_TIME),
    _optional("card_iin", "the BIN (IIN): at most 8 digits"),
    _optional("card_lfd", "the last four digits"),
    _optional("card_type", "such as CREDIT"),
    _optional("issuer_name", "the bank that issued the card"),
    _optional("card_expiration_year", "four digits", pl.Int64),
    _optional("card_expiration_month", "1 to 12", pl.Int64),
)

PAYERS: Final = (
    *_KEY,
    Column("name", pl.String, "the customer's name; null: the export had none", nullable=True, personal=True),
    Column("phone_number", pl.String, "as the export spells it", nullable=True, personal=True),
    Column("phone_country_code", pl.String, "as the export spells it", nullable=True, personal=True),
)

RECORDS: Final = (
    *_KEY,
    Column("record", pl.String, "the original record as JSON, without security codes", personal=True),
)

REJECTS: Final = (
    Column("reject_id", pl.String, "16 hexadecimal digits: what `rejects` calls the record; stays when it is retried"),
    Column("load_id", pl.Int64, "the load that first met the record"),
    Column("path", pl.String, "the file, as the command named it"),
    Column("file_sha256", pl.String, "SHA-256 of the file"),
    Column("record_no", pl.Int64, "the record's number (its line, in NDJSON) in the file, from 1"),
    Column("reason", pl.String, "slug of the first fault"),
    Column("pointer", pl.String, "JSON pointer of the first fault's field, in the record; empty: the record"),
    Column("expected", pl.String, "what is allowed there"),
    _optional("found", "what stood there, as JSON text; null: nothing did"),
    Column(
        "faults",
        pl.List(pl.Struct({"reason": pl.String, "pointer": pl.String, "expected": pl.String, "found": pl.String})),
        "every fault of the record",
    ),
    Column("raw", pl.String, "the record, card numbers masked and security codes removed", personal=True),
    Column("raw_sha256", pl.String, "SHA-256 of raw"),
    _optional("root_organization", "organization_code of the request around it, as JSON; null: no request"),
)

LOADS: Final = (
    Column("load_id", pl.Int64, "1, 2, 3, … in the order of loading"),
    Column("path", pl.String, "the file, as the command named it"),
    Column("file_sha256", pl.String, "SHA-256 of the file"),
    Column("bytes", pl.Int64, "size of the file on disk"),
    Column("kind", pl.String, "declined or abandoned"),
    Column("timezone", pl.String, "how times without a zone were read"),
    Column("loaded_at", UTC_TIME, "the time of the load"),
    Column("records", pl.Int64, "records read = inserted + updated + unchanged + quarantined + forgotten"),
    Column("inserted", pl.Int64, "records of payments that were not there"),
    Column("updated", pl.Int64, "records that changed a payment"),
    Column("unchanged", pl.Int64, "records whose content was there already"),
    Column("quarantined", pl.Int64, "records that are not loadable"),
    Column("forgotten", pl.Int64, "records of people who were erased (`forget`): neither loaded nor quarantined"),
    Column("not_submittable", pl.Int64, "loaded records that lack what a request needs"),
    Column("security_codes_removed", pl.Int64, "card security codes removed before anything was stored"),
)

_FLOW_KEY: Final = (
    Column(
        "flow_id",
        pl.String,
        "s: and the session_id; p: and a hash of phone and time; a: and one of the record; in the ledger h: and a "
        "keyed hash of it, once the person was forgotten",
    ),
)

FLOWS: Final = (
    *_FLOW_KEY,
    _optional("session_id", "session.session_id; null: none, or blanks alone"),
    Column("abandoned_at", UTC_TIME, "session.abandonment_timestamp"),
    Column("flow_stage", pl.String, "product_selection, cart_review, checkout or payment"),
    Column("platform", pl.String, "web, ios or android"),
    Column("preferred_channel", pl.String, "call, whatsapp or auto; auto where the export had none"),
    _optional("engagement_reason", "engagement.reason: free text of the merchant, hostile until escaped"),
    _optional("country_code", "customer.country_code: ISO 3166-1 alpha-2; null: the export had none"),
    _optional("language", "customer.language, as the export spells it"),
    _optional("cart_total", "cart.total_value, in units of cart_currency; null: the export had none", AMOUNT),
    _optional("cart_currency", "cart.currency: ISO 4217; null: the export had none"),
    Column("items", pl.Int32, "number of rows in flow_items"),
    Column("phone_number", pl.String, "as the export spells it; null: none", nullable=True, personal=True),
    _optional("email_valid", "whether the e-mail address could be one; null: there is none", pl.Boolean),
    *_OF_LOADING,
)

FLOW_ITEMS: Final = (
    *_FLOW_KEY,
    Column("position", pl.Int32, "place in cart.items, from 0"),
    _optional("sku", "cart.items[].sku"),
    _optional("name", "cart.items[].name: free text of the merchant, hostile until escaped"),
    _optional("quantity", "cart.items[].quantity", pl.Int64),
    _optional("price", "of one unit, in units of the flow's cart_currency", AMOUNT),
)

FLOW_CUSTOMERS: Final = (
    *_FLOW_KEY,
    Column("full_name", pl.String, "the customer's name; null: the export had none", nullable=True, personal=True),
    Column("phone_number", pl.String, "as the export spells it", nullable=True, personal=True),
    Column("email", pl.String, "as the export spells it, whether it could be one or not", nullable=True, personal=True),
    _optional("language", "as the export spells it"),
)

FLOW_RECORDS: Final = (
    *_FLOW_KEY,
    Column("record", pl.String, "the original record as JSON, without security codes", personal=True),
)

_CHANGE: Final = (
    Column("load_id", pl.Int64, "the load whose file changed it"),
    Column("record_no", pl.Int64, "the record's number in that file"),
    Column(
        "changes",
        pl.List(pl.Struct({"field": pl.String, "before": pl.String, "after": pl.String})),
        "columns that changed, as texts; empty: only other parts of the record did",
    ),
)

PAYMENT_CHANGES: Final = (*_KEY, *_CHANGE)

FLOW_CHANGES: Final = (*_FLOW_KEY, *_CHANGE)

RUNS: Final = (
    Column("run_id", pl.String, "the as-of time, and twelve digits of a hash of what the run was made from"),
    Column("inputs_sha256", pl.String, "SHA-256 of rules, data, settings and as-of: a repeated run is known by it"),
    Column("as_of", UTC_TIME, "the instant of the run"),
    Column("recorded_at", UTC_TIME, "when it happened"),
    Column("folder", pl.String, "the folder with its batches"),
    _optional("staged", "where its folder still waits to be moved from; null: it is in its place"),
    Column("manifest", pl.String, "its manifest, as JSON"),
)

_TOUCHED: Final = (
    Column("campaign_id", pl.String, "the campaign"),
    *_KEY,
    _optional("order_id", "the payment's order; null: it has none"),
    Column("user_id", pl.String, "null: the payment has none, or the user was forgotten", nullable=True, personal=True),
    _optional("user_hash", "keyed hash of organization and user_id, of a user who was forgotten; null otherwise"),
    Column("channel", pl.String, "WHATSAPP_MESSAGE or PHONE_CALL"),
)

COMMUNICATIONS: Final = (
    *_TOUCHED,
    Column("planned_at", UTC_TIME, "from when on it may go out"),
    Column("run_id", pl.String, "the run that emitted it"),
    Column("path", pl.String, "the batch file, in the folder of the run"),
)

FINAL_SUPPRESSIONS: Final = (
    *_TOUCHED,
    Column("planned_at", UTC_TIME, "from when on it would have gone out"),
    Column("reason", pl.String, "why it is left out for good: campaign_ended, outside_window, holdout, a limit"),
    Column("run_id", pl.String, "the run that left it out"),
)

FLOW_COMMUNICATIONS: Final = (
    *_FLOW_KEY,
    _optional("phone_hash", "keyed hash of the phone number, of a flow that was erased or purged; null otherwise"),
    Column("channel", pl.String, "call, whatsapp or auto"),
    Column("planned_at", UTC_TIME, "from when on it may go out"),
    Column("run_id", pl.String, "the run that emitted it"),
    Column("path", pl.String, "the batch file, in the folder of the run"),
    Column("line", pl.Int64, "the line of that file, from 1"),
)

OPT_OUTS: Final = (
    Column("opt_out_id", pl.String, "16 hexadecimal digits: what `suppressions remove` calls it"),
    _optional("organization_code", "whose customers; null: those of every organization"),
    _optional("campaign_id", "the only campaign that it is about; null: every campaign"),
    Column("phone", pl.String, "digits of a phone number; null: it is about a user", nullable=True, personal=True),
    _optional("is_international", "whether phone begins with its country code; null: no phone", pl.Boolean),
    Column("user_id", pl.String, "null: it is about a phone number", nullable=True, personal=True),
    _optional("source", "where the wish came from, in the words of who entered it"),
    Column("added_at", UTC_TIME, "since when it stands here"),
)

FORGOTTEN: Final = (
    Column(
        "kind",
        pl.String,
        "what was hashed: phone, user, payment, flow; token: what names the person in a text that was quarantined; "
        "left_alone_phone, left_alone_user: of one who had asked to be left alone; check: what tells the right key",
    ),
    Column("hash", pl.String, "keyed hash; the key is not in the store"),
    Column("forgotten_at", UTC_TIME, "when the person was erased"),
)

SUBMISSIONS: Final = (
    Column("run_id", pl.String, "the run"),
    Column("path", pl.String, "the batch file, in the folder of the run"),
    Column("line", pl.Int64, "the line of that file, from 1; 0: the file is one request"),
    Column("state", pl.String, "sending, accepted, refused, unknown or unsent; withdrawn: the run was taken back"),
    Column("attempts", pl.Int64, "how often it was tried"),
    _optional("status_code", "of the last answer; null: none came", pl.Int64),
    _optional("message", "what went wrong, in our words; null: nothing did"),
    Column("changed_at", UTC_TIME, "when it came to this state"),
)

TABLES: Final[Mapping[str, tuple[Column, ...]]] = MappingProxyType(
    {
        "payments": PAYMENTS,
        "transactions": TRANSACTIONS,
        "payers": PAYERS,
        "records": RECORDS,
        "rejects": REJECTS,
        "loads": LOADS,
        "flows": FLOWS,
        "flow_items": FLOW_ITEMS,
        "flow_customers": FLOW_CUSTOMERS,
        "flow_records": FLOW_RECORDS,
        "payment_changes": PAYMENT_CHANGES,
        "flow_changes": FLOW_CHANGES,
        "runs": RUNS,
        "communications": COMMUNICATIONS,
        "final_suppressions": FINAL_SUPPRESSIONS,
        "flow_communications": FLOW_COMMUNICATIONS,
        "opt_outs": OPT_OUTS,
        "forgotten": FORGOTTEN,
        "submissions": SUBMISSIONS,
    }
)
"""The tables that exports are loaded into, and that runs write, by name."""

_EVALUATED: Final = (
    "organization_code", "payment_id", "order_id", "country", "status", "description", "amount_value",
    "currency_code", "reject_reason", "created_at", "user_id", "payment_method", "provider", "card_bin", "category",
    "response_code", "iso_response_code",
)  # fmt: skip


def frame_schema(columns: tuple[Column, ...]) -> pl.Schema:
    """The Polars schema of a table."""
    return pl.Schema({column.name: column.dtype for column in columns})


EVALUATION: Final = pl.Schema({c.name: c.dtype for c in PAYMENTS if c.name in _EVALUATED})
"""The payments frame that campaigns are evaluated on, without the `metadata.` columns that they ask for."""
