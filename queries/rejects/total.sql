-- How many records are quarantined.
-- parameters: none
-- grain: one row
-- columns: records
SELECT count(*) AS records FROM rejects
