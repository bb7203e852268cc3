-- How many requests of a run were sent, or may have been.
-- parameters: run_id
-- grain: one row
-- columns: requests
SELECT count(*) AS requests
FROM submissions
WHERE run_id = $run_id AND state IN ('accepted', 'unknown', 'sending')
