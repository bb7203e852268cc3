-- Invented payments, the same at every run: values follow from a hash of the row's number.
-- parameters: payments (how many)
-- grain: one row a payment, in the columns of the store's table
INSERT INTO payments BY NAME
SELECT
    '00000000-0000-4000-8000-000000000001' AS organization_code,
    'p' || n AS payment_id,
    'o' || (n // 2) AS order_id,
    ['CO', 'MX', 'BR', 'CL', 'US', 'ES', 'AR', 'PE', 'EC', 'UY', 'CR', 'PA'][(1 + least(hash(n, 1) % 16, 11))::BIGINT] AS country,
    ['DECLINED', 'DECLINED', 'DECLINED', 'REJECTED', 'ERROR', 'SUCCEEDED'][(1 + hash(n, 2) % 6)::BIGINT] AS status,
    ((hash(n, 3) % 10000000)::DECIMAL(24, 6) * 0.01)::DECIMAL(24, 6) AS amount_value,
    ['COP', 'MXN', 'BRL', 'CLP', 'USD', 'EUR'][(1 + hash(n, 4) % 6)::BIGINT] AS currency_code,
    ['insufficient funds', 'expired card', 'invalid cvv', 'suspected fraud'][(1 + hash(n, 5) % 4)::BIGINT] AS reject_reason,
    TIMESTAMPTZ '2026-09-01 00:00:00+00' + to_microseconds((hash(n, 6) % 5184000000000)::BIGINT) AS created_at,
    'payment' AS created_at_origin,
    CASE WHEN hash(n, 7) % 20 > 0 THEN 'u' || (hash(n, 8) % 300000) END AS user_id,
    ['CARD', 'CARD', 'CARD', 'PSE', 'PIX', 'WALLET'][(1 + hash(n, 9) % 6)::BIGINT] AS payment_method,
    'PROVIDER_' || (hash(n, 10) % 30) AS provider,
    CASE WHEN hash(n, 9) % 6 < 3 THEN (400000 + hash(n, 11) % 2000)::VARCHAR END AS card_bin,
    ['CARD', 'BANK', 'CASH', 'WALLET'][(1 + hash(n, 12) % 4)::BIGINT] AS category,
    CASE WHEN hash(n, 13) % 10 > 0 THEN lpad((hash(n, 14) % 60)::VARCHAR, 2, '0') END AS response_code,
    CASE WHEN hash(n, 15) % 10 > 2 THEN lpad((hash(n, 16) % 60)::VARCHAR, 2, '0') END AS iso_response_code,
    map {
        'customer_tier': ['bronze', 'silver', 'gold', 'platinum'][(1 + hash(n, 17) % 4)::BIGINT],
        'business_vertical': ['retail', 'travel', 'food_delivery', 'rideshare', 'games'][(1 + hash(n, 18) % 5)::BIGINT],
        'risk_score': ((hash(n, 19) % 10000)::DECIMAL(10, 2) * 0.01)::DECIMAL(10, 2)::VARCHAR,
        'device': ['ios', 'android', 'web'][(1 + hash(n, 20) % 3)::BIGINT]
    } AS metadata,
    [] AS unfit_fields,
    hash(n) AS content_hash,
    1 AS load_id,
    n AS record_no
FROM range($payments) AS rows (n)
