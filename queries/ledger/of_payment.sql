-- What runs have decided for good about a payment, oldest first; reason is null where it was emitted.
-- parameters: payment_id
-- grain: one row a campaign
-- columns: organization_code, campaign_id, run_id, as_of, planned_at, path, reason
SELECT
    decided.organization_code,
    decided.campaign_id,
    decided.run_id,
    runs.as_of,
    decided.planned_at,
    decided.path,
    decided.reason
FROM (
    SELECT
        organization_code,
        payment_id,
        campaign_id,
        run_id,
        planned_at,
        path,
        NULL AS reason
    FROM communications
    UNION ALL
    SELECT
        organization_code,
        payment_id,
        campaign_id,
        run_id,
        planned_at,
        NULL AS path,
        reason
    FROM final_suppressions
) AS decided
INNER JOIN runs ON runs.run_id = decided.run_id
WHERE decided.payment_id = $payment_id
ORDER BY runs.as_of, decided.campaign_id
