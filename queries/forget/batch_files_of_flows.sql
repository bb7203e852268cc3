-- The batch files that some flows went out in; `incoming` holds flow_id.
-- parameters: none
-- grain: one row a file
-- columns: folder, path
SELECT DISTINCT
    runs.folder,
    flow_communications.path
FROM flow_communications
INNER JOIN incoming ON incoming.flow_id = flow_communications.flow_id
INNER JOIN runs ON runs.run_id = flow_communications.run_id
