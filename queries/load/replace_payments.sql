-- Take out the payments whose content the file changes.
-- parameters: none
DELETE FROM payments
USING classified
WHERE
    payments.organization_code = classified.organization_code
    AND payments.payment_id = classified.payment_id
    AND classified.is_last
    AND classified.content_hash <> classified.content_stored
