-- Flows that were abandoned before a time.
-- parameters: before
-- grain: one row a flow
-- columns: flow_id
SELECT flow_id FROM flows WHERE abandoned_at < $before
