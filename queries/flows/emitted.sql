-- Flows that a run had emitted before they were purged.
-- parameters: none
-- `incoming` holds flow_id, and flow_hash as the ledger names it then.
-- grain: one row a flow
-- columns: flow_id
SELECT DISTINCT incoming.flow_id
FROM incoming
INNER JOIN flow_communications ON flow_communications.flow_id = incoming.flow_hash
