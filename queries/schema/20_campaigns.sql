-- Campaigns: one row a campaign.
-- parameters: none
CREATE TABLE campaigns (
    id VARCHAR NOT NULL,
    name VARCHAR NOT NULL,
    account_id VARCHAR NOT NULL,
    organization_code VARCHAR NOT NULL,
    country VARCHAR NOT NULL,
    channel VARCHAR NOT NULL,
    focus VARCHAR,
    daily_start_time VARCHAR NOT NULL,
    daily_end_time VARCHAR NOT NULL,
    time_zone VARCHAR NOT NULL,
    start_at TIMESTAMPTZ NOT NULL,
    end_at TIMESTAMPTZ NOT NULL,
    status VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL,
    holdout_share VARCHAR,
    holdout_seed VARCHAR
)
