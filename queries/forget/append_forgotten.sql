-- Put in the hashes of a person who is erased; `incoming` holds kind and hash.
-- parameters: forgotten_at
INSERT INTO forgotten BY NAME
SELECT
    kind,
    hash,
    $forgotten_at AS forgotten_at
FROM incoming
