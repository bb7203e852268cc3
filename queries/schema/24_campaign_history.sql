-- Campaign history: one row a change of a campaign.
-- parameters: none
CREATE TABLE campaign_history (
    campaign_id VARCHAR NOT NULL,
    changed_at TIMESTAMPTZ NOT NULL,
    change VARCHAR NOT NULL,
    campaign VARCHAR NOT NULL
)
