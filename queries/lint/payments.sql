-- What rules read of the payments that campaigns of some organizations may target: those that are not successful.
-- parameters: keys, organizations, statuses
-- grain: one row a payment
-- columns: organization_code, country, status, amount_value, currency_code, created_at, has_user_id, payment_method, provider, card_bin, category, response_code, iso_response_code, metadata_values
SELECT
    organization_code,
    country,
    status,
    amount_value,
    currency_code,
    created_at,
    user_id IS NOT NULL AS has_user_id,
    payment_method,
    provider,
    card_bin,
    category,
    response_code,
    iso_response_code,
    list_transform($keys::VARCHAR[], lambda key: metadata[key]) AS metadata_values
FROM payments
WHERE
    list_contains($organizations::VARCHAR[], organization_code)
    AND NOT list_contains($statuses::VARCHAR[], status)
