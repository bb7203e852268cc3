-- The run that was made from the same inputs, if there is one.
-- parameters: inputs_sha256
-- grain: one row a run
-- columns: run_id, folder, manifest
SELECT
    run_id,
    folder,
    manifest
FROM runs
WHERE inputs_sha256 = $inputs_sha256
ORDER BY recorded_at, run_id
