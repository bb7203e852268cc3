-- Abandoned flows: one row a flow. Columns: recovery_batch/schema.py.
-- parameters: none
CREATE TABLE flows (
    flow_id VARCHAR NOT NULL,
    session_id VARCHAR,
    abandoned_at TIMESTAMPTZ NOT NULL,
    flow_stage VARCHAR NOT NULL,
    platform VARCHAR NOT NULL,
    preferred_channel VARCHAR NOT NULL,
    engagement_reason VARCHAR,
    country_code VARCHAR,
    language VARCHAR,
    cart_total DECIMAL(24, 6),
    cart_currency VARCHAR,
    items INTEGER NOT NULL,
    phone_number VARCHAR,
    email_valid BOOLEAN,
    unfit_fields VARCHAR[] NOT NULL,
    content_hash UBIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    record_no BIGINT NOT NULL
)
