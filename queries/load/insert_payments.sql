-- Put in the payments of the file's new and changed payments: of each payment the last record.
-- parameters: load_id
INSERT INTO payments BY NAME
SELECT staged.* EXCLUDE (seq), $load_id AS load_id
FROM staged_payments AS staged
INNER JOIN classified ON classified.seq = staged.seq
WHERE
    classified.is_last
    AND (classified.content_stored IS NULL OR classified.content_hash <> classified.content_stored)
