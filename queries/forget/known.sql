-- Which of some hashes stand in the store, and since when.
-- parameters: none
-- `incoming` holds kind and hash, as forget/hashes gives it.
-- grain: one row a row of `incoming` that was hashed when somebody was erased
-- columns: those of `incoming`, forgotten_at
SELECT
    incoming.*,
    forgotten.forgotten_at
FROM incoming
INNER JOIN forgotten
    ON
        forgotten.kind = incoming.kind
        AND forgotten.hash = incoming.hash
