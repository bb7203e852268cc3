-- Every campaign that is stored, in the order of their creation.
-- parameters: none
-- grain: one row a campaign
-- columns: those of campaigns
SELECT * FROM campaigns ORDER BY created_at, id
