-- Quarantined records with what stood in them; file is a path, a name or a pattern, null is no filter.
-- parameters: file, reason
-- grain: one row a quarantined record
-- columns: reject_id, path, record_no, kind, reason, pointer, expected, found, faults, root_organization, raw
SELECT
    rejects.reject_id,
    rejects.path,
    rejects.record_no,
    loads.kind,
    rejects.reason,
    rejects.pointer,
    rejects.expected,
    rejects.found,
    rejects.faults,
    rejects.root_organization,
    rejects.raw
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
ORDER BY rejects.load_id, rejects.record_no, rejects.pointer, rejects.reject_id
