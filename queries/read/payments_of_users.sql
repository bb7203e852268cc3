-- All payments of the users who made payments with this id, and those payments themselves.
-- parameters: keys, payment_id
-- grain: one row a payment
-- columns: those of read/payments
SELECT
    organization_code,
    payment_id,
    order_id,
    country,
    status,
    description,
    amount_value,
    currency_code,
    reject_reason,
    created_at,
    user_id,
    payment_method,
    provider,
    card_bin,
    category,
    response_code,
    iso_response_code,
    list_transform($keys::VARCHAR[], lambda key: metadata[key]) AS metadata_values,
    len(unfit_fields) > 0 AS not_submittable
FROM payments
WHERE
    payment_id = $payment_id
    OR (organization_code, user_id) IN (
        SELECT organization_code, user_id
        FROM payments
        WHERE payment_id = $payment_id AND user_id IS NOT NULL
    )
