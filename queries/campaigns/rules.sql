-- Every rule that is stored, in the order of its campaign.
-- parameters: none
-- grain: one row a rule
-- columns: those of campaign_rules
SELECT * FROM campaign_rules ORDER BY campaign_id, position
