-- Payments that were created before a time.
-- parameters: before
-- grain: one row a payment
-- columns: organization_code, payment_id
SELECT
    organization_code,
    payment_id
FROM payments
WHERE created_at < $before
