-- Records that were quarantined by a load before a time.
-- parameters: before
-- grain: one row a quarantined record
-- columns: reject_id
SELECT rejects.reject_id
FROM rejects
INNER JOIN loads ON loads.load_id = rejects.load_id
WHERE loads.loaded_at < $before
