-- When an export of payments was loaded last, or one of flows where there never was one of payments; null: never.
-- parameters: none
-- grain: one row
-- columns: loaded_at
SELECT
    coalesce(
        max(loaded_at) FILTER (WHERE kind = 'declined'),
        max(loaded_at) FILTER (WHERE kind = 'abandoned')
    ) AS loaded_at
FROM loads
