-- Put in the payers of the file's new and changed payments: of each payment the last record.
-- parameters: none
INSERT INTO payers BY NAME
SELECT staged.* EXCLUDE (seq)
FROM staged_payers AS staged
INNER JOIN classified ON classified.seq = staged.seq
WHERE
    classified.is_last
    AND (classified.content_stored IS NULL OR classified.content_hash <> classified.content_stored)
