-- When an export was loaded last; null: never.
-- parameters: none
-- grain: one row
-- columns: loaded_at
SELECT max(loaded_at) AS loaded_at FROM loads
