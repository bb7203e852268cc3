-- Put a keyed hash in the place of flows that are named by a hash of the phone number; `incoming` holds flow_id and hash.
-- parameters: none
UPDATE flow_communications
SET flow_id = 'h:' || incoming.hash
FROM incoming
WHERE flow_communications.flow_id = incoming.flow_id
