-- What keeps some payments from being submitted; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment
-- columns: organization_code, payment_id, unfit_fields (paths, a blank between two)
SELECT
    payments.organization_code,
    payments.payment_id,
    array_to_string(payments.unfit_fields, ' ') AS unfit_fields
FROM payments
INNER JOIN incoming
    ON
        incoming.organization_code = payments.organization_code
        AND incoming.payment_id = payments.payment_id
