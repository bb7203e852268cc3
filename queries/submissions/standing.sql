-- What stands of a request and of its run, right before it is sent.
-- parameters: run_id, path, line
-- grain: one row
-- columns: state (null: it was never tried), is_recorded, is_withdrawn
SELECT
    (
        SELECT state FROM submissions
        WHERE run_id = $run_id AND path = $path AND line = $line
    ) AS state,
    EXISTS (SELECT 1 FROM runs WHERE run_id = $run_id) AS is_recorded,
    EXISTS (SELECT 1 FROM submissions WHERE run_id = $run_id AND state = 'withdrawn') AS is_withdrawn
