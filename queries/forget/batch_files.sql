-- The batch files that some payments went out in; `incoming` holds their keys.
-- parameters: none
-- grain: one row a file
-- columns: folder, path
SELECT DISTINCT
    runs.folder,
    communications.path
FROM communications
INNER JOIN incoming
    ON
        incoming.organization_code = communications.organization_code
        AND incoming.payment_id = communications.payment_id
INNER JOIN runs ON runs.run_id = communications.run_id
