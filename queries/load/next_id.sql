-- The number of the next load.
-- parameters: none
-- grain: one row
-- columns: load_id
SELECT coalesce(max(load_id), 0) + 1 AS load_id FROM loads
