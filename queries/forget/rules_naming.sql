-- Campaigns of which a rule, of now or of before, has one of some texts as a value.
-- parameters: texts
-- grain: one row a campaign
-- columns: campaign_id
SELECT campaign_id FROM campaign_rules WHERE list_has_any("values", $texts::VARCHAR[])
UNION
SELECT campaign_id
FROM campaign_history
WHERE len(list_filter($texts::VARCHAR[], lambda each: contains(campaign, '"' || each || '"'))) > 0
ORDER BY campaign_id
