-- Successful payments after some flows were left, by customers whose number ends like theirs; `incoming` holds flows.
-- parameters: statuses, as_of
-- grain: one row a flow and number as payments spell it
-- columns: flow_id, phone_country_code, phone_number, country, paid_at (of the earliest such payment)
WITH paid AS (
    SELECT
        payers.phone_country_code,
        payers.phone_number,
        payments.country,
        payments.created_at,
        right(
            regexp_replace(coalesce(payers.phone_country_code, '') || payers.phone_number, '[^0-9]', '', 'g'), 6
        ) AS ending
    FROM payments
    INNER JOIN payers
        ON
            payers.organization_code = payments.organization_code
            AND payers.payment_id = payments.payment_id
    WHERE
        list_contains($statuses::VARCHAR[], payments.status)
        AND payments.created_at <= $as_of::TIMESTAMPTZ
        AND payers.phone_number IS NOT NULL
)

SELECT
    incoming.flow_id,
    paid.phone_country_code,
    paid.phone_number,
    paid.country,
    min(paid.created_at) AS paid_at
FROM incoming
INNER JOIN paid
    ON
        paid.ending = incoming.ending
        AND paid.created_at > incoming.abandoned_at
GROUP BY incoming.flow_id, paid.phone_country_code, paid.phone_number, paid.country
