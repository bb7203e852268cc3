-- A run by its id.
-- parameters: run_id
-- grain: one row a run
-- columns: folder, staged
SELECT
    folder,
    staged
FROM runs
WHERE run_id = $run_id
