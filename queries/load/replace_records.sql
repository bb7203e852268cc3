-- Take out the records whose content the file changes.
-- parameters: none
DELETE FROM records
USING classified
WHERE
    records.organization_code = classified.organization_code
    AND records.payment_id = classified.payment_id
    AND classified.is_last
    AND classified.content_hash <> classified.content_stored
