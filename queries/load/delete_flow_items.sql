-- Take out the items of flows that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM flow_items
USING incoming
WHERE flow_items.flow_id = incoming.flow_id
