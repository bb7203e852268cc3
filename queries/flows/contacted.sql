-- Whom runs have contacted about an abandoned flow, planned after an instant.
-- parameters: since
-- grain: one row a communication
-- columns: phone_number (null: the flow is gone), phone_hash (null: it was not erased or purged), planned_at
SELECT
    flows.phone_number,
    flow_communications.phone_hash,
    flow_communications.planned_at
FROM flow_communications
LEFT JOIN flows ON flows.flow_id = flow_communications.flow_id
WHERE
    flow_communications.planned_at > $since::TIMESTAMPTZ
    AND (flows.phone_number IS NOT NULL OR flow_communications.phone_hash IS NOT NULL)
