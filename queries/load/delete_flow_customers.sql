-- Take out the customers of flows that a file changes; `incoming` holds their keys.
-- parameters: none
DELETE FROM flow_customers
USING incoming
WHERE flow_customers.flow_id = incoming.flow_id
