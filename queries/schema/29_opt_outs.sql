-- The suppression list: one row a phone number or user that is not to be contacted.
-- parameters: none
CREATE TABLE opt_outs (
    opt_out_id VARCHAR NOT NULL,
    organization_code VARCHAR,
    campaign_id VARCHAR,
    phone VARCHAR,
    is_international BOOLEAN,
    user_id VARCHAR,
    source VARCHAR,
    added_at TIMESTAMPTZ NOT NULL
)
