-- Put in the records of the file's new and changed payments: of each payment the last record.
-- parameters: none
INSERT INTO records BY NAME
SELECT staged.* EXCLUDE (seq)
FROM staged_records AS staged
INNER JOIN classified ON classified.seq = staged.seq
WHERE
    classified.is_last
    AND (classified.content_stored IS NULL OR classified.content_hash <> classified.content_stored)
