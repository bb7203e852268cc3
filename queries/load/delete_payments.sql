-- Take out the payments of payments that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM payments
USING incoming
WHERE
    payments.organization_code = incoming.organization_code
    AND payments.payment_id = incoming.payment_id
