-- The folders of runs that had some payments to decide about: since the first was created, or as the ledger tells.
-- parameters: none
-- `incoming` holds the keys of the payments.
-- grain: one row a run
-- columns: folder
WITH asked AS MATERIALIZED (FROM incoming),

ledger AS (
    SELECT organization_code, payment_id, run_id FROM communications
    UNION ALL
    SELECT organization_code, payment_id, run_id FROM final_suppressions
)

SELECT runs.folder
FROM runs
WHERE
    runs.as_of >= (
        SELECT min(payments.created_at)
        FROM payments
        INNER JOIN asked
            ON
                asked.organization_code = payments.organization_code
                AND asked.payment_id = payments.payment_id
    )
    OR runs.run_id IN (
        SELECT ledger.run_id
        FROM ledger
        INNER JOIN asked
            ON
                asked.organization_code = ledger.organization_code
                AND asked.payment_id = ledger.payment_id
    )
