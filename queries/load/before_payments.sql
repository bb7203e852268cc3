-- Payments as they are before a file changes them; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment
-- columns: those of payments
SELECT payments.*
FROM payments
INNER JOIN incoming
    ON
        payments.organization_code = incoming.organization_code
        AND payments.payment_id = incoming.payment_id
