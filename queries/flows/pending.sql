-- Abandoned flows that no run has emitted, abandoned at an instant or before it.
-- parameters: as_of, default_channel
-- grain: one row a flow
-- columns: flow_id, session_id, abandoned_at, phone_number, channel (the record's own, else the default), cart_total, cart_currency, is_submittable
SELECT
    flows.flow_id,
    flows.session_id,
    flows.abandoned_at,
    flows.phone_number,
    CASE
        WHEN flows.preferred_channel != 'auto' THEN flows.preferred_channel
        ELSE coalesce(
            json_extract_string(flow_records.record, '$.engagement.preferred_channel'),
            $default_channel::VARCHAR
        )
    END AS channel,
    flows.cart_total,
    flows.cart_currency,
    len(flows.unfit_fields) = 0 AS is_submittable
FROM flows
LEFT JOIN flow_records ON flow_records.flow_id = flows.flow_id
WHERE
    flows.abandoned_at <= $as_of::TIMESTAMPTZ
    AND NOT EXISTS (FROM flow_communications WHERE flow_communications.flow_id = flows.flow_id)
ORDER BY flows.abandoned_at, flows.flow_id
