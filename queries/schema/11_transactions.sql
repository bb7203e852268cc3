-- Transactions: one row an element of a payment's array.
-- parameters: none
CREATE TABLE transactions (
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    is_decisive BOOLEAN NOT NULL,
    transaction_id VARCHAR,
    status VARCHAR,
    type VARCHAR,
    code VARCHAR,
    amount DECIMAL(24, 6),
    payment_method_type VARCHAR,
    provider VARCHAR,
    category VARCHAR,
    description VARCHAR,
    reject_reason VARCHAR,
    created_at TIMESTAMPTZ,
    card_iin VARCHAR,
    card_lfd VARCHAR,
    card_type VARCHAR,
    issuer_name VARCHAR,
    card_expiration_year BIGINT,
    card_expiration_month BIGINT
)
