-- Take out what changed in payments that are deleted; `incoming` holds their keys.
-- parameters: none
DELETE FROM payment_changes
USING incoming
WHERE
    payment_changes.organization_code = incoming.organization_code
    AND payment_changes.payment_id = incoming.payment_id
