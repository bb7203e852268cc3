-- Why records of the file were quarantined.
-- parameters: none
-- grain: one row a reason
-- columns: reason, records
SELECT reason, count(*) AS records
FROM staged_rejects
GROUP BY reason
ORDER BY records DESC, reason
