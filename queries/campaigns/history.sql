-- How a campaign was, from each of its changes on.
-- parameters: campaign_id
-- grain: one row a change
-- columns: changed_at, change, campaign (as JSON, as it was from then on)
SELECT
    changed_at,
    change,
    campaign
FROM campaign_history
WHERE lower(campaign_id) = $campaign_id
ORDER BY changed_at, rowid
