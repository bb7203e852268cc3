-- What the ledger says of before a time, where a user is named.
-- parameters: before
-- grain: one row a payment and user
-- columns: organization_code, payment_id, user_id, records (rows of both ledgers)
SELECT
    organization_code,
    payment_id,
    user_id,
    count(*) AS records
FROM (
    SELECT organization_code, payment_id, user_id, planned_at FROM communications
    UNION ALL
    SELECT organization_code, payment_id, user_id, planned_at FROM final_suppressions
) AS ledger
WHERE planned_at < $before AND user_id IS NOT NULL
GROUP BY organization_code, payment_id, user_id
