-- The folders of runs that had some flows to decide about: since the first was abandoned, or as the ledger tells.
-- parameters: none
-- `incoming` holds flow_id.
-- grain: one row a run
-- columns: folder
WITH asked AS MATERIALIZED (FROM incoming)

SELECT runs.folder
FROM runs
WHERE
    runs.as_of >= (
        SELECT min(flows.abandoned_at)
        FROM flows
        INNER JOIN asked ON asked.flow_id = flows.flow_id
    )
    OR runs.run_id IN (
        SELECT flow_communications.run_id
        FROM flow_communications
        INNER JOIN asked ON asked.flow_id = flow_communications.flow_id
    )
