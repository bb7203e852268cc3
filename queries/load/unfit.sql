-- Which fields keep records of the file from being submitted, and how many records each.
-- parameters: none
-- grain: one row a field
-- columns: field, records
SELECT field, count(*) AS records
FROM (
    SELECT regexp_replace(unnest(unfit_fields), '\.[0-9]+\.', '.*.') AS field FROM staged_payments
)
GROUP BY field
ORDER BY records DESC, field
