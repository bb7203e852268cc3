-- When each order was first paid: its earliest successful payment created before a bound; null is open.
-- parameters: statuses, until
-- grain: one row a paid order
-- columns: organization_code, order_id, paid_at
SELECT
    organization_code,
    order_id,
    min(created_at) AS paid_at
FROM payments
WHERE
    order_id IS NOT NULL
    AND list_contains($statuses::VARCHAR[], status)
    AND ($until::TIMESTAMPTZ IS NULL OR created_at < $until::TIMESTAMPTZ)
GROUP BY organization_code, order_id
