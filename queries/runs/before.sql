-- The last runs before an instant.
-- parameters: as_of, most
-- grain: one row a run, newest first
-- columns: manifest
SELECT manifest
FROM runs
WHERE as_of < $as_of
ORDER BY as_of DESC, run_id DESC
LIMIT $most
