-- What identifies each quarantined record, in the order in which they were loaded.
-- parameters: none
-- grain: one row a quarantined record
-- columns: reject_id
SELECT reject_id FROM rejects ORDER BY load_id, record_no, pointer, reject_id
