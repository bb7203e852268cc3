-- Final suppressions: one row a match that a run left out for good; holdouts stand here as would have been sent.
-- parameters: none
CREATE TABLE final_suppressions (
    campaign_id VARCHAR NOT NULL,
    organization_code VARCHAR NOT NULL,
    payment_id VARCHAR NOT NULL,
    order_id VARCHAR,
    user_id VARCHAR,
    user_hash VARCHAR,
    channel VARCHAR NOT NULL,
    planned_at TIMESTAMPTZ NOT NULL,
    reason VARCHAR NOT NULL,
    run_id VARCHAR NOT NULL
)
