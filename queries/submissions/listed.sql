-- What became of the requests of a run, or of every run where run_id is null.
-- parameters: run_id
-- grain: one row a request
-- columns: run_id, path, line, state, attempts, status_code, message, changed_at
SELECT
    run_id,
    path,
    line,
    state,
    attempts,
    status_code,
    message,
    changed_at
FROM submissions
WHERE ($run_id IS NULL OR run_id = $run_id) AND state <> 'withdrawn'
ORDER BY run_id, path, line
