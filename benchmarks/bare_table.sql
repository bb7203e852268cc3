-- The table of the peer: the columns of payments, payers, transactions and records, a list of structs instead of rows.
-- parameters: none
CREATE TABLE bare (
    record VARCHAR USING COMPRESSION zstd,
    organization_code VARCHAR,
    payment_id VARCHAR,
    order_id VARCHAR,
    country VARCHAR,
    status VARCHAR,
    sub_status VARCHAR,
    code VARCHAR,
    description VARCHAR,
    amount_value DECIMAL(24, 6),
    currency_code VARCHAR,
    reject_reason VARCHAR,
    created_at TIMESTAMP,
    additional_data JSON,
    transactions STRUCT(id VARCHAR, status VARCHAR, type VARCHAR, code VARCHAR, amount DECIMAL(24, 6), payment_method_type VARCHAR, provider VARCHAR, category VARCHAR, description VARCHAR, reject_reason VARCHAR, created_at TIMESTAMP, additional_data JSON, card STRUCT(card_iin VARCHAR, card_lfd VARCHAR, card_type VARCHAR, issuer_name VARCHAR, card_expiration_year BIGINT, card_expiration_month BIGINT))[],
    name VARCHAR,
    phone_number VARCHAR,
    phone_country_code VARCHAR
)
