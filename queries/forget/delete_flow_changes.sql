-- Take out what changed in flows that are deleted; `incoming` holds their keys.
-- parameters: none
DELETE FROM flow_changes
USING incoming
WHERE flow_changes.flow_id = incoming.flow_id
