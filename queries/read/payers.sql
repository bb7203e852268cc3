-- The customers of some payments; `incoming` holds their keys.
-- parameters: none
-- grain: one row a payment
-- columns: those of payers
SELECT
    payers.organization_code,
    payers.payment_id,
    payers.name,
    payers.phone_number,
    payers.phone_country_code
FROM payers
INNER JOIN incoming
    ON
        incoming.organization_code = payers.organization_code
        AND incoming.payment_id = payers.payment_id
