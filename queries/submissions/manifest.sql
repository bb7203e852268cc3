-- The manifest of a run as the store has it.
-- parameters: run_id
-- grain: one row, or none where the store does not know the run
-- columns: manifest
SELECT manifest
FROM runs
WHERE run_id = $run_id
