-- How a payment changed from one export to the next, oldest first.
-- parameters: payment_id
-- grain: one row a record of a file that changed it
-- columns: organization_code, payment_id, loaded_at, path, record_no, changes
SELECT
    payment_changes.organization_code,
    payment_changes.payment_id,
    loads.loaded_at,
    loads.path,
    payment_changes.record_no,
    payment_changes.changes
FROM payment_changes
INNER JOIN loads ON loads.load_id = payment_changes.load_id
WHERE payment_changes.payment_id = $payment_id
ORDER BY payment_changes.organization_code, payment_changes.load_id, payment_changes.record_no
