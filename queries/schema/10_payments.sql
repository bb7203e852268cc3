-- Payments: one row a payment, identified by (organization_code, payment_id). Columns: recovery_batch/schema.py.
-- parameters: none
CREATE TABLE payments (
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    order_id VARCHAR,
    country VARCHAR NOT NULL,
    status VARCHAR NOT NULL,
    sub_status VARCHAR,
    code VARCHAR,
    description VARCHAR,
    amount_value DECIMAL(24, 6) NOT NULL,
    currency_code VARCHAR NOT NULL,
    reject_reason VARCHAR,
    created_at TIMESTAMPTZ NOT NULL,
    created_at_origin VARCHAR NOT NULL,
    user_id VARCHAR,
    payment_method VARCHAR,
    provider VARCHAR,
    card_bin VARCHAR,
    category VARCHAR,
    response_code VARCHAR,
    iso_response_code VARCHAR,
    metadata MAP(VARCHAR, VARCHAR) NOT NULL,
    unfit_fields VARCHAR[] NOT NULL,
    content_hash UBIGINT NOT NULL,
    load_id BIGINT NOT NULL,
    record_no BIGINT NOT NULL
)
