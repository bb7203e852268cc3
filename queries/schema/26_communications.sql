-- The ledger: one row a communication that a run emitted; a campaign and a payment stand in it once.
-- parameters: none
CREATE TABLE communications (
    campaign_id VARCHAR NOT NULL,
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    order_id VARCHAR,
    user_id VARCHAR,
    user_hash VARCHAR,
    channel VARCHAR NOT NULL,
    planned_at TIMESTAMPTZ NOT NULL,
    run_id VARCHAR NOT NULL,
    path VARCHAR NOT NULL
)
