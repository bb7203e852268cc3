-- The records of some payments as they are stored; `incoming` holds their keys.
-- parameters: salt
-- grain: one row a payment that is there
-- columns: organization_code, payment_id, stored_text, same_reading (whether it was read as `salt` says)
SELECT
    records.organization_code,
    records.payment_id,
    records.record AS stored_text,
    hash($salt, records.record) = payments.content_hash AS same_reading
FROM records
INNER JOIN incoming
    ON
        records.organization_code = incoming.organization_code
        AND records.payment_id = incoming.payment_id
INNER JOIN payments
    ON
        payments.organization_code = records.organization_code
        AND payments.payment_id = records.payment_id
