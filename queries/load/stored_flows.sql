-- What the store has of some flows; `incoming` holds their keys.
-- parameters: none
-- grain: one row a flow that is there
-- columns: flow_id, stored_hash
SELECT
    flows.flow_id,
    flows.content_hash AS stored_hash
FROM flows
INNER JOIN incoming ON flows.flow_id = incoming.flow_id
