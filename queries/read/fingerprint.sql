-- The content of all payments of a period as one SHA-256, whatever the order they were loaded in.
-- parameters: since, until
-- grain: one row
-- columns: data_sha256
SELECT
    sha256(
        coalesce(
            string_agg(
                content_hash::VARCHAR || ' ' || epoch_us(created_at)::VARCHAR,
                chr(10)
                ORDER BY organization_code, payment_id
            ),
            ''
        )
    ) AS data_sha256
FROM payments
WHERE
    ($since::TIMESTAMPTZ IS NULL OR created_at >= $since::TIMESTAMPTZ)
    AND ($until::TIMESTAMPTZ IS NULL OR created_at < $until::TIMESTAMPTZ)
