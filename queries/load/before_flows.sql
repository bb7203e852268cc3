-- Flows as they are before a file changes them; `incoming` holds their keys.
-- parameters: none
-- grain: one row a flow
-- columns: those of flows
SELECT flows.*
FROM flows
INNER JOIN incoming ON flows.flow_id = incoming.flow_id
