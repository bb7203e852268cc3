-- Take the rules of campaigns out before they are put in changed.
-- parameters: ids
DELETE FROM campaign_rules WHERE list_contains($ids, campaign_id)
