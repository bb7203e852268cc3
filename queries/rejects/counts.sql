-- How many records of each file are quarantined for each reason; file is a path, a name or a pattern, null is no filter.
-- parameters: file, reason
-- grain: one row a file and reason
-- columns: path, kind, reason, records
SELECT
    rejects.path,
    loads.kind,
    rejects.reason,
    count(*) AS records
FROM rejects
INNER JOIN loads ON rejects.load_id = loads.load_id
WHERE
    ($reason::VARCHAR IS NULL OR rejects.reason = $reason)
    AND (
        $file::VARCHAR IS NULL
        OR rejects.path = $file
        OR rejects.path GLOB $file
        OR regexp_extract(rejects.path, '[^/]*$') = $file
        OR regexp_extract(rejects.path, '[^/]*$') GLOB $file
    )
GROUP BY rejects.path, loads.kind, rejects.reason
ORDER BY rejects.path, records DESC, rejects.reason, loads.kind
