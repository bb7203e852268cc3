-- What became of the requests of each run that was submitted.
-- parameters: none
-- grain: one row a run and state
-- columns: run_id, state, requests
SELECT
    run_id,
    state,
    count(*) AS requests
FROM submissions
GROUP BY run_id, state
ORDER BY run_id, state
