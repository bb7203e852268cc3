-- Whom runs have contacted about an abandoned flow, planned after an instant.
-- parameters: since
-- grain: one row a communication
-- columns: phone_number, planned_at
SELECT
    flows.phone_number,
    flow_communications.planned_at
FROM flow_communications
INNER JOIN flows ON flows.flow_id = flow_communications.flow_id
WHERE
    flow_communications.planned_at > $since::TIMESTAMPTZ
    AND flows.phone_number IS NOT NULL
