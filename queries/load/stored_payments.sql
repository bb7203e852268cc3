-- What the store has of some payments; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment that is there
-- columns: organization_code, payment_id, stored_hash
SELECT
    payments.organization_code,
    payments.payment_id,
    payments.content_hash AS stored_hash
FROM payments
INNER JOIN incoming
    ON
        payments.organization_code = incoming.organization_code
        AND payments.payment_id = incoming.payment_id
