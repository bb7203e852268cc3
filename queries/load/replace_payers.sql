-- Take out the payers whose content the file changes.
-- parameters: none
DELETE FROM payers
USING classified
WHERE
    payers.organization_code = classified.organization_code
    AND payers.payment_id = classified.payment_id
    AND classified.is_last
    AND classified.content_hash <> classified.content_stored
