-- From version 1: content is told apart by another hash; the next load of a record says `updated` once.
-- parameters: none
ALTER TABLE payments ALTER content_hash TYPE UBIGINT USING 0
