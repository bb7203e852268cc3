-- Take out the flows of flows that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM flows
USING incoming
WHERE flows.flow_id = incoming.flow_id
