-- The original records of some payments; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment
-- columns: those of records; created_at and created_at_origin of the payment
SELECT
    records.organization_code,
    records.payment_id,
    records.record,
    payments.created_at,
    payments.created_at_origin
FROM records
INNER JOIN incoming
    ON
        incoming.organization_code = records.organization_code
        AND incoming.payment_id = records.payment_id
INNER JOIN payments
    ON
        payments.organization_code = records.organization_code
        AND payments.payment_id = records.payment_id
