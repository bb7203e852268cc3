-- Campaign rules: one row a rule, in the order of the campaign.
-- parameters: none
CREATE TABLE campaign_rules (
    id VARCHAR NOT NULL,
    campaign_id VARCHAR NOT NULL,
    position INTEGER NOT NULL,
    rule_type VARCHAR NOT NULL,
    conditional VARCHAR,
    "values" VARCHAR[],
    metadata_key VARCHAR,
    status VARCHAR NOT NULL,
    created_at TIMESTAMPTZ NOT NULL,
    updated_at TIMESTAMPTZ NOT NULL
)
