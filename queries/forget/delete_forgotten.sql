-- Take out hashes that are to be put in anew; `incoming` holds kind and hash.
-- parameters: none
DELETE FROM forgotten
USING incoming
WHERE
    forgotten.kind = incoming.kind
    AND forgotten.hash = incoming.hash
