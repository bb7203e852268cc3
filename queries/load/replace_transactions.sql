-- Take out the transactions whose content the file changes.
-- parameters: none
DELETE FROM transactions
USING classified
WHERE
    transactions.organization_code = classified.organization_code
    AND transactions.payment_id = classified.payment_id
    AND classified.is_last
    AND classified.content_hash <> classified.content_stored
