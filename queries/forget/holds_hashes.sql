-- Whether anything in the store was hashed with a key.
-- parameters: none
-- grain: one row
-- columns: holds_hashes
SELECT count(*) > 0 AS holds_hashes FROM forgotten
