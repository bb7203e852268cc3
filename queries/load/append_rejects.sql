-- Put in rejects of a file, but those that an earlier load of the same file already brought.
-- A record that was mended in part and is still quarantined has another text, but keeps the id of the first.
-- parameters: file_sha256, load_id, path
INSERT INTO rejects BY NAME
SELECT
    read.*,
    $load_id AS load_id,
    $path AS path,
    $file_sha256 AS file_sha256
FROM (
    SELECT
        *,
        left(sha256(concat_ws(chr(10), $path, record_no, pointer, raw_sha256)), 16) AS reject_id
    FROM incoming
) AS read
ANTI JOIN rejects AS known
    ON
        known.raw_sha256 = read.raw_sha256
        AND known.record_no = read.record_no
        AND known.pointer = read.pointer
        AND (known.path = $path OR known.file_sha256 = $file_sha256)
ANTI JOIN rejects AS retried ON retried.reject_id = read.reject_id
