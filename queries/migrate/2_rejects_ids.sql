-- From version 1: the ids of the records that are in the quarantine already.
-- parameters: none
UPDATE rejects SET reject_id = left(sha256(concat_ws(chr(10), path, record_no, pointer, raw_sha256)), 16)
