-- Put keyed hashes in the place of flows that are named by a hash of personal data, and beside contacted numbers.
-- parameters: none
-- `incoming` holds flow_id, flow_hash (null: its name stays) and phone_hash (null: what stands there stays).
UPDATE flow_communications
SET
    flow_id = coalesce(incoming.flow_hash, flow_communications.flow_id),
    phone_hash = coalesce(incoming.phone_hash, flow_communications.phone_hash)
FROM incoming
WHERE flow_communications.flow_id = incoming.flow_id
