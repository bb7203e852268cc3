-- The peer of loading without the largest of its columns: read_json with given columns, which cannot give the original
-- record too. Shown beside the other, as the least that reading the file can cost.
-- parameters: path
CREATE TABLE bare AS
SELECT
    payment.organization_code,
    payment.id AS payment_id,
    payment.order_id,
    payment.country,
    payment.status,
    payment.sub_status,
    payment.code,
    payment.description,
    payment.amount_value::DECIMAL(24, 6) AS amount_value,
    payment.currency_code,
    payment.reject_reason,
    payment.created_at::TIMESTAMP AS created_at,
    payment.additional_data,
    transactions,
    customer_payer.name,
    customer_payer.phone_number,
    customer_payer.phone_country_code
FROM read_json(
    $path,
    format = 'newline_delimited',
    columns = {
        payment: 'STRUCT(organization_code VARCHAR, id VARCHAR, code VARCHAR, order_id VARCHAR, country VARCHAR, status VARCHAR, sub_status VARCHAR, description VARCHAR, amount_value VARCHAR, currency_code VARCHAR, reject_reason VARCHAR, additional_data JSON, created_at VARCHAR)',
        transactions: 'STRUCT(id VARCHAR, status VARCHAR, type VARCHAR, code VARCHAR, amount DECIMAL(24, 6), payment_method_type VARCHAR, provider VARCHAR, category VARCHAR, description VARCHAR, reject_reason VARCHAR, created_at TIMESTAMP, additional_data JSON, card STRUCT(card_iin VARCHAR, card_lfd VARCHAR, card_type VARCHAR, issuer_name VARCHAR, card_expiration_year BIGINT, card_expiration_month BIGINT))[]',
        customer_payer: 'STRUCT(name VARCHAR, phone_number VARCHAR, phone_country_code VARCHAR)'
    }
)
