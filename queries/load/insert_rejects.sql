-- Put in the rejects of the file, but those that an earlier load of the same file already brought.
-- parameters: file_sha256, load_id, path
INSERT INTO rejects BY NAME
SELECT staged.*, $load_id AS load_id, $path AS path, $file_sha256 AS file_sha256
FROM staged_rejects AS staged
ANTI JOIN rejects AS known
    ON
        known.raw_sha256 = staged.raw_sha256
        AND known.record_no = staged.record_no
        AND known.pointer = staged.pointer
        AND (known.path = $path OR known.file_sha256 = $file_sha256)
