-- How the transactions of some payments were timed; `incoming` holds their keys.
-- parameters: none
-- grain: one row a transaction
-- columns: key, position, created_at in UTC; null: the export had none
SELECT
    transactions.organization_code,
    transactions.payment_id,
    transactions.position,
    transactions.created_at
FROM transactions
INNER JOIN incoming
    ON
        incoming.organization_code = transactions.organization_code
        AND incoming.payment_id = transactions.payment_id
ORDER BY transactions.organization_code, transactions.payment_id, transactions.position
