-- The content of all abandoned flows up to an instant as one SHA-256, whatever the order they were loaded in.
-- parameters: until
-- grain: one row
-- columns: data_sha256
SELECT
    sha256(
        coalesce(
            string_agg(content_hash::VARCHAR || ' ' || epoch_us(abandoned_at)::VARCHAR, chr(10) ORDER BY flow_id),
            ''
        )
    ) AS data_sha256
FROM flows
WHERE $until::TIMESTAMPTZ IS NULL OR abandoned_at < $until::TIMESTAMPTZ
