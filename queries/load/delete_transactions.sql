-- Take out the transactions of payments that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM transactions
USING incoming
WHERE
    transactions.organization_code = incoming.organization_code
    AND transactions.payment_id = incoming.payment_id
