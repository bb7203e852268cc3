-- What tells contents apart: a hash of how records were read, and of their texts. `incoming` holds seq and text.
-- parameters: salt
-- grain: one row a record
-- columns: seq, content_hash
SELECT
    seq,
    hash($salt, text) AS content_hash
FROM incoming
