-- Where some quarantined records came from, how they were read, and what stood there; `incoming` holds their ids.
-- parameters: none
-- grain: one row a record that is quarantined
-- columns: those of rejects, but expected, found, faults and raw_sha256; kind and timezone of its load; is_altered,
--   whether raw is not the record as it was read: masked, with bytes written out, a row of a table, or without the
--   organization that it differed from (a store of version 1 did not keep it)
SELECT
    rejects.reject_id,
    rejects.load_id,
    rejects.path,
    rejects.file_sha256,
    rejects.record_no,
    rejects.reason,
    rejects.pointer,
    rejects.root_organization,
    rejects.raw,
    list_has_any(
        list_transform(rejects.faults, lambda fault: fault.reason),
        CASE
            WHEN rejects.root_organization IS NULL
                THEN ['card_number', 'not_utf8', 'bad_row', 'no_such_payment', 'organization_mismatch']
            ELSE ['card_number', 'not_utf8', 'bad_row', 'no_such_payment']
        END
    ) AS is_altered,
    loads.kind,
    loads.timezone
FROM rejects
INNER JOIN incoming ON rejects.reject_id = incoming.reject_id
INNER JOIN loads ON rejects.load_id = loads.load_id
