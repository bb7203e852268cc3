-- Take out the records of flows that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM flow_records
USING incoming
WHERE flow_records.flow_id = incoming.flow_id
