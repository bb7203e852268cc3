-- The payments that campaigns are evaluated on, created in a period; a bound of null is open.
-- parameters: keys, since, until
-- grain: one row a payment
-- columns: those of schema.EVALUATION, metadata_values (one for each of keys; null: no such key), not_submittable
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
    ($since::TIMESTAMPTZ IS NULL OR created_at >= $since::TIMESTAMPTZ)
    AND ($until::TIMESTAMPTZ IS NULL OR created_at < $until::TIMESTAMPTZ)
