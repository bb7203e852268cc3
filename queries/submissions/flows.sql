-- Abandoned flows of a run as they are by now.
-- parameters: run_id
-- grain: one row a line of a file
-- columns: path, line, flow_id (null: it is no longer there), abandoned_at, phone_number
SELECT
    flow_communications.path,
    flow_communications.line,
    flows.flow_id,
    flows.abandoned_at,
    flows.phone_number
FROM flow_communications
LEFT JOIN flows ON flows.flow_id = flow_communications.flow_id
WHERE flow_communications.run_id = $run_id
ORDER BY flow_communications.path, flow_communications.line
