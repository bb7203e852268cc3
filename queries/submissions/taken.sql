-- Payments that another request has sent, or may have sent; `incoming` holds their keys.
-- parameters: run_id
-- grain: one row a payment and a request of another run
-- columns: organization_code, payment_id, run_id, path
SELECT
    communications.organization_code,
    communications.payment_id,
    submissions.run_id,
    submissions.path
FROM communications
INNER JOIN incoming
    ON
        incoming.organization_code = communications.organization_code
        AND incoming.payment_id = communications.payment_id
INNER JOIN submissions
    ON
        submissions.run_id = communications.run_id
        AND submissions.path = communications.path
WHERE
    submissions.run_id <> $run_id
    AND submissions.state IN ('accepted', 'unknown', 'sending')
ORDER BY submissions.run_id, submissions.path
