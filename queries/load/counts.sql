-- How many records of the file inserted, updated or left a payment as it was.
-- parameters: none
-- grain: one row
-- columns: inserted, updated, unchanged, not_submittable
SELECT
    count(*) FILTER (content_before IS NULL) AS inserted,
    count(*) FILTER (content_before <> content_hash) AS updated,
    count(*) FILTER (content_before = content_hash) AS unchanged,
    count(*) FILTER (is_unfit) AS not_submittable
FROM classified
