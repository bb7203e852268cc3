-- Read transactions of declined payments: the JSON of their fields to typed columns.
-- `incoming` holds seq, position, and a column a field, all of them VARCHAR.
-- parameters: froms, offsets
-- grain: one row a transaction; of a row that is not plain no other column counts
-- columns: those of transactions, codes in the order in which they count, unfit (fields missing), has_card, is_plain
WITH cards AS (
    SELECT
        *,
        json_transform(
            card,
            '{
                "id": "JSON", "card_iin": "JSON", "card_lfd": "JSON", "card_type": "JSON", "issuer_name": "JSON",
                "transaction_id": "JSON", "card_expiration_year": "JSON", "card_expiration_month": "JSON"
            }'
        ) AS c,
        instant(created_at, $froms, $offsets) AS moment
    FROM incoming
)

SELECT
    seq,
    "position",
    filled(unquoted(id)) AS transaction_id,
    filled(unquoted(status)) AS status,
    unquoted("type") AS "type",
    unquoted(code) AS code,
    try_cast(amount::VARCHAR AS DECIMAL(24, 6)) AS amount,
    filled(unquoted(payment_method_type)) AS payment_method_type,
    unquoted(provider) AS provider,
    unquoted(category) AS category,
    unquoted(description) AS description,
    unquoted(reject_reason) AS reject_reason,
    moment AS created_at,
    unquoted(c.card_iin) AS card_iin,
    unquoted(c.card_lfd) AS card_lfd,
    unquoted(c.card_type) AS card_type,
    unquoted(c.issuer_name) AS issuer_name,
    try_cast(c.card_expiration_year::VARCHAR AS BIGINT) AS card_expiration_year,
    try_cast(c.card_expiration_month::VARCHAR AS BIGINT) AS card_expiration_month,
    coalesce(
        compared(response_code),
        compared(additional_data -> '$.response_code'),
        compared(additional_data -> '$.provider_response_code'),
        compared(additional_data -> '$.error_code')
    ) AS response_code,
    coalesce(
        compared(iso_response_code),
        compared(additional_data -> '$.iso_response_code'),
        compared(additional_data -> '$.iso8583_response_code'),
        compared(additional_data -> '$.network_response_code')
    ) AS iso_response_code,
    id IS NULL OR id::VARCHAR = '""' AS no_id,
    amount IS NULL AS no_amount,
    status IS NULL OR status::VARCHAR = '""' AS no_status,
    payment_method_type IS NULL OR payment_method_type::VARCHAR = '""' AS no_payment_method_type,
    description IS NULL AS no_description,
    card IS NOT NULL AS has_card,
    -- what is no object has no field either
    coalesce(id, amount, status, payment_method_type, description) IS NOT NULL
    AND is_text(id) AND is_text(status) AND is_text("type") AND is_text(code) AND is_text(payment_method_type)
    AND is_text(provider) AND is_text(category) AND is_text(description) AND is_text(reject_reason)
    AND is_amount(amount)
    AND (created_at IS NULL OR moment IS NOT NULL)
    AND (additional_data IS NULL OR starts_with(additional_data, '{'))
    AND (
        card IS NULL
        OR (
            starts_with(card, '{')
            -- nothing that could be a card number: 13 digits, whatever stands between them but letters and quotes
            AND NOT regexp_matches(card::VARCHAR, '\\|[0-9](?:[^0-9A-Za-z"]*[0-9]){12}')
            AND (c.card_iin IS NULL OR regexp_full_match(c.card_iin::VARCHAR, '"[0-9]{0,8}"'))
            AND (c.card_lfd IS NULL OR regexp_full_match(c.card_lfd::VARCHAR, '"[0-9]{0,4}"'))
            AND is_text(c.card_type) AND is_text(c.issuer_name)
            AND is_whole(c.id) AND is_whole(c.transaction_id)
            AND is_whole(c.card_expiration_year) AND is_whole(c.card_expiration_month)
        )
    ) AS is_plain
FROM cards
