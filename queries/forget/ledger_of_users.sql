-- What the ledger says of some users; `incoming` holds organization_code and user_id.
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
        AND incoming.user_id = ledger.user_id
GROUP BY ledger.organization_code, ledger.payment_id, ledger.user_id
