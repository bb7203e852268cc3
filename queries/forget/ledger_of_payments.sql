-- What the ledger says of some payments, where a user is named; `incoming` holds the keys.
-- parameters: none
-- grain: one row a payment and user
-- columns: organization_code, payment_id, user_id, records (rows of both ledgers)
SELECT
    ledger.organization_code,
    ledger.payment_id,
    ledger.user_id,
    count(*) AS records
FROM (
    SELECT organization_code, payment_id, user_id FROM communications
    UNION ALL
    SELECT organization_code, payment_id, user_id FROM final_suppressions
) AS ledger
INNER JOIN incoming
    ON
        incoming.organization_code = ledger.organization_code
        AND incoming.payment_id = ledger.payment_id
WHERE ledger.user_id IS NOT NULL
GROUP BY ledger.organization_code, ledger.payment_id, ledger.user_id
