-- How long the suppression list is.
-- parameters: none
-- grain: one row
-- columns: entries
SELECT count(*) AS entries FROM opt_outs
