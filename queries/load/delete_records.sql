-- Take out the records of payments that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM records
USING incoming
WHERE
    records.organization_code = incoming.organization_code
    AND records.payment_id = incoming.payment_id
