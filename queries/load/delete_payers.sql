-- Take out the payers of payments that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM payers
USING incoming
WHERE
    payers.organization_code = incoming.organization_code
    AND payers.payment_id = incoming.payment_id
