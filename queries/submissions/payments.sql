-- Payments of a run as they are by now; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment that is still there
-- columns: organization_code, payment_id, order_id, country, status, user_id
SELECT
    payments.organization_code,
    payments.payment_id,
    payments.order_id,
    payments.country,
    payments.status,
    payments.user_id
FROM payments
INNER JOIN incoming
    ON
        incoming.organization_code = payments.organization_code
        AND incoming.payment_id = payments.payment_id
