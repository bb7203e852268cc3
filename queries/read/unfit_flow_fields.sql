-- What keeps some abandoned flows from being submitted; `incoming` holds their keys.
-- parameters: none
-- grain: one row a flow
-- columns: flow_id, unfit_fields (paths, a blank between two)
SELECT
    flows.flow_id,
    array_to_string(flows.unfit_fields, ' ') AS unfit_fields
FROM flows
INNER JOIN incoming ON incoming.flow_id = flows.flow_id
