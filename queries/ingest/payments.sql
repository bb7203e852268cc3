-- Read declined payments: JSON texts to typed columns. What is not plain is left for a closer, slower look.
-- `incoming` holds seq, text and root (organization_code of the request around the record, as JSON).
-- parameters: froms, offsets, salt
-- grain: one row a transaction of a record, or the record where it has none
-- columns: seq; payment: what the record gives by itself of payments and payers, the same for all its transactions;
-- is_transaction; transaction: those of transactions, codes in the order in which they count, no_… (what requests need
-- and is not there). In both is_plain; of what is not plain nothing else counts.
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
),

payments AS (
    SELECT
        seq,
        transactions,
        struct_pack(
            organization_code := unquoted(p.organization_code),
            payment_id := unquoted(p.id),
            order_id := filled(unquoted(p.order_id)),
            country := unquoted(p.country),
            status := unquoted(p.status),
            sub_status := unquoted(p.sub_status),
            code := unquoted(p.code),
            description := unquoted(p.description),
            amount_value := try_cast(p.amount_value::VARCHAR AS DECIMAL(24, 6)),
            currency_code := unquoted(p.currency_code),
            reject_reason := unquoted(p.reject_reason),
            created_at := created_at,
            user_id := CASE
                WHEN contains(p.additional_data, 'user_id') OR pairs_3 IS NOT NULL
                    THEN filled(list_filter(metadata, lambda e: e.key = 'user_id')[1].value)
            END,
            response_code := compared(p.additional_data -> '$.response_code'),
            error_code := compared(p.additional_data -> '$.error_code'),
            iso_response_code := compared(p.additional_data -> '$.iso_response_code'),
            metadata := CASE WHEN len(metadata) > 1 THEN list_sort(metadata) ELSE coalesce(metadata, []) END,
            no_order_id := p.order_id IS NULL OR p.order_id::VARCHAR = '""',
            no_description := p.description IS NULL,
            no_reject_reason := p.reject_reason IS NULL,
            name := filled(unquoted(y.name)),
            phone_number := filled(unquoted(y.phone_number)),
            phone_country_code := filled(unquoted(y.phone_country_code)),
            content_hash := content_hash,
            is_plain := coalesce(
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
            )
        ) AS payment
    FROM described
),

transactions AS (
    SELECT
        seq,
        payment,
        len(transactions) > 0 AS is_transaction,
        unnest(CASE WHEN len(transactions) > 0 THEN transactions ELSE [NULL] END) AS t
    FROM payments
),

cards AS (
    SELECT
        seq,
        payment,
        coalesce(is_transaction, FALSE) AS is_transaction,
        t.*,
        json_transform(
            t.card,
            '{
                "id": "JSON", "card_iin": "JSON", "card_lfd": "JSON", "card_type": "JSON", "issuer_name": "JSON",
                "transaction_id": "JSON", "card_expiration_year": "JSON", "card_expiration_month": "JSON"
            }'
        ) AS c,
        instant(t.created_at, $froms, $offsets) AS moment
    FROM transactions
)

SELECT
    seq,
    payment,
    is_transaction,
    struct_pack(
        transaction_id := filled(unquoted(id)),
        status := filled(unquoted(status)),
        "type" := unquoted("type"),
        code := unquoted(code),
        amount := try_cast(amount::VARCHAR AS DECIMAL(24, 6)),
        payment_method_type := filled(unquoted(payment_method_type)),
        provider := unquoted(provider),
        category := unquoted(category),
        description := unquoted(description),
        reject_reason := unquoted(reject_reason),
        created_at := moment,
        card_iin := unquoted(c.card_iin),
        card_lfd := unquoted(c.card_lfd),
        card_type := unquoted(c.card_type),
        issuer_name := unquoted(c.issuer_name),
        card_expiration_year := try_cast(c.card_expiration_year::VARCHAR AS BIGINT),
        card_expiration_month := try_cast(c.card_expiration_month::VARCHAR AS BIGINT),
        response_code := coalesce(
            compared(response_code),
            compared(additional_data -> '$.response_code'),
            compared(additional_data -> '$.provider_response_code'),
            compared(additional_data -> '$.error_code')
        ),
        iso_response_code := coalesce(
            compared(iso_response_code),
            compared(additional_data -> '$.iso_response_code'),
            compared(additional_data -> '$.iso8583_response_code'),
            compared(additional_data -> '$.network_response_code')
        ),
        no_id := id IS NULL OR id::VARCHAR = '""',
        no_amount := amount IS NULL,
        no_status := status IS NULL OR status::VARCHAR = '""',
        no_payment_method_type := payment_method_type IS NULL OR payment_method_type::VARCHAR = '""',
        no_description := description IS NULL,
        has_card := card IS NOT NULL,
        -- what is no object has no field either
        is_plain := coalesce(id, amount, status, payment_method_type, description) IS NOT NULL
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
        )
    ) AS "transaction"
FROM cards
