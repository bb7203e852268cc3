-- What the records of a file change. A record is compared with the one before it in the file, else with the store.
-- parameters: none
-- grain: one row a record of the file that is loadable
-- columns: seq, key, content_before (null: a payment that was not there), content_hash, content_stored, is_last, is_unfit
CREATE OR REPLACE TEMP TABLE classified AS
SELECT
    staged.seq,
    staged.organization_code,
    staged.payment_id,
    coalesce(
        lag(staged.content_hash) OVER in_file,
        stored.content_hash
    ) AS content_before,
    staged.content_hash,
    stored.content_hash AS content_stored,
    staged.seq = last_value(staged.seq) OVER (
        in_file ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING
    ) AS is_last,
    len(staged.unfit_fields) > 0 AS is_unfit
FROM staged_payments AS staged
LEFT JOIN payments AS stored
    ON
        stored.organization_code = staged.organization_code
        AND stored.payment_id = staged.payment_id
WINDOW in_file AS (PARTITION BY staged.organization_code, staged.payment_id ORDER BY staged.seq)
