-- Flows of the ledger of before a time that are named by a hash of the phone number or of the record.
-- parameters: before
-- grain: one row a flow
-- columns: flow_id
SELECT DISTINCT flow_id
FROM flow_communications
WHERE planned_at < $before AND left(flow_id, 2) IN ('p:', 'a:')
