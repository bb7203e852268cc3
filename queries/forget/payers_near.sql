-- Payers whose number may be one of some: it ends alike, or is written in digits of another script.
-- parameters: none
-- `incoming` holds tail, the last four digits of each number.
-- grain: one row a payment
-- columns: organization_code, payment_id, user_id, country, phone_country_code, phone_number
SELECT
    payers.organization_code,
    payers.payment_id,
    payments.user_id,
    payments.country,
    payers.phone_country_code,
    payers.phone_number
FROM payers
INNER JOIN payments
    ON
        payments.organization_code = payers.organization_code
        AND payments.payment_id = payers.payment_id
WHERE
    right(regexp_replace(payers.phone_number, '[^0-9]', '', 'g'), 4) IN (SELECT tail FROM incoming)
    OR regexp_matches(payers.phone_number, '[^\x00-\x7f]')
