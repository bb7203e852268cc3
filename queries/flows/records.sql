-- The original records of some flows; `incoming` holds their keys.
-- parameters: none
-- grain: one row a flow
-- columns: flow_id, phone_number, record
SELECT
    flows.flow_id,
    flows.phone_number,
    flow_records.record
FROM flows
INNER JOIN incoming ON incoming.flow_id = flows.flow_id
INNER JOIN flow_records ON flow_records.flow_id = flows.flow_id
