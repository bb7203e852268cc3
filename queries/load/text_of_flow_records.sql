-- The records of some flows as they are stored; `incoming` holds their keys.
-- parameters: salt
-- grain: one row a flow that is there
-- columns: flow_id, stored_text, same_reading (whether it was read as `salt` says)
SELECT
    flow_records.flow_id,
    flow_records.record AS stored_text,
    hash($salt, flow_records.record) = flows.content_hash AS same_reading
FROM flow_records
INNER JOIN incoming ON flow_records.flow_id = incoming.flow_id
INNER JOIN flows ON flows.flow_id = flow_records.flow_id
