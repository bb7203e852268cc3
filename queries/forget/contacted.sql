-- The phone numbers of flows that a run has emitted; `incoming` holds flow_id.
-- parameters: none
-- grain: one row a flow
-- columns: flow_id, phone_number
SELECT DISTINCT
    flows.flow_id,
    flows.phone_number
FROM flows
INNER JOIN incoming ON incoming.flow_id = flows.flow_id
INNER JOIN flow_communications ON flow_communications.flow_id = flows.flow_id
WHERE flows.phone_number IS NOT NULL
