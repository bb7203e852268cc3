-- The last runs, and how many there are in all.
-- parameters: most
-- grain: one row a run, newest first
-- columns: run_id, as_of, recorded_at, files, records, suppressed, folder, staged, runs (in all)
SELECT
    run_id,
    as_of,
    recorded_at,
    CAST(manifest -> '$.totals.files' AS BIGINT) AS files,
    CAST(manifest -> '$.totals.records' AS BIGINT) AS records,
    CAST(manifest -> '$.totals.suppressed' AS BIGINT) AS suppressed,
    folder,
    staged,
    count(*) OVER () AS runs
FROM runs
ORDER BY recorded_at DESC, run_id DESC
LIMIT $most
