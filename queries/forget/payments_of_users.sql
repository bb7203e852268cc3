-- The payments of some users, and the numbers that they were made with; `incoming` holds organization_code and user_id.
-- parameters: none
-- grain: one row a payment
-- columns: organization_code, payment_id, user_id, country, phone_country_code, phone_number
SELECT
    payments.organization_code,
    payments.payment_id,
    payments.user_id,
    payments.country,
    payers.phone_country_code,
    payers.phone_number
FROM payments
INNER JOIN incoming
    ON
        incoming.organization_code = payments.organization_code
        AND incoming.user_id = payments.user_id
LEFT JOIN payers
    ON
        payers.organization_code = payments.organization_code
        AND payers.payment_id = payments.payment_id
