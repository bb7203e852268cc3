-- The runs whose folder may still wait to be moved to its place: a process was killed just then.
-- parameters: none
-- grain: one row a run
-- columns: run_id, folder, staged, was_submitted
SELECT
    run_id,
    folder,
    staged,
    EXISTS (FROM submissions WHERE submissions.run_id = runs.run_id) AS was_submitted
FROM runs
WHERE staged IS NOT NULL
ORDER BY recorded_at, run_id
