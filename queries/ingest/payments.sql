-- Read declined payments: JSON texts to typed columns. What is not plain is left for a closer, slower look.
-- `incoming` holds seq, text and root (organization_code of the request around the record, as JSON).
-- parameters: froms, offsets, salt
-- grain: one row a record; of a row that is not plain no other column counts
-- columns: those of payments that a payment gives by itself, those of payers, transactions (the JSON of their fields), is_plain
WITH fields AS (
    SELECT
        seq,
        root,
        try(json_transform(
            text,
            '{
                "payment": {
                    "organization_code": "JSON", "id": "JSON", "code": "JSON", "order_id": "JSON", "country": "JSON",
                    "status": "JSON", "sub_status": "JSON", "description": "JSON", "amount_value": "JSON",
                    "currency_code": "JSON", "reject_reason": "JSON", "additional_data": "JSON", "created_at": "JSON",
                    "metadata": "JSON"
                },
                "transactions": [{
                    "id": "JSON", "card": "JSON", "code": "JSON", "type": "JSON", "amount": "JSON", "status": "JSON",
                    "provider": "JSON", "category": "JSON", "payment_method_type": "JSON", "description": "JSON",
                    "reject_reason": "JSON", "additional_data": "JSON", "created_at": "JSON",
                    "response_code": "JSON", "iso_response_code": "JSON"
                }],
                "customer_payer": {
                    "name": "JSON", "phone_number": "JSON", "phone_country_code": "JSON", "additional_data": "JSON"
                }
            }'
        )) AS record,
        hash($salt, text) AS content_hash
    FROM incoming
),

parts AS (
    SELECT
        seq,
        root,
        content_hash,
        record.payment AS p,
        record.transactions AS transactions,
        record.customer_payer AS y,
        instant(record.payment.created_at, $froms, $offsets) AS created_at,
        pairs(record.payment.additional_data) AS pairs_1,
        CASE
            WHEN contains(record.payment.additional_data, '"metadata"')
                THEN pairs(record.payment.additional_data -> '$.metadata')
        END AS pairs_2,
        pairs(record.payment.metadata) AS pairs_3
    FROM fields
),

described AS (
    SELECT
        *,
        -- of several places that have a key the first that has a value for it counts
        CASE
            WHEN pairs_2 IS NULL AND pairs_3 IS NULL THEN pairs_1
            ELSE coalesce(pairs_1, [])
                || list_filter(
                    coalesce(pairs_2, []),
                    lambda e: NOT list_contains(list_transform(coalesce(pairs_1, []), lambda o: o.key), e.key)
                )
                || list_filter(
                    coalesce(pairs_3, []),
                    lambda e: NOT list_contains(
                        list_transform(coalesce(pairs_1, []) || coalesce(pairs_2, []), lambda o: o.key), e.key
                    )
                )
        END AS metadata
    FROM parts
)

SELECT
    seq,
    unquoted(p.organization_code) AS organization_code,
    unquoted(p.id) AS payment_id,
    filled(unquoted(p.order_id)) AS order_id,
    unquoted(p.country) AS country,
    unquoted(p.status) AS status,
    unquoted(p.sub_status) AS sub_status,
    unquoted(p.code) AS code,
    unquoted(p.description) AS description,
    try_cast(p.amount_value::VARCHAR AS DECIMAL(24, 6)) AS amount_value,
    unquoted(p.currency_code) AS currency_code,
    unquoted(p.reject_reason) AS reject_reason,
    created_at,
    CASE
        WHEN contains(p.additional_data, 'user_id') OR pairs_3 IS NOT NULL
            THEN filled(list_filter(metadata, lambda e: e.key = 'user_id')[1].value)
    END AS user_id,
    compared(p.additional_data -> '$.response_code') AS response_code,
    compared(p.additional_data -> '$.error_code') AS error_code,
    compared(p.additional_data -> '$.iso_response_code') AS iso_response_code,
    CASE WHEN len(metadata) > 1 THEN list_sort(metadata) ELSE coalesce(metadata, []) END AS metadata,
    p.order_id IS NULL OR p.order_id::VARCHAR = '""' AS no_order_id,
    p.description IS NULL AS no_description,
    p.reject_reason IS NULL AS no_reject_reason,
    filled(unquoted(y.name)) AS name,
    filled(unquoted(y.phone_number)) AS phone_number,
    filled(unquoted(y.phone_country_code)) AS phone_country_code,
    content_hash,
    transactions,
    coalesce(
        is_text(p.organization_code) AND p.organization_code::VARCHAR <> '""'
        AND (root IS NULL OR root IN ('""', 'null') OR (starts_with(root, '"') AND unquoted(root) = unquoted(p.organization_code)))
        AND is_text(p.id) AND p.id::VARCHAR <> '""'
        AND is_text(p.country) AND p.country::VARCHAR <> '""'
        AND is_text(p.status) AND p.status::VARCHAR <> '""'
        AND is_text(p.currency_code) AND p.currency_code::VARCHAR <> '""'
        AND p.amount_value IS NOT NULL AND is_amount(p.amount_value)
        AND is_text(p.order_id) AND is_text(p.sub_status) AND is_text(p.code) AND is_text(p.description)
        AND is_text(p.reject_reason)
        AND (p.created_at IS NULL OR created_at IS NOT NULL)
        AND (p.additional_data IS NULL OR (starts_with(p.additional_data, '{') AND pairs_1 IS NOT NULL))
        AND (
            NOT contains(coalesce(p.additional_data::VARCHAR, ''), '"metadata"')
            OR left(coalesce(p.additional_data -> '$.metadata', '0'), 1) NOT IN ('{', '[')
            OR pairs_2 IS NOT NULL
        )
        AND (p.metadata IS NULL OR left(p.metadata::VARCHAR, 1) NOT IN ('{', '[') OR pairs_3 IS NOT NULL)
        AND is_text(y.name) AND is_text(y.phone_number) AND is_text(y.phone_country_code)
        AND (y.additional_data IS NULL OR starts_with(y.additional_data, '{')),
        FALSE
    ) AS is_plain
FROM described
