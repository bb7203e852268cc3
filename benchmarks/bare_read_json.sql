-- The peer of loading: DuckDB's read_json into a table with the same columns, the original record among them. It checks
-- nothing, masks nothing, and tells nothing new from old.
-- parameters: path
INSERT INTO bare
SELECT
    record,
    fields.payment.organization_code,
    fields.payment.id AS payment_id,
    fields.payment.order_id,
    fields.payment.country,
    fields.payment.status,
    fields.payment.sub_status,
    fields.payment.code,
    fields.payment.description,
    fields.payment.amount_value::DECIMAL(24, 6) AS amount_value,
    fields.payment.currency_code,
    fields.payment.reject_reason,
    fields.payment.created_at::TIMESTAMP AS created_at,
    fields.payment.additional_data,
    fields.transactions,
    fields.customer_payer.name,
    fields.customer_payer.phone_number,
    fields.customer_payer.phone_country_code
FROM (
    SELECT
        record,
        json_transform(
            record,
            '{
                "payment": {
                    "organization_code": "VARCHAR", "id": "VARCHAR", "code": "VARCHAR", "order_id": "VARCHAR",
                    "country": "VARCHAR", "status": "VARCHAR", "sub_status": "VARCHAR", "description": "VARCHAR",
                    "amount_value": "VARCHAR", "currency_code": "VARCHAR", "reject_reason": "VARCHAR",
                    "additional_data": "JSON", "created_at": "VARCHAR"
                },
                "transactions": [{
                    "id": "VARCHAR", "status": "VARCHAR", "type": "VARCHAR", "code": "VARCHAR",
                    "amount": "DECIMAL(24, 6)", "payment_method_type": "VARCHAR", "provider": "VARCHAR",
                    "category": "VARCHAR", "description": "VARCHAR", "reject_reason": "VARCHAR",
                    "created_at": "TIMESTAMP", "additional_data": "JSON",
                    "card": {
                        "card_iin": "VARCHAR", "card_lfd": "VARCHAR", "card_type": "VARCHAR",
                        "issuer_name": "VARCHAR", "card_expiration_year": "BIGINT",
                        "card_expiration_month": "BIGINT"
                    }
                }],
                "customer_payer": {
                    "name": "VARCHAR", "phone_number": "VARCHAR", "phone_country_code": "VARCHAR"
                }
            }'
        ) AS fields
    FROM read_json($path, format = 'newline_delimited', records = 'false', columns = {record: 'JSON'})
)
